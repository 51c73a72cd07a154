"""The check stage on a simulated session: from the engine's frames to verdicts in the audit and the index."""

from __future__ import annotations

import json
import shutil
import wave
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from emomedia import _core
from emomedia.cli.app import app
from emomedia.dataset.audit import read_rows, write_rows
from emomedia.engine import core_take
from emomedia.errors import BatchError, DescriptionError, MediaError, MediaNotFoundError
from emomedia.observer import Silent
from emomedia.options import Options
from emomedia.quality import measure
from emomedia.quality.folder import check_folder
from emomedia.quality.measure import ENGINE_MEASURES, Tools
from emomedia.quality.media import clip_values, key_views
from emomedia.quality.pixels import PER_HALF, VALUES, values_of
from emomedia.quality.views import Views
from emomedia.run import open_session, run
from emomedia.session import SIDES

FAST: dict[str, Any] = {"preset": "ultrafast"}


@pytest.fixture(scope="module")
def made(simulated, tmp_path_factory) -> tuple[Path, Path]:
    """A session and the output folder of its run."""
    session = simulated(size=(270, 480), seconds=Fraction(4))
    out = tmp_path_factory.mktemp("out")
    run(session, out, Options(turns=session.parent / "turns.json", **FAST))
    return session, out


@pytest.fixture
def out(made, tmp_path) -> Path:
    """A copy of that output folder."""
    shutil.copytree(made[1], tmp_path / "out")
    return tmp_path / "out"


def audit(out: Path) -> Path:
    return out / "sim/clips.jsonl"


def test_a_run_leaves_measures_and_a_verdict_for_every_clip(made):
    rows = read_rows(audit(made[1]))
    assert rows
    for row in rows:
        quality = row["quality"]
        assert quality["measured"]["picture"] == "engine"
        for side in SIDES:
            assert all(quality[side][name] is not None for name in ENGINE_MEASURES)
            assert quality[side]["loudness_lufs"] < 0
        assert row["keep"] is (row["reasons"] == [])
    assert any(row["quality"]["left"]["snr_db"] for row in rows)
    index = pq.read_table(made[1] / "clips.parquet").to_pylist()
    for told, row in zip(index, rows, strict=True):
        for side in SIDES:
            found = {name: told["quality"][side][name] for name in row["quality"][side]}
            assert found == row["quality"][side]
        assert json.loads(told["quality"]["other"]) == {"measured": row["quality"]["measured"]}


def test_what_the_engine_saw_are_the_composites(made, tmp_path):
    session, out = made
    row = read_rows(audit(out))[-1]
    options = Options(turns=session.parent / "turns.json", **FAST)
    with open_session(session, tmp_path, options) as pipeline:
        takes = pipeline.probe.takes
        left, right = (core_take(takes[side]) for side in SIDES)
        reader = _core.Composites(left, right, depth=8)
        first = row["left"]["take_first_frame"], row["right"]["take_first_frame"]
        lumas = [reader.render(first[0] + n, first[1] + n)[0] for n in range(row["frame_count"])]
    values = np.array([values_of(luma, 8, takes["left"].range) for luma in lumas])
    for number, side in enumerate(SIDES):
        mine = values[:, number * PER_HALF :]
        sharpness, highlights = mine[:, VALUES.index("sharpness")], mine[:, VALUES.index("highlights")]
        lowest = float(np.percentile(sharpness, 10))
        assert row["quality"][side]["sharpness"] == pytest.approx(lowest, abs=1e-4)
        assert row["quality"][side]["highlights_share"] == pytest.approx(highlights.mean(), abs=1e-4)


def test_a_short_clip_whose_key_frame_shows_no_face_is_looked_at_again(made, monkeypatch):
    _, out = made
    turn = next(row for row in read_rows(audit(out)) if row["kind"] == "turn" and row["frame_count"] < 50)
    looked = []

    def nobody(views, *_):
        looked.append([view.halves for view in views])
        return {side: {"face_share": 0.0} for side in SIDES}

    monkeypatch.setattr(measure, "people_of", nobody)
    measure._people(out / turn["path"], turn["end"] - turn["start"], Tools(opencv="OpenCV 4"))
    (key,), (again, *others) = looked
    assert len(others) == measure.MORE_FACES
    assert np.array_equal(key[0], again[0])
    assert all(other[0].shape == key[0].shape and not np.array_equal(other[0], key[0]) for other in others)


def checked(what: Path, out: Path | None, *others: Any) -> list[dict[str, Any]]:
    """The session's audit after the check, of which the check itself tells the verdicts."""
    told = check_folder(what, out, *others) if len(others) > 1 else check_folder(what, out, *others, Silent())
    rows = read_rows(audit(out or what))
    assert told == [{key: row[key] for key in ("id", "keep", "reasons")} for row in rows]
    return rows


def test_measures_and_verdicts_do_not_depend_on_workers_or_on_being_interrupted(made, tmp_path, monkeypatch):
    session, out = made
    options = Options(turns=session.parent / "turns.json", workers=2, **FAST)
    monkeypatch.setattr("emomedia.quality.stage.check_session", _interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(session, tmp_path, options)
    monkeypatch.undo()
    assert "measured" not in read_rows(audit(tmp_path))[0]["quality"]
    rows = checked(tmp_path, None, Options())
    assert rows[0]["quality"]["measured"]["declared_ms"] is None, "there are no takes to look at"
    check_folder(session, tmp_path, Options(), Silent())
    assert audit(tmp_path).read_bytes() == audit(out).read_bytes(), "with the description there are"
    run(session, tmp_path, options)
    assert audit(tmp_path).read_bytes() == audit(out).read_bytes()


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_another_profile_decides_again_without_any_media(out, tmp_path):
    before = read_rows(audit(out))
    for folder in ("clips", "audio"):
        shutil.rmtree(out / "sim" / folder)
    strict = tmp_path / "strict.toml"
    strict.write_text('[[rule]]\nfault = "short of sharp"\nmeasure = "sharpness"\nmin = 9\n')
    said: list[str] = []
    heard = Silent()
    heard.note = said.append  # type: ignore[method-assign]
    rows = checked(out, None, Options(profile=strict), heard)
    assert not any(row["keep"] for row in rows)
    assert all(row["reasons"][0].startswith("left: short of sharp (sharpness 1") for row in rows)
    assert [row["quality"] for row in rows] == [row["quality"] for row in before]
    assert not any(pq.read_table(out / "clips.parquet")["keep"].to_pylist())
    assert "usual rules" not in "".join(said)
    for _ in range(2):
        check_folder(out, None, Options(), heard)
        assert read_rows(audit(out)) == before
    assert "".join(said).count("judged by the usual rules now") == 1


def test_a_verdict_that_hangs_on_another_clip_is_not_that_of_another_profile(out):
    """One clip is blurred beside the others; that one of these is measured anew changes what is usual."""

    def check(*changed: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
        others = [row for row in read_rows(audit(out)) if row["id"] not in [new["id"] for new in changed]]
        write_rows(audit(out), sorted([*others, *changed], key=lambda row: row["id"]))
        said: list[str] = []
        heard = Silent()
        heard.note = said.append  # type: ignore[method-assign]
        return checked(out, None, Options(), heard), "".join(said)

    def compared(row: dict[str, Any]) -> list[str]:
        return [reason for reason in row["reasons"] if "of the session's usual" in reason]

    blurred, other = read_rows(audit(out))
    for row, sharpness in ((blurred, 0.8), (other, 40.0)):
        row["quality"]["left"]["sharpness"] = sharpness
    before, _ = check(blurred, other)
    rows, said = check(before[1] | {"quality": {}})
    assert len(compared(rows[0])) == len(compared(before[0])) == 1 and compared(rows[0]) != compared(
        before[0]
    )
    assert "usual rules" not in said
    sharp = rows[0] | {
        "reasons": [reason for reason in rows[0]["reasons"] if reason not in compared(rows[0])]
    }
    rows, said = check(sharp, rows[1] | {"quality": {}})
    assert compared(rows[0]) and "usual rules" not in said
    rows[0]["quality"]["left"]["centre_highlights_share"] = 0.5  # as if by rules that allow it
    _, said = check(rows[0], rows[1] | {"quality": {}})
    assert "usual rules" in said


def test_clips_that_nobody_measured_are_decoded(made, out):
    before = read_rows(audit(out))
    write_rows(audit(out), [row | {"quality": {}, "keep": True, "reasons": []} for row in before])
    rows = checked(made[0], out, Options())
    for row, engine in zip(rows, before, strict=True):
        assert row["quality"]["measured"]["picture"] == "clip"
        for side in SIDES:
            mine, theirs = row["quality"][side], engine["quality"][side]
            assert mine["sharpness"] == pytest.approx(theirs["sharpness"], rel=0.1)
            assert mine["exposure"] == pytest.approx(theirs["exposure"], abs=0.01)
            assert mine["dropped_frames"] is None
            sound = ("snr_db", "loudness_lufs", "bleed_db")
            assert [mine[name] for name in sound] == [theirs[name] for name in sound]


class Heard(Silent):
    """What is said to people."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_without_the_extra_the_rest_is_measured_and_it_is_said_once(out, monkeypatch):
    before = read_rows(audit(out))
    _install_nothing(monkeypatch)
    write_rows(audit(out), [row | {"quality": _seen_by_the_engine_alone(row)} for row in before])
    heard = Heard()
    rows = checked(out, None, Options(), heard)
    assert [note for note in heard.notes if "emomedia[quality]" in note] == heard.notes
    assert len(heard.notes) == 1
    for row, full in zip(rows, before, strict=True):
        for side in SIDES:
            mine, theirs = row["quality"][side], full["quality"][side]
            lacking = [name for name in mine if name.startswith(("face", "person", "dnsmos", "steadiness"))]
            assert len(lacking) == 10
            assert all(mine[name] is None for name in lacking)
            assert {name: mine[name] for name in mine if name not in lacking} == {
                name: theirs[name] for name in theirs if name not in lacking
            }


def _install_nothing(monkeypatch) -> None:
    monkeypatch.setattr("emomedia.quality.measure.opencv_name", lambda: None)
    monkeypatch.setattr("emomedia.quality.measure.Dnsmos.found", lambda: None)


def _seen_by_the_engine_alone(row: dict[str, Any]) -> dict[str, Any]:
    return {side: row["quality"][side] for side in SIDES}


def test_what_was_measured_stays_where_less_or_something_else_is_installed(out, monkeypatch):
    before = read_rows(audit(out))
    with monkeypatch.context() as patched:
        _install_nothing(patched)
        assert checked(out, None, Options()) == before
    monkeypatch.setattr("emomedia.quality.measure.opencv_name", lambda: "OpenCV of another version")
    assert checked(out, None, Options()) == before
    tools = Tools.found()
    measured = before[0]["quality"]["measured"]
    assert tools.names_beside(measured)["face"] == tools.names["face"], "a run measures by what it has"


def test_a_session_that_cannot_be_checked_keeps_no_other_from_it(out, tmp_path):
    other = out / "alas"
    shutil.copytree(out / "sim", other)
    text = (other / "clips.jsonl").read_text().replace('"sim"', '"alas"').replace('"sim/', '"alas/')
    (other / "clips.jsonl").write_text(text)
    rows = read_rows(other / "clips.jsonl")
    write_rows(other / "clips.jsonl", [row | {"quality": {}} for row in rows])
    for clip in (other / "clips").iterdir():
        clip.write_bytes(b"no clip")
    strict = tmp_path / "strict.toml"
    strict.write_text('[[rule]]\nfault = "short of sharp"\nmeasure = "sharpness"\nmin = 9\n')
    heard = Heard()
    with pytest.raises(BatchError, match="1 of 2 sessions"):
        check_folder(out, None, Options(profile=strict), heard)
    assert any("alas" in note for note in heard.notes)
    assert not any(row["keep"] for row in read_rows(audit(out)))
    index = pq.read_table(out / "clips.parquet")
    assert not any(index.filter(pc.field("session") == "sim")["keep"].to_pylist())


def test_a_session_whose_audit_is_broken_is_reported_like_others_that_cannot_be_checked(out):
    (out / "other").mkdir()
    (out / "other/clips.jsonl").write_text("{}\n")
    (out / "report.html").unlink(missing_ok=True)
    said = CliRunner().invoke(app, ["check", str(out)])
    assert isinstance(said.exception, BatchError) and "1 of 2 sessions" in str(said.exception)
    assert (out / "report.html").is_file(), "the others are checked"


def test_key_pictures_are_those_of_the_clip_s_key_frames_and_each_is_decoded_once(made, monkeypatch):
    row = max(read_rows(audit(made[1])), key=lambda row: row["frame_count"])
    path = made[1] / row["path"]
    with av.open(str(path)) as container:
        keys = [frame.to_ndarray() for frame in container.decode(video=0) if frame.key_frame]
    views = Views()
    found = key_views(path, 4, views)
    assert ([view.colour_range for view in found], len(keys)) == (["limited"] * 3, 3)
    for view, whole in zip(found, keys, strict=True):
        for number, half in enumerate(view.halves):
            luma = whole[:1080, 960 * number : 960 * (number + 1)].reshape(270, 4, 240, 4).mean(axis=(1, 3))
            assert np.abs(half[..., 0] - luma).max() <= 0.5
    assert key_views(path, 1, views) == [found[1]]
    monkeypatch.setattr("emomedia.quality.media._decoded", lambda *_: pytest.fail("decoded again"))
    turns = (each for each in read_rows(audit(made[1])) if each["kind"] == "turn")
    turn = next(each for each in turns if each["dialogue"] == row["id"])
    assert key_views(made[1] / turn["path"], 1, views)[0] in found


def test_a_clip_without_a_picture_is_reported(tmp_path):
    path = tmp_path / "clip.mp4"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 48_000, 0, "NONE", ""))
        file.writeframes(bytes(9600))
    for look in (lambda: key_views(path, 4, Views()), lambda: clip_values(path)):
        with pytest.raises(MediaError, match="expected a clip that decodes, found no picture"):
            look()


def test_where_there_are_no_clips_check_says_so(made, tmp_path):
    for what, out, error in (
        (tmp_path, None, MediaNotFoundError),
        (made[0], tmp_path, MediaNotFoundError),
        (made[0], None, DescriptionError),
    ):
        with pytest.raises(error):
            check_folder(what, out, Options(), Silent())


def test_a_session_without_clips_is_run_by_the_options_that_every_verb_takes(made, tmp_path):
    own = ["--turns", str(made[0].parent / "turns.json"), "--preset", "superfast"]
    described = [str(made[0]), "--out", str(tmp_path), *own, "--json"]
    said = CliRunner().invoke(app, ["check", *described])
    assert said.exit_code == 0, said.output
    rows = read_rows(audit(tmp_path))
    assert json.loads(said.output.splitlines()[-1])["clips"] == len(rows) > 0
    assert {row["provenance"]["settings"]["preset"] for row in rows} == {"superfast"}
    assert '"stage": "cut"' in said.output
    export = ["export", "--format", "rttm", "--to", str(tmp_path / "to")]
    for verb in (["probe"], ["plan"], ["check"], ["report"], export):
        said = CliRunner().invoke(app, [*verb, *described])
        assert said.exit_code == 0, said.output
        assert '"stage": "cut"' not in said.output
    assert (tmp_path / "report.html").is_file()
    assert (tmp_path / "to/sim.rttm").is_file()
