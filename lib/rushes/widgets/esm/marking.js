// The selection and the marks: what is asked of the kernel, and how marks are named and found.

const SHOWN = 160;

export function markWords(mark) {
  if (mark.label) return `${mark.label.column} = ${mark.label.value}`;
  return mark.valid === false ? "invalid" : mark.valid === true ? "valid" : "marked";
}

const frameWords = (mark) => `frames ${mark.start} to ${mark.stop - 1}`;

// What became of the marks, in words: of several that are new the one that was asked for, not what it left of another.
export function newsOf(before, after, [start, stop]) {
  const missing = (one, others) => !others.some(({ id }) => id === one.id);
  const fresh = after.filter((one) => missing(one, before));
  const added = fresh.find((one) => one.start === start && one.stop === stop) ?? fresh.at(-1);
  if (added) return `${markWords(added)}: ${frameWords(added)}`;
  const gone = before.filter((one) => missing(one, after)).at(-1);
  return gone ? `taken back: ${markWords(gone)}, ${frameWords(gone)}` : "";
}

export function makeMarking({ model, send, viewing, ask, say, changed }) {
  let chosen = null; // id of the mark that was clicked or gone to

  const selection = () => {
    const value = model.get("selection");
    return value && value.length === 2 ? [value[0], value[1]] : null;
  };

  function select(next) {
    model.set("selection", next);
    model.save_changes();
    changed();
  }

  const range = () => selection() ?? [viewing.state.frame, viewing.state.frame + 1];

  function mark(valid, label = null) {
    const [start, stop] = range();
    send({ do: "mark", start, stop, valid, label });
  }

  function unmark() {
    const found = (model.get("marks") ?? []).find(({ id }) => id === chosen);
    if (!found) {
      say("Choose a mark first: click it in the timeline, or go to it with M.", "plain");
      return;
    }
    send({ do: "unmark", id: found.id });
    chosen = null;
    select(null);
  }

  function choose(found) {
    chosen = found.id;
    select([found.start, found.stop]);
    say(`${markWords(found)}: ${frameWords(found)}`, "plain", { text: "Take back", press: unmark });
  }

  return {
    selection, select, unmark, choose,
    // Go to the next mark and choose it, also where several begin at one frame; whether there is one.
    meet(direction) {
      const marks = [...(model.get("marks") ?? [])].sort((a, b) => a.start - b.start);
      const { frame } = viewing.state;
      const at = marks.findIndex(({ id, start }) => id === chosen && start === frame);
      const found =
        at >= 0 ? marks[at + direction]
        : direction > 0 ? marks.find(({ start }) => start > frame) : marks.findLast(({ start }) => start < frame);
      if (!found) return false;
      viewing.go(found.start);
      choose(found);
      return true;
    },
    invalid: () => mark(false),
    valid: () => mark(true),
    clear() {
      chosen = null;
      select(null);
    },
    start() {
      const frame = viewing.state.frame;
      const now = selection();
      select([frame, now && now[1] > frame ? now[1] : frame + 1]);
    },
    stop() {
      const frame = viewing.state.frame;
      const now = selection();
      select([now && now[0] <= frame ? now[0] : frame, frame + 1]);
    },
    label() {
      const known = (model.get("marks") ?? []).filter((one) => one.label).map((one) => one.label);
      const [start, stop] = range();
      ask.ask({
        title: stop - start > 1 ? `Label frames ${start} to ${stop - 1}` : `Label frame ${start}`,
        button: "Mark",
        fields: [
          { name: "column", label: "column", value: known.at(-1)?.column ?? "label", known: [...new Set(known.map((one) => one.column))] },
          { name: "value", label: "value", known: [...new Set(known.map((one) => String(one.value)))].slice(0, SHOWN) },
        ],
        done({ column, value }) {
          if (!column.trim()) return "A label needs the name of its column.";
          if (!value.trim()) return "A label needs a value.";
          mark(null, { column: column.trim(), value: value.trim() });
          return "";
        },
      });
    },
    // As the timeline draws them.
    drawn(timeOf) {
      return (model.get("marks") ?? []).map((one) => ({
        id: one.id, mark: one, text: markWords(one), chosen: one.id === chosen,
        from: one.t_start_ns ?? timeOf(one.start), to: one.t_end_ns ?? timeOf(one.stop),
        tone: one.label ? "accent" : one.valid === false ? "bad" : "good",
      }));
    },
  };
}
