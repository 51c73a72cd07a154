"""`emomedia init`: sessions guessed from names, dates and lengths; drafts that load."""

from __future__ import annotations

import os
import time
import wave
from fractions import Fraction
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from emomedia.errors import MediaNotFoundError, OutputError
from emomedia.intake import MediaFile, draft_text, init_folder, pair
from emomedia.intake.names import distinguish_sides, natural
from emomedia.intake.scan import creation_time, media_paths
from emomedia.session_file import load_session

DAY = 1_744_934_400.0
"""2025-04-18 00:00 UTC."""


def camera(path, start, seconds=600):
    return MediaFile(PurePosixPath(path), "camera", DAY + start, seconds, 2)


def recorder(path, start, seconds=600, channels=2):
    return MediaFile(PurePosixPath(path), "recorder", DAY + start, seconds, channels)


def takes_of(paired):
    return [
        {side: [str(file.path) for file in take] for side, take in draft.takes.items()}
        for draft in paired.drafts
    ]


def mics_of(draft):
    return {side: (str(file.path), channel) for side, (file, channel) in draft.mics.items()}


# --- names


@pytest.mark.parametrize(
    ("left", "right", "reason"),
    [
        ("left.mp4", "right.mp4", "words left and right"),
        ("take_L.MP4", "take_R.MP4", "words left and right"),
        ("250418/left-actor/C1.mp4", "250418/Right actor/C1.mp4", "words left and right"),
        ("left studio/left/C1.mp4", "left studio/right/C1.mp4", "words left and right"),
        ("左.mp4", "右.mp4", "words left and right"),
        ("cam1/C0004.MP4", "cam2/C0003.MP4", "numbers or letters"),
        ("C0003_CamA.MP4", "C0003_camera B.MP4", "numbers or letters"),
        ("机位1/C0003.MP4", "机位2/C0003.MP4", "numbers or letters"),
        ("A机.mp4", "B机.mp4", "numbers or letters"),
        ("1号机.mp4", "2号机.mp4", "numbers or letters"),
        ("A001C003.MP4", "B001C003.MP4", "reels' letters"),
        ("A001_08151512_C003.mov", "C001_08151512_C003.mov", "reels' letters"),
        ("canon/MVI_0001.MP4", "sony/C0003.MP4", "the folders"),
        ("x/A/CLIP/C0003.MP4", "x/B/CLIP/C0003.MP4", "the folders"),
        ("A/PRIVATE/CLIP/C0003.MP4", "B/PRIVATE/CLIP/C0003.MP4", "the folders"),
        ("IMG_0001.MOV", "MVI_0001.MP4", "the beginnings"),
        ("C0009.MP4", "C0010.MP4", "the order"),
    ],
)
def test_two_cameras_are_told_apart(left, right, reason):
    paths = PurePosixPath(right), PurePosixPath(left)
    sides, found = distinguish_sides(paths)
    assert sides == dict(zip(paths, ("right", "left"), strict=True))
    assert reason in found


def test_a_habit_must_fit_every_file():
    """One name with a letter does not make the other a camera."""
    paths = [PurePosixPath(name) for name in ("l/a.mp4", "r/b.mp4", "cam1/c.mp4")]
    assert distinguish_sides(paths) is None
    assert distinguish_sides(paths[:1]) is None
    assert distinguish_sides([]) is None


def test_left_and_right_are_said_on_purpose_so_other_videos_are_left_out():
    files = [camera(name, 0) for name in ("IMG_1 left.MOV", "VID_2 right.mp4", "IMG_3.MOV", "VID_4.mp4")]
    paired = pair([*files, *(recorder(f"{name}.wav", 0, channels=1) for name in ("左", "右", "room"))], "F")
    assert takes_of(paired) == [{"left": ["IMG_1 left.MOV"], "right": ["VID_2 right.mp4"]}]
    assert mics_of(paired.drafts[0]) == {"left": ("左.wav", 0), "right": ("右.wav", 0)}
    others = [text.partition(":")[0] for text in paired.left_over]
    assert others == ["IMG_3.MOV", "VID_4.mp4", "room.wav"]


def test_folders_of_each_session_hold_the_same_cameras():
    paths = [PurePosixPath(f"{session}/{letter}/C1.mp4") for session in ("s1", "s2") for letter in "AB"]
    sides, reason = distinguish_sides(paths)
    assert [sides[path] for path in paths] == ["left", "right"] * 2
    assert reason == "the folders"


def test_names_are_sorted_as_people_do():
    assert sorted(["C10", "c9", "C9b", "B11"], key=natural) == ["B11", "c9", "C9b", "C10"]


# --- pairing


def test_consecutive_files_are_one_take_and_takes_pair_by_time():
    paired = pair(
        [
            camera("A001C004.MP4", 601),
            camera("A001C003.MP4", 0),
            camera("A001C005.MP4", 2000),
            camera("B001C001.MP4", -5000),
            camera("B001C002.MP4", 3, 1200),
            camera("B001C003.MP4", 1990),
            recorder("rec1.wav", -10, 1300),
            recorder("rec2.wav", 1995, 700),
            recorder("rec3.wav", 9000),
        ],
        "F",
    )
    assert takes_of(paired) == [
        {"left": ["A001C003.MP4", "A001C004.MP4"], "right": ["B001C002.MP4"]},
        {"left": ["A001C005.MP4"], "right": ["B001C003.MP4"]},
    ]
    assert [draft.id for draft in paired.drafts] == ["250418_s01", "250418_s02"]
    assert [mics_of(draft) for draft in paired.drafts] == [
        {"left": ("rec1.wav", 0), "right": ("rec1.wav", 1)},
        {"left": ("rec2.wav", 0), "right": ("rec2.wav", 1)},
    ]
    assert ["B001C001" in text for text in paired.left_over] == [True, False]
    assert "rec3.wav" in paired.left_over[1]
    assert any("3 s after" in note for note in paired.drafts[0].notes)
    assert any("10 s before" in note for note in paired.drafts[1].notes)


def test_clocks_that_disagree_pair_by_order():
    files = [camera("left/1.mp4", 0), camera("left/2.mp4", 3000), camera("right/1.mp4", 90_000)]
    paired = pair([*files, camera("right/2.mp4", 93_100)], "F")
    assert takes_of(paired) == [
        {"left": ["left/1.mp4"], "right": ["right/1.mp4"]},
        {"left": ["left/2.mp4"], "right": ["right/2.mp4"]},
    ]
    assert any("clocks disagree" in note for note in paired.drafts[0].notes)
    with pytest.raises(MediaNotFoundError, match="2 of one and 1 of the other"):
        pair(files, "F")


def test_the_longest_common_time_decides():
    files = [camera("l1.mp4", 0, 1000), camera("l2.mp4", 1010, 1000), camera("r1.mp4", 900, 1000)]
    assert takes_of(pair(files, "F")) == [{"left": ["l2.mp4"], "right": ["r1.mp4"]}]


def test_a_take_has_one_partner():
    files = [camera("l.mp4", 0, 1000), camera("r1.mp4", 0, 900), camera("r2.mp4", 950, 500)]
    paired = pair(files, "F")
    assert takes_of(paired) == [{"left": ["l.mp4"], "right": ["r1.mp4"]}]
    assert "r2.mp4" in paired.left_over[0]


def test_chapters_with_one_date_are_in_order_of_their_names():
    files = [camera(f"left/GX0{k}0034.MP4", 0 if k > 1 else 5) for k in (3, 2, 1)]
    paired = pair([*files, camera("right/C1.MP4", 0)], "F")
    assert takes_of(paired)[0]["left"] == [f"left/GX0{k}0034.MP4" for k in (1, 2, 3)]


def test_a_card_that_starts_its_numbers_anew_stays_in_order_of_time():
    files = [camera("left/C0999.MP4", 0), camera("left/C0001.MP4", 600), camera("right/C1.MP4", 0)]
    assert takes_of(pair(files, "F"))[0]["left"] == ["left/C0999.MP4", "left/C0001.MP4"]


def test_two_mono_files_are_the_microphones_of_their_sides():
    cameras = [camera("left.mp4", 0), camera("right.mp4", 0)]
    files = [recorder(f"ZOOM_{name}.WAV", 0, channels=n) for name, n in (("Tr2", 1), ("Tr1", 1), ("LR", 2))]
    paired = pair([*cameras, *files], "F")
    assert mics_of(paired.drafts[0]) == {"left": ("ZOOM_Tr1.WAV", 0), "right": ("ZOOM_Tr2.WAV", 0)}
    assert len(paired.left_over) == 1 and "LR" in paired.left_over[0]


def test_the_recording_that_lasts_through_the_take_is_the_one():
    files = [camera("left.mp4", 0), camera("right.mp4", 0), recorder("a.wav", -590), recorder("b.wav", 20)]
    assert mics_of(pair(files, "F").drafts[0])["left"] == ("b.wav", 0)


def test_a_session_that_no_recorder_heard_uses_the_cameras_sound():
    files = [camera(f"{side}/{k}.mp4", 3000 * k) for side in ("left", "right") for k in range(2)]
    drafts = pair([*files, recorder("rec.wav", 3000)], "F").drafts
    assert [set(draft.mics) for draft in drafts] == [set(), {"left", "right"}]


def test_without_a_recorder_the_cameras_sound_is_used():
    files = [camera("left.mp4", 0), camera("right.mp4", 0), recorder("one.wav", 0, channels=1)]
    paired = pair(files, "F")
    assert paired.drafts[0].mics == {}
    assert any("own sound" in note for note in paired.drafts[0].notes)


def test_a_single_session_takes_the_recorder_whatever_its_clock_says():
    files = [camera("left.mp4", 0), camera("right.mp4", 0), recorder("rec.wav", -(10**8))]
    assert set(pair(files, "F").drafts[0].mics) == {"left", "right"}


@pytest.mark.parametrize("names", [[], ["left.mp4"], ["left.mp4", "x.mp4", "y.mp4"]])
def test_less_or_more_than_two_cameras_are_an_error(names):
    with pytest.raises(MediaNotFoundError, match="two cameras"):
        pair([camera(name, 0) for name in names], "F")


# --- drafts of real files


def write_camera(path: Path, created: str | None, seconds=1):
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format="mp4") as container:
        if created is not None:
            container.metadata["creation_time"] = created
        stream = container.add_stream("mpeg4", rate=Fraction(5))
        stream.width, stream.height = 36, 64
        for n in range(5 * seconds):
            frame = av.VideoFrame.from_ndarray(np.full((96, 36), n, np.uint8), format="yuv420p")
            frame.pts = n
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def write_recorder(path: Path, channels, seconds=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(2 * channels * 8000 * seconds))


@pytest.fixture
def footage(tmp_path):
    folder = tmp_path / "footage"
    write_camera(folder / "A001C003.MP4", "2025-04-18T10:00:00Z", 2)
    write_camera(folder / "A001C004.MP4", "2025-04-18T10:00:02Z")
    write_camera(folder / "B:1/B001C001.MP4", "2025-04-18T10:00:01Z", 2)
    write_recorder(folder / 'sound/R"1.WAV', 2)
    return folder


def test_a_draft_loads_and_says_what_was_guessed(footage):
    (path,) = init_folder(footage)
    session = load_session(path)
    assert path == footage / "session.toml"
    assert session.id == "250418_s01"
    assert session.left.video == (footage / "A001C003.MP4", footage / "A001C004.MP4")
    assert session.right.video == (footage / "B:1/B001C001.MP4",)
    assert (session.left.mic.file, session.left.mic.channel) == (footage / 'sound/R"1.WAV', 0)
    assert session.right.mic.channel == 1
    text = path.read_text()
    assert "reels' letters" in text
    assert "1 s after" in text
    assert "channel 0" in text


def test_a_description_is_not_overwritten_unless_forced(footage):
    (footage / "session.toml").write_text("mine")
    with pytest.raises(OutputError, match="--force"):
        init_folder(footage)
    assert (footage / "session.toml").read_text() == "mine"
    init_folder(footage, overwrite=True)
    load_session(footage / "session.toml")


def test_several_sessions_have_several_descriptions_or_none(footage):
    for name in ("A001C009.MP4", "B001C009.MP4"):
        write_camera(footage / name, "2025-04-19T08:00:00Z")
    (footage / "250419_s01.toml").write_text("mine")
    with pytest.raises(OutputError):
        init_folder(footage)
    assert not (footage / "250418_s01.toml").exists()
    paths = init_folder(footage, overwrite=True)
    assert [path.name for path in paths] == ["250418_s01.toml", "250419_s01.toml"]
    assert [load_session(path).id for path in paths] == ["250418_s01", "250419_s01"]


def test_what_cannot_be_read_is_reported_in_the_draft(footage):
    (footage / "C0001.MP4").write_bytes(b"\0" * 100)
    assert "# C0001.MP4: it cannot be read" in init_folder(footage)[0].read_text()


def test_sound_that_libav_does_not_know_is_reported_in_the_draft(footage):
    data = bytearray((footage / 'sound/R"1.WAV').read_bytes())
    data[20:22] = b"\x34\x12"  # the codec's number
    (footage / "odd.wav").write_bytes(data)
    assert "# odd.wav: it has neither pictures nor sound" in init_folder(footage)[0].read_text()


def test_without_metadata_the_file_s_date_less_its_length_counts(footage):
    for name in ("A001C003.MP4", "A001C004.MP4"):
        (footage / name).unlink()
    write_camera(footage / "A001C003.MP4", None, 2)
    os.utime(footage / "A001C003.MP4", (DAY + 12, DAY + 12))
    assert "right camera began 35991 s after" in init_folder(footage)[0].read_text()


def test_the_same_folder_gives_the_same_draft(footage):
    first = init_folder(footage)[0].read_bytes()
    assert init_folder(footage, overwrite=True)[0].read_bytes() == first


def test_outputs_proxies_and_hidden_files_are_not_footage(tmp_path):
    kept = ["a.mp4", "x/b.MOV", "x/y/c.wav"]
    other = [
        ".a.mp4",
        "._b.mp4",
        "Proxy/a.mp4",
        "out/s/clips.jsonl",
        "out/s/clips/a.mp4",
        ".x/a.mp4",
        "notes.txt",
    ]
    for name in kept + other:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    os.mkfifo(tmp_path / "pipe.mp4")
    assert [str(path.relative_to(tmp_path)) for path in media_paths(tmp_path)] == kept


def test_a_folder_that_is_none_says_so(tmp_path):
    (tmp_path / "file").touch()
    for name, found in (("none", "nothing"), ("file", "a file")):
        with pytest.raises(MediaNotFoundError, match=found):
            init_folder(tmp_path / name)
    with pytest.raises(MediaNotFoundError, match="two cameras"):
        init_folder(tmp_path)


@pytest.fixture
def far_away(monkeypatch):
    """A computer in another time zone."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Shanghai")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("metadata", "seconds"),
    [
        ({"creation_time": "2025-04-18T01:00:00.000000Z"}, 3600),
        ({"creation_time": "2025-04-18T01:00:00+01:00"}, 0),
        ({"creation_time": "2025-04-18 01:00:00"}, 3600),
        ({"creation_time": "01:00:00", "date": "2025-04-18"}, 3600),
        ({"creation_time": "01:00:00"}, None),
        ({"creation_time": "yesterday"}, None),
        ({}, None),
    ],
)
@pytest.mark.usefixtures("far_away")
def test_creation_times_as_containers_write_them(metadata, seconds):
    assert creation_time(metadata) == (None if seconds is None else DAY + seconds)


def test_odd_names_are_quoted(tmp_path):
    files = [camera('left/a"\\\n\x7f.mp4', 0), camera("right/上 海.mp4", 0)]
    for name in (file.path for file in files):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    draft = pair(files, "F").drafts[0]
    draft.notes.append("a\nb")
    (tmp_path / "session.toml").write_text(draft_text(draft, ["x\ny = 1"]), encoding="utf-8")
    assert load_session(tmp_path / "session.toml").left.video[0].exists()
