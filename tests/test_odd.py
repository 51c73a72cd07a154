"""Odd files from the wild as takes: each line of the table in docs/footage.md is what happens."""

from __future__ import annotations

import wave
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from emomedia import _core
from emomedia.colour import target_colours
from emomedia.dataset.verify import verify
from emomedia.engine import core_colour, core_take
from emomedia.errors import EmomediaError
from emomedia.options import Options
from emomedia.probe import Probe, probe_session, remarks
from emomedia.reference.engine import composites
from emomedia.run import run
from emomedia.session import SIDES
from emomedia.session_file import load_session
from emomedia.timeline import Clock, footage, source_frames

from .audio.sounds import shared

ROOT = Path(__file__).parents[1]
SIZE = (96, 54)
COMPARED = 12
"""Composites at a file's beginning that are compared with the reference's: it decodes in Python."""

READ, JUMPS = 60, 5
"""Composites that are read in order, and how many then out of order, each decoded from a key frame on."""

FIRST_SECOND, WHOLE = Fraction(6, 5), Fraction(11, 2)
DEINTERLACED = "shown, deinterlaced"


@dataclass(frozen=True)
class Line:
    name: str
    frames: str
    result: str


def table() -> list[Line]:
    text = (ROOT / "docs" / "footage.md").read_text(encoding="utf-8")
    rows = text.partition("## Odd files")[2].splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows if row.startswith("| ")]
    return [Line(name, frames, result) for name, _, frames, result in cells[1:] if name != "---"]


LINES = table()
SHOWN = [line for line in LINES if line.result.startswith("shown")]
REFUSED = [line for line in LINES if not line.result.startswith("shown")]


def by_name(line: Line) -> str:
    return line.name


def described(folder: Path, line: Line, more: str = "") -> Path:
    """A session of which both takes are the odd file, with six seconds of noise as their tracks."""
    take = shared(f"odd/{line.name}")
    with wave.open(str(folder / "rec.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(np.random.default_rng(1).integers(-99, 99, (6 * 48_000, 2), np.int16).tobytes())
    sides = [
        f'[{side}]\nactor = "A"\nvideo = "{take}"\nmic_offset = 0.0\n'
        f'mic = {{ file = "rec.wav", channel = {number} }}\n'
        for number, side in enumerate(SIDES)
    ]
    path = folder / "session.toml"
    path.write_text('id = "s"\n' + sides[0] + sides[1] + "offset = 0.0\n" + more)
    return path


def cut(folder: Path, line: Line, seconds: Fraction) -> Path:
    """Run the session with one dialogue, at the file's beginning; the output folder."""
    path = described(folder, line, f'[[dialogue]]\nid = "d"\nstart = 0.0\nend = {float(seconds)}\n')
    run(path, folder / "out", Options(preset="ultrafast"))
    return folder / "out"


def test_the_table_names_every_file():
    names = sorted(path.name for path in shared("odd").iterdir())
    assert sorted(line.name for line in LINES) == names


@pytest.fixture(scope="module")
def probed(tmp_path_factory) -> Callable[[Line], Probe]:
    return cache(lambda line: probe_session(load_session(described(tmp_path_factory.mktemp("odd"), line))))


@pytest.mark.parametrize("line", SHOWN, ids=by_name)
def test_what_is_shown_is_what_the_table_says(probed, line):
    probe = probed(line)
    take = probe.takes["left"]
    facts = ["shown"]
    if take.fields != "progressive":
        facts.append("deinterlaced")
    if take.rotate or take.mirrored:
        facts.append(f"turned by {take.rotate}°" + " and mirrored" * take.mirrored)
    facts += [f"{file.hidden} hidden" for file in take.files if file.hidden]
    facts += ["variable rate"] * take.variable
    facts += [f"{kind} kept" for kind in ("HLG", "PQ") if f"footage is {kind}" in str(remarks(probe))]
    assert (str(take.frames.count), ", ".join(facts)) == (line.frames, line.result)


@pytest.mark.parametrize("line", SHOWN, ids=by_name)
def test_what_is_shown_equals_the_reference(probed, line):
    probe = probed(line)
    clocks = {side: Clock() for side in SIDES}
    first, end = footage([(probe.takes[side].frames, clocks[side]) for side in SIDES], probe.rate)
    if line.result == DEINTERLACED:
        first += 1  # FFmpeg's versions filter the first frame differently
    core = _composites(probe)
    for number, wanted in composites(probe, clocks, [(first, min(end - first, COMPARED))], size=SIZE):
        index = int(source_frames(probe.takes["left"].frames, Clock(), probe.rate, number, 1).index[0])
        *found, damaged = core.render(index, index)
        assert damaged == 0
        assert all(map(np.array_equal, wanted, found)), number


@pytest.mark.parametrize("line", SHOWN, ids=by_name)
def test_out_of_order_the_same_frames_are_shown(probed, line):
    probe = probed(line)
    count = min(probe.takes["left"].frames.count, READ)
    core = _composites(probe)
    in_order = [core.render(index, index)[0] for index in range(count)]
    core = _composites(probe)
    for index in np.random.default_rng(count).permutation(count)[:JUMPS].tolist():
        luma, _, _, damaged = core.render(index, index)
        assert damaged == 0
        assert np.array_equal(luma, in_order[index]), index


def _composites(probe: Probe) -> _core.Composites:
    target = target_colours(probe.takes)
    left, right = (core_take(take, core_colour(take, target, 8)) for take in probe.takes.values())
    return _core.Composites(left, right, *SIZE, 8)


@pytest.mark.parametrize("line", SHOWN, ids=by_name)
def test_clips_of_what_is_shown_verify(tmp_path, line):
    out = cut(tmp_path, line, FIRST_SECOND)
    assert [finding for checked in verify(out) for finding in checked.findings] == []


@pytest.mark.parametrize("line", REFUSED, ids=by_name)
def test_what_is_refused_is_refused_in_one_line(tmp_path, line):
    with pytest.raises(EmomediaError) as caught:
        cut(tmp_path, line, WHOLE)
    message = str(caught.value)
    reasons = line.result.removeprefix("refused: ").split(", or (FFmpeg 6.1) ")
    assert any(reason in message for reason in reasons)
    assert line.name in message
    assert "\n" not in message
