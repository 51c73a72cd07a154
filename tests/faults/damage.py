"""Sessions damaged at random: each run must end with one line, or with a folder that verifies.

By hand, from the repository's root::

    python -m tests.faults.damage 1000 [--seed N] [--only NUMBER] [--keep FOLDER]

Case number n of a seed is always the same; what is found can be made again with ``--only n --keep DIR``.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from emomedia.simulate import SimulateOptions, simulate

from .forked import Ended, Limits, emomedia_run

SMALL: dict[str, Any] = {
    "size": (180, 320),
    "fps": Fraction(10),
    "seconds": Fraction(3),
    "preset": "ultrafast",
}
KINDS: dict[str, dict[str, Any]] = {
    "h264 mp4": {},
    "h264 mov, turned": {"container": "mov", "rotate": 90},
    "h264 mkv, open GOPs": {"container": "mkv", "open_gop": True, "gop": 12},
    "h264 ts": {"container": "ts"},
    "h264 mp4, interlaced": {"interlaced": "tff"},
    "h264 mp4, hidden frames": {"hidden": 7, "gop": 250},
    "hevc 10 bit mp4": {"codec": "hevc", "depth": 10},
    "hevc 10 bit mkv, HLG by its LUT": {
        "codec": "hevc", "depth": 10, "container": "mkv", "gop": 10, "colour": "hlg", "declare_lut": True,
    },
    "h264 mp4 in two files": {"parts": 2},
    "prores mov": {"codec": "prores", "depth": 10, "chroma": "422", "container": "mov"},
    "mpeg2 mxf": {"codec": "mpeg2", "container": "mxf", "fps": Fraction(25)},
    "vp9 mkv": {"codec": "vp9", "container": "mkv"},
    "av1 mp4": {"codec": "av1", "depth": 10},
    "mjpeg mov": {"codec": "mjpeg", "range": "full", "colour": "bt601", "container": "mov"},
}  # fmt: skip
"""Choices of the sessions that are damaged."""

PRODUCTS = (".mp4", ".flac", ".parquet", ".jsonl")
BOXES = (b"stsz", b"stts", b"stsc", b"stco", b"ctts", b"elst", b"tkhd", b"mdhd", b"mvhd", b"hdlr", b"avcC",
         b"hvcC", b"stsd", b"trun", b"fmt ", b"data", b"RIFF", b"moov", b"mdat")  # fmt: skip
NUMBERS = (0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0, 0x00FFFFFF)
VALUES = (
    None,
    True,
    -1,
    0,
    10**30,
    1e308,
    -1e308,
    5e-324,
    "",
    "x" * 1000,
    "../../x",
    "\0",
    [],
    {},
    [[]],
    "1/0",
)
"""What takes the place of some value of a JSON file."""


# --- what is done to the bytes of a file


def truncated(data: bytearray, dice: random.Random) -> bytearray:
    return data[: dice.randrange(len(data))]


def flipped(data: bytearray, dice: random.Random) -> bytearray:
    for _ in range(dice.choice((1, 10, 1000))):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return data


def zeroed(data: bytearray, dice: random.Random) -> bytearray:
    begin = dice.randrange(len(data))
    end = min(len(data), begin + dice.choice((16, 512, 4096, 65536)))
    data[begin:end] = bytes(end - begin)
    return data


def swapped(data: bytearray, dice: random.Random) -> bytearray:
    size = min(dice.choice((64, 1024, 16384)), len(data) // 2)
    one, other = sorted(dice.sample(range(0, len(data) - size + 1), 2))
    if other - one < size:
        return data[:one] + data[other:] + data[one:other]
    first, second = data[one : one + size], data[other : other + size]
    data[one : one + size], data[other : other + size] = second, first
    return data


def lengthened(data: bytearray, dice: random.Random) -> bytearray:
    return data + dice.randbytes(dice.choice((1, 1000, 100_000)))


def exaggerated(data: bytearray, dice: random.Random) -> bytearray:
    """A number of 32 bits behind a box's or chunk's name, or just somewhere near the beginning."""
    places = [place for box in BOXES for place in _places(bytes(data), box)]
    place = dice.choice(places) + 4 + 4 * dice.randrange(8) if places and dice.random() < 0.8 else None
    place = dice.randrange(min(len(data), 4096)) if place is None else place
    order = dice.choice(("big", "little"))
    data[place : place + 4] = dice.choice(NUMBERS).to_bytes(4, order)  # type: ignore[arg-type]
    return data


def _places(data: bytes, word: bytes) -> list[int]:
    places, place = [], data.find(word)
    while place >= 0:
        places.append(place)
        place = data.find(word, place + 1)
    return places


def emptied(_data: bytearray, _dice: random.Random) -> bytearray:
    return bytearray()


def misvalued(data: bytearray, dice: random.Random) -> bytearray:
    """Another value somewhere in a JSON file, or in one of its lines."""
    lines = data.decode().splitlines() if data.startswith(b'{"id"') else [data.decode()]
    number = dice.randrange(len(lines))
    body = json.loads(lines[number])
    container, key = dice.choice(list(_leaves(body)))
    container[key] = dice.choice(VALUES)
    lines[number] = json.dumps(body)
    return bytearray("\n".join(lines).encode())


def _leaves(value: Any) -> list[tuple[Any, Any]]:
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [(value, key) for key in keys] + [leaf for key in keys for leaf in _leaves(value[key])]


BYTES = (truncated, flipped, flipped, zeroed, swapped, lengthened, exaggerated, exaggerated, emptied)
TEXT = (truncated, flipped, zeroed, swapped, lengthened, emptied, misvalued, misvalued, misvalued, misvalued)


# --- the cases


@dataclass(frozen=True)
class Stock:
    """Sound sessions, and what a run made of each."""

    folder: Path

    @classmethod
    def make(cls, folder: Path, kinds: list[str]) -> Stock:
        for kind in kinds:
            simulate(folder / kind / "in", SimulateOptions.of(**SMALL | KINDS[kind]))
            ended = emomedia_run(*command(folder / kind))
            assert ended.status == 0, ended.errors
        return cls(folder)


def command(case: Path) -> list[object]:
    given = [case / "in/session.toml", "--out", case / "out", "--turns", case / "in/turns.json"]
    return ["run", *given, "--preset", "ultrafast", "--workers", 2]


@dataclass(frozen=True)
class Case:
    """One damaged session in a folder of its own."""

    number: int
    story: str
    folder: Path
    arguments: tuple[object, ...] = ()


def make_case(stock: Stock, seed: int, number: int, folder: Path) -> Case:
    """Copy a session and damage one of its files, or now and then two; also files that a run made of it."""
    dice = random.Random(f"{seed} {number}")
    kind = dice.choice(sorted(path.name for path in stock.folder.iterdir()))
    source = stock.folder / kind
    shutil.copytree(source / "in", folder / "in")
    what = dice.choices(("media", "stages", "products"), (7, 2, 1))[0]
    if what != "media":
        shutil.copytree(source / "out", folder / "out")
    candidates = _damageable(folder, what)
    chosen = {dice.choice(candidates) for _ in range(dice.choice((1, 1, 1, 2)))}
    story = [kind, *(_damage(path, dice) for path in sorted(chosen))]
    arguments = ("verify", folder / "out") if what == "products" else tuple(command(folder))
    return Case(number, ": ".join(story), folder, arguments)


def _damageable(folder: Path, what: str) -> list[Path]:
    if what == "products":
        return [path for path in sorted((folder / "out").rglob("*.*")) if path.suffix in PRODUCTS]
    if what == "stages":
        return sorted(path for path in (folder / "out/sim").glob("*.json*") if path.name != "run.json")
    takes = sorted(
        path for path in (folder / "in").iterdir() if path.suffix in (".mp4", ".mov", ".mkv", ".ts")
    )
    texts = [folder / "in/session.toml", folder / "in/turns.json"]
    return takes * 3 + [folder / "in/recorder.wav"] * 2 + texts


def _damage(path: Path, dice: random.Random) -> str:
    if path.parent.name == "in" and path.suffix not in (".toml", ".json") and dice.random() < 0.05:
        return _misnamed(path, dice)
    ways: tuple[Callable[[bytearray, random.Random], bytearray], ...] = BYTES
    if path.suffix in (".json", ".jsonl"):
        ways = TEXT
    elif path.suffix == ".toml":
        ways = tuple(way for way in TEXT if way is not misvalued)
    way = dice.choice(ways)
    data = bytearray(path.read_bytes())
    if data:
        path.write_bytes(way(data, dice))
    return f"{path.name} {way.__name__}"


def _misnamed(path: Path, dice: random.Random) -> str:
    other = path.with_name(
        f"{path.stem}_x{dice.choice(('.wav', '.txt', '.mp4', '.png', '.m3u8', '.sdp', ''))}"
    )
    path.rename(other)
    description = path.with_name("session.toml")
    description.write_text(description.read_text().replace(f'"{path.name}"', f'"{other.name}"'))
    return f"{path.name} named {other.name}"


# --- judging


@dataclass(frozen=True)
class Result:
    case: Case
    ended: Ended
    outcome: str
    fault: str | None


def judge(case: Case, limits: Limits) -> Result:
    ended = emomedia_run(*case.arguments, limits=limits)
    fault = fault_of(case, ended, limits)
    outcome = "a finding" if fault else "refused in one line" if ended.status == 1 else "made, verifies"
    return Result(case, ended, outcome, fault)


def fault_of(case: Case, ended: Ended, limits: Limits) -> str | None:
    """What is wrong with the way in which a run ended, or with what it left."""
    if ended.signal:
        name = signal.Signals(ended.signal).name
        return f"hang over {limits.seconds} s" if ended.signal == signal.SIGALRM else f"crash, {name}"
    if "Traceback" in ended.errors:
        return f"traceback: {ended.errors.strip().splitlines()[-1]}"
    if ended.status == 1 and not ended.is_one_line:
        return f"{ended.errors.count(chr(10))} lines: {ended.errors!r}"
    if ended.status not in (0, 1):
        return f"status {ended.status}: {ended.errors!r}"
    if ended.errors and ended.status == 0:
        return f"success, but it said {ended.errors!r}"
    if ended.leaked:
        return f"{ended.leaked} descriptors leaked"
    if ended.status == 0 and "verify" not in case.arguments:
        return not_verified(case.folder / "out")
    return None if "clips.jsonl" in case.story else half_written(case.folder / "out")


def half_written(out: Path) -> str | None:
    """What lies in an output folder that should not: parts of files, clips that no audit names."""
    parts = sorted(out.rglob(".*.part"))
    if parts:
        return f"{parts[0].name} is left"
    for session in (path.parent for path in out.glob("*/clips")):
        rows = [json.loads(line) for line in (session / "clips.jsonl").read_text().splitlines()]
        named = {file["path"] for row in rows for file in (row, *row["audio"], *row["clean"], *row["sides"])}
        for path in (*session.glob("clips/*"), *session.glob("audio/*")):
            if path.relative_to(out).as_posix() not in named:
                return f"{path.name} is left, which the audit does not name"
    return None


def not_verified(out: Path) -> str | None:
    ended = emomedia_run("verify", out)
    return None if ended.status == 0 else f"verify: {ended.errors.strip()}"


# --- the summary


def summary(results: list[Result], seed: int) -> str:
    counts = Counter(result.outcome for result in results)
    slowest = max(results, key=lambda result: result.ended.seconds)
    largest = max(results, key=lambda result: result.ended.peak)
    findings = [result for result in results if result.fault]
    lines = [f"seed {seed}: {len(results)} damaged sessions"]
    lines += [f"  {counts[name]:5} {name}" for name in ("refused in one line", "made, verifies", "a finding")]
    lines += [
        f"  slowest {slowest.ended.seconds:.1f} s (case {slowest.case.number}: {slowest.case.story})",
        f"  most memory {largest.ended.peak >> 20} MiB (case {largest.case.number}: {largest.case.story})",
    ]
    lines += [f"  FINDING case {found.case.number}: {found.case.story}: {found.fault}" for found in findings]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("count", type=int, nargs="?", default=25)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--only", type=int, help="just this case")
    parser.add_argument("--keep", type=Path, help="a new folder for the cases, which then stay")
    parser.add_argument("--kinds", type=int, default=len(KINDS), help="how many kinds of takes")
    parser.add_argument("--seconds", type=int, default=30, help="that a run may take")
    choices = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as scratch:
        stock = Stock.make(Path(scratch, "stock"), list(KINDS)[: choices.kinds])
        for number in range(choices.count) if choices.only is None else (choices.only,):
            folder = Path(choices.keep or scratch, f"case{number}")
            case = make_case(stock, choices.seed, number, folder)
            results.append(judge(case, Limits(choices.seconds)))
            if results[-1].fault or choices.only is not None:
                print(f"case {number}: {case.story}: {results[-1].fault or results[-1].outcome}")
                print(f"  {results[-1].ended.errors.strip()}", flush=True)
            if choices.keep is None:
                shutil.rmtree(folder)
    print(summary(results, choices.seed))
    return int(any(result.fault for result in results))


if __name__ == "__main__":
    sys.exit(main())
