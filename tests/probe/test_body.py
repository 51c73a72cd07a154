"""session.json's content, there and back."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from emomedia.errors import StageError
from emomedia.probe import Probe, TrackFile, from_body, to_body
from emomedia.probe.take import make_take
from emomedia.probe.track import mic_track, own_track
from emomedia.session import Mic

from .found import audio, found, session


@pytest.fixture
def probe():
    table = Path("/shoot/log.cube")
    described = session(left={"mic": Mic(Path("/elsewhere/rec.wav"), 1), "lut": table})
    left = make_take(described, "left", [found(keys=(0, 10, 20, 99)), found("b.mp4", pts=[5, 517, 1030])])
    sound = own_track([(Path("/shoot/a.mp4"), audio(), Fraction(-1, 3))])
    sound = replace(sound, later=(TrackFile(Path("/shoot/b.mp4"), 1, Fraction(4)),))
    right = replace(
        make_take(described, "right", [found(keys=(), field_order="tt", mirrored=True)]), sound=sound
    )
    evening = 23 * 3600 * 192_000  # samples since midnight, more than 32 bits hold
    broadcast = replace(mic_track(described, "left", [audio()]), time_reference=evening)
    tracks = {"left": broadcast, "right": sound}
    return Probe(described, {"left": left, "right": right}, tracks, Fraction(30000, 1001))


def test_comes_back_as_it_went(probe):
    body = json.loads(json.dumps(to_body(probe)))
    back = from_body(body, probe.session)
    assert to_body(back) == body == to_body(probe)
    assert back.rate == probe.rate
    assert back.tracks == probe.tracks
    for side, take in probe.takes.items():
        other = back.takes[side]
        assert (other.crop, other.rate, other.sound) == (take.crop, take.rate, take.sound)
        assert (other.mirrored, other.lut, other.fields, other.aspect) == (
            take.mirrored, take.lut, take.fields, take.aspect,
        )  # fmt: skip
        assert other.frames.end == take.frames.end
        for one, two in zip(take.files, other.files, strict=True):
            assert (one.path, one.stream, one.codec) == (two.path, two.stream, two.codec)
            assert np.array_equal(one.keys, two.keys)
        for one, two in zip(take.frames.files, other.frames.files, strict=True):
            assert (one.base, one.time_base) == (two.base, two.time_base)
            assert np.array_equal(one.pts, two.pts)


def test_holds_runs_fractions_and_paths_as_described(probe):
    body = to_body(probe)
    file = body["left"]["take"]["files"][0]
    assert (file["path"], file["time_base"], file["base"]) == ("a.mp4", "1/12800", "0/1")
    assert file["frames"] == [[0, 512, 100]]
    assert file["keys"] == [[0, 10, 3], [99, 0, 1]]
    assert body["left"]["track"]["path"] == "/elsewhere/rec.wav"
    assert body["right"]["track"]["start"] == "-1/3"
    assert body["rate"] == "30000/1001"


def at(body, *way):
    for key in way:
        body = body[key]
    return body


BROKEN = [
    (("session",), "another"),
    (("rate",), "0/1"),
    (("rate",), "1/0"),
    (("rate",), 25),
    (("left",), None),
    (("left", "take", "files"), []),
    (("left", "take", "rotate"), "90"),
    (("left", "take", "width"), -1),
    (("left", "take", "files", 0, "frames"), [[0, 512, 10**9]]),
    (("right", "take", "files", 0, "frames"), [[0, -1, 5]]),
    (("right", "take", "files", 0, "frames"), []),
    (("left", "take", "files", 0, "keys"), [[0, 1, 101]]),
    (("left", "take", "files", 0, "keys"), [[5, -1, 3]]),
    (("left", "take", "files", 0, "path"), 7),
    (("right", "track", "start"), 0.1),
    (("right", "track", "channel"), True),
]


@pytest.mark.parametrize(("way", "value"), BROKEN)
def test_a_broken_file_is_refused(probe, way, value):
    body = copy.deepcopy(to_body(probe))
    at(body, *way[:-1])[way[-1]] = value
    with pytest.raises(StageError, match=r"session\.json"):
        from_body(body, probe.session)


@pytest.mark.parametrize("way", [("rate",), ("left", "take", "crop", "x"), ("right", "track", "later")])
def test_a_file_that_lacks_something_is_refused(probe, way):
    body = copy.deepcopy(to_body(probe))
    del at(body, *way[:-1])[way[-1]]
    with pytest.raises(StageError, match=way[-1]):
        from_body(body, probe.session)
