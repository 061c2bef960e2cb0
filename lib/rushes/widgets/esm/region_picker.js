// Dragging a rectangle on a screenshot. The model holds: picture (JPEG), screen [L, T, R, B], region [L, T, R, B] or
// null, smallest (px). Positions are in px of the screen; a pixel that the pointer stands on belongs to the rectangle.
import { make } from "./parts.js";

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function render({ model, el }) {
  const panel = make("div", "rushes-panel rushes-pick", el);
  const stage = make("div", "rushes-pick-stage", panel);
  stage.tabIndex = 0;
  stage.setAttribute("role", "application");
  stage.setAttribute("aria-label", "a rectangle on the screenshot: drag it, or move it by the arrow keys");
  stage.dataset.lmSuppressShortcuts = "true"; // arrow keys are ours, not the notebook's
  const image = make("img", "", stage);
  image.draggable = false;
  image.alt = "screenshot: drag a rectangle on it";
  const url = URL.createObjectURL(new Blob([model.get("picture")], { type: "image/jpeg" }));
  image.src = url;
  const box = make("div", "rushes-pick-box", stage);
  const label = make("div", "rushes-pick-label", stage);
  const lines = make("div", "rushes-pick-lines", panel);
  const said = make("div", "rushes-pick-said", lines);
  const option = make("div", "rushes-pick-copy", lines);
  const parameter = make("div", "rushes-pick-copy", lines);

  const [left, top, right, bottom] = model.get("screen");
  const width = right - left;
  const height = bottom - top;
  const smallest = model.get("smallest");
  let start = null; // [x, y] where the button went down, px inside the picture
  let chosen = null; // [l, t, r, b] inside the picture, right and bottom outside

  const clamp = (value, most) => Math.max(0, Math.min(Math.floor(value), most - 1));
  const at = (event) => {
    const shown = image.getBoundingClientRect();
    return [
      clamp(((event.clientX - shown.left) * width) / shown.width, width),
      clamp(((event.clientY - shown.top) * height) / shown.height, height),
    ];
  };
  const good = () => chosen && chosen[2] - chosen[0] >= smallest && chosen[3] - chosen[1] >= smallest;

  function draw() {
    box.hidden = label.hidden = !chosen;
    if (!chosen) {
      said.textContent = "Drag a rectangle. Arrow keys move it by one px, with Shift they move its lower right corner.";
      option.textContent = parameter.textContent = "";
      return;
    }
    const [l, t, r, b] = chosen;
    const percent = (value, whole) => `${(100 * value) / whole}%`;
    Object.assign(box.style, {
      left: percent(l, width), top: percent(t, height),
      width: percent(r - l, width), height: percent(b - t, height),
    });
    const numbers = [left + l, top + t, left + r, top + b];
    const words = `L ${numbers[0]}  T ${numbers[1]}  R ${numbers[2]}  B ${numbers[3]}   ${r - l} x ${b - t} px`;
    label.textContent = words;
    label.style.left = percent(l, width);
    label.style.top = percent(t, height);
    label.dataset.inside = String(t / height < 0.1);
    said.textContent = good() ? words : `${words}: too small, at least ${smallest} x ${smallest} px`;
    option.textContent = good() ? `--region ${numbers.join(" ")}` : "";
    parameter.textContent = good() ? `region = "${numbers.join(",")}"` : "";
  }

  function tell() {
    model.set("region", good() ? [left + chosen[0], top + chosen[1], left + chosen[2], top + chosen[3]] : null);
    model.save_changes();
  }

  function drag(event) {
    const end = at(event);
    chosen = [
      Math.min(start[0], end[0]), Math.min(start[1], end[1]),
      Math.max(start[0], end[0]) + 1, Math.max(start[1], end[1]) + 1,
    ];
    draw();
  }

  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    stage.focus({ preventScroll: true });
    stage.setPointerCapture(event.pointerId);
    start = at(event);
    drag(event);
  });
  stage.addEventListener("pointermove", (event) => start && drag(event));
  stage.addEventListener("pointerup", (event) => {
    if (!start) return;
    drag(event);
    start = null;
    tell();
  });
  stage.addEventListener("pointercancel", () => {
    start = null;
  });
  stage.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step || !chosen) return;
    event.preventDefault();
    event.stopPropagation();
    const [l, t, r, b] = chosen;
    const limit = (value, low, high) => Math.max(low, Math.min(value, high));
    if (event.shiftKey) {
      chosen = [l, t, limit(r + step[0], l + 1, width), limit(b + step[1], t + 1, height)];
    } else {
      const dx = limit(step[0], -l, width - r);
      const dy = limit(step[1], -t, height - b);
      chosen = [l + dx, t + dy, r + dx, b + dy];
    }
    draw();
    tell();
  });

  function follow() {
    const region = model.get("region");
    if (region) chosen = [region[0] - left, region[1] - top, region[2] - left, region[3] - top];
    else if (good()) chosen = null;
    draw();
  }
  model.on("change:region", follow);
  follow();
  return () => {
    model.off("change:region", follow);
    URL.revokeObjectURL(url);
  };
}

export default { render };
