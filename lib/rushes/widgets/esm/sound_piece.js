// Sound as the kernel sends it, 16-bit samples whose channels take turns, and the page's way of playing it. A browser
// lets sound begin only after a gesture.

// {context, gain}, or null where the browser has no sound.
export function openOutput() {
  if (!window.AudioContext) return null;
  const context = new AudioContext({ latencyHint: "interactive" });
  const gain = context.createGain();
  gain.connect(context.destination);
  return { context, gain };
}

// Call it from a gesture.
export function wakeOutput(output) {
  if (output?.context.state === "suspended") output.context.resume().catch(() => {});
}

export function closeOutput(output) {
  output?.context.close().catch(() => {});
}

// A source that is ready to be started, or null where there is no sample. `view` is a DataView.
export function makePiece({ context, gain }, { rate, channels = 1, view }) {
  const count = Math.floor(view.byteLength / 2 / channels);
  if (!count) return null;
  const buffer = context.createBuffer(channels, count, rate);
  for (let channel = 0; channel < channels; channel += 1) {
    const out = buffer.getChannelData(channel);
    for (let k = 0; k < count; k += 1) out[k] = view.getInt16(2 * (k * channels + channel), true) / 32768;
  }
  const piece = context.createBufferSource();
  piece.buffer = buffer;
  piece.connect(gain);
  return piece;
}
