"""The command line: ``emomedia VERB``."""

from __future__ import annotations

import sys

_INTERRUPTED = 130
"""What typer makes of Ctrl-C."""


def main() -> None:
    """Run the command line; errors become one line on standard error and status 1."""
    from ..errors import EmomediaError
    from .app import app

    try:
        app()
    except EmomediaError as error:
        sys.exit(f"emomedia: {error}")
    except SystemExit as ended:
        if ended.code != _INTERRUPTED:
            raise
        sys.exit("emomedia: stopped; what is finished is kept, run the same command to go on")
