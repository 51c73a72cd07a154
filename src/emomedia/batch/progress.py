"""The progress of a batch in figures.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BatchError

_DONE_BEFORE = {"cut": 0.1, "check": 0.95}
"""Of a session's work, roughly, what is done when a long stage begins."""


def work_done(stage: str | None, part: float = 0.0) -> float:
    """Share of a session's work, 0 to 1, done when `part` of `stage` is; all where there is none."""
    if stage is None:
        return 1.0
    begin = _DONE_BEFORE.get(stage, 0.0)
    end = _DONE_BEFORE["check"] if stage == "cut" else begin
    return begin + part * (end - begin)


@dataclass(frozen=True, slots=True)
class Share:
    """One session: its footage's seconds, None if not known yet, and how much of it is done, 0 to 1."""

    media_bytes: int
    seconds: float | None
    done: float


@dataclass(frozen=True, slots=True)
class Failed:
    """A session that was set aside."""

    id: str
    stage: str | None
    cause: str
    text: str


@dataclass(frozen=True, slots=True)
class Figures:
    """A batch at one moment.

    Attributes
    ----------
    hours, hours_done : float
        Of footage in all sessions, with guesses for those not probed yet, and of what is done of them.
    rate : float or None
        Hours of footage done for each hour that the batch has run.
    left_seconds : float or None
        Until it ends, at that rate.
    running : sequence of (session id, stage, share done)
    bottleneck : str
        The stage that took most of the processor, with its share.
    """

    sessions: int
    done: int
    failed: tuple[Failed, ...]
    hours: float
    hours_done: float
    rate: float | None
    left_seconds: float | None
    running: tuple[tuple[str, str, float], ...]
    bottleneck: str
    state: str

    def as_json(self) -> dict[str, Any]:
        """The same as values for JSON."""
        return {
            "state": self.state,
            "sessions": self.sessions,
            "done": self.done,
            "failed": [
                {"id": f.id, "stage": f.stage, "cause": f.cause, "error": f.text} for f in self.failed
            ],
            "hours": round(self.hours, 4),
            "hours_done": round(self.hours_done, 4),
            "rate": None if self.rate is None else round(self.rate, 3),
            "left_seconds": None if self.left_seconds is None else round(self.left_seconds),
            "running": [{"id": i, "stage": s, "share": round(d, 3)} for i, s, d in self.running],
            "bottleneck": self.bottleneck,
        }


def lengths(shares: Sequence[Share]) -> list[float]:
    """Each session's seconds of footage; one not probed yet is estimated from its bytes."""
    known = [share for share in shares if share.seconds is not None]
    size = sum(share.media_bytes for share in known)
    seconds_a_byte = sum(share.seconds or 0 for share in known) / size if size else 0.0
    return [s.media_bytes * seconds_a_byte if s.seconds is None else s.seconds for s in shares]


def hours(shares: Sequence[Share]) -> tuple[float, float]:
    """Hours of footage in all, and done."""
    seconds = lengths(shares)
    done = sum(length * share.done for length, share in zip(seconds, shares, strict=True))
    return sum(seconds) / 3600, done / 3600


def pace(done_now: float, total: float, done: float, ran_seconds: float) -> tuple[float | None, float | None]:
    """Hours of footage an hour, and seconds until the end.

    `done_now` hours were done in the `ran_seconds` of this batch; `done` are those before too.
    """
    if done_now <= 0 or ran_seconds <= 0:
        return None, None
    rate = done_now / (ran_seconds / 3600)
    return rate, max(0.0, total - done) / rate * 3600


def bottleneck(cpu_seconds: Mapping[str, float]) -> str:
    """The stage that took most of the processor."""
    total = sum(cpu_seconds.values())
    if total <= 0:
        return ""
    stage, most = max(cpu_seconds.items(), key=lambda item: item[1])
    return f"{stage}, {most / total:.0%} of the processor time"


def duration_text(seconds: float) -> str:
    """``2 d 3 h``, ``12 min``, ``40 s``."""
    for unit, size, lower, part in (("d", 86400, "h", 3600), ("h", 3600, "min", 60)):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit} {seconds % size // part:.0f} {lower}"
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def refuse_failed(figures: Figures, out: Path) -> None:
    """Raise BatchError where a session was set aside."""
    if figures.failed:
        raise BatchError(
            out,
            expected="every session to succeed",
            found=f"{len(figures.failed)} of {figures.sessions} failed",
            remedy=f"'emomedia status {out}' says why; fix them and run the same command again",
        )


def failure_lines(failed: Sequence[Failed]) -> list[str]:
    """A line for each session that was set aside."""
    return [f"{one.id}: {one.stage or 'description'}: {one.cause}: {one.text}" for one in failed]
