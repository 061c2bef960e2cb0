"""A page of a real kernel is heard while the widget says things from a thread, whatever subshells come and go."""

import ast
import sys
from pathlib import Path

import pytest

pytest.importorskip("ipykernel", minversion="7.0", reason="subshells")

from jupyter_client.manager import start_new_kernel

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))

from waiting import until

CELL = """
import threading
from rushes.widgets.play_view import PlayView
heard = []
view = PlayView({"state": "off"}, heard=lambda message: (heard.append(message["n"]), view.send({"is": "met"})))

def say():
    thread = threading.Thread(target=lambda: view.send({"is": "sync"}))
    thread.start()
    thread.join()
"""


@pytest.fixture
def client():
    manager, client = start_new_kernel()
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def shell(client, kind, content, subshell=None):
    message = client.session.msg(kind, content)
    if subshell is not None:
        message["header"]["subshell_id"] = subshell
    client.shell_channel.send(message)
    return message["header"]["msg_id"]


def control(client, kind, content):
    message = client.session.msg(kind, content)
    client.control_channel.send(message)
    reply = client.get_control_msg(timeout=30)
    assert reply["parent_header"]["msg_id"] == message["header"]["msg_id"]
    assert reply["content"]["status"] == "ok"
    return reply["content"]


def test_a_page_is_heard_after_a_subshell_has_gone_in_which_the_newest_request_was(client):
    def value(text):
        asked = client.execute("", user_expressions={"it": text}, silent=True)
        while (reply := client.get_shell_msg(timeout=30))["parent_header"]["msg_id"] != asked:
            pass
        return ast.literal_eval(reply["content"]["user_expressions"]["it"]["data"]["text/plain"])

    reply = client.execute(CELL, reply=True, timeout=60)
    assert reply["content"]["status"] == "ok", reply["content"]
    comm = value("view.model_id")
    page, passing = (control(client, "create_subshell_request", {})["subshell_id"] for _ in range(2))
    # what a page does as it loads: a request in a subshell of its own that it closes, with the widget saying something
    asked = shell(
        client,
        "execute_request",
        {"code": "say()", "silent": True, "store_history": False, "user_expressions": {}, "allow_stdin": False},
        passing,
    )
    while (reply := client.get_shell_msg(timeout=30))["parent_header"]["msg_id"] != asked:
        pass
    assert reply["content"]["status"] == "ok", reply["content"]
    control(client, "delete_subshell_request", {"subshell_id": passing})
    for n, subshell in enumerate((page, None, passing)):
        shell(client, "comm_msg", {"comm_id": comm, "data": {"method": "custom", "content": {"n": n}}}, subshell)
    until(lambda: len(value("heard")) == 3, 20, explained=lambda: f"heard only {value('heard')}")
    assert sorted(value("heard")) == [0, 1, 2]
