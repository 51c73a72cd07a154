"""clips.parquet: equal to the audits, made anew only where they changed, quick to ask."""

from __future__ import annotations

import json
import os
import time

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from audits import write_sessions
from emomedia.dataset import index
from emomedia.dataset.audit import read_rows, write_rows
from emomedia.dataset.index import read_index, write_index
from emomedia.dataset.verify import verify
from emomedia.errors import StageError

SESSIONS = {"a": ("A1", "A2"), "b": ("A3", "A4"), "c": ("A1", "A4")}


def flat(row):
    """A row of the audit as the index tells it."""
    return row | {"provenance": json.dumps(row["provenance"], ensure_ascii=False, separators=(",", ":"))}


def test_every_row_and_measure_of_the_audits_is_in_the_index(tmp_path):
    write_sessions(tmp_path, SESSIONS)
    expected = [flat(row) for name in SESSIONS for row in read_rows(tmp_path / name / "clips.jsonl")]
    for row in expected:
        row["quality"]["other"] = None
    assert read_index(tmp_path).to_pylist() == expected


def test_an_unchanged_audit_is_not_read_again_and_the_bytes_are_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(index, "ROWS_PER_GROUP", 7)
    write_sessions(tmp_path, SESSIONS)
    rows = read_rows(tmp_path / "b/clips.jsonl")
    write_rows(tmp_path / "b/clips.jsonl", [row | {"keep": False} for row in rows])
    read = []
    monkeypatch.setattr(index, "read_rows", lambda path: read.append(path.parent.name) or read_rows(path))
    write_index(tmp_path)
    assert read == ["b"]
    updated = (tmp_path / "clips.parquet").read_bytes()
    (tmp_path / "clips.parquet").unlink()
    write_index(tmp_path)
    assert (tmp_path / "clips.parquet").read_bytes() == updated
    assert not any(row["keep"] for row in read_index(tmp_path).filter(pc.field("session") == "b").to_pylist())


@pytest.mark.parametrize(
    "damage",
    [
        "no metadata",
        "fewer than none",
        "other columns",
        "rows lost",
        "no parquet",
        "a page",
        "a name",
        "a text",
    ],
)
def test_an_index_that_is_not_what_it_says_is_rebuilt(tmp_path, damage):
    write_sessions(tmp_path, SESSIONS)
    path = tmp_path / "clips.parquet"
    right = path.read_bytes()
    table = pq.read_table(pa.BufferReader(right))
    told = [
        [*audit, count]
        for (*audit, _), count in zip(index.recorded_audits(table.schema), (-5, 25, 10), strict=True)
    ]
    rotten = pa.array([b"proven\xffnce"] * len(table), pa.binary())
    text = pa.Array.from_buffers(pa.string(), len(rotten), rotten.buffers())
    broken = {
        "a text": table.set_column(0, table.schema.field(0), text),
        "no metadata": table.replace_schema_metadata(),
        "fewer than none": table.replace_schema_metadata({index._AUDITS: json.dumps(told)}),
        "other columns": table.drop_columns(["text"]),
        "rows lost": table.slice(1),
    }.get(damage, table)
    pq.write_table(broken, path)
    if damage == "no parquet":
        path.write_bytes(b"PAR1 but nothing else PAR1")
    if damage == "a page":
        path.write_bytes(right[:4] + bytes(4000) + right[4004:])
    if damage == "a name":
        path.write_bytes(right.replace(b"provenance", b"proven\xffnce"))
    if damage not in ("no metadata", "fewer than none", "rows lost"):
        with pytest.raises(StageError, match="expected the index of an output folder"):
            read_index(tmp_path)
    write_index(tmp_path)
    assert path.read_bytes() == right


def test_measures_that_have_no_column_are_kept_as_text(tmp_path):
    write_sessions(tmp_path, {"a": ("A1", "A2")})
    audit = tmp_path / "a/clips.jsonl"
    rows = read_rows(audit)
    rows[0]["quality"]["left"]["hue"] = 3
    rows[0]["quality"]["models"] = {"face": "cascade"}
    rows[1]["quality"] = {}
    write_rows(audit, rows)
    write_index(tmp_path)
    found = read_index(tmp_path, ["quality"])["quality"].to_pylist()
    assert json.loads(found[0]["other"]) == {"models": {"face": "cascade"}, "left": {"hue": 3}}
    assert found[1] is None


def test_a_number_that_no_column_holds_is_refused_with_its_audit_and_the_others_are_indexed(tmp_path):
    write_sessions(tmp_path, {"a": ("A1", "A2"), "b": ("A3", "A4")})
    audit = tmp_path / "a/clips.jsonl"
    write_index(tmp_path)
    rows = read_rows(audit)
    rows[0]["quality"]["left"]["sharpness"] = 10**400
    write_rows(audit, rows)
    with pytest.raises(
        StageError, match=r"a/clips\.jsonl: expected values that the index's columns can hold"
    ):
        write_index(tmp_path)
    assert set(read_index(tmp_path)["session"].to_pylist()) == {"b"}
    for place, found in (("/dev/zero", "not a regular file"), ("/proc/self/mem", "input/output error")):
        audit.unlink()
        audit.symlink_to(place)
        with pytest.raises(StageError, match=rf"a/clips\.jsonl: .* {found}"):
            write_index(tmp_path)
        assert set(read_index(tmp_path)["session"].to_pylist()) == {"b"}


def test_a_folder_without_an_index_is_refused(tmp_path):
    with pytest.raises(StageError, match="the index of an output folder"):
        read_index(tmp_path)
    os.mkfifo(tmp_path / "clips.parquet")
    with pytest.raises(StageError, match="found something that is not a regular file"):
        read_index(tmp_path)
    (tmp_path / "clips.parquet").unlink()
    pq.write_table(pa.table({"id": ["a"]}), tmp_path / "clips.parquet")
    with pytest.raises(StageError, match=r"one without keep.*emomedia check"):
        read_index(tmp_path, ["id", "keep"])


def test_sessions_of_one_clip_are_joined_a_group_at_a_time(tmp_path, monkeypatch):
    """Joined one by one, 8,000 of them took a minute."""
    write_sessions(tmp_path, {"a": ("A1", "A2")})
    clip, joined, concat_tables = read_index(tmp_path).slice(0, 1), [], pa.concat_tables
    monkeypatch.setattr(index, "ROWS_PER_GROUP", 30)
    monkeypatch.setattr(pa, "concat_tables", lambda all: joined.append(len(all)) or concat_tables(all))
    assert [len(group) for group in index._groups(clip for _ in range(100))] == [30, 30, 30, 10]
    assert sum(joined) <= 100 + len(joined)


def test_a_query_by_a_measure_reads_that_column_alone(tmp_path):
    """The bar over 100,000 clips is that of ``python -m benchmarks.report_page``."""
    write_sessions(tmp_path, SESSIONS, dialogues=20)
    begin = time.perf_counter()
    found = read_index(tmp_path, ["id", "kind", "quality.left.sharpness"])
    found = found.filter((pc.field("kind") == "turn") & (pc.field("quality", "left", "sharpness") > 25))
    assert time.perf_counter() - begin < 0.5
    assert 0 < len(found) < 3 * 20 * 4
    assert found.schema.field("quality").type.num_fields == 1


def test_verify_finds_an_index_of_other_verdicts(tmp_path):
    def found() -> list[str]:
        findings = [finding for checked in verify(tmp_path) for finding in checked.findings]
        return [finding.found for finding in findings if finding.path.name == "clips.parquet"]

    write_sessions(tmp_path, SESSIONS)
    assert found() == []
    audit = tmp_path / "b/clips.jsonl"
    write_rows(audit, [row | {"keep": False, "reasons": ["bad"]} for row in read_rows(audit)])
    assert found() == ["something else"]
    write_index(tmp_path)
    assert found() == []
    path = tmp_path / "clips.parquet"
    table = pq.read_table(path)
    pq.write_table(table, path, compression="none")
    assert found() == ["others"], "of bytes, though of the same rows"
    pq.write_table(table.slice(1), path)
    assert found() == [str(len(table) - 1)]


def test_verify_tells_of_broken_and_lost_audits_and_goes_on(tmp_path):
    write_sessions(tmp_path, SESSIONS)
    (tmp_path / "b/clips.jsonl").write_text("{}\n")
    (tmp_path / "c/clips").mkdir()
    (tmp_path / "c/clips/c_000.mp4").touch()
    (tmp_path / "c/clips.jsonl").unlink()
    found = {finding.path: finding.found for checked in verify(tmp_path) for finding in checked.findings}
    assert found[tmp_path / "b/clips.jsonl"].startswith("line 1: ")
    assert found[tmp_path / "c/clips.jsonl"] == "none"
    assert found[tmp_path / "clips.parquet"] == "30"
    assert found[tmp_path / read_rows(tmp_path / "a/clips.jsonl")[0]["path"]] == "none"
