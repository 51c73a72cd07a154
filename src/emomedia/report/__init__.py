"""report.html: one page about an output folder, which needs only the clips beside it."""

from __future__ import annotations

from .page import write_report

__all__ = ["write_report"]
