"""Exports: loaded by the libraries they are for, they equal the index."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from audits import write_sessions
from emomedia.dataset.audit import read_rows, write_rows
from emomedia.dataset.export import ExportOptions, export
from emomedia.dataset.export.selection import plain
from emomedia.dataset.index import read_index, write_index
from emomedia.dataset.splits import NAMES
from emomedia.errors import OutputError, StageError
from finished import CAST

FORMATS = ["hf", "webdataset", "emodialog"]
FRACTIONS = (0.5, 0.25, 0.25)
PARTS = {"dialogues": "dialogue", "turns": "turn"}


@pytest.fixture(scope="module")
def exported(finished, tmp_path_factory):
    """An export of each format, made once."""
    made = {}

    def get(layout: str) -> Path:
        if layout not in made:
            options = ExportOptions(
                fractions=FRACTIONS, shard_bytes=300_000, license="cc-by-4.0", name="two people"
            )
            made[layout] = export(finished, layout, tmp_path_factory.mktemp("export") / layout, options)
        return made[layout].folder

    return get


def expected(out: Path, kind: str, folder: Path) -> dict[str, dict]:
    """The kept rows of a kind by id, each with its split as splits.csv has it."""
    with (folder / "splits.csv").open() as file:
        split = {line["id"]: line["split"] for line in csv.DictReader(file)}
    rows = [row for row in read_index(out).to_pylist() if row["keep"]]
    assert set(split) == {row["id"] for row in rows}
    return {row["id"]: row | {"split": split[row["id"]]} for row in rows if row["kind"] == kind}


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_hugging_face_datasets_loads_what_the_index_has(finished, exported, tmp_path):
    datasets = pytest.importorskip("datasets", reason="needs the package datasets")
    folder = exported("hf")
    assert len(list(folder.glob("turns/train-*.parquet"))) > 1
    media = {"left_video", "right_video"}
    for part, kind in PARTS.items():
        loaded = datasets.load_dataset(str(folder), part, cache_dir=str(tmp_path))
        rows = expected(finished, kind, folder)
        found = {}
        for split, data in loaded.items():
            assert isinstance(data.features["video"], datasets.Video)
            assert isinstance(data.features["left_audio"], datasets.Audio)
            for column in ("video", "left_video", "right_video"):
                data = data.cast_column(column, datasets.Video(decode=False))
            for column in ("left_audio", "right_audio"):
                data = data.cast_column(column, datasets.Audio(decode=False))
            for row in data:
                assert row["split"] == split
                assert digest(row.pop("video")["bytes"]) == row["sha256"]
                for voice in row["audio"]:
                    assert digest(row.pop(f"{voice['side']}_audio")["bytes"]) == voice["sha256"]
                for alone in row["sides"]:
                    assert digest(row.pop(f"{alone['side']}_video")["bytes"]) == alone["sha256"]
                found[row["id"]] = {name: row[name] for name in row if name not in media or row[name]}
        assert found == rows


def test_tables_without_media_are_the_index_alone(finished, tmp_path):
    options = ExportOptions(media=False, everything=True)
    names = export(finished, "hf", tmp_path / "to", options).files
    found = pa.concat_tables([pq.read_table(tmp_path / "to" / name) for name in names]).drop_columns(
        ["split"]
    )
    rows = {row["id"]: row for row in found.to_pylist()}
    assert rows == {row["id"]: row for row in read_index(finished).to_pylist()}
    assert any(not row["keep"] for row in rows.values())


def test_webdataset_loads_what_the_index_has(finished, exported):
    webdataset = pytest.importorskip("webdataset", reason="needs the package webdataset")
    folder = exported("webdataset")
    assert len(list(folder.glob("turns-train-*.tar"))) > 1
    for part, kind in PARTS.items():
        found = {}
        for split in NAMES:
            shards = sorted(str(path) for path in folder.glob(f"{part}-{split}-*.tar"))
            for sample in (
                webdataset.WebDataset(shards, shardshuffle=False, empty_check=False) if shards else ()
            ):
                row = json.loads(sample["json"])
                assert row["split"] == split
                assert digest(sample["mp4"]) == row["sha256"]
                for voice in row["audio"]:
                    assert digest(sample[f"{voice['side']}.flac"]) == voice["sha256"]
                for alone in row["sides"]:
                    assert digest(sample[f"{alone['side']}.mp4"]) == alone["sha256"]
                found[row["id"]] = row | {"provenance": json.dumps(row["provenance"], separators=(",", ":"))}
        assert found == expected(finished, kind, folder)


def test_ids_with_dots_stay_one_sample_each(finished, tmp_path):
    webdataset = pytest.importorskip("webdataset", reason="needs the package webdataset")
    from emomedia.dataset.export.tarred import key_of

    assert key_of("a.left") == "a%2Eleft"
    export(finished, "webdataset", tmp_path / "to")
    shard = next((tmp_path / "to").glob("turns-*.tar"))
    samples = list(webdataset.WebDataset(str(shard), shardshuffle=False))
    assert all(sample["__key__"] == key_of(json.loads(sample["json"])["id"]) for sample in samples)


def test_a_samples_json_has_no_json_within():
    quality = {"left": {"sharpness": 1.5}, "other": '{"measured":{"face":"cascade"}}'}
    found = plain({"id": "a", "provenance": '{"version":"1"}', "quality": quality})
    assert found["quality"] == quality | {"other": {"measured": {"face": "cascade"}}}
    assert found["provenance"] == {"version": "1"}
    assert plain({"provenance": "{}", "quality": None})["quality"] is None


@pytest.mark.parametrize("layout", FORMATS)
def test_an_export_is_the_same_bytes_each_time(finished, tmp_path, layout):
    folders = [export(finished, layout, tmp_path / name / "set").folder for name in ("one", "two")]
    one, two = ({path.relative_to(each): path.read_bytes() for path in files(each)} for each in folders)
    assert one == two


def test_emodialog_has_both_sides_of_each_dialogue_and_its_turns(finished, exported):
    folder = exported("emodialog")
    prompts = json.loads((folder / "scripts/prompt.json").read_text("utf-8"))
    dialogues = expected(finished, "dialogue", folder)
    turns = {row["id"]: row for row in read_index(finished).to_pylist() if row["kind"] == "turn"}
    assert not all(turn["keep"] for turn in turns.values()), "a dialogue shows its rejected turns too"
    assert set(prompts) == set(dialogues)
    written = [json.loads(line) for line in (folder / "dialogues.jsonl").read_text("utf-8").splitlines()]
    assert {row["id"]: row for row in written} == {name: plain(row) for name, row in dialogues.items()}
    for name, row in dialogues.items():
        for alone in row["sides"]:
            video = folder / f"videos/{name}_{alone['side']}.mp4"
            assert digest(video.read_bytes()) == alone["sha256"]
        mine = sorted(
            (turn for turn in turns.values() if turn["dialogue"] == name), key=lambda turn: turn["start"]
        )
        assert prompts[name]["topic_label"] == row["topic"]
        assert prompts[name]["num_utterances"] == len(mine)
        assert [each["utterance_id"] for each in prompts[name]["utterances"]] == [turn["id"] for turn in mine]
        assert [each["text"] for each in prompts[name]["utterances"]] == [turn["text"] for turn in mine]
        assert [each["speaker_id"] for each in prompts[name]["utterances"]] == [
            ["left", "right"].index(turn["speaker"]) for turn in mine
        ]


@pytest.mark.parametrize("layout", FORMATS)
def test_splits_share_no_actor_and_no_dialogue(finished, exported, layout):
    folder = exported(layout)
    seen: dict[str, set[str]] = {}
    for kind in PARTS.values():
        for row in expected(finished, kind, folder).values():
            for name in (*row["actors"].values(), row["dialogue"]):
                seen.setdefault(name, set()).add(row["split"])
    assert all(len(splits) == 1 for splits in seen.values())
    assert set.union(*seen.values()) == set(NAMES)
    told = json.loads((folder / "splits.json").read_text("utf-8"))
    assert {name: {split} for name, split in told["actors"].items()}.items() <= seen.items()
    assert set(told["sessions"]) == set(CAST)


@pytest.mark.parametrize("layout", FORMATS)
def test_the_card_has_the_datasets_figures(finished, exported, layout):
    folder = exported(layout)
    _, front, text = (folder / "README.md").read_text("utf-8").split("---\n", 2)
    front = yaml.safe_load(front)
    assert front["license"] == "cc-by-4.0"
    assert front["pretty_name"] == "two people"
    assert front["size_categories"] == ["n<1K"]
    assert ("configs" in front) == ("The media are in them." in text) == (layout == "hf")
    kept = [row for row in read_index(finished).to_pylist() if row["keep"]]
    assert "| Actors | 7 |" in text
    assert f"| Utterances | {sum(row['kind'] == 'turn' for row in kept)} |" in text
    assert f"| Anger | {len(kept)} |" in text
    assert "4 clips were rejected" in text
    assert "| left: blurred | 4 |" in text


@pytest.mark.parametrize("layout", FORMATS)
def test_croissant_metadata_is_valid(finished, exported, layout):
    mlcroissant = pytest.importorskip("mlcroissant", reason="needs the package mlcroissant")
    folder = exported(layout)
    dataset = mlcroissant.Dataset(jsonld=str(folder / "croissant.json"))
    assert not dataset.metadata.issues.errors
    records = [record["clips/id"].decode() for record in dataset.records("clips")]
    assert records == [row["id"] for row in read_index(finished).to_pylist() if row["keep"]]
    if layout == "hf":
        rows = expected(finished, "turn", folder)
        records = list(dataset.records("turns"))
        assert {record["turns/id"].decode() for record in records} == set(rows)
        for record in records:
            row = rows[record["turns/id"].decode()]
            assert record["turns/split"].decode() == row["split"]
            nested = [("turns", "start"), ("turns", "flags"), ("words", "text"), ("words", "end")]
            for column, key in nested:
                found = [each[f"turns/{column}/{key}"] for each in record[f"turns/{column}"]]
                assert _texts(found) == [each[key] for each in row[column]]
            measure = record["turns/quality/left"]["turns/quality/left/sharpness"]
            assert measure == row["quality"]["left"]["sharpness"]


def _texts(value):
    """A record's value with text where mlcroissant has bytes."""
    if isinstance(value, list):
        return [_texts(each) for each in value]
    return value.decode() if isinstance(value, bytes) else value


def test_a_folder_that_is_there_is_left_alone(finished, tmp_path):
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(OutputError, match="a new folder"):
        export(finished, "webdataset", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_disk_without_room_for_the_media_is_checked_before_they_are_copied(finished, tmp_path, monkeypatch):
    used = sum(path.stat().st_size for path in finished.glob("*/clips/*.mp4"))
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=used // 2))
    with pytest.raises(OutputError, match=r"room for .* GB of media"):
        export(finished, "webdataset", tmp_path / "to/there")
    assert export(finished, "hf", tmp_path / "to/there", ExportOptions(media=False)).clips
    assert "The media are not in them." in (tmp_path / "to/there/README.md").read_text("utf-8")
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["there"]


def test_a_missing_clip_ends_the_export_and_leaves_nothing(tmp_path):
    write_sessions(tmp_path / "out", {"a": ("A1", "A2")})
    for layout in ("hf", "webdataset"):
        with pytest.raises(StageError, match="the file that the index names"):
            export(tmp_path / "out", layout, tmp_path / "to")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_emodialog_without_sides_alone_is_the_json(tmp_path):
    write_sessions(tmp_path / "out", {"a": ("A1", "A2")})
    made = export(tmp_path / "out", "emodialog", tmp_path / "to").files
    assert made == ("scripts/prompt.json", "dialogues.jsonl")
    assert json.loads((tmp_path / "to/scripts/prompt.json").read_text("utf-8"))


@pytest.mark.parametrize("layout", FORMATS)
def test_clips_of_two_sessions_with_one_id_are_refused(tmp_path, layout):
    write_sessions(tmp_path / "out", {"a": ("A1", "A2"), "b": ("A3", "A4")})
    for session in "ab":
        audit = tmp_path / "out" / session / "clips.jsonl"
        audit.write_text(audit.read_text().replace(f'"{session}_', '"d_').replace(f"/{session}_", "/d_"))
    write_index(tmp_path / "out")
    with pytest.raises(StageError, match="b: d_000: expected an id that no clip of another session has"):
        export(tmp_path / "out", layout, tmp_path / "to", ExportOptions(everything=True, media=False))


def test_an_index_behind_its_audits_is_refused(tmp_path):
    write_sessions(tmp_path / "out", {"a": ("A1", "A2"), "b": ("A3", "A4")})
    audit = tmp_path / "out/b/clips.jsonl"
    write_rows(audit, [row | {"keep": True, "reasons": []} for row in read_rows(audit)])
    with pytest.raises(StageError, match="an older index"):
        export(tmp_path / "out", "hf", tmp_path / "to", ExportOptions(media=False))
    write_index(tmp_path / "out")
    assert export(tmp_path / "out", "hf", tmp_path / "to", ExportOptions(media=False)).clips
    (tmp_path / "out/b").rename(tmp_path / "b")
    with pytest.raises(StageError, match="the clips of b as"):
        export(tmp_path / "out", "hf", tmp_path / "without", ExportOptions(media=False))
    write_index(tmp_path / "out")
    (tmp_path / "b").rename(tmp_path / "out/b")
    with pytest.raises(StageError, match="the clips of b as"):
        export(tmp_path / "out", "hf", tmp_path / "again", ExportOptions(media=False))


@pytest.mark.parametrize("place", [4, 6000])
def test_an_index_that_is_damaged_within_is_reported(tmp_path, place):
    write_sessions(tmp_path, {"a": ("A1", "A2"), "b": ("A3", "A4")})
    path = tmp_path / "clips.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:place] + bytes(1000) + whole[place + 1000 :])
    with pytest.raises(StageError, match=r"clips\.parquet: expected the index of an output folder"):
        export(tmp_path, "hf", tmp_path / "to", ExportOptions(media=False))


def test_without_a_kept_clip_there_is_nothing_to_export(tmp_path):
    write_sessions(tmp_path / "out", {"a": ("A1", "A2")})
    audit = tmp_path / "out/a/clips.jsonl"
    write_rows(audit, [row | {"keep": False} for row in read_rows(audit)])
    write_index(tmp_path / "out")
    with pytest.raises(StageError, match="clips that are kept"):
        export(tmp_path / "out", "hf", tmp_path / "to")


@pytest.mark.parametrize(
    ("speech", "language"),
    [
        ('{"transcript": {"language": "zh"}}', ["zh"]),
        ('{"transcript": null}', None),
        ("[", None),
        ("[]", None),
    ],
)
def test_the_card_names_the_transcripts_language(tmp_path, speech, language):
    write_sessions(tmp_path / "out", {"a": ("A1", "A2")})
    (tmp_path / "out/a/speech.json").write_text(speech)
    folder = export(tmp_path / "out", "hf", tmp_path / "to", ExportOptions(media=False)).folder
    front = yaml.safe_load((folder / "README.md").read_text("utf-8").split("---\n")[1])
    assert front.get("language") == language


def test_texts_cannot_break_out_of_the_card(tmp_path):
    write_sessions(tmp_path / "out", {"a": ("A1", "A2")})
    audit = tmp_path / "out/a/clips.jsonl"
    evil = "x | y\n---\n<script>alert(1)</script>"
    write_rows(audit, [row | {"emotion": evil} for row in read_rows(audit)])
    write_index(tmp_path / "out")
    options = ExportOptions(media=False, name='a"\n---\nlicense: mit')
    folder = export(tmp_path / "out", "hf", tmp_path / "to", options).folder
    text = (folder / "README.md").read_text("utf-8")
    assert yaml.safe_load(text.split("---\n")[1])["license"] == "other"
    assert "<script>" not in text
    assert r"| x \| y --- \<script\>alert(1)\</script\> |" in text
