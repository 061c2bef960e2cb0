/* ---- the recorder ---- */

const FLUSH_MS = 50;
const LAST_MS = 10000; // how long the end waits for them
const BUSY_MS = 10000;

function join(hello, began, resolve, reject) {
  const address = new URL("play" + HOME.search, HOME);
  address.protocol = HOME.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(address);
  let refused = null;
  play.socket = socket;
  socket.onopen = () => send(hello);
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === "sync") send({ type: "sync", s: message.s, c: performance.now() });
    else if (message.type === "welcome") Object.assign(play, { rate_hz: message.rate_hz, size: message.size, layout: new Set(message.layout) });
    else if (message.type === "go") go(resolve, reject);
    else if (message.type === "saved") saved(message);
    else if (message.type === "refused") refused = message;
  };
  socket.onclose = () => {
    if (refused && refused.code === "busy" && performance.now() - began < BUSY_MS) {
      setTimeout(() => join(hello, began, resolve, reject), 500);
      return;
    }
    const words = refused ? `${refused.given}; accepted: ${refused.accepts}; ${refused.fix}` : "the recorder is gone";
    reject(new Error(words)); // nothing, where the play had begun
    if (play.socket !== socket) return; // the next play has begun
    clearInterval(play.timer);
    play.why = words;
    if (play.state !== "ended") become("lost");
    if (play.saved) play.saved.reject(new Error(words));
  };
}

/** The play is stored: this page ended it, or the recorder did. */
function saved(message) {
  clearInterval(play.timer);
  become("ended");
  play.answer = message;
  if (play.saved) play.saved.resolve(message);
}

async function go(resolve, reject) {
  const { socket, size: [height, width] } = play;
  try {
    if (!play.pictures || play.pictures.width !== width || play.pictures.height !== height) {
      const pictures = new Away(width, height);
      await pictures.begin();
      play.pictures = pictures;
    }
  } catch (error) {
    reject(error);
    socket.close();
    return;
  }
  if (play.state !== "joining" || play.socket !== socket) return; // the recorder went away meanwhile
  Object.assign(play, { begin: performance.now(), tick: 0, first: true, missed: 0, lost: 0, out: [], told: new Map(), landed });
  play.timer = setInterval(() => flush(false), FLUSH_MS);
  become(document.hidden ? "hidden" : "recording");
  resolve({ rate_hz: play.rate_hz, size: play.size });
}

const api = {
  onframe: null,
  onstate: null,
  figures,
  get state() {
    return play.state;
  },
  start({ player = "", attrs = {} } = {}) {
    play.canvas = document.querySelector(SCRIPT.dataset.canvas || "canvas");
    if (!play.canvas) return Promise.reject(new Error(`no canvas ${SCRIPT.dataset.canvas || "canvas"} on this page`));
    if (["joining", "recording", "paused", "hidden"].includes(play.state)) return Promise.reject(new Error("it is recorded already"));
    become("joining");
    Object.assign(play, { saved: null, answer: null, why: "", early: [] });
    const { height, width } = play.canvas;
    const game = SCRIPT.dataset.game || document.title || location.hostname;
    const hello = { type: "hello", version: 1, game, player, page: location.origin + location.pathname, canvas: [height, width], attrs };
    return new Promise((resolve, reject) => join(hello, performance.now(), resolve, reject));
  },
  pause() {
    if (play.state === "recording") gap("pause");
    if (["recording", "hidden"].includes(play.state)) become("paused"); // what is hidden has its gap already
  },
  resume() {
    if (play.state === "paused") become(document.hidden ? "hidden" : "recording");
  },
  telemetry(fields) {
    if (!["joining", "recording", "paused", "hidden"].includes(play.state)) return;
    const row = asTold(fields);
    if (play.state === "joining" || (play.state === "recording" && play.first)) play.early.push(row);
    else tell(performance.now(), row); // in a pause too: the recorder counts what belongs to no segment
  },
  end(reason = "stop") {
    if (play.state === "ended" && play.answer) return Promise.resolve(play.answer); // the recorder was first
    if (!["recording", "paused", "hidden"].includes(play.state)) return Promise.reject(new Error(play.why || `nothing is recorded (${play.state})`));
    return new Promise((resolve, reject) => {
      play.saved = { resolve, reject };
      const t = performance.now();
      for (const row of play.early.splice(0)) tell(t, row);
      put({ t, message: { type: "end", t, reason } });
      become("ended");
      const { socket } = play;
      const finish = () => {
        clearTimeout(limit);
        if (play.socket !== socket) return; // the recorder went away, and the next play has begun
        play.landed = landed;
        giveUp();
        clearInterval(play.timer);
      };
      const limit = setTimeout(finish, LAST_MS);
      play.landed = () => play.out.some((item) => item.waits) || finish(); // the last pictures first
      play.landed();
    });
  },
};
window.rushesCapture = api;
listen();
if ("autostart" in SCRIPT.dataset) {
  window.addEventListener("load", () => api.start().catch((error) => reportError(error)));
}
