"""The command line: ``emomedia VERB``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; errors become one line on standard error and status 1."""
    from ..errors import EmomediaError
    from .app import app

    try:
        app()
    except EmomediaError as error:
        sys.exit(f"emomedia: {error}")
    except KeyboardInterrupt:
        sys.exit("emomedia: stopped; what is finished is kept, run the same command to go on")
