"""Plays of pages, without a browser: what they send is what the session holds; who may not, does not."""

import contextlib
import http.client
import queue
import shutil
import socket
import threading
import time
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from rushes.capture.browser import pages as pages_module
from rushes.capture.browser import server as server_module
from rushes.capture.browser.serving import Serving
from rushes.capture.settings import Settings
from rushes.errors import BadInputError, OccupiedError
from rushes.qa.base import run_checks
from rushes.store.reader import open_session

WAIT_S = 60
MS = 1_000_000
FOREIGN, ALLOWED = "https://evil.example", "http://game.example:3000"
NASTY = "<script>alert(1)</script>/../../x"


class Stage:
    """A server that records whatever comes, in a folder of its own."""

    def __init__(self, folder):
        page = folder / "page"
        page.mkdir()
        (page / "index.html").write_text("<!doctype html><title>demo</title>", encoding="utf-8")
        (page / "capture.js").write_text("/* capture */", encoding="utf-8")
        (page / "secret.txt").write_text("not of a kind that is served", encoding="utf-8")
        (folder / "outside.js").write_text("outside", encoding="utf-8")
        self.exported = []
        self.results = queue.Queue()
        self.serving = Serving(
            Settings(backend="browser", fps=10.0, codec="png"),
            size=(12, 16),
            port=0,
            allow_origins=[ALLOWED],
            exporter=self.export,
            page=page,
        )
        self.address = self.serving.address
        self.thread = threading.Thread(target=self.record, daemon=True)
        self.thread.start()

    def record(self):
        for result in self.serving.plays():
            self.results.put(result)

    def export(self, session, folder):
        self.exported.append(session)
        with zipfile.ZipFile(folder / f"{session.name} ü.zip", "w") as archive:
            archive.writestr("name.txt", session.name)
        return folder / f"{session.name} ü.zip"

    def result(self):
        return self.results.get(timeout=WAIT_S)

    def session(self):
        """The session that was stored last, which is sound."""
        session = open_session(self.result().path)
        assert [f for f in run_checks(session) if f.severity == "error"] == []
        assert session.ledger.balances
        return session


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        made = Stage(folder)
        yield made
        made.serving.close()
        made.thread.join(WAIT_S)
        assert not made.thread.is_alive()


@pytest.fixture
def page(stage, browser_page):
    """Pages, closed afterwards."""
    made = []

    def open_page(**more):
        made.append(browser_page(stage.address, **more))
        return made[-1]

    yield open_page
    for one in made:
        one.close()


def test_what_a_page_sends_comes_back_pixel_for_pixel_and_nanosecond_for_nanosecond(stage, page, fetch):
    me = page().join(game="Rescue", attrs={"environment": "wildfire", "seed": 7, "hard": True})
    assert (me.welcome["rate_hz"], me.welcome["size"]) == (10.0, [12, 16])
    assert {"KeyW", "MouseLeft", "MouseDX", "Mouse"} <= set(me.welcome["layout"])
    assert "KeyB" not in me.welcome["layout"]
    begun, age_ms = time.perf_counter(), 5000.0
    t0 = begun * 1000 + age_ms
    picture = np.random.default_rng(3).integers(0, 256, (6, 12, 16, 3), np.uint8)
    times = [t0 + at for at in (0.0, 99.875, 200.25, 420.5, 520.5, 620.625)]
    me.frame(times[0], 0, picture[0], {"event": "periodic_update_10hz", "fuel": 100, "jumping": False})
    me.send({"type": "events", "rows": [
        [t0 + 10.125, "keyboard", "KeyW", "press", 1, None, None, None, None],
        [t0 + 20, "keyboard", "KeyB", "press", 1, None, None, None, None],
        [t0 + 30.5, "mouse", "Mouse", "move", None, None, None, -3, 4.5],
        [t0 + 31, "mouse", "MouseLeft", "press", 1, 100.5, 20, None, None],
        [t0 + 32, "mouse", "MouseWheel", "scroll", -1, None, None, None, None]]})  # fmt: skip
    me.frame(times[1], 1, picture[1], {"event": "periodic_update_10hz", "fuel": 99.5, "jumping": True})
    me.send({"type": "telemetry", "t": t0 + 150, "fields": {"event": "rescue", "fuel": 98}})
    me.frame(times[2], 2, picture[2])
    me.send({"type": "gap", "t": t0 + 300, "reason": "hidden"})
    me.send({"type": "telemetry", "t": t0 + 310, "fields": {"event": "too late"}})
    me.frame(times[3], 7, picture[3], {"fuel": 97, "event": "periodic_update_10hz"}, late=True)
    me.send({"type": "lost", "t": t0 + 500, "stream": "events", "reason": "auto_repeat", "count": 4})
    me.frame(times[4], 9, picture[4], dropped=1)
    me.frame(times[4] - 1, 9, picture[4])  # runs back
    me.frame(times[5], 10, picture[5])
    me.send({"type": "end", "t": t0 + 700, "reason": "died"})
    saved = me.until("saved")
    assert me.receive() is None
    session = stage.session()
    assert (saved["name"], saved["frames"]) == (session.path.name, 6)
    assert session.path.name.startswith("Rescue_")

    info = session.info
    assert (info.game, info.time_source, dict(info.source)) == (
        "Rescue",
        "measured",
        {"kind": "browser", "name": "demo"},
    )
    assert {"player": "Ada", "environment": "wildfire", "seed": 7, "hard": True, "canvas": [360, 640]}.items() <= (
        info.provenance.items()
    )
    assert [(s.kind, s.codec, s.exact, s.unit) for s in info.streams] == [
        ("frames", "png", True, ""), ("events", "", True, "px"), ("telemetry", "", True, "")]  # fmt: skip
    assert np.array_equal(np.stack(list(session.frames(0, 6))), picture)

    first, second = session.segments
    assert [(s.frames, s.end_reason) for s in session.segments] == [(3, "hidden"), (3, "died")]
    index = session.index()
    stamps = index["t_ns"].to_numpy()
    assert [stamps[k] - stamps[0] for k in (1, 2)] == [99_875_000, 200_250_000]
    assert [stamps[k] - stamps[3] for k in (4, 5)] == [100 * MS, 200_125_000]
    assert (first.end_ns - stamps[0], second.end_ns - stamps[3]) == (300 * MS, 279_500_000)
    for segment, at, sent in ((first, 0, times[0]), (second, 3, times[3])):
        truth_ns = (sent - age_ms) * MS - segment.attrs["monotonic_zero_ns"]
        assert abs(stamps[at] - truth_ns) <= segment.attrs["round_trip_ms"] * MS / 2 + 1000
        assert segment.attrs["clock_spread_ms"] >= 0
    assert index["tick"].tolist() == [0, 1, 2, 7, 9, 10]
    assert index["dropped_before"].tolist() == [0, 0, 0, 0, 1, 0]
    assert index["late"].tolist() == [False, False, False, True, False, False]

    events = session.events()
    seen = [(e.t_ns - stamps[0], e.device, e.control, e.kind) for e in events.itertuples()]
    assert seen == [
        (10_125_000, "keyboard", "KeyW", "press"),
        (30_500_000, "mouse", "Mouse", "move"),
        (31 * MS, "mouse", "MouseLeft", "press"),
        (32 * MS, "mouse", "MouseWheel", "scroll"),
    ]
    assert (events["dx"][1], events["dy"][1], events["x"][2], events["value"][3]) == (-3.0, 4.5, 100.5, -1.0)
    told = session.telemetry()
    assert told["event"].tolist() == ["periodic_update_10hz"] * 2 + ["rescue", "periodic_update_10hz"]
    assert told["fuel"].tolist() == [100, 99.5, 98, 97]
    assert told["frame_index"].fillna(-9).tolist() == [0, 1, -9, 3]
    assert [told["t_ns"][k] - stamps[0] for k in (0, 1, 2)] == [0, 99_875_000, 150 * MS]
    assert told["t_ns"][3] == stamps[3]
    lost = {name: dict(account.lost) for name, account in session.ledger.items()}
    assert lost["events"] == {"not_in_layout": 1, "auto_repeat": 4}
    assert lost["frames"] == {"dropped_tick": 1, "out_of_order": 1}
    assert lost["telemetry"] == {"between_segments": 1}

    path = saved["download"].removeprefix(stage.address.split("/?")[0])
    assert stage.exported == []
    for _ in range(2):
        status, headers, body = fetch(stage.address, path)
        assert (status, headers["Content-Type"]) == (200, "application/zip")
        assert headers["Content-Disposition"] == f'attachment; filename="{session.path.name}__.zip"'
        assert zipfile.ZipFile(BytesIO(body)).read("name.txt").decode() == session.path.name
    assert stage.exported == [session.path]


def test_pictures_that_arrive_late_are_kept_where_they_belong(stage, page, monkeypatch):
    monkeypatch.setattr("rushes.capture.director.STALL_NS", 1)  # three ticks then
    me = page().join()
    picture = np.random.default_rng(4).integers(0, 256, (4, 12, 16, 3), np.uint8)
    begin = time.perf_counter() * 1000 + 5000
    for k in range(2):
        me.frame(begin + 100 * k, k, picture[k])
    time.sleep(0.7)  # the page stands still with two pictures that it took
    for k in range(2, 4):
        me.frame(begin + 100 * k, k, picture[k])
    me.send({"type": "end", "t": begin + 400, "reason": "stop"})
    me.until("saved")
    session = stage.session()
    assert [(segment.frames, segment.end_reason) for segment in session.segments] == [(4, "stop")]
    assert np.array_equal(np.stack(list(session.frames(0, 4))), picture)
    assert dict(session.ledger["frames"].lost) == {}


def test_a_page_that_goes_without_a_word_leaves_a_session_with_all_that_it_sent(stage, page):
    me = page().join()
    _, pixels = me.frames(4)
    me.close()
    session = stage.session()
    assert session.segments[-1].end_reason == "tab_closed"
    assert np.array_equal(np.stack(list(session.frames(0, 4))), pixels)


def test_one_page_plays_at_a_time_and_the_next_one_after_it(stage, page):
    first, second = page().join(), page().hello()
    refused = second.receive()
    assert (refused["type"], refused["code"]) == ("refused", "busy")
    assert second.receive() is None
    first.close()
    assert stage.result().frames == 0, "nothing was played"
    third = page().join()
    third.close()
    assert stage.result().frames == 0


def test_names_are_text_and_never_a_path_or_a_tag(stage, page, fetch):
    me = page().join(game=NASTY, player="../../etc/passwd", attrs={"environment": NASTY})
    me.frames(2)
    me.send({"type": "end", "t": time.perf_counter() * 1000 + 5000, "reason": "stop"})
    saved = me.until("saved")
    session = stage.session()
    assert session.path.resolve().parent == Path.cwd() / "data" / "sessions"
    assert not set(saved["name"]) & set("<>/\\"), saved["name"]
    assert (session.info.game, session.info.provenance["player"]) == (NASTY, "../../etc/passwd")
    _, headers, _ = fetch(stage.address, saved["download"].split(stage.address.split("/?")[0])[1])
    assert not set(headers["Content-Disposition"].removeprefix("attachment; filename=")) & set("<>/\\;")


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"\xff" * 40, "bad_message"),
        ({"type": "telemetry", "t": 1e11, "fields": {"a": 1}}, "bad_message"),  # three years from now
        ("flood", "too_many_messages"),
        ("two types", "bad_message"),
    ],
    ids=["rubbish", "future", "flood", "types"],
)
def test_what_no_page_may_say_ends_its_play_with_a_reason_and_keeps_what_came_before(stage, page, message, reason):
    me = page().join()
    begin = time.perf_counter() * 1000 + 5000
    _, pixels = me.frames(2, begin=begin)
    if message == "flood":
        row = {"type": "lost", "t": begin + 101, "stream": "events", "reason": "auto_repeat", "count": 1}
        with contextlib.suppress(ConnectionError):  # it is closed meanwhile
            for _ in range(2100):
                me.send(row)
    elif message == "two types":
        me.send({"type": "telemetry", "t": begin + 101, "fields": {"k": "text"}})
    else:
        me.send(message)
    if message != "flood":
        refused = me.until("refused")
        assert all(refused[part] for part in ("given", "accepts", "fix"))
        assert me.receive() is None
    session = stage.session()
    assert session.segments[-1].end_reason == reason
    assert np.array_equal(np.stack(list(session.frames(0, 2))), pixels)


def test_a_message_larger_than_any_of_ours_closes_the_connection(stage, page):
    me = page().join()
    _, pixels = me.frames(2)
    try:
        me.send(b"x" * (8 << 20))
        assert me.receive() is None
    except ConnectionError:
        pass
    session = stage.session()
    assert session.segments[-1].end_reason == "tab_closed"
    assert session.frame_count == len(pixels)


@pytest.mark.parametrize(
    "more",
    [
        {"token": None},
        {"token": "x" * 43},
        {"token": ""},
        {"origin": FOREIGN},
        {"origin": None},
        {"origin": "null"},
        {"origin": ALLOWED + ".evil.example"},
        {"origin": ALLOWED, "token": None, "cookie": "own"},
        {"host": "evil.example:80"},
        {"host": "evil.example:80", "origin": "http://evil.example:80"},
        {"host": "127.0.0.1"},
    ],
    ids=str,
)
def test_a_page_without_the_token_of_another_origin_or_under_a_foreign_name_is_not_let_in(stage, page, more):
    token = stage.address.partition("token=")[2]
    if more.get("cookie"):
        more = more | {"cookie": f"rushes_{stage.address.split(':')[2].split('/')[0]}={token}"}
    assert page(**more).status in {403, 421}


def test_an_allowed_page_is_let_in_with_the_token_and_our_own_with_its_cookie(stage, page, fetch):
    assert page(origin=ALLOWED).status == 101
    _, headers, _ = fetch(stage.address, "/?" + stage.address.partition("?")[2])
    cookie, *flags = headers["Set-Cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(flags)
    assert page(token=None, cookie=cookie).status == 101


def test_a_page_that_says_nothing_is_not_waited_for(stage, page, monkeypatch):
    from rushes.capture.browser import connection

    monkeypatch.setattr(connection, "HELLO_S", 0.2)
    silent = page()
    assert silent.receive()["type"] == "refused"
    assert silent.receive() is None


def test_a_page_that_stood_still_may_answer_questions_that_are_long_forgotten(stage, page, monkeypatch):
    from rushes.capture.browser import connection

    monkeypatch.setattr(connection, "_ASKED", 2)
    monkeypatch.setattr(connection, "SYNC_S", 0.02)
    me = page().join()
    _, pixels = me.frames(2)
    numbers = [me.question() for _ in range(4)]
    for number in numbers:
        me.send({"type": "sync", "s": number, "c": time.perf_counter() * 1000 + 5000})
    me.send({"type": "end", "t": time.perf_counter() * 1000 + 5000, "reason": "stop"})
    assert me.until("saved")["frames"] == len(pixels)
    assert stage.session().segments[-1].end_reason == "stop"


def test_a_name_in_any_script_makes_a_folder(stage, page):
    name = "\U00020000" * 64  # 256 bytes, more than a file system takes
    me = page().join(game=name)
    me.frames(1)
    me.close()
    assert stage.session().info.game == name


def test_files_are_those_of_a_list_for_who_knows_the_token_and_carry_the_headers(stage, fetch):
    query = "?" + stage.address.partition("?")[2]
    status, headers, body = fetch(stage.address, "/" + query)
    assert (status, body) == (200, b"<!doctype html><title>demo</title>")
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self';")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert "Access-Control-Allow-Origin" not in headers
    for path, expected in {
        "/": 403, "/?token=wrong": 403, "/capture.js": 403, "/nothing.js" + query: 404, "/secret.txt" + query: 404,
        "/../outside.js" + query: 404, "/..%2foutside.js" + query: 404, "/%2e%2e/outside.js" + query: 404,
        "//etc/passwd" + query: 404, "/etc/passwd" + query: 404, "/page/../../outside.js" + query: 404,
        "http://evil.example/" + query: 404, "*": 404,
        "/%00" + query: 404, "/download/x" + query: 404, "/download/../page/index.html" + query: 404,
    }.items():  # fmt: skip
        status, headers, body = fetch(stage.address, path)
        assert status == expected, path
        assert b"<" not in body
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert fetch(stage.address, "/" + query, method="POST")[0] == 405
    assert fetch(stage.address, "/" + query, host="evil.example")[0] == 421
    assert fetch(stage.address, "/" + query, host="127.0.0.1:1")[0] == 421


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"origin": ALLOWED}, 200),
        ({"origin": FOREIGN}, 403),
        ({"Sec_Fetch_Site": "cross-site", "Referer": ALLOWED + "/"}, 200),
        ({"Sec_Fetch_Site": "cross-site", "Referer": FOREIGN + "/"}, 403),
        ({"Sec_Fetch_Site": "same-site", "Referer": "http://localhost:1/"}, 403),
    ],
    ids=str,
)
def test_capture_js_is_for_our_own_pages_and_allowed_ones(stage, fetch, headers, expected):
    status, answer, _ = fetch(stage.address, "/capture.js?" + stage.address.partition("?")[2], **headers)
    assert status == expected
    if "origin" in headers:
        assert answer.get("Access-Control-Allow-Origin") == (ALLOWED if expected == 200 else None)


def test_a_slow_client_holds_nobody_up(monkeypatch, tmp_path, fetch):
    monkeypatch.setattr(server_module, "IDLE_S", 0.3)
    with Serving(Settings(backend="browser", fps=10.0), port=0, page=tmp_path) as serving:
        port = int(serving.address.split(":")[2].split("/")[0])
        with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as slow:
            slow.sendall(b"GET / HTTP/1.1\r\nHost: 127")
            assert fetch(serving.address, "/")[0] == 403, "others are served meanwhile"
            assert slow.recv(1) == b"", "and it is not waited for"
        with pytest.raises(BadInputError, match=rf"port {port} .*0 for any free one"):
            Serving(Settings(backend="browser", fps=10.0), port=port)


def test_more_connections_than_anybody_needs_are_closed_and_the_others_served(monkeypatch, tmp_path, fetch):
    monkeypatch.setattr(pages_module, "MAX_CONNECTIONS", 2)
    with (
        Serving(Settings(backend="browser", fps=10.0), port=0, page=tmp_path) as serving,
        contextlib.ExitStack() as open_,
    ):
        place = ("127.0.0.1", int(serving.address.split(":")[2].split("/")[0]))
        first, second, third = (open_.enter_context(socket.create_connection(place, timeout=WAIT_S)) for _ in range(3))
        assert third.recv(1) == b"", "one too many"
        first.close()
        until = time.monotonic() + WAIT_S
        status = None
        while status is None and time.monotonic() < until:  # until the server has noticed
            with contextlib.suppress(ConnectionError, http.client.HTTPException):
                status = fetch(serving.address, "/")[0]
        assert status == 403, "there is room again"
        second.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert second.recv(12) == b"HTTP/1.1 421", "who was there has kept its place"


def test_a_folder_that_holds_something_is_refused_before_anybody_plays(tmp_path):
    (tmp_path / "kept").write_text("x", encoding="utf-8")
    with pytest.raises(OccupiedError):
        Serving(Settings(backend="browser", fps=10.0, out=str(tmp_path)), port=0)
    shutil.rmtree(tmp_path)
