// What is said of a source, and of the place that is looked at.

export function sourceWords({ frames, width, height, rate_hz, exact }) {
  const rate = rate_hz ? ` \u00b7 ${Math.round(rate_hz * 100) / 100} Hz` : "";
  return `${width}\u00d7${height}${rate} \u00b7 ${frames} frames${exact ? " \u00b7 exact" : ""}`;
}

export function segmentWords(about, frame) {
  const number = about.segments.findIndex(({ start, stop }) => frame >= start && frame < stop);
  return about.segments.length > 1 && number >= 0 ? `seg ${number + 1}/${about.segments.length}` : "";
}

export function soundWords(stream) {
  return stream ? `Sound: ${stream}. It is heard while it plays forward at 1\u00d7.` : "Sound is off.";
}

// Under one of two pictures: what changes stands first, so that a narrow picture cuts off something else.
export function captionWords(source, frame) {
  return `frame ${frame ?? "\u2013"} \u00b7 ${source.name} \u00b7 ${sourceWords(source)}`;
}
