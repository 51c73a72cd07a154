"""The command line: ``emomedia VERB``."""

from __future__ import annotations

import os
import resource
import sys
from contextlib import suppress

from ..stopping import Stop, ignore, listen


def main() -> None:
    """Run the command line; errors and requests to stop become one line and status 1."""
    _settle()
    listen()
    try:
        _run()
    except Stop:
        ignore()  # the line below is written while the interpreter ends
        sys.exit("emomedia: stopped; finished work is kept, run the same command to continue")


def _settle() -> None:
    """What this process and its workers take of the machine."""
    # Or NumPy's BLAS begins a thread a core, in each worker of a batch too, and may round by their number.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)  # a worker of the engine has up to five files open
    with suppress(ValueError):  # a limit above the system's own, which can be had but not set
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


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
    """An unexpected system error, as an error of emomedia's."""
    from pathlib import Path

    from ..files import output_error

    return output_error(Path(str(error.filename or "standard output")), error)
