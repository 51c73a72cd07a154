"""The bars: what the measurements have to come to. Pure: records in, values with their limits out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from .measuring import Record

TWO, ONE = "emomedia, 2 workers", "emomedia, 1 worker"
FFMPEG, PER_CLIP = "ffmpeg, well written", "ffmpeg, once per clip"
OURS = "chosen"
PEAK_MB = {"h264-8": 900, "hevc-10": 1300}


@dataclass(frozen=True)
class Bar:
    """One thing measured: the median of its rounds, the least and the most of them.

    `limit` is what it must not exceed, or (`at_least`) not fall below; None where nothing is asked.
    """

    name: str
    unit: str
    value: float
    low: float
    high: float
    limit: float | None = None
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """None where nothing is asked."""
        if self.limit is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit


Value = Callable[[Record], float]


def wall(record: Record) -> float:
    """Seconds a frame."""
    return record.cost.wall_s / record.frames


def cpu(record: Record) -> float:
    """Seconds on processors a frame."""
    return record.cost.cpu_s / record.frames


class Measured:
    """Records by group, case and contender, their rounds in order."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = sorted(records, key=lambda record: record.round)

    def of(self, group: str, case: str, contender: str) -> list[Record]:
        return [r for r in self._records if (r.group, r.case, r.contender) == (group, case, contender)]

    def cases(self, group: str) -> list[str]:
        """In the order in which they were measured."""
        return list(dict.fromkeys(record.case for record in self._records if record.group == group))

    def contenders(self, group: str, case: str) -> list[str]:
        return sorted({r.contender for r in self._records if (r.group, r.case) == (group, case)})

    def values(self, group: str, case: str, contender: str, value: Value) -> list[float]:
        return [value(record) for record in self.of(group, case, contender)]

    def fastest(self, case: str, contenders: Sequence[str]) -> str | None:
        """Of contenders that compose, by the median; None if none of them did."""
        found = [(self.values("compose", case, name, cpu), name) for name in contenders]
        return min(((median(values), name) for values, name in found if values), default=(0, None))[1]


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Round by round where both have the same rounds, otherwise each against the other's median."""
    if len(above) == len(below):
        return [a / b for a, b in zip(above, below, strict=True)]
    if len(above) > len(below):
        return [a / median(below) for a in above]
    return [median(above) / b for b in below]


def bar(
    name: str, unit: str, values: Sequence[float], limit: float | None = None, *, at_least: bool = False
) -> Iterator[Bar]:
    """The bar, or nothing where there are no values."""
    if values:
        yield Bar(name, unit, median(values), min(values), max(values), limit, at_least)


def all_bars(records: Sequence[Record], cores: int) -> list[Bar]:
    """Every bar that the records can tell of."""
    measured = Measured(records)
    found = [*_compose(measured)]
    for case in measured.cases("end to end"):
        found += [*_floor(measured, case, cores), *_peers(measured, case), *_clips(measured, case)]
    return [*found, *_memory(measured), *_scale(measured), *_start(measured)]


def _compose(measured: Measured) -> Iterator[Bar]:
    for case in measured.cases("compose"):
        ours = measured.values("compose", case, OURS, cpu)
        wanted = case == "upright 8 bit"
        peers = (("zimg", ("zimg", "zimg-32"), 2), ("swscale", ("swscale", "swscale-fast"), 4),
                 ("the NumPy reference", ("reference in NumPy",), 100))  # fmt: skip
        for name, kinds, limit in peers:
            fastest = measured.fastest(case, kinds)
            theirs = measured.values("compose", case, fastest, cpu) if fastest else []
            if ours and theirs:
                title = f"compose, {case}: speed against {name}"
                yield from bar(title, "x", ratios(theirs, ours), limit if wanted else None, at_least=True)
    yield from _between(measured, "rotated 8 bit", "upright 8 bit", 1.5)
    yield from _between(measured, "upright 10 bit", "upright 8 bit", 1.6)
    for case in measured.cases("compose"):
        facts = [record.facts for record in measured.of("compose", case, OURS)]
        limits = (58, 1) if case.endswith("8 bit") else (None, None)
        dB, differences = ([fact[key] for fact in facts] for key in ("psnr_db", "largest_difference"))
        yield from bar(f"compose, {case}: against float64 Lanczos-3", "dB", dB, limits[0], at_least=True)
        yield from bar(f"compose, {case}: largest difference", "code values", differences, limits[1])


def _between(measured: Measured, case: str, other: str, limit: float) -> Iterator[Bar]:
    above, below = (measured.values("compose", name, OURS, cpu) for name in (case, other))
    if above and below:
        yield from bar(f"compose, {case}: time against {other}", "x", ratios(above, below), limit)


def floor_seconds(measured: Measured, case: str) -> list[float]:
    """CPU seconds a composite that nobody can avoid: both takes decoded, one composite encoded."""
    decode, encode = (
        measured.values("end to end", case, name, cpu) for name in ("decode alone", "encode alone")
    )
    return [d + e for d, e in zip(decode, encode, strict=False)]


def _floor(measured: Measured, case: str, cores: int) -> Iterator[Bar]:
    floor = floor_seconds(measured, case)
    for workers in (TWO, ONE):
        spent = measured.values("end to end", case, workers, cpu)
        if floor and spent:
            limit = 1.06 if workers == TWO else None
            title = f"{case}: {workers}, CPU seconds against decode + encode alone"
            yield from bar(title, "x", ratios(spent, floor), limit)
    taken = measured.values("end to end", case, TWO, wall)
    if floor and taken:
        least = [seconds / cores for seconds in floor]
        yield from bar(
            f"{case}: wall time against (decode + encode) / {cores} cores", "x", ratios(taken, least), 1.10
        )
    one = measured.values("end to end", case, ONE, wall)
    if one and taken:
        yield from bar(
            f"{case}: speed of two workers against one", "x", ratios(one, taken), 1.9, at_least=True
        )


def _peers(measured: Measured, case: str) -> Iterator[Bar]:
    ours, limits = measured.values("end to end", case, TWO, wall), {FFMPEG: 0.80, PER_CLIP: 0.35}
    for peer in measured.contenders("end to end", case):
        theirs = measured.values("end to end", case, peer, wall)
        if ours and theirs and peer.startswith(("ffmpeg", "reference")):
            yield from bar(f"{case}: wall time against {peer}", "x", ratios(ours, theirs), limits.get(peer))
    spent, theirs = (measured.values("end to end", case, name, cpu) for name in (TWO, FFMPEG))
    if spent and theirs:
        yield from bar(f"{case}: CPU seconds against {FFMPEG}", "x", ratios(spent, theirs))


def _clips(measured: Measured, case: str) -> Iterator[Bar]:
    """Each dialogue clip against the composites that it was encoded from."""
    ours, theirs = (
        [r.facts for r in measured.of("end to end", case, name) if "bytes" in r.facts]
        for name in (TWO, FFMPEG)
    )
    for a, b in zip(ours, theirs, strict=False):
        lost = b["psnr_db"] - a["psnr_db"]
        yield from bar(f"{case}: clips' dB below {FFMPEG}", "dB", [lost], 0.1)
        yield from bar(f"{case}: clips' bytes against {FFMPEG}", "x", [a["bytes"] / b["bytes"]], 1.03)


def _memory(measured: Measured) -> Iterator[Bar]:
    peaks = {}
    for case in measured.cases("end to end"):
        records = measured.of("end to end", case, TWO)
        peaks[case] = [r.cost.peak_mb for r in records if r.cost.peak_mb is not None]
        yield from bar(f"{case}: peak memory, 2 workers", "MB", peaks[case], PEAK_MB.get(case))
    if peaks.get("long") and peaks.get("h264-8"):
        grown = ratios(peaks["long"], peaks["h264-8"])
        yield from bar("peak memory of a session ten times as long", "x", grown, 1.05)


def per_clip(value: Value) -> Value:
    """`value`, which is for a frame, for a clip."""
    return lambda record: value(record) * record.frames / record.facts["clips"]


def peak(record: Record) -> float:
    """MB."""
    return record.cost.peak_mb or 0.0


def _scale(measured: Measured) -> Iterator[Bar]:
    """The largest against the smallest: what one composite, or one clip, costs where there are many."""
    of_clip = {"CPU seconds a clip": (per_clip(cpu), 1.05), "wall time a clip": (per_clip(wall), 1.10)}
    of_composite = {"CPU seconds a composite": (cpu, 1.05), "wall time a composite": (wall, 1.10)}
    for case, costs in (("long session", of_composite), ("wide plan", of_clip)):
        sizes = sorted(measured.contenders("scale", case), key=lambda name: int(name.split()[0]))
        if len(sizes) < 2:
            continue
        for title, (value, limit) in {**costs, "peak memory": (peak, 1.05)}.items():
            most, least = (measured.values("scale", case, name, value) for name in (sizes[-1], sizes[0]))
            title = f"{case}: {title}, {sizes[-1]} against {sizes[0]}"
            yield from bar(title, "x", ratios(most, least), limit)


def _start(measured: Measured) -> Iterator[Bar]:
    for what, title, limit in (("import", "import emomedia", 0.25), ("help", "emomedia --help", 0.4)):
        yield from bar(title, "s", measured.values("start", "process", what, wall), limit)
