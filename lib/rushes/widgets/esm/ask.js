// A small sheet over the player that asks for something, or only says it: label, frame to go to, the shortcuts.
import { make, makeButton } from "./parts.js";

export function makeAsk(root) {
  const back = make("div", "rushes-sheet-back", root);
  const sheet = make("div", "rushes-sheet", back);
  sheet.setAttribute("role", "dialog");
  sheet.setAttribute("aria-modal", "true");
  back.hidden = true;
  let before = null;

  function close() {
    if (back.hidden) return;
    back.hidden = true;
    sheet.replaceChildren();
    (before?.isConnected ? before : root).focus({ preventScroll: true });
  }

  function begin(title, kind) {
    if (back.hidden) before = document.activeElement;
    sheet.dataset.kind = kind;
    sheet.replaceChildren();
    sheet.setAttribute("aria-label", title);
    const bar = make("div", "rushes-sheet-title", sheet);
    make("b", "", bar, title);
    makeButton(bar, { sign: "cross", label: "close", keys: "Escape", press: close });
    back.hidden = false;
  }

  back.addEventListener("pointerdown", (event) => {
    if (event.target === back) close();
  });
  back.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.key === "Tab") {
      // the focus stays in the sheet
      const stops = [...sheet.querySelectorAll("input, button")];
      const at = stops.indexOf(document.activeElement) + (event.shiftKey ? -1 : 1);
      stops[(at + stops.length) % stops.length].focus();
      event.preventDefault();
    }
    event.stopPropagation();
  });

  return {
    close,
    get open() {
      return !back.hidden;
    },
    // fields: [{name, label, value, known: [texts to offer]}]; `done` gets {name: text} and may answer with a complaint.
    ask({ title, fields, button, done }) {
      begin(title, "ask");
      const form = make("form", "rushes-form", sheet);
      for (const { name, label, value = "", known = [] } of fields) {
        const line = make("label", "", form);
        make("span", "", line, label);
        const input = make("input", "rushes-input", line);
        Object.assign(input, { name, value, autocomplete: "off", spellcheck: false });
        if (known.length) {
          const list = make("datalist", "", line);
          list.id = `rushes-${name}-${Math.random().toString(36).slice(2)}`;
          for (const text of known) make("option", "", list).value = text;
          input.setAttribute("list", list.id);
        }
      }
      const foot = make("div", "rushes-form-foot", form);
      const complaint = make("span", "rushes-form-bad", foot);
      complaint.setAttribute("role", "alert");
      const send = make("button", "rushes-button", foot, button);
      send.type = "submit";
      send.dataset.tone = "main";
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        const bad = done(Object.fromEntries(new FormData(form).entries()));
        if (bad) complaint.textContent = bad;
        else close();
      });
      const first = form.querySelector("input");
      first.focus();
      first.select();
    },
    // groups: [[title, [[keys, words], ...]], ...]
    tell(title, groups) {
      begin(title, "help");
      const columns = make("div", "rushes-help", sheet);
      for (const [name, lines] of groups) {
        const group = make("section", "", columns);
        make("h4", "", group, name);
        const list = make("dl", "", group);
        for (const [keys, words] of lines) {
          const term = make("dt", "", list);
          for (const key of keys.split(" ")) make("kbd", "", term, key);
          make("dd", "", list, words);
        }
      }
      sheet.querySelector("button").focus({ preventScroll: true });
    },
  };
}
