"""The bars' arithmetic, on records made up here: which way a ratio goes, which rounds belong together."""

from __future__ import annotations

import pytest

from .bars import FFMPEG, ONE, TWO, Bar, all_bars
from .measuring import Cost, Record

DECODE, ENCODE = "decode alone", "encode alone"


def _rounds(group: str, case: str, contender: str, *costs: Cost, frames: int = 10) -> list[Record]:
    facts = {"name": contender, "psnr_db": 58.5, "largest_difference": 1}
    return [Record(group, case, contender, n, frames, cost, facts) for n, cost in enumerate(costs)]


def _found(records: list[Record], name: str) -> Bar:
    return next(bar for bar in all_bars(records, cores=2) if bar.name == name)


def _end_to_end(contender: str, *seconds: float, cpu: float = 0, peak: float | None = None) -> list[Record]:
    return _rounds("end to end", "h264-8", contender, *(Cost(wall, cpu or wall, peak) for wall in seconds))


def test_compose_is_measured_against_the_faster_of_two_settings() -> None:
    ours = _rounds("compose", "upright 8 bit", "chosen", Cost(1, 1), Cost(1, 1), Cost(1, 1))
    slow, fast = (
        _rounds("compose", "upright 8 bit", kind, *[Cost(1, s)] * 3)
        for kind, s in (("zimg", 4), ("zimg-32", 1.5))
    )
    bar = _found([*ours, *slow, *fast], "compose, upright 8 bit: speed against zimg")
    assert (bar.value, bar.met) == (pytest.approx(1.5), False)


def test_ratios_are_of_one_round() -> None:
    """A machine that gets slower from round to round changes no ratio."""
    records = [*_end_to_end(TWO, 8, 16, 32), *_end_to_end(FFMPEG, 10, 20, 40)]
    bar = _found(records, f"h264-8: wall time against {FFMPEG}")
    assert (bar.value, bar.low, bar.high) == pytest.approx((0.8, 0.8, 0.8))


def test_the_floor_is_decode_and_encode_by_the_frame() -> None:
    decode = _rounds("end to end", "h264-8", DECODE, Cost(2, 2), frames=4)
    encode = _rounds("end to end", "h264-8", ENCODE, Cost(5, 5), frames=10)
    records = [*decode, *encode, *_end_to_end(TWO, 5.6, cpu=11)]
    spent = _found(records, f"h264-8: {TWO}, CPU seconds against decode + encode alone")
    wall = _found(records, "h264-8: wall time against (decode + encode) / 2 cores")
    assert (spent.value, spent.met) == (pytest.approx(1.1), False)
    assert (wall.value, wall.met) == (pytest.approx(1.12), False)


def test_two_workers_have_to_be_fast_enough() -> None:
    bar = _found([*_end_to_end(TWO, 5), *_end_to_end(ONE, 9)], "h264-8: speed of two workers against one")
    assert (bar.value, bar.limit, bar.met) == (1.8, 1.9, False)


def test_memory_is_the_peak() -> None:
    bar = _found(_end_to_end(TWO, 1, 1, peak=901), "h264-8: peak memory, 2 workers")
    assert (bar.value, bar.met) == (901, False)


def test_the_largest_is_compared_with_the_smallest_by_the_clip() -> None:
    """As text, "2000" comes before "250"."""
    records = [
        Record("scale", "wide plan", f"{n} clips", 0, 3 * n, Cost(0.1 * n, cost * n, 300), {"clips": n})
        for n, cost in ((250, 0.1), (500, 9), (2000, 0.11))
    ]
    bar = _found(records, "wide plan: CPU seconds a clip, 2000 clips against 250 clips")
    assert (bar.value, bar.limit, bar.met) == (pytest.approx(1.1), 1.05, False)
    assert _found(records, "wide plan: peak memory, 2000 clips against 250 clips").met


def test_a_long_session_must_cost_no_more_by_the_composite() -> None:
    long = Record("scale", "long session", "1840 s", 0, 5000, Cost(60, 104, 316))
    records = [Record("scale", "long session", "184 s", 0, 500, Cost(5, 10, 300)), long]
    against = "1840 s against 184 s"
    values = {
        what: _found(records, f"long session: {what}, {against}")
        for what in ("CPU seconds a composite", "wall time a composite", "peak memory")
    }
    assert [bar.met for bar in values.values()] == [True, False, False]
