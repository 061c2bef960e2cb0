"""A `rushes` that is warm: pages with a hundred commands spend their time on importing the same libraries otherwise.

`python warm.py SOCKET` imports what commands and examples import and waits. The scripts that `shim` writes hand their
words, folder, environment and streams over, and end with the status of a process that was forked for this one command,
in which nothing but the imports has happened before: `rushes`, and `block`, which runs an example as `python -c` does.
That the installed program itself starts and ends as it should stands in tests/cli.
"""

import array
import importlib
import json
import os
import socket
import sys
import traceback
from pathlib import Path
from types import ModuleType

CLIENT = """#!{python} -SE
import array, json, os, socket, sys
link = socket.socket(socket.AF_UNIX)
link.connect({socket!r})
said = json.dumps([{program!r}, sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
streams = array.array("i", [0, 1, 2])
link.sendmsg([len(said).to_bytes(8, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
link.sendall(said)
os._exit(int(link.recv(16) or b"70"))
"""


def shim(folder, address):
    """Write the programs `rushes` and `block` into a folder that stands first on PATH."""
    for name in ("rushes", "block"):
        program = Path(folder) / name
        program.write_text(CLIENT.format(python=sys.executable, socket=str(address), program=name))
        program.chmod(0o755)


def serve(address):
    """Import, listen, and say so."""
    import rushes.capture.recorder
    import rushes.cli.main
    import rushes.formats.base
    import rushes.loaders.torch
    import rushes.notebook.run
    import rushes.qa.base

    for name in ("matplotlib.pyplot", "pydantic", "rushes.qa.alignment.measure", "torch"):
        importlib.import_module(name)
    for table in (rushes.cli.main.COMMANDS, rushes.formats.base.FORMATS, rushes.qa.base.CHECKS):
        for name in table:
            table.load(name)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen(16)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        link, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            keep(link)
        link.close()
        reap()


def reap():
    """Forget keepers that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def keep(link):
    """Run one command in a process of its own and send its status."""
    streams = array.array("i")
    length, told, _, _ = link.recvmsg(8, socket.CMSG_LEN(3 * streams.itemsize))
    streams.frombytes(told[0][2])
    said = b""
    while len(said) < int.from_bytes(length, "big"):
        said += link.recv(1 << 20)
    program, words, folder, environment = json.loads(said)
    child = os.fork()
    if child == 0:
        link.close()
        run(program, words, folder, environment, streams)
    _, status = os.waitpid(child, 0)
    link.sendall(str(os.waitstatus_to_exitcode(status) & 0xFF).encode())
    os._exit(0)


def run(program, words, folder, environment, streams):
    """Be that command."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    status = 0
    try:
        command(words) if program == "rushes" else block(words[0])
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - told as a program tells it
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def command(words):
    """Run a command line."""
    from rushes.cli.main import main

    sys.argv = ["rushes", *words]
    main()


def block(text):
    """Run an example in a module of its own, with the folder that it stands in on the path."""
    sys.argv, sys.path[0] = ["-c"], ""
    sys.modules["__main__"] = ModuleType("__main__")
    exec(compile(text, "<string>", "exec"), vars(sys.modules["__main__"]))


if __name__ == "__main__":
    serve(sys.argv[1])
