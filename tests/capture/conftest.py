"""A page for the browser backend without a browser: a WebSocket client of plain sockets, by RFC 6455."""

import base64
import http.client
import json
import os
import socket
import struct
import time
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

WAIT_S = 60
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
AGE_MS = 5000.0


def now_ms():
    """The page's clock: that of this machine, as if the page had been opened elsewhen."""
    return time.perf_counter() * 1000 + AGE_MS


class Page:
    """One connection; `status` is 101 where the server took it.

    Args:
        address: What the server printed.
        more: `origin`, `host`, `token`, `cookie` in the place of the right ones; None leaves one out.
    """

    def __init__(self, address, **more):
        self.again = lambda: self.__init__(address, **more)
        parts = urlsplit(address)
        given = {"origin": f"http://{parts.netloc}", "host": parts.netloc, "token": parse_qs(parts.query)["token"][0]}
        given = given | {"cookie": None} | more
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=WAIT_S)
        path = "/play" if given["token"] is None else f"/play?token={given['token']}"
        head = [f"GET {path} HTTP/1.1", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
        head += ["Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)).decode()]
        for name in ("host", "origin", "cookie"):
            head += [f"{name.title()}: {given[name]}"] if given[name] is not None else []
        self.socket.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
        answer = b""
        while b"\r\n\r\n" not in answer and (byte := self.socket.recv(1)):
            answer += byte
        self.status = int(answer.split()[1])
        self.welcome = None
        self.round_trip_ms = []

    def send(self, message):
        """Send a text (a mapping becomes JSON) or bytes."""
        kind = BINARY if isinstance(message, bytes) else TEXT
        data = message if isinstance(message, bytes) else message if isinstance(message, str) else json.dumps(message)
        data = data.encode() if isinstance(data, str) else data
        self._send(kind, data)

    def _send(self, kind, data):
        size = len(data)
        if size < 126:
            head = struct.pack("!BB", 0x80 | kind, 0x80 | size)
        elif size < 1 << 16:
            head = struct.pack("!BBH", 0x80 | kind, 0x80 | 126, size)
        else:
            head = struct.pack("!BBQ", 0x80 | kind, 0x80 | 127, size)
        self.socket.sendall(head + bytes(4) + data)  # a mask of zeros masks nothing

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                return None
            data += part
        return data

    def receive(self):
        """The next message; None when the server has closed. Questions to the clock are answered."""
        while True:
            try:
                head = self._exactly(2)
            except ConnectionError:
                return None
            if head is None or head[0] & 15 == CLOSE:
                return None
            size = head[1] & 127
            if size > 125:
                size = int.from_bytes(self._exactly(2 if size == 126 else 8), "big")
            data = self._exactly(size) if size else b""
            if head[0] & 15 == PING:
                self._send(PONG, data)
                continue
            message = json.loads(data)
            if message["type"] == "sync":
                self.send({"type": "sync", "s": message["s"], "c": now_ms()})
                continue
            return message

    def question(self):
        """The number of the next question to the clock, which is not answered."""
        while True:
            head = self._exactly(2)
            size = head[1] & 127
            data = self._exactly(int.from_bytes(self._exactly(2), "big") if size > 125 else size)
            if head[0] & 15 == TEXT and (message := json.loads(data))["type"] == "sync":
                return message["s"]

    def until(self, kind):
        """Go on until a message of a type comes."""
        while (message := self.receive()) is not None and message["type"] != kind:
            pass
        assert message is not None, f"the server closed before {kind!r}"
        return message

    def hello(self, **more):
        self.send({"type": "hello", "version": 1, "game": "Planted", "player": "Ada", "page": "http://there/"} | {
            "canvas": [360, 640], "attrs": {"environment": "wildfire", "seed": 7}} | more)  # fmt: skip
        return self

    def join(self, **more):
        """Say hello and wait until frames are wanted; as capture.js, try again while the play before is sealed."""
        until = time.monotonic() + WAIT_S
        while (answer := self.hello(**more).receive())["type"] != "welcome":
            assert answer["code"] == "busy"
            assert time.monotonic() < until, "never let in"
            time.sleep(0.05)
            self.close()
            self.again()
        self.welcome = answer
        self.until("go")
        return self

    def frame(self, t, tick, pixels, fields=None, **more):
        height, width = pixels.shape[:2]
        head = {"t": t, "tick": tick, "late": False, "dropped": 0, "w": width, "h": height, "fields": fields} | more
        text = json.dumps(head).encode()
        self.send(struct.pack("<I", len(text)) + text + pixels.tobytes())

    def frames(self, count, *, begin=None, seed=0):
        """Send pictures of noise, 100 ms apart; give their times and pixels."""
        begin = now_ms() if begin is None else begin
        height, width = self.welcome["size"]
        pixels = np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), np.uint8)
        times = [begin + 100 * k for k in range(count)]
        for k in range(count):
            self.frame(times[k], k, pixels[k], {"k": k})
        return times, pixels

    def close(self):
        """Go away without a word, as a killed tab does."""
        self.socket.close()


@pytest.fixture(scope="session")
def browser_page():
    """The class of such pages."""
    return Page


@pytest.fixture(scope="session")
def fetch():
    """Ask a server for a path as it stands: (status, headers, body)."""

    def get(address, path, *, method="GET", **headers):
        parts = urlsplit(address)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=WAIT_S)
        connection.putrequest(method, path, skip_host=True)
        for name, value in ({"host": parts.netloc} | headers).items():
            if value is not None:
                connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        with connection.getresponse() as answer:
            found = answer.status, dict(answer.getheaders()), answer.read()
        connection.close()
        return found

    return get
