"""The command line: ``emomedia VERB``."""

from __future__ import annotations

import signal
import sys
from types import FrameType

_STOPPED = "emomedia: stopped; what is finished is kept, run the same command to go on"


class _Stop(BaseException):
    """A signal asks the command to end.

    No KeyboardInterrupt: once one has passed through an extension module that runs Python code, the
    interpreter ends by SIGINT, whatever is made of it further up.
    """


def main() -> None:
    """Run the command line; errors become one line on standard error and status 1.

    SIGTERM, which batch schedulers send, and SIGHUP, which a closed terminal sends, are like Ctrl-C.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _stop)
    try:
        _run()
    except _Stop:
        sys.exit(_STOPPED)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise _Stop


def _run() -> None:
    from ..errors import EmomediaError
    from .app import app

    try:
        app()
    except EmomediaError as error:
        sys.exit(f"emomedia: {error}")
    except MemoryError:
        sys.exit(
            "emomedia: memory: expected enough of it, found too little; use fewer --workers, and run again"
        )
    except OSError as error:
        sys.exit(f"emomedia: {_system_error(error)}")


def _system_error(error: OSError) -> Exception:
    """What the system refused beyond all that the stages expect, as an error of emomedia's."""
    from pathlib import Path

    from ..files import output_error

    return output_error(Path(str(error.filename or "standard output")), error)
