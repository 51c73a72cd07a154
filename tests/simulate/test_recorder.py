"""Every kind of recorder writes the same sound, at the places that truth.json tells."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from emomedia.errors import DescriptionError
from emomedia.session import SIDES
from emomedia.session_file import load_session
from emomedia.simulate import RecorderOptions

from .takes import truth_of

SILENT = {"size": (180, 320), "seconds": Fraction(8), "fps": Fraction(5), "dialogues": 1, "noise_db": None}
KINDS = ["wav16", "wav24", "wav32", "wavfloat", "rf64", "bwf", "flac", "m4a"]


def heard(session, side) -> np.ndarray:
    """A side's microphone as float64, by truth.json."""
    recorder = truth_of(session.parent)["recorder"]
    with av.open(str(session.parent / recorder["files"][side])) as container:
        assert container.streams.audio[0].rate == recorder["sample_rate"]
        blocks = [
            frame.to_ndarray() if frame.format.is_planar
            else frame.to_ndarray().reshape(-1, frame.layout.nb_channels).T
            for frame in container.decode(audio=0)
        ]  # fmt: skip
    samples = np.concatenate(blocks, axis=1)[recorder["channels"][side]]
    return samples / (1 if samples.dtype.kind == "f" else -float(np.iinfo(samples.dtype).min))


@pytest.mark.parametrize(
    ("kind", "separate", "mixes"),
    [(kind, number % 2 == 1, number % 3) for number, kind in enumerate(KINDS)] + [("flac", False, 4)],
)
def test_every_file_format_holds_what_the_microphones_hear(simulated, kind, separate, mixes):
    session = simulated(
        **SILENT, recorder=RecorderOptions(file_format=kind, separate=separate, mix_channels=mixes)
    )
    recorder = truth_of(session.parent)["recorder"]
    exact = simulated(**SILENT, recorder=RecorderOptions(file_format="wav32"))
    for side in SIDES:
        expected, found = heard(exact, side), heard(session, side)
        mic = load_session(session).side(side).mic
        assert (mic.file.name, mic.channel) == (recorder["files"][side], recorder["channels"][side])
        assert np.abs(expected).max() > 0.1
        step = {"wav16": 2.0**-15, "wav32": 2.0**-31, "m4a": 0.3}.get(kind, 2.0**-23)
        assert len(found) == len(expected) == recorder["samples"] or (
            kind == "m4a" and 0 <= len(found) - len(expected) < 1024
        )
        assert np.abs(found[: len(expected)] - expected).max() <= step / 2 + 1e-9
        alike = [
            np.corrcoef(found[3:-3][: len(expected) - 6], np.roll(expected, n)[3:-3])[0, 1]
            for n in (-1, 0, 1)
        ]
        assert alike[1] > 0.99 and alike[1] == max(alike)
    assert len(set(recorder["files"].values())) == 1 + separate


@pytest.mark.parametrize("drift", [0, 150])
@pytest.mark.parametrize("rate", [44_100, 88_200, 96_000, 192_000])
def test_at_every_rate_the_voices_are_where_truth_says(simulated, rate, drift):
    moved = {"recorder_offset": Fraction("-0.7"), "drift_ppm": Fraction(drift)}
    session = simulated(**SILENT, **moved, recorder=RecorderOptions(sample_rate=rate))
    truth = truth_of(session.parent)
    assert truth["recorder"]["sample_rate"] == rate
    for side in SIDES:
        sound = heard(session, side)
        assert len(sound) == truth["recorder"]["samples"]
        for said in truth["utterances"]:
            if said["speaker"] == side:
                first, end = said["track_samples"]
                local = (Fraction(said["session_samples"][0], 48_000) + Fraction("0.7")) * rate
                assert first == round(local / (1 + Fraction(drift, 1_000_000)))
                assert np.abs(sound[first : first + rate // 100]).max() > 1e-4
                sound[first - rate // 500 : end + rate // 500] = 0
        assert np.abs(sound).max() < 1e-6


def test_without_a_recorder_the_cameras_hear_it_where_truth_says(simulated):
    session = simulated(
        **SILENT,
        right_offset=Fraction("0.4"),
        camera_distance=Fraction("3.43"),
        recorder=RecorderOptions(used=False),
    )
    truth = truth_of(session.parent)
    assert truth["recorder"] is None
    assert not list(session.parent.glob("recorder*"))
    described = load_session(session)
    for side in SIDES:
        assert described.side(side).mic is None and described.side(side).mic_offset is None
        begin = round(truth["takes"][side]["offset"] * 48_000)
        for said in truth["utterances"]:
            if said["speaker"] == side:
                assert said["track_samples"] == [at - begin + 480 for at in said["session_samples"]]


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"file_format": "wav8"}, "file_format: expected wav16, wav24"),
        ({"sample_rate": 22_050}, "sample_rate: expected 44100, 48000"),
        ({"file_format": "m4a", "sample_rate": 192_000}, "at most 96000 in m4a, found 192000"),
        ({"mix_channels": 31}, "mix_channels: expected 0 to 30"),
        ({"mix_channels": 5, "file_format": "flac"}, "at most 4 in flac"),
    ],
)
def test_what_no_recorder_does_is_refused(wrong, expected):
    with pytest.raises(DescriptionError, match=expected):
        RecorderOptions(**wrong)
