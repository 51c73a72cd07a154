"""The options of a loader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..descriptions import Rule, check_rules
from ..machine import usable_cores
from .clips import Kind, Row

NAMES = {"turn": ("speaker", "listener"), "dialogue": ("left", "right")}
"""What the two actors of a clip are called, by its kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoaderOptions:
    """Choices for :class:`emomedia.dali.Loader`.

    Attributes
    ----------
    frames, batch_size : int
        Frames in a window, windows in a batch.
    kind : {"turn", "dialogue"}
        Turns are given as speaker and listener, dialogues as left and right.
    step : int or None
        Frames from one window of a clip to the next; `frames` if None.
    size : (width, height) or None
        What the halves, 960x1080, are scaled to, by DALI's antialiased linear filter.
    seed : int or None
        Of each epoch's order; None for the order of the index.
    rank, world_size : int
        This process's share of every epoch.
    drop_last : bool
        Leave out what does not fill a batch on every rank, so that all have equally many.  With False nothing
        is left out, but a rank's last batch may be smaller, and a rank may have one batch less than another.
    where : callable or None
        Takes a clip's row and says whether the clip is wanted.
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"cuda:1"``; auto is the first GPU where there is one.
    threads : int
        That read, and as many of DALI's.
    ahead : int
        Batches that are read before they are asked for, beside two in DALI's hands.
    """

    frames: int
    batch_size: int
    kind: Kind = "turn"
    step: int | None = None
    size: tuple[int, int] | None = None
    seed: int | None = 0
    rank: int = 0
    world_size: int = 1
    drop_last: bool = True
    where: Callable[[Row], bool] | None = None
    device: str = "auto"
    threads: int = field(default_factory=usable_cores)
    ahead: int = 2

    def __post_init__(self) -> None:
        check_rules(_rules(self), "loader", self)


def _rules(options: LoaderOptions) -> list[Rule]:
    """Each option that can be wrong: its name, whether it is right, and what belongs there."""
    return [
        ("frames", options.frames >= 1, "1 or more"),
        ("batch_size", options.batch_size >= 1, "1 or more"),
        ("kind", options.kind in NAMES, " or ".join(NAMES)),
        ("step", options.step is None or options.step >= 1, "1 or more"),
        ("size", options.size is None or min(options.size) >= 1, "width and height in pixels"),
        ("seed", options.seed is None or options.seed >= 0, "0 or more, or None"),
        ("rank", 0 <= options.rank < options.world_size, f"0 or more, below {options.world_size}"),
        ("threads", options.threads >= 1, "1 or more"),
        ("ahead", options.ahead >= 0, "0 or more"),
    ]
