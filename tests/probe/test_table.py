"""What people see of a probe."""

from __future__ import annotations

import io
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from emomedia.probe import Probe, remarks, table
from emomedia.probe.table import duration_for_people, rate_for_people
from emomedia.probe.take import make_take
from emomedia.probe.track import mic_track
from emomedia.session import Crop, Mic

from .found import audio, found, session


@pytest.fixture
def probe():
    described = session(
        left={"mic": Mic(Path("/shoot/rec[b].wav"), 1)}, right={"mic": Mic(Path("/shoot/rec[b].wav"), 0)}
    )
    takes = {side: make_take(described, side, [found(keys=(0, 60))]) for side in ("left", "right")}
    tracks = {side: mic_track(described, side, [audio()]) for side in takes}
    return Probe(described, takes, tracks, Fraction(25))


def test_the_table_tells_what_was_found(probe):
    from rich.console import Console

    console = Console(width=120, record=True, file=io.StringIO())
    console.print(table(probe))
    text = console.export_text()
    for part in (
        "left: A1",
        "2160x2430 at 0, 705",
        "25 fps",
        "0:00:04.0",
        "rec[b].wav, channel 1",
        "every 60 frames",
    ):
        assert part in text


def test_nothing_is_remarked_on_what_is_usual(probe):
    assert remarks(probe) == []


CHANGES = [
    ({"variable": True}, "variable"),
    ({"missing": 3}, "3 frames are missing"),
    ({"rate": Fraction(26)}, "26 fps is no usual"),
    ({"rotate": 90}, "3840x2160, wider than high"),
    ({"crop": Crop(0, 0, 800, 1800)}, "2.00 times as wide"),
    ({"primaries": "bt2020"}, "bt2020 and bt709"),
]


@pytest.mark.parametrize(("change", "words"), CHANGES)
def test_what_is_unusual_is_remarked_on(probe, change, words):
    takes = probe.takes | {"left": replace(probe.takes["left"], **change)}
    assert [words in text for text in remarks(replace(probe, takes=takes))] == [True]


@pytest.mark.parametrize(
    ("change", "words"),
    [({"own_audio": True}, "camera's own sound"), ({"lossless": False}, "lossy (pcm_s24le)")],
)
def test_poor_tracks_are_remarked_on(probe, change, words):
    tracks = probe.tracks | {"right": replace(probe.tracks["right"], **change)}
    found_remarks = remarks(replace(probe, tracks=tracks))
    assert [text.startswith("right: ") and words in text for text in found_remarks] == [True]


def test_numbers_for_people():
    assert rate_for_people(Fraction(30000, 1001)) == "29.97 fps"
    assert rate_for_people(Fraction(100)) == "100 fps"
    assert duration_for_people(Fraction(2643, 1) + Fraction(96, 100)) == "0:44:04.0"
    assert duration_for_people(Fraction(7325)) == "2:02:05.0"


def test_a_declared_offset_of_zero_is_declared():
    from emomedia.probe.table import _rows

    mic = Mic(Path("/shoot/rec.wav"), 0)
    described = session(left={"mic": mic, "mic_offset": Fraction(0)}, right={"mic": mic})
    takes = {side: make_take(described, side, [found(keys=(0, 60))]) for side in ("left", "right")}
    tracks = {side: mic_track(described, side, [audio()]) for side in takes}
    probe = Probe(described, takes, tracks, Fraction(25))
    assert _rows(probe, "left")["first sample"] == "+0.0000 s, declared"
    assert _rows(probe, "right")["first sample"] == "found by sync"
