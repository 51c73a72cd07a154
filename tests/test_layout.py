"""Sides alone beside the composite: what they show and sound, and when they are made, kept and removed."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
import pytest

import exact
from emomedia.dataset.verify import verify
from emomedia.errors import DescriptionError
from emomedia.layout import SessionFolder
from emomedia.options import PICTURES, Options, Size
from emomedia.reference.decode import planes_of
from emomedia.reference.engine import alone
from emomedia.run import open_session, run
from emomedia.session import SIDES, Crop
from emomedia.sides import side_pictures

SMALL = {"size": (270, 480), "seconds": Fraction(3), "dialogues": 1}
LOSSLESS = Fraction(0)
AAC_FRAME = 1024


def options(session: Path, **choices: object) -> Options:
    turns = session.parent / "turns.json"
    return Options(**{"turns": turns, "preset": "ultrafast", "layout": PICTURES, **choices})  # type: ignore[arg-type]


def decoded(path: Path) -> tuple[list[tuple[np.ndarray, ...]], list[bool]]:
    """A clip's pictures, each three planes, and which of them are key frames."""
    with av.open(str(path)) as container:
        frames = [(planes_of(frame), frame.key_frame) for frame in container.decode(video=0)]
    return [planes for planes, _ in frames], [key for _, key in frames]


def idr_frames(path: Path) -> list[int]:
    """Numbers of the frames whose packets are marked as key."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.pts is not None]
    packets.sort(key=lambda packet: packet.pts)
    return [number for number, packet in enumerate(packets) if packet.is_keyframe]


def test_each_side_alone_is_its_half_of_the_composite(simulated, tmp_path):
    session = simulated(**SMALL)
    run(session, tmp_path, options(session, crf=LOSSLESS, gop=20))
    for row in exact.rows_of(tmp_path):
        composites, keys = decoded(tmp_path / row["path"])
        assert [made["side"] for made in row["sides"]] == list(SIDES)
        for number, made in enumerate(row["sides"]):
            halves, own_keys = decoded(tmp_path / made["path"])
            assert len(halves) == row["frame_count"]
            assert own_keys == keys
            for composite, half in zip(composites, halves, strict=True):
                for whole, plane in zip(composite, half, strict=True):
                    width = plane.shape[1]
                    assert np.array_equal(whole[:, number * width : (number + 1) * width], plane)
        assert len({tuple(idr_frames(tmp_path / file["path"])) for file in (row, *row["sides"])}) == 1
    assert sum(keys) > 1


KINDS = {
    "whole 9:16 takes": ({}, Size(90, 160)),
    "10 bit on its side, a given crop, full range on the right": (
        {
            "codec": "hevc", "depth": 10, "rotate": 90, "crop": Crop(3, 85, 263, 301),
            "right": {"range": "full"},
        },
        Size(200, 100),
    ),
    "the half's shape, smaller": ({"fps": Fraction(30000, 1001)}, Size(128, 144)),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_other_sizes_are_those_of_the_reference(simulated, tmp_path, kind):
    choices, size = KINDS[kind]
    session = simulated(**SMALL, **choices)
    chosen = options(session, crf=LOSSLESS, side_size=size)
    run(session, tmp_path, chosen)
    row = exact.rows_of(tmp_path)[0]
    with open_session(session, tmp_path, chosen) as pipeline:
        clocks = {side: pipeline.sync[side]["take"] for side in SIDES}
        pictures = side_pictures(pipeline.probe, SIDES, size)
        stretch = row["first_frame"], row["frame_count"]
        for picture, made in zip(pictures, row["sides"], strict=True):
            assert (made["width"], made["height"]) == size
            found, _ = decoded(tmp_path / made["path"])
            wanted = list(alone(pipeline.probe, clocks, picture, [stretch]))
            assert len(found) == len(wanted) == row["frame_count"]
            for planes, (_, expected) in zip(found, wanted, strict=True):
                assert all(map(np.array_equal, planes, expected))
    assert idr_frames(tmp_path / made["path"]) == idr_frames(tmp_path / row["path"])


def test_a_side_alone_sounds_as_its_own_track_in_one_channel(simulated, tmp_path):
    session = simulated(**SMALL | {"seconds": Fraction(6)}, recorder_offset=Fraction("-1.2"))
    run(session, tmp_path, options(session, side_size=Size(16, 16)))
    dialogue, *turns = exact.rows_of(tmp_path)
    assert {turn["speaker"] for turn in turns} == set(SIDES)
    voices = [exact.decoded_sound(tmp_path / voice["path"])[0] / 2.0**31 for voice in dialogue["audio"]]
    for number, made in enumerate(dialogue["sides"]):
        (sound,) = exact.decoded_sound(tmp_path / made["path"])
        own, other = voices[number], voices[1 - number]
        assert len(own) <= len(sound) < len(own) + AAC_FRAME  # this decoder leaves the last one whole
        assert exact.lag(own, sound) == 0
        assert np.corrcoef(sound[: len(own)], own)[0, 1] > 0.98
        assert abs(np.corrcoef(sound[: len(own)], other)[0, 1]) < 0.2


def test_sides_change_nothing_else_and_workers_do_not_show_in_them(simulated, tmp_path):
    session = simulated(**SMALL)
    trees = []
    for workers in (1, 2, 3):
        run(session, tmp_path / str(workers), options(session, workers=workers, side_size=Size(90, 160)))
        trees.append(exact.tree(tmp_path / str(workers)))
    assert trees[0] == trees[1] == trees[2]
    run(session, tmp_path / "plain", options(session, layout=("composite",)))
    plain = exact.tree(tmp_path / "plain")
    media = {name for name in plain if name.endswith((".mp4", ".flac", "plan.json"))}
    assert all(trees[0][name] == plain[name] for name in media)
    rows = exact.rows_of(tmp_path / "plain")
    assert [row["sides"] for row in rows] == [[]] * len(rows)
    assert rows == [row | {"sides": []} for row in exact.rows_of(tmp_path / "1")]


def test_another_layout_makes_what_is_missing_and_removes_what_is_not_asked_for(simulated, tmp_path):
    session = simulated(**SMALL)
    layouts = {
        "composite": options(session, layout=("composite",)),
        "left": options(session, layout=("left", "composite")),
        "both": options(session),
        "tall": options(session, side_size=Size(90, 160)),
    }
    fresh = {}
    for name, chosen in layouts.items():
        run(session, tmp_path / name, chosen)
        fresh[name] = exact.tree(tmp_path / name)
    clips = len(exact.rows_of(tmp_path / "both"))
    steps = [
        ("composite", clips),
        ("both", clips),
        ("both", 0),
        ("left", 0),
        ("tall", clips),
        ("composite", 0),
    ]
    for name, made in steps:
        assert run(session, tmp_path / "one", layouts[name]).made == made
        assert exact.tree(tmp_path / "one") == fresh[name]


def test_a_side_that_is_gone_or_cut_short_is_made_again(simulated, tmp_path):
    session = simulated(**SMALL)
    run(session, tmp_path, options(session))
    whole = exact.tree(tmp_path)
    first, last = exact.rows_of(tmp_path)[0], exact.rows_of(tmp_path)[-1]
    (tmp_path / first["sides"][1]["path"]).unlink()
    assert run(session, tmp_path, options(session)).made == 1
    (tmp_path / last["sides"][0]["path"]).write_bytes(b"cut short")
    assert run(session, tmp_path, options(session)).made == 1
    assert exact.tree(tmp_path) == whole


def test_spools_serve_every_layout_that_asks_for_what_they_hold(simulated, tmp_path, monkeypatch):
    session = simulated(**SMALL)
    both, tall = options(session), options(session, side_size=Size(90, 160))
    plain = options(session, layout=("composite",))
    run(session, tmp_path / "fresh", tall)
    with monkeypatch.context() as patch:
        patch.setattr("emomedia.cutting.clip_row", None)  # fails when all is made but the audit
        for number, chosen in enumerate((plain, both, tall, plain), start=1):
            with pytest.raises(TypeError):
                run(session, tmp_path / "one", chosen)
            spools = len(list((tmp_path / "one/sim/spool").iterdir()))
            assert spools == (1, 3, 5, 5)[number - 1]
    result = run(session, tmp_path / "one", tall)
    assert result.report is not None
    assert result.report.composed_frames == 0
    assert exact.tree(tmp_path / "one") == exact.tree(tmp_path / "fresh")


def test_killed_at_any_moment_and_whatever_was_asked_for_before_the_bytes_are_the_same(simulated, tmp_path):
    session = simulated(size=(270, 480), seconds=Fraction(4))
    run(session, tmp_path / "whole", options(session, side_size=Size(180, 320)))
    command = [
        sys.executable, "-m", "emomedia", "run", str(session), "--out", str(tmp_path / "killed"),
        "--turns", str(session.parent / "turns.json"), "--preset", "ultrafast",
    ]  # fmt: skip
    layouts = [
        [],
        ["--layout", "composite,left,right"],
        ["--layout", "composite,left,right", "--side-size", "180x320"],
    ]
    seed = random.randrange(2**32)
    print("seed", seed)
    moments = random.Random(seed)
    for number in range(6):
        process = subprocess.Popen(command + layouts[number % 3], stdout=subprocess.DEVNULL)
        time.sleep(moments.uniform(1, 5))
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run(command + layouts[2], stdout=subprocess.DEVNULL, check=True)
    assert exact.tree(tmp_path / "killed") == exact.tree(tmp_path / "whole")


def test_verify_checks_sides_as_it_checks_composites(simulated, tmp_path):
    session = simulated(**SMALL)
    run(session, tmp_path, options(session))
    assert [finding for checked in verify(tmp_path) for finding in checked.findings] == []
    row = exact.rows_of(tmp_path)[0]
    left, right = (tmp_path / made["path"] for made in row["sides"])
    data = bytearray(left.read_bytes())
    data[len(data) // 2] ^= 0xFF
    left.write_bytes(bytes(data))
    right.unlink()
    shutil.copy(left, left.with_name("other.left.mp4"))
    found = {finding.path.name for checked in verify(tmp_path) for finding in checked.findings}
    assert found == {left.name, right.name, "other.left.mp4"}


def test_verify_tells_a_side_of_another_size_or_length(simulated, tmp_path):
    """The file is the audit's own, but is not what the audit says of it."""
    session = simulated(**SMALL)
    run(session, tmp_path, options(session))
    audit = tmp_path / "sim/clips.jsonl"
    rows = exact.rows_of(tmp_path)
    rows[0]["sides"][0]["width"] = 480
    rows[0]["frame_count"] += 1
    audit.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (checked,) = (checked for checked in verify(tmp_path) if checked.row.get("id") == rows[0]["id"])
    left, right = (tmp_path / made["path"] for made in rows[0]["sides"])
    assert [finding.found for finding in checked.findings if finding.path == left] == [
        f"{rows[0]['frame_count'] - 1} frames", "960x1080",
    ]  # fmt: skip
    assert len([finding for finding in checked.findings if finding.path == right]) == 1


def test_the_index_holds_the_sides(simulated, tmp_path):
    session = simulated(**SMALL)
    run(session, tmp_path, options(session))
    indexed = pq.read_table(tmp_path / "clips.parquet", columns=["id", "sides"]).to_pylist()
    assert indexed == [{"id": row["id"], "sides": row["sides"]} for row in exact.rows_of(tmp_path)]


@pytest.mark.parametrize("ids", [("d", "d.left"), ("d.RIGHT", "D")])
def test_a_clip_named_as_the_side_of_another_is_refused(tmp_path, ids):
    folder = SessionFolder(tmp_path, "s")
    with pytest.raises(
        DescriptionError, match=r"rename one of the two, or leave (left|right) out of --layout"
    ):
        folder.refuse_shared_names(ids, SIDES)
    folder.refuse_shared_names(ids, ())
    folder.refuse_shared_names(("d.left", "d.left.d", "e.right"), SIDES)


def test_such_names_are_refused_before_anything_is_made(simulated, tmp_path):
    session = simulated(**SMALL)
    turns = json.loads((session.parent / "turns.json").read_text())
    turns["turns"][0]["id"] = f"{turns['turns'][0]['dialogue']}.left"
    own = tmp_path / "turns.json"
    own.write_text(json.dumps(turns))
    chosen = options(session, turns=own)
    with pytest.raises(DescriptionError, match="alone"):
        run(session, tmp_path / "out", chosen)
    assert not (tmp_path / "out/sim/clips").exists()
    run(session, tmp_path / "out", replace(chosen, layout=("composite", "right")))
    assert [finding for checked in verify(tmp_path / "out") for finding in checked.findings] == []
