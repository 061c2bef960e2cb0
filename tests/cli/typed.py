"""The command line as a user types it, in this process."""

import contextlib
import io
from types import SimpleNamespace

from rushes.cli.main import main


def rushes(*arguments):
    out, error, status = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        try:
            main([str(word) for word in arguments])
        except SystemExit as end:
            status = end.code or 0
    return SimpleNamespace(status=status, out=out.getvalue(), error=error.getvalue())
