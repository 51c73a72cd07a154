"""What the page is made from: columns, counts, plots, and what it does with what is missing."""

from __future__ import annotations

import base64
import json
import re
import sqlite3
import zlib
from contextlib import closing
from html.parser import HTMLParser

import numpy as np
import pytest

from audits import write_sessions
from emomedia.batch.ledger import Ledger, ledger_path
from emomedia.batch.sessions import Entry
from emomedia.batch.task import Failure
from emomedia.dataset.actors import Actor
from emomedia.dataset.audit import read_rows, write_rows
from emomedia.dataset.figures import figures, people, plain_reason
from emomedia.dataset.index import write_index
from emomedia.errors import StageError
from emomedia.options import Options
from emomedia.report import write_report
from emomedia.report.columns import NOTHING, make_columns
from emomedia.report.gather import gather
from emomedia.report.plots import CELLS, heat_counts, histogram_svg, make_histogram

SESSIONS = {"a": ("A1", "A2"), "b": ("A3", "A4"), "c": ("A1", "A4")}


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "OUT"
    folder.mkdir()
    write_sessions(folder, SESSIONS, dialogues=3)
    return folder


def test_figures_count_what_is_kept(out):
    found = figures(gather(out).table)
    rows = [row for name in SESSIONS for row in read_rows(out / name / "clips.jsonl")]
    kept = [row for row in rows if row["keep"]]
    turns = [row for row in kept if row["kind"] == "turn"]
    dialogues = {row["id"]: row for row in kept if row["kind"] == "dialogue"}
    assert (found.turns, found.dialogues, found.sessions) == (len(turns), len(dialogues), 3)
    assert found.dialogue_hours == pytest.approx(
        sum(d["end"] - d["start"] for d in dialogues.values()) / 3600
    )
    assert found.turns_per_dialogue == pytest.approx(
        sum(turn["dialogue"] in dialogues for turn in turns) / len(dialogues)
    )
    assert found.actors["A1"] == sum("A1" in row["actors"].values() for row in kept)
    assert found.reasons == {"left: blurred": len(rows) - len(kept)}


def test_people_are_those_in_the_clips(out):
    known = {
        "A1": Actor("A1", "female", 20, "N"),
        "A2": Actor("A2", "male", 30, "N"),
        "A9": Actor("A9", "male", 99),
    }
    found = people(figures(gather(out).table), known)
    assert (found.genders, found.regions) == ({"female": 1, "male": 1}, {"N": 2})
    assert found.mean_age == 25
    assert found.unknown == ("A3", "A4")


@pytest.mark.parametrize(
    ("reason", "plain"),
    [("left: blurred (sharpness 12 < 40)", "left: blurred"), ("no face", "no face"), (" (odd)", " (odd)")],
)
def test_a_reason_is_counted_without_its_figures(reason, plain):
    assert plain_reason(reason) == plain


def test_the_page_holds_the_columns_that_were_made(out):
    text = write_report(out).read_text("utf-8")
    data = re.search(r'id="data">([^<]*)<', text)[1]
    blob = zlib.decompress(base64.b64decode(data))
    length = int.from_bytes(blob[:4], "little")
    header = json.loads(blob[4 : 4 + length])
    columns = make_columns(gather(out))
    assert header["strings"] == columns.strings
    for name, array in columns.numbers.items():
        place = header["arrays"][name]
        found = np.frombuffer(blob, place["type"], header["rows"], 4 + length + place["offset"])
        np.testing.assert_array_equal(found, array)


def test_a_turns_sound_is_its_speakers_and_its_sharpness_the_lesser(out):
    columns = make_columns(gather(out))
    rows = {row["id"]: row for name in SESSIONS for row in read_rows(out / name / "clips.jsonl")}
    for number, clip in enumerate(columns.strings["id"]):
        row = rows[clip]
        sides = [row["quality"][side] for side in ("left", "right")]
        mine = row["quality"][row["speaker"]]["snr_db"] if row["speaker"] else min(s["snr_db"] for s in sides)
        assert columns.numbers["snr"][number] == np.float32(mine)
        assert columns.numbers["sharpness"][number] == np.float32(min(side["sharpness"] for side in sides))
        assert np.isnan(columns.numbers["loudness"][number])
        x, _, width, _ = row["quality"]["left"]["face_box"]
        edges = [columns.numbers[f"left_face_{edge}"][number] for edge in ("x0", "x1")]
        assert edges == [round(254 * x), round(254 * min(1, x + width))]


def test_gaps_and_overlaps_are_those_of_the_turns(tmp_path):
    write_sessions(tmp_path, {"a": ("A1", "A2")}, dialogues=1)
    audit = tmp_path / "a/clips.jsonl"
    rows = {row["id"]: row for row in read_rows(audit)}
    rows["a_000_000"]["turns"][0] |= {"gap_s": None, "overlap_s": 0.0, "backchannel": True}
    rows["a_000_001"]["turns"][0] |= {"gap_s": -0.5, "overlap_s": 0.25, "backchannel": False}
    rows["a_000_002"]["turns"] = None
    write_rows(audit, rows.values())
    write_index(tmp_path)
    columns = make_columns(gather(tmp_path))
    found = {
        clip: tuple(columns.numbers[name][number] for name in ("gap", "overlap", "backchannel"))
        for number, clip in enumerate(columns.strings["id"])
    }
    assert found["a_000_001"] == (-0.5, 0.25, 0)
    assert np.isnan(found["a_000_000"][0])
    assert found["a_000_000"][1:] == (0, 1)
    for unknown in ("a_000", "a_000_002"):
        assert np.isnan(found[unknown][:2]).all()
        assert found[unknown][2] == -1


def test_ids_are_a_sessions_own(tmp_path):
    """Two sessions may call a dialogue of theirs the same."""
    write_sessions(tmp_path, {"a": ("A1", "A2"), "b": ("A3", "A4")}, dialogues=1)
    for session in "ab":
        audit = tmp_path / session / "clips.jsonl"
        text = audit.read_text().replace(f'"{session}_000', '"d').replace(f"/{session}_000", "/d")
        audit.write_text(text)
        rows = read_rows(audit)
        keep = {"d": session == "a"}
        write_rows(audit, [row | {"keep": keep.get(row["id"], True)} for row in rows])
    write_index(tmp_path)
    gathered = gather(tmp_path)
    assert (figures(gathered.table).dialogues, figures(gathered.table).turns_per_dialogue) == (1, 4)


def test_the_page_says_what_measured(tmp_path):
    write_sessions(tmp_path, {"a": ("A1", "A2")}, dialogues=1)
    audit = tmp_path / "a/clips.jsonl"
    rows = read_rows(audit)
    for number, row in enumerate(rows):
        face = "my <model>" if number else "cascade"
        row["quality"]["measured"] = {"picture": "engine", "face": face, "person": "GrabCut", "dnsmos": None}
    write_rows(audit, rows)
    write_index(tmp_path)
    text = write_report(tmp_path).read_text("utf-8")
    assert "my &lt;model&gt; (of 4 clips); cascade (of 1 clips)" in text
    assert "<td>GrabCut</td>" in text and "<td>nothing</td>" in text


def test_names_and_texts_are_escaped(tmp_path):
    evil = '</script><script>alert(1)</script><img src=x onerror="alert(1)">'
    write_sessions(tmp_path, {"a": (evil, "A2")})
    audit = tmp_path / "a/clips.jsonl"
    fields = {"text": evil, "emotion": evil, "topic": evil, "keep": False, "reasons": [evil]}
    rows = read_rows(audit)
    write_rows(audit, [rows[0] | fields | {"keep": True}, *(row | fields for row in rows[1:])])
    write_index(tmp_path)
    (tmp_path / "actors.toml").write_text(f"[[actor]]\nid = '{evil}'\ngender = '{evil}'\nregion = '{evil}'")
    text = write_report(tmp_path).read_text("utf-8")
    assert text.count("<script") == 2
    assert "<img" not in text
    assert text.count("&lt;/script&gt;&lt;script&gt;alert(1)") >= 5


@pytest.mark.parametrize("scale", [1e-5, 1.0, 1e5])
@pytest.mark.parametrize("shift", [0.0, -3.7, 1000.0])
def test_a_histogram_has_every_value_in_the_bin_that_its_link_asks_for(scale, shift):
    rng = np.random.default_rng(1)
    values = (rng.standard_t(2, 500) * scale + shift).astype(np.float32)
    values[:20] = np.nan
    keep = rng.random(500) < 0.5
    plot = make_histogram("x", "X", "", values, keep, "turn")
    assert plot.count == 480
    assert plot.kept.sum() == keep[20:].sum()
    links = re.findall(r"x=([^&]*?)\.\.([^&]*?)\" tabindex=\"-1\" data-count=\"(\d+)\"", histogram_svg(plot))
    assert sum(int(count) for *_, count in links) == 480
    for low, high, count in links:
        doubles = values.astype(float)
        inside = (doubles >= float(low or "-inf")) & (doubles < float(high or "inf"))
        assert inside.sum() == int(count)


@pytest.mark.parametrize("values", [[], [3.0], [3.0, 3.0], [0.0], [-np.inf, 1.0]])
def test_a_histogram_of_few_values(values):
    plot = make_histogram("x", "X", "", np.array(values, np.float32), np.ones(len(values), bool), "turn")
    assert plot.count == int(np.isfinite(values).sum())
    assert histogram_svg(plot).endswith("</svg>")


def test_a_heat_map_counts_the_boxes_over_each_cell():
    columns, rows = CELLS
    whole, half, nothing = [0, 0, 254, 254], [0, 0, 127, 254], [NOTHING] * 4
    edges = list(np.array([whole, half, nothing, whole], np.uint8).T)
    counts = heat_counts(edges, np.array([True, True, True, False]), NOTHING)
    assert counts.shape == (rows, columns)
    assert (counts[:, : columns // 2] == 2).all()
    assert (counts[:, columns // 2 :] == 1).all()


def test_files_that_are_missing_or_broken_leave_gaps_and_a_note(tmp_path):
    write_sessions(tmp_path, SESSIONS)
    (tmp_path / "a/plan.json").write_text("{")
    (tmp_path / "b/sync.json").write_text('{"left": 3, "right": {}}')
    (tmp_path / "b/run.json").write_text("[]")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/session.json").write_text("{}")
    (tmp_path / "export").mkdir()
    (tmp_path / "export/croissant.json").write_text("{}")
    gathered = gather(tmp_path)
    assert gathered.failures == (("broken", "unfinished: no clips.jsonl"),)
    told = "\n".join(gathered.notes)
    assert all(name in told for name in ("a/plan.json", "b/sync.json: not as", "b/run.json"))
    assert "unfinished: no clips.jsonl" in write_report(tmp_path).read_text("utf-8")


def test_an_index_that_is_behind_is_reported(tmp_path):
    write_sessions(tmp_path, {"a": ("A1", "A2")})
    audit = tmp_path / "a/clips.jsonl"
    write_rows(audit, [row | {"keep": False} for row in read_rows(audit)])
    assert any(note.startswith("a/clips.jsonl: not as") for note in gather(tmp_path).notes)
    write_index(tmp_path)
    assert not any("not as" in note for note in gather(tmp_path).notes)


def test_a_dataset_without_clips_has_a_page_too(tmp_path):
    write_sessions(tmp_path, {"a": ("A1", "A2")})
    write_rows(tmp_path / "a/clips.jsonl", [])
    write_index(tmp_path)
    assert "<dt>Turns kept</dt>" in write_report(tmp_path).read_text("utf-8")


def test_a_folder_without_an_index_has_none(tmp_path):
    with pytest.raises(StageError, match="the index of an output folder"):
        write_report(tmp_path)


def test_the_page_is_well_formed_and_needs_no_network(out):
    left: list[str] = []

    class Elements(HTMLParser):
        def handle_starttag(self, tag, attributes):
            if tag not in ("meta", "img", "input"):
                left.append(tag)
            for name, value in attributes:
                if name in ("src", "href", "data"):
                    assert value.startswith(("#", "data:image/svg+xml")), (tag, value)

        def handle_startendtag(self, tag, attributes):
            pass

        def handle_endtag(self, tag):
            assert left.pop() == tag

    parser = Elements()
    parser.feed(write_report(out).read_text("utf-8"))
    assert left == []


def test_sessions_that_a_batch_set_aside_are_failures_with_their_errors(tmp_path):
    write_sessions(tmp_path, {"a": ("A1", "A2")})
    with closing(Ledger(tmp_path)) as ledger:
        ledger.set_sessions([Entry(tmp_path / "b.toml", "b", Options(), "i", media_bytes=1000)])
        ledger.record_start("b", "probe", 1)
        ledger.record_failure("b", Failure("error", "MediaError", "b.mp4: <cut> short"), final=True)
        ledger.set_sessions([Entry(tmp_path / "c.toml", "c.toml", Options(), "i")])
        ledger.record_failure("c.toml", Failure("input", "DescriptionError", "no TOML"), final=True)
        ledger.set_sessions([Entry(tmp_path / f"{id}.toml", id, Options(), "i") for id in ("b", "c.toml")])
    assert gather(tmp_path).failures == (
        ("b", "probe: b.mp4: <cut> short"),
        ("c.toml", "description: no TOML"),
    )
    assert "probe: b.mp4: &lt;cut&gt; short" in write_report(tmp_path).read_text("utf-8")
    with closing(sqlite3.connect(ledger_path(tmp_path))) as db, db:
        times = [(0.5, 10.5), (5.5, 12.5), (100.0, 101.0), (200.0, None)]  # at once, after a pause, killed
        db.execute("DELETE FROM attempts")
        db.executemany(
            "INSERT INTO attempts (id, stage, cores, began, ended) VALUES ('b', 'probe', 1, ?, ?)", times
        )
    assert gather(tmp_path).batch_seconds == 13
