"""What the sound says of declared places, on a simulated session whose places are known."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import NoReturn

import pytest

from emomedia import stages
from emomedia.errors import OutputError
from emomedia.options import Options
from emomedia.quality.declared import declared_ms
from emomedia.quality.measure import SessionFacts
from emomedia.run import open_session

TWO_FRAMES = 0.08


@pytest.fixture(scope="module")
def session(simulated) -> Path:
    return simulated(
        size=(270, 480), seconds=Fraction(14), camera_distance=Fraction(1), recorder_offset=Fraction("-0.7")
    )


def apart(session: Path, out: Path, key: str = "", by: float = 0.0) -> dict[str, float]:
    """What is found if all lines of the description that begin with `key` are off by so many seconds."""
    text = session.read_text()
    if by:
        text, count = re.subn(
            rf"^{key} = (-?[\d.]+)$",
            lambda found: f"{key} = {float(found[1]) + by:.6f}",
            text,
            flags=re.MULTILINE,
        )
        assert count
    description = session.parent / f"{out.name}.toml"
    description.write_text(text)
    with open_session(description, out, Options()) as pipeline:
        clocks, body = pipeline.sync, stages.read(pipeline.folder.stage("sync"))
        return declared_ms(pipeline.probe, clocks, body, pipeline.folder.sound)


def test_places_declared_right_are_found_so_near_there(session, tmp_path, monkeypatch):
    monkeypatch.setattr("emomedia.audio.align.align", lambda *_, **__: pytest.fail("looked everywhere"))
    found = apart(session, tmp_path / "right")
    assert found == {"left": pytest.approx(0, abs=1), "right": pytest.approx(0, abs=1)}


def test_a_full_disk_says_nothing_of_places(session, tmp_path, monkeypatch):
    def full(*_: object) -> NoReturn:
        raise OutputError("scratch", expected="room", found="none", remedy="make some")

    monkeypatch.setattr("emomedia.audio.proxy.track_proxy", full)
    with pytest.raises(OutputError):
        apart(session, tmp_path / "full")


@pytest.mark.parametrize("by", [TWO_FRAMES, -0.9])
def test_microphones_declared_two_frames_off_or_farther_are_found(session, tmp_path, by):
    found = apart(session, tmp_path / f"mic{by}", "mic_offset", by)
    assert found == {side: pytest.approx(1000 * abs(by), abs=1) for side in ("left", "right")}


def test_a_take_declared_two_frames_off_is_found(session, tmp_path):
    found = apart(session, tmp_path / "take", "offset", TWO_FRAMES)
    assert found["right"] == pytest.approx(80, abs=1)
    assert found["left"] == pytest.approx(0, abs=1)


def residual(windows: list[tuple[float, float, int]]) -> float | None:
    """The left residual of a clip from 10 to 14 s, of a session with those windows."""
    at, off, counts = (list(column) for column in zip(*windows, strict=True))
    entry = {"residual_ms": 0.4, "windows": {"at": at, "residual_ms": off, "counts": counts}}
    row = {"id": "c", "start": 10.0, "end": 14.0}
    return SessionFacts({}, {"left": {"track": entry}}, []).of(row)["left"]["residual_ms"]


def test_a_clip_s_residual_is_that_of_the_windows_within_it():
    assert residual([(9, 90, 1), (11, -3, 1), (12, 5, 1), (13, 4, 1), (13.5, 80, 0)]) == 4
    assert residual([(11, 80, 0), (12, 82, 0), (13, 79, 0)]) == 80
    assert residual([(11, 80, 0), (12, -300, 0), (13, 79, 0)]) == 0.4
    assert residual([(9, 90, 1)]) == 0.4
