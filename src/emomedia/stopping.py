"""Stopping on request: Ctrl-C, SIGTERM from a batch scheduler, SIGHUP from a closed terminal."""

from __future__ import annotations

import atexit
import signal
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_asked = False


class Stop(BaseException):
    """A signal asks the command to end.

    No KeyboardInterrupt: once one has passed through an extension module that runs Python code, the
    interpreter ends by SIGINT, whatever is made of it further up.
    """


def listen() -> None:
    """From now on these signals raise :class:`Stop`, except where they are ignored, as under nohup."""
    for number in _SIGNALS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _stop)
    atexit.register(ignore)


def check() -> None:
    """Raise :class:`Stop` if it was asked for: libraries lose an exception that comes at a bad moment."""
    if _asked:
        raise Stop


def ignore() -> None:
    """From now on nothing is stopped: a further Ctrl-C must change neither the last line nor the status."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _stop(_number: int, _frame: FrameType | None) -> None:
    global _asked
    _asked = True
    raise Stop
