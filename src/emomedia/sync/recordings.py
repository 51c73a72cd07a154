"""A session's recordings of sound: each is read once, and each pair of them aligned once."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..audio.align import Match
    from ..audio.proxy import Proxy
    from ..probe.types import Track
    from ..session import SideName


@dataclass(frozen=True, slots=True)
class Heard:
    """A microphone as its side's camera hears it."""

    camera: Track
    mic: Track
    match: Match


class Recordings:
    """The recordings' proxies and how they lie to each other; each is read once, each pair aligned once."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._open = ExitStack()
        self._proxies: dict[Track, Proxy] = {}
        self._matches: dict[tuple[Track, Track, bool], Match | None] = {}

    def __enter__(self) -> Recordings:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def silent(self, track: Track) -> bool:
        """Whether it holds only digital silence."""
        self._read([track])
        return self._proxies[track].silent

    def aligned(self, pairs: Sequence[tuple[Track, Track]], *, between: bool = False) -> list[Match | None]:
        """For each pair (reference, other) the other's place; two at a time.  `between` as for `align`."""
        from ..audio import align

        self._read([track for pair in pairs for track in pair])
        left = [pair for pair in pairs if (*pair, between) not in self._matches]
        jobs = [(self._proxies[reference], self._proxies[other]) for reference, other in left]
        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(lambda job: align.align(*job, between=between), jobs))
        self._matches |= {(*pair, between): match for pair, match in zip(left, found, strict=True)}
        return [self._matches[*pair, between] for pair in pairs]

    def aligned_near(
        self, reference: Track, other: Track, offset: float, drift: float, *, between: bool = False
    ) -> Match | None:
        """The other's place if it is near that line, as :func:`emomedia.audio.align.align_near` has it."""
        from ..audio.align import align_near

        self._read([reference, other])
        return align_near(self._proxies[reference], self._proxies[other], offset, drift, between=between)

    def located_together(self, heard: dict[SideName, Heard]) -> dict[SideName, Heard]:
        """The same with every step looked up in both channels of the recorder at once."""
        from ..audio.align import stepped
        from ..audio.steps import Hearing, locate

        sides, both = list(heard), list(heard.values())
        if len({len(each.match.steps) for each in both}) > 1:
            return heard
        steps = []
        for pair in zip(*(each.match.steps for each in both), strict=True):
            begins, ends = zip(*(step.span for step in pair), strict=True)
            if max(begins) > min(ends):
                return heard
            hearings = [
                Hearing(self._proxies[each.camera], self._proxies[each.mic], step.lines)
                for each, step in zip(both, pair, strict=True)
            ]
            steps.append(locate(hearings, (min(begins), max(ends))))
        return {
            side: replace(each, match=stepped(each.match, steps))
            for side, each in zip(sides, both, strict=True)
        }

    def _read(self, tracks: Sequence[Track]) -> None:
        from ..audio.proxy import track_proxy

        new = [track for track in dict.fromkeys(tracks) if track not in self._proxies]
        with ThreadPoolExecutor(2) as pool:
            made = pool.map(lambda track: self._open.enter_context(track_proxy(track, self._folder)), new)
            self._proxies |= dict(zip(new, made, strict=True))
