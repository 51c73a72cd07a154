"""What the engine measured of a clip's pictures while it made them: the first measures of its audit row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..colour import target_colours
from ..native_observer import NativeObserver
from ..options import COMPOSITE_SIZE
from ..plan import Clip
from ..probe import Take
from ..session import SIDES
from ..work import Work
from .picture import dropped_frames, picture_measures
from .pixels import picture_observer

if TYPE_CHECKING:
    from .. import _core

_HALF_PIXELS = COMPOSITE_SIZE.width // 2 * COMPOSITE_SIZE.height


def observer_of(takes: Mapping[str, Take]) -> NativeObserver:
    """The observer of a session's composites."""
    return picture_observer(target_colours(takes).range)


def seen_of(work: Work, clip: Clip, report: _core.Report) -> dict[str, dict[str, Any]]:
    """Both sides' measures of the pictures of a clip; none where none were taken."""
    if work.observer is None:
        return {}
    first = int(np.searchsorted(report.measured_frames, clip.first_frame))
    values = report.measures[first : first + clip.frame_count]
    sources = [work.source_indices(side, clip.first_frame, clip.frame_count) for side in SIDES]
    found = picture_measures(values, _HALF_PIXELS, target_colours(work.takes).range, sources)
    return {
        side: found[side] | {"dropped_frames": _dropped(work.takes[side], shown)}
        for side, shown in zip(SIDES, sources, strict=True)
    }


def _dropped(take: Take, shown: npt.NDArray[np.int64]) -> int:
    """Frames that the camera left out between the first and the last that are shown."""
    first, end, before, times = max(0, int(shown[0])), int(shown[-1]) + 1, 0, []
    for file in take.frames.files:
        pts = file.pts[max(0, first - before) : max(0, end - before)]
        times.append(float(file.base) + (pts - file.pts[0]) * float(file.time_base))
        before += len(file.pts)
    return dropped_frames(np.concatenate(times), float(take.frames.interval))
