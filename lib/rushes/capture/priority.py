"""Priority: the threads that stamp are asked to be woken at once, where the system grants it.

They sleep nearly all the time and work for a millisecond or two a tick, so they take nothing from the game; but on a
machine whose cores are busy an ordinary thread waits its turn, and that wait stands in every stamp. Linux grants
real-time scheduling to root and to users whose limits allow it (`ulimit -r`), a lower nice value where `ulimit -e`
does; Windows grants it to everybody. Where nothing is granted the recording is the same, its frames a little later,
and `late` says which.

Example (a thread raises itself, and only itself):
    >>> def stamp_for_ever(stamp):
    ...     urgent()
    ...     while True:
    ...         stamp()
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Final, Literal

Priority = Literal["realtime", "raised", "normal"]

_LOWEST: Final = 1  # of the real-time priorities 1 to 99 (sched(7)): above all ordinary threads, below everything else
_NICE: Final = -11  # what desktops give to sound
_TIME_CRITICAL: Final = 15  # THREAD_PRIORITY_TIME_CRITICAL, winbase.h


def urgent() -> Priority:
    """Raise the calling thread as far as the system grants; children of the process do not inherit it.

    Returns:
        What was granted.
    """
    if sys.platform == "win32":
        import ctypes

        kernel = ctypes.windll.kernel32
        return "raised" if kernel.SetThreadPriority(kernel.GetCurrentThread(), _TIME_CRITICAL) else "normal"
    if sys.platform != "linux":
        return "normal"
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(_LOWEST))
    except OSError:
        pass
    else:
        return "realtime"
    return raised()


def raised() -> Priority:
    """Raise the calling thread above ordinary ones, for what works beside a thread that stamps.

    Threads of one process share the interpreter: one that has it and is not given a core keeps the stamping one
    waiting, too.

    Returns:
        What was granted.
    """
    if sys.platform != "linux":
        return "normal"
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
    except OSError:
        return "normal"
    return "raised"
