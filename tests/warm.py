"""A `rushes` that is warm: pages with a hundred commands spend their time on importing the same libraries otherwise.

`python warm.py SOCKET` imports what commands import and waits. The script that `shim` writes hands its words, folder,
environment and streams over, and ends with the status of a process that was forked for this one command, in which
nothing but the imports has happened before. That the installed program itself starts and ends as it should stands in
tests/cli.
"""

import array
import json
import os
import socket
import sys
from pathlib import Path

CLIENT = """#!{python} -SE
import array, json, os, socket, sys
link = socket.socket(socket.AF_UNIX)
link.connect({socket!r})
said = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
streams = array.array("i", [0, 1, 2])
link.sendmsg([len(said).to_bytes(8, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
link.sendall(said)
os._exit(int(link.recv(16) or b"70"))
"""


def shim(folder, address):
    """Write the program `rushes` into a folder that stands first on PATH."""
    program = Path(folder) / "rushes"
    program.write_text(CLIENT.format(python=sys.executable, socket=str(address)))
    program.chmod(0o755)


def serve(address):
    """Import, listen, and say so."""
    import rushes.capture.recorder
    import rushes.cli.main
    import rushes.formats.base
    import rushes.notebook.run
    import rushes.qa.base

    for table in (rushes.cli.main.COMMANDS, rushes.qa.base.CHECKS):
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
    words, folder, environment = json.loads(said)
    child = os.fork()
    if child == 0:
        link.close()
        run(words, folder, environment, streams)
    _, status = os.waitpid(child, 0)
    link.sendall(str(os.waitstatus_to_exitcode(status) & 0xFF).encode())
    os._exit(0)


def run(words, folder, environment, streams):
    """Be that command."""
    from rushes.cli.main import main

    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["rushes", *words]
    status = 0
    try:
        main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    serve(sys.argv[1])
