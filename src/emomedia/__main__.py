"""``python -m emomedia``."""

from .cli import main

main()
