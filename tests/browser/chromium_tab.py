"""A Chromium of our own and its tabs, spoken to without a driver between.

A driver keeps the page that it drives visible and focused for ever. Here a tab is hidden when another one stands in
front of it, as for a person, and the processes are ours to kill.

    with Chromium(program, folder) as browser:
        tab = browser.open("http://...", width=480, height=270, first="window.early = 1")
        tab.press("KeyW"); tab.until("document.title"); tab.hide(); tab.show()
        browser.kill_renderers()
"""

import base64
import json
import os
import signal
import subprocess
import time
from contextlib import suppress

from rushes.notebook.browser_10hz.demo import FLAGS

WAIT_S = 60
LOOK_S = 0.03
VIRTUAL_KEYS = {"Space": 32}


def until(found, what="it", wait_s=WAIT_S):
    """Wait for what `found` gives, as long as a busy machine may take."""
    end = time.monotonic() + wait_s
    while not (value := found()):
        assert time.monotonic() < end, f"{what} did not come true"
        time.sleep(LOOK_S)
    return value


class Link:
    """A connection to the browser or to a page, by the DevTools protocol."""

    def __init__(self, address):
        from websocket import create_connection

        self.socket = create_connection(address, timeout=WAIT_S, suppress_origin=True)
        self.number, self.events = 0, []

    def ask(self, method, **parameters):
        """Send a command and give what it returns."""
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while (answer := json.loads(self.socket.recv())).get("id") != self.number:
            self.events.append(answer)
        assert "error" not in answer, f"{method}: {answer['error']}"
        return answer["result"]


class Chromium:
    """A browser without a window and with a profile of its own, in a new folder."""

    def __init__(self, program, folder):
        self.process = subprocess.Popen(
            [program, "--headless", "--remote-debugging-port=0", f"--user-data-dir={folder}", "--window-size=640,480",
             *FLAGS, "--disable-quic", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        port = folder / "DevToolsActivePort"
        lines = until(lambda: port.exists() and port.read_text().split(), "an address of the browser")
        self.address = f"ws://127.0.0.1:{lines[0]}"
        self.link = Link(self.address + lines[1])
        self.links = [self.link]

    def open(self, url, *, width, height, first=""):
        """Open a page in a new tab, in front; the script `first` runs before any of the page's own."""
        target = self.link.ask("Target.createTarget", url="about:blank")["targetId"]
        tab = Tab(self, target)
        self.links.append(tab)
        tab.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        tab.ask("Page.enable")
        tab.ask("Runtime.enable")
        tab.ask("Page.addScriptToEvaluateOnNewDocument", source=first)
        tab.go(url)
        return tab

    def processes(self):
        """Give the ids of its processes, by their kind."""
        found = {}
        for one in self.link.ask("SystemInfo.getProcessInfo")["processInfo"]:
            found.setdefault(one["type"], []).append(one["id"])
        return found

    def kill_renderers(self):
        """Kill what holds the pages, as the system does when memory runs out."""
        for number in self.processes()["renderer"]:
            os.kill(number, signal.SIGKILL)

    def kill(self):
        """Kill it whole."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(WAIT_S)
        for link in self.links:
            link.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


class Tab(Link):
    """A page. Expressions are JavaScript; values come back as JSON has them, numbers to the last bit."""

    def __init__(self, browser, target):
        super().__init__(f"{browser.address}/devtools/page/{target}")
        self.browser, self.target = browser, target
        self.at = (0.0, 0.0)

    def go(self, url):
        """Leave the page for another one, or for the same one again."""
        self.ask("Page.navigate", url=url)

    def js(self, expression):
        """Evaluate an expression, wait for it where it is a promise, and give its value."""
        text = f"(async () => JSON.stringify(await ({expression})))()"
        answer = self.ask("Runtime.evaluate", expression=text, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, f"{expression}: {answer['exceptionDetails']}"
        return json.loads(answer["result"].get("value") or "null")

    def bytes(self, expression):
        """Evaluate an expression that gives a Uint8Array."""
        text = self.js(f"""((bytes) => {{
            const parts = [];
            for (let k = 0; k < bytes.length; k += 8192)
                parts.push(String.fromCharCode(...bytes.subarray(k, k + 8192)));
            return btoa(parts.join(""));
        }})({expression})""")
        return base64.b64decode(text)

    def until(self, expression):
        """Wait until an expression is true."""
        return until(lambda: self.js(f"Boolean({expression})"), expression)

    def faults(self):
        """Give what went wrong in the page and was not caught there."""
        self.js("0")
        return [event["params"] for event in self.events if event.get("method") == "Runtime.exceptionThrown"]

    def clock(self, tries=12):
        """Compare clocks: (this process's perf_counter minus the page's clock, how far that may be off), both ms."""
        found = []
        for _ in range(tries):
            before = time.perf_counter() * 1000
            told = self.js("performance.now()")
            after = time.perf_counter() * 1000
            found.append(((after - before) / 2, (before + after) / 2 - told))
        half, offset = min(found)
        return offset, half

    def key(self, kind, code):
        """Send `keyDown` or `keyUp` of a key by its W3C code."""
        letter = code.removeprefix("Key").lower()
        number = VIRTUAL_KEYS.get(code, ord(letter[0].upper()))
        text = {"text": " " if code == "Space" else letter} if kind == "keyDown" else {}
        self.ask("Input.dispatchKeyEvent", type=kind, code=code, key=letter, windowsVirtualKeyCode=number, **text)

    def press(self, *codes):
        """Press keys and keep them down."""
        for code in codes:
            self.key("keyDown", code)

    def release(self, *codes):
        """Let keys go."""
        for code in codes:
            self.key("keyUp", code)

    def mouse(self, kind, **more):
        """Send a mouse event where the mouse is."""
        self.ask("Input.dispatchMouseEvent", type=kind, x=self.at[0], y=self.at[1], **more)

    def move(self, dx, dy, parts=1):
        """Move the mouse by so many px, in equal parts."""
        for _ in range(parts):
            self.at = (self.at[0] + dx / parts, self.at[1] + dy / parts)
            self.mouse("mouseMoved")

    def click(self, selector=""):
        """Click on an element, or where the mouse is."""
        if selector:
            box = self.js(f"""((e) => {{ e.scrollIntoView({{behavior: "instant", block: "center"}});
                const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2];
            }})(document.querySelector({selector!r}))""")
            self.at = (round(box[0]), round(box[1]))
            self.mouse("mouseMoved")
        for kind in ("mousePressed", "mouseReleased"):
            self.mouse(kind, button="left", clickCount=1)

    def hide(self):
        """Bring another tab to the front."""
        self.cover = self.browser.link.ask("Target.createTarget", url="about:blank")["targetId"]
        self.until("document.hidden")

    def show(self):
        """Close the tab in front."""
        self.browser.link.ask("Target.closeTarget", targetId=self.cover)
        self.browser.link.ask("Target.activateTarget", targetId=self.target)
        self.until("!document.hidden")

    def close(self):
        """Close the tab, as a person does."""
        self.browser.link.ask("Target.closeTarget", targetId=self.target)
