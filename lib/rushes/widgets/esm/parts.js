// Small pieces that every panel of the family is made of: nodes, buttons with drawn signs, words for times, and the
// colours of the theme for what is drawn on a canvas.

const SIGNS = {
  play: "M4 2.5v11l9-5.5z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  first: "M3 3h1.8v10H3zM13 3v10L5.6 8z",
  last: "M11.2 3H13v10h-1.8zM3 3v10l7.4-5z",
  back: "M10.5 3v10L4 8z",
  on: "M5.5 3v10L12 8z",
  start: "M6 2h5v1.8H7.8v8.4H11V14H6z",
  stop: "M10 2H5v1.8h3.2v8.4H5V14h5z",
  minus: "M3 7.2h10v1.6H3z",
  plus: "M7.2 3h1.6v4.2H13v1.6H8.8V13H7.2V8.8H3V7.2h4.2z",
  loud: "M2 5.5h3L9 2v12l-4-3.5H2zM10.5 4.5a4.5 4.5 0 0 1 0 7zM11.8 2.3a7 7 0 0 1 0 11.4l-.8-1.2a5.5 5.5 0 0 0 0-9z",
  mute: "M2 5.5h3L9 2v12l-4-3.5H2zM10.4 6.1l1-1 1.6 1.7 1.7-1.7 1 1L14 7.8l1.7 1.7-1 1L13 8.8l-1.6 1.7-1-1L12 7.8z",
  cross: "M4.1 3 8 6.9 11.9 3 13 4.1 9.1 8l3.9 3.9-1.1 1.1L8 9.1 4.1 13 3 11.9 6.9 8 3 4.1z",
};

export function make(tag, name, parent = null, text = "") {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text) node.textContent = text;
  if (parent) parent.appendChild(node);
  return node;
}

export function drawSign(node, name) {
  if (node.dataset.sign === name) return;
  node.dataset.sign = name;
  node.innerHTML = `<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d="${SIGNS[name]}"/></svg>`;
}

// A button that leaves the focus where it is when it is clicked, so that the shortcuts go on working.
export function makeButton(parent, { sign = "", text = "", label, keys = "", press, tone = "" }) {
  const node = make("button", "rushes-button", parent, sign ? "" : text);
  node.type = "button";
  if (sign) drawSign(node, sign);
  if (tone) node.dataset.tone = tone;
  node.title = keys ? `${label} (${keys})` : label;
  node.setAttribute("aria-label", label);
  node.addEventListener("mousedown", (event) => event.preventDefault());
  node.addEventListener("click", () => press());
  return node;
}

// Give a file of the kernel's to the person, as a download.
export function keepFile({ name, type }, buffer) {
  const link = make("a", "");
  link.href = URL.createObjectURL(new Blob([buffer], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

export function makeGroup(parent, label) {
  const node = make("div", "rushes-group", parent);
  node.setAttribute("role", "group");
  node.setAttribute("aria-label", label);
  return node;
}

// 75.5 -> "1:15.500"; hours are shown where there are any.
export function timeWords(seconds, digits = 3) {
  const sign = seconds < 0 ? "-" : "";
  const units = Math.round(Math.abs(seconds) * 10 ** digits);
  const whole = Math.floor(units / 10 ** digits);
  const rest = digits ? `.${String(units % 10 ** digits).padStart(digits, "0")}` : "";
  const two = (value) => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return `${sign}${hours ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}${rest}`;
}

// "1:15.5" or "75.5" -> 75.5, null where it is neither.
export function readTime(text) {
  const parts = text.trim().split(":");
  if (parts.length > 3 || parts.some((part) => !/^\d+(\.\d+)?$/.test(part))) return null;
  return parts.reduce((sum, part) => 60 * sum + Number(part), 0);
}

export function clamp(value, low, high) {
  return Math.max(low, Math.min(value, high));
}

// 1 in the wheel's own direction for any device: trackpads send many small steps, mice few large ones.
export function wheelSteps(event) {
  const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 160 : 1;
  const way = Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : event.deltaY;
  return clamp((way * unit) / 100, -3, 3);
}

const COLOURS_LATE_MS = 100;

export function makeColours(root, changed) {
  const names = ["ink", "muted", "faint", "paper", "shade", "rule", "accent", "held", "wave", "good", "warn", "bad"];
  const colours = {};
  let ended = false;
  // A view is made before it stands in the page, and its style sheet may come after it: then there are no colours yet.
  const read = () => {
    const style = getComputedStyle(root);
    if (!style.getPropertyValue("--rushes-ink") && !ended) setTimeout(again, COLOURS_LATE_MS);
    for (const name of names) colours[name] = style.getPropertyValue(`--rushes-${name}`).trim() || "#888888";
    colours.font = style.fontFamily;
  };
  let asked = 0;
  const again = () => {
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(() => {
      read();
      changed();
    });
  };
  // Lab names its theme in attributes of the body and swaps the style sheet a little later.
  const watch = new MutationObserver(() => {
    again();
    setTimeout(again, 300);
  });
  watch.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-name", "data-jp-theme-light", "class"] });
  watch.observe(document.documentElement, { attributes: true, attributeFilter: ["class", "style", "data-theme"] });
  return {
    colours, read,
    dispose() {
      ended = true;
      watch.disconnect();
    },
  };
}

// A canvas drawn in CSS px whatever the screen's own pixels are.
export function fitCanvas(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const across = Math.max(1, Math.round(width * ratio));
  const down = Math.max(1, Math.round(height * ratio));
  if (canvas.width !== across || canvas.height !== down) {
    canvas.width = across;
    canvas.height = down;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}
