"""emomedia: raw footage of two people talking, turned into a dataset.

:func:`frames` gives a session's composites to Python.  Everything that the command line does can be
imported: ``emomedia.run.run`` does everything, ``run.run_stage`` everything up to one stage, with
``emomedia.options.Options`` and an ``emomedia.observer.Observer``; ``emomedia.dataset.index.read_index``
reads the result, ``emomedia.errors`` has every error.  docs/library.md shows them at work.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import _core as _core
    from .frame_stream import Frame, Frames, frames

# onnxruntime, which runs the networks of speech and quality, would report on this machine otherwise.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"
__all__ = ["Frame", "Frames", "__version__", "frames"]


def __getattr__(name: str) -> Any:
    """What takes a while to import is imported when it is asked for."""
    if name not in ("Frame", "Frames", "frames"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import frame_stream

    return getattr(frame_stream, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
