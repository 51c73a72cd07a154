"""Batches against the dataset's files, decoded whole by PyAV; their order, shares, what is left of them."""

from __future__ import annotations

import json
import shutil
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from emomedia.dali import Batch, Loader, LoaderOptions
from emomedia.dali.clips import read_clips
from emomedia.dataset.audit import read_rows, write_rows
from emomedia.dataset.index import write_index
from emomedia.errors import DescriptionError, MediaError, StageError

from ..exact import decoded_sound
from .needs import need_dali
from .test_media import rgb

NTSC = Fraction(30000, 1001)
SMALL = (48, 54)


@pytest.fixture
def loader(dataset):
    """Makes loaders over the dataset, on the CPU."""
    need_dali()

    def make(out: Path = dataset, **choices: Any) -> Loader:
        usual = {"frames": 2, "step": 6, "batch_size": 2, "size": SMALL, "device": "cpu", "threads": 2}
        return Loader(out, LoaderOptions(**usual | choices))

    return make


def places(batch: Batch) -> list[tuple[str, int]]:
    return [(clip["id"], first) for clip, first in zip(batch.clips, batch.first_frames, strict=True)]


def contents(batch: Batch) -> list[bytes]:
    return [np.asarray(each).tobytes() for each in (*batch.video.values(), *batch.sound.values())]


def threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


@pytest.mark.parametrize("kind", ["turn", "dialogue"])
def test_batches_hold_the_clips_frames_and_samples(loader, dataset, kind):
    """All batches are kept until the last has come: what was given is not written over."""
    made = loader(kind=kind, size=None, frames=4, step=11, seed=None, drop_last=False)
    batches = list(made)
    assert len(batches) == len(made) > 2
    rows = {row["id"]: row for row in read_clips(dataset, kind).to_pylist()}
    expected = [
        (row["id"], n)
        for row in rows.values()
        for n in range(0, row["frame_count"], 11)
        if n + 4 <= row["frame_count"]
    ]
    assert [place for batch in batches for place in places(batch)] == expected
    speakers = set()
    whole: dict[str, list[np.ndarray]] = {}
    for batch in batches:
        for number, (clip, first) in enumerate(zip(batch.clips, batch.first_frames, strict=True)):
            speakers.add(clip["speaker"])
            assert clip == rows[clip["id"]]
            if clip["id"] not in whole:
                with av.open(dataset / clip["path"]) as container:
                    whole = {clip["id"]: [rgb(frame) for frame in container.decode(video=0)]}
            sides = {"left": "left", "right": "right"}
            if kind == "turn":
                other = {"left": "right", "right": "left"}[clip["speaker"]]
                sides = {"speaker": clip["speaker"], "listener": other}
            assert list(batch.video) == list(batch.sound) == list(sides)
            for name, side in sides.items():
                columns = slice(0, 960) if side == "left" else slice(960, 1920)
                picture = np.stack(whole[clip["id"]][first : first + 4])[:, :, columns]
                assert np.array_equal(np.asarray(batch.video[name])[number], picture), (
                    clip["id"],
                    first,
                    name,
                )
                assert_sound(
                    np.asarray(batch.sound[name])[number], batch.samples[number], clip, side, first, dataset
                )
    assert speakers == ({"left", "right"} if kind == "turn" else {None})


def assert_sound(found, count, clip, side, first, dataset):
    """The file's samples from the window's first frame to its end on the session clock, then zeros."""
    (file,) = (file["path"] for file in clip["audio"] if file["side"] == side)
    voice = decoded_sound(dataset / file)[0]
    frame, rate = clip["first_frame"], Fraction(clip["fps"])
    begin, start, end = (round((frame + n) / rate * 48_000) for n in (0, first, first + 4))
    assert count == end - start
    full_scale = 2.0 ** (8 * voice.dtype.itemsize - 1)
    assert np.array_equal(found[:count] * full_scale, voice[start - begin : end - begin])
    assert len(found) == 7680 and not found[count:].any()


def test_windows_of_2997_differ_by_a_sample(loader):
    made = loader(where=lambda row: row["fps"] == "30000/1001", frames=1, step=1, drop_last=False)
    lengths = {count for batch in made for count in batch.samples}
    assert lengths == {1601, 1602}
    sound = np.asarray(next(iter(made)).sound["speaker"]).shape
    assert sound == (2, 1602)


def test_halves_are_scaled_without_aliases(loader):
    scaled, full = (next(iter(loader(size=size, batch_size=1, seed=None))) for size in ((96, 108), None))
    for name in ("speaker", "listener"):
        found, whole = (np.asarray(batch.video[name])[0, 0] for batch in (scaled, full))
        expected = np.asarray(Image.fromarray(whole).resize((96, 108), Image.Resampling.BILINEAR))
        off = np.abs(found.astype(int) - expected)
        assert off[1:-1, 1:-1].max() <= 1
        assert off.max() <= 3, "the two treat the border differently"


def test_clips_that_are_not_kept_or_not_wanted_are_left_out(dataset, tmp_path):
    out = Path(shutil.copytree(dataset, tmp_path / "out"))
    audit = out / "pal/clips.jsonl"
    rows = read_rows(audit)
    write_rows(audit, [row | {"keep": row["id"] != "pal_000_000"} for row in rows])
    write_index(out)
    found = read_clips(out, "turn").to_pylist()
    assert [row["id"] for row in found] == ["ntsc_000_000", "ntsc_000_001", "pal_000_001"]
    audited = next(row for row in rows if row["id"] == "pal_000_001")
    assert found[-1]["text"] == audited["text"]
    assert found[-1]["audio"] == audited["audio"]
    (left,) = read_clips(out, "turn", lambda row: row["speaker"] == "left").to_pylist()
    assert left["id"] == "ntsc_000_000"


def test_a_loader_goes_on_with_just_the_batches_that_were_left(loader):
    chosen = {"where": lambda row: row["id"] == "pal_000_001", "step": 4}
    straight = loader(**chosen)
    expected = [(places(batch), contents(batch)) for _ in range(2) for batch in straight]
    assert len(expected) == 2 * len(straight) > 6
    for given in (0, 2, len(straight), len(straight) + 1):
        first, count = loader(**chosen), 0
        while count < given:
            for _ in first:
                count += 1
                if count == given:
                    state = json.loads(json.dumps(first.state_dict()))
                    break
        if given == 0:
            state = first.state_dict()
        second = loader(**chosen)
        second.load_state_dict(state)
        left = [(places(batch), contents(batch)) for _ in range(2 - second.epoch) for batch in second]
        assert left == expected[given:], given


def test_every_rank_has_its_share_and_one_ranks_state_is_good_for_all(loader):
    ranks = [loader(rank=rank, world_size=2) for rank in range(2)]
    one, other = (iter(made) for made in ranks)
    seen = [place for _ in range(3) for share in (one, other) for place in places(next(share))]
    assert len(set(seen)) == len(seen) == 12
    assert ranks[0].state_dict() == ranks[1].state_dict()
    assert len(ranks[0]) == len(ranks[1])
    again = loader(rank=1, world_size=2)
    again.load_state_dict(ranks[0].state_dict())
    assert places(next(iter(again))) == places(next(other))


@pytest.mark.parametrize(
    "other",
    [
        {"batch_size": 3}, {"frames": 5}, {"step": 4}, {"seed": 1}, {"seed": None}, {"world_size": 2},
        {"drop_last": False}, {"kind": "dialogue"}, {"where": lambda row: row["session"] == "pal"},
    ],
    ids=lambda other: next(iter(other)),
)  # fmt: skip
def test_a_state_of_other_batches_is_refused(loader, other):
    state = loader().state_dict()
    with pytest.raises(DescriptionError, match="load_state_dict: expected a state of these clips, windows"):
        loader(**other).load_state_dict(state)
    loader(size=None, ahead=0, threads=1).load_state_dict(state)


def test_a_state_of_other_clips_is_refused_though_their_windows_are_alike(loader):
    one, other = (
        loader(frames=20, step=100, where=lambda row, session=session: row["session"] == session)
        for session in ("pal", "ntsc")
    )
    with pytest.raises(DescriptionError, match="load_state_dict: expected a state of these clips"):
        other.load_state_dict(one.state_dict())


def test_nothing_of_a_loop_that_was_left_stays_behind(loader):
    made = loader(step=20)
    list(made)
    before = threads()
    batch = next(iter(made))
    kept = np.asarray(batch.video["speaker"]).copy()
    until = time.monotonic() + 5
    while threads() > before and time.monotonic() < until:
        time.sleep(0.05)
    assert threads() <= before
    list(made)
    assert np.array_equal(np.asarray(batch.video["speaker"]), kept)


def test_a_broken_clip_ends_the_loop_with_its_name(loader, dataset, tmp_path):
    out = Path(shutil.copytree(dataset, tmp_path / "out"))
    clip = out / "pal/clips/pal_000_000.mp4"
    clip.write_bytes(clip.read_bytes()[:3000])
    with pytest.raises(MediaError, match=r"pal_000_000\.mp4: expected"):
        list(loader(out))


def test_a_folder_without_an_index_and_one_without_a_batch_are_refused(loader, tmp_path):
    with pytest.raises(
        StageError, match=r"clips\.parquet: expected the index of an output folder, found no such"
    ):
        loader(tmp_path)
    (tmp_path / "clips.parquet").write_bytes(b"PAR1 but nothing else PAR1")
    with pytest.raises(StageError, match=r"clips\.parquet: expected the index of an output folder"):
        loader(tmp_path)
    with pytest.raises(
        DescriptionError,
        match="expected windows for a batch of 2 on each of 1 ranks, found 0 of 1000 frames in 4 wanted",
    ):
        loader(frames=1000)
    with pytest.raises(DescriptionError, match="a batch of 2 on each of 3 ranks, found 4 of 20 frames in 4"):
        loader(frames=20, step=100, world_size=3)
    assert len(loader(frames=20, step=100, world_size=3, drop_last=False)) == 1


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"frames": 0}, "frames: expected 1 or more, found 0"),
        ({"batch_size": 0}, "batch_size: expected 1 or more"),
        ({"kind": "scene"}, "kind: expected turn or dialogue, found scene"),
        ({"step": 0}, "step: expected 1 or more"),
        ({"size": (0, 5)}, "size: expected width and height in pixels"),
        ({"seed": -1}, "seed: expected 0 or more, or None"),
        ({"rank": 2, "world_size": 2}, "rank: expected 0 or more, below 2, found 2"),
        ({"rank": -1}, "rank: expected 0 or more, below 1"),
        ({"threads": 0}, "threads: expected 1 or more"),
        ({"ahead": -1}, "ahead: expected 0 or more"),
    ],
)
def test_options_out_of_bounds_are_refused(choice, said):
    with pytest.raises(DescriptionError, match=f"loader: {said}"):
        LoaderOptions(**{"frames": 4, "batch_size": 2} | choice)
