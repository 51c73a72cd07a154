"""Clean voices beside the untouched ones, from a run's sound to its audit."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import exact
from emomedia.dataset.verify import verify
from emomedia.options import Options
from emomedia.run import run
from emomedia.session import SIDES

CHOICES = {"size": (270, 480), "seconds": Fraction(24), "dialogues": 1, "bleed_db": -12.0}


@pytest.fixture(scope="module")
def session(simulated) -> Path:
    return simulated(**CHOICES)


def options(session: Path, **choices) -> Options:
    return Options(turns=session.parent / "turns.json", preset="ultrafast", **choices)


@pytest.fixture(scope="module")
def made(session, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("out")
    run(session, out, options(session))
    return out


def sounds(out: Path, row: dict, side: str) -> tuple[np.ndarray, np.ndarray]:
    untouched, clean = (f"sim/audio/{row['id']}.{side}{kind}.flac" for kind in ("", ".clean"))
    return exact.decoded_sound(out / untouched)[0], exact.decoded_sound(out / clean)[0]


def test_clips_with_overlaps_have_clean_voices_and_others_have_none(made):
    speech = json.loads((made / "sim/speech.json").read_text())
    cleaned = [told for told in speech["cleaned"] if told["left"]["applied"] or told["right"]["applied"]]
    assert cleaned
    rows = exact.rows_of(made)
    for row in rows:
        for side in SIDES:
            touched = any(
                told[side]["applied"] and told["start"] < row["end"] and told["end"] > row["start"]
                for told in cleaned
            )
            path = f"sim/audio/{row['id']}.{side}.clean.flac"
            assert (made / path).is_file() == touched
            assert [voice["path"] for voice in row["clean"] if voice["side"] == side] == [path] * touched
    assert any(row["clean"] for row in rows) and not all(row["clean"] for row in rows)
    assert [finding for checked in verify(made) for finding in checked.findings] == []


def test_only_overlaps_differ(made):
    speech = json.loads((made / "sim/speech.json").read_text())
    row = next(row for row in exact.rows_of(made) if row["kind"] == "dialogue")
    for side in SIDES:
        untouched, clean = sounds(made, row, side)
        inside = np.zeros(len(untouched), bool)
        for start, end in speech["overlaps"]:
            first, last = (round((time - row["start"]) * 48_000) for time in (start, end))
            inside[max(0, first) : max(0, last)] = True
        np.testing.assert_array_equal(clean[~inside], untouched[~inside])
        assert (clean[inside] != untouched[inside]).any()


def test_what_is_there_is_kept_and_what_is_not_is_made_from_the_same_speech(made, session):
    before = exact.rows_of(made)
    assert run(session, made, options(session)).made == 0
    victim = next(row for row in before if row["clean"])
    path = made / victim["clean"][0]["path"]
    content = path.read_bytes()
    path.unlink()
    assert (
        run(session, made, options(session)).made == 1
    )  # speech.json is fresh: cleaned anew, not found anew
    assert path.read_bytes() == content
    assert exact.rows_of(made) == before


def test_none_if_not_wanted(session, tmp_path):
    run(session, tmp_path, options(session, clean="off"))
    assert all(row["clean"] == [] for row in exact.rows_of(tmp_path))
    assert not list(tmp_path.glob("sim/audio/*.clean.flac"))
    assert "cleaned" not in json.loads((tmp_path / "sim/speech.json").read_text())


def test_silences_too(session, tmp_path):
    run(session, tmp_path, options(session, clean="all"))
    row = next(row for row in exact.rows_of(tmp_path) if row["kind"] == "dialogue")
    speech = json.loads((tmp_path / "sim/speech.json").read_text())
    untouched, clean = sounds(tmp_path, row, "left")
    silent = np.ones(len(untouched), bool)
    for start, end in speech["left"]["activity"]:
        first, last = (round((time - row["start"]) * 48_000) for time in (start, end))
        silent[max(0, first - 480) : max(0, last + 480)] = False
    powers = [np.mean(np.square(sound[silent] / 2**31)) for sound in (untouched, clean)]
    assert 10 * np.log10(powers[0] / powers[1]) > 15
