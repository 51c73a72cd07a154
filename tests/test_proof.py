"""The proof sheet, and the frames on it."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from emomedia.errors import MediaError
from emomedia.proof import Tile, _decoded_from, draw_sheet, frame_at, framed, sheet_font, write_proof
from emomedia.session import Crop

from .reference.footage import Format, flat, make_probe, make_take, write

FORMAT = Format(50, 90)


def luma(frame):
    return int(frame.to_ndarray()[4, 4])


@pytest.fixture
def take(tmp_path):
    """Two files of 12 frames, greys from 20 and from 60, a key frame every 5."""
    first = write(tmp_path / "1.mp4", [flat(FORMAT, 20 + n) for n in range(12)])
    second = write(tmp_path / "2.mp4", [flat(FORMAT, 60 + n) for n in range(12)], first_pts=30)
    return make_take([first, second])


def test_every_frame_is_found_in_any_order(take):
    order = np.random.default_rng(3).permutation(24).tolist()
    found = [luma(frame_at(take, index // 12, index % 12)) for index in order]
    assert found == [(20, 60)[index // 12] + index % 12 for index in order]


def test_frames_before_the_key_frame_of_an_open_gop_are_found(tmp_path):
    """In x264's open GOPs B-frames that are shown before a key frame come after it in the file."""
    path = tmp_path / "open.mp4"
    with av.open(str(path), "w") as container:
        options = {
            "qp": "0",
            "x264-params": "open-gop=1:keyint=6:min-keyint=6:scenecut=0:bframes=3:b-adapt=0",
        }
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 50, 90, "yuv420p"
        for number in range(30):
            frame = av.VideoFrame.from_ndarray(np.full((135, 50), 20 + number, np.uint8), "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    take = make_take([path])
    assert len(take.files[0].keys) > 3
    assert [luma(frame_at(take, 0, n)) for n in range(30)] == list(range(20, 50))


def test_where_decoding_begins_too_late_it_begins_one_key_frame_earlier(take, monkeypatch):
    begun = []

    def decoded_from(path, stream, key, frames):
        begun.append(key)
        late = 11 if key == 5 else 0
        return (f for f in _decoded_from(path, stream, key, frames) if f.pts >= frames.pts[late])

    monkeypatch.setattr("emomedia.proof._decoded_from", decoded_from)
    assert luma(frame_at(take, 0, 8)) == 28
    assert begun == [5, 0]


def test_a_file_that_does_not_decode_is_refused(take):
    take.files[1].path.write_bytes(b"no media at all" * 100)
    with pytest.raises(MediaError, match=r"2\.mp4: .*none at frame 5"):
        frame_at(take, 1, 5)


def test_outside_the_crop_it_is_dark():
    drawn = framed(Tile(np.full((20, 30, 3), 90, np.uint8), Crop(4, 6, 12, 10), ()))
    assert (drawn[:6] == 30).all()
    assert (drawn[16:] == 30).all()
    assert (drawn[:, :4] == 30).all()
    assert (drawn[:, 16:] == 30).all()
    assert (drawn[8:14, 6:14] == 90).all()
    edge = drawn[6, 4]
    for line in (drawn[6:8, 4:16], drawn[14:16, 4:16], drawn[6:16, 4:6], drawn[6:16, 14:16]):
        assert (line == edge).all()
    assert edge[1] > 2 * edge[0]


def test_the_sheet_shows_first_middle_and_last_upright(tmp_path, take):
    """The right take lies on its side; its upper half, once upright, is the coded picture's left half."""
    lying = Format(90, 50, rotate=90)
    half = [np.full((50, 90), 30, np.uint8), *flat(lying, 0)[1:]]
    half[0][:, :45] = 200
    right = make_take([write(tmp_path / "r.mp4", [half] * 3, lying)], lying, crop=Crop(10, 18, 32, 36))
    path = tmp_path / "out" / "proof.png"
    write_proof(make_probe(take, right), path)
    with av.open(str(path)) as container:
        sheet = next(container.decode(video=0)).to_ndarray(format="rgb24")
    first_row, second_row, left = 64, 286, 16
    across = [sheet[first_row + 45, left + 25 + n * (50 + 16)] for n in range(3)]
    greys = [round((value - 16) * 255 / 219) for value in (20, 31, 71)]
    assert [int(pixel[0]) for pixel in across] == pytest.approx(greys, abs=1)
    down = [int(sheet[second_row + y, left + 25][0]) for y in (10, 30, 50, 70)]
    assert down == pytest.approx([214 // 3, 214, 16, 16 // 3], abs=1)


def test_long_names_stay_under_their_picture():
    tile = Tile(np.full((20, 60, 3), 90, np.uint8), Crop(0, 0, 60, 20), ("a_very_long_name_" * 5,))
    sheet = np.asarray(draw_sheet("s", [("left", [tile, tile])]))
    below = sheet[-(20 + 16 + 16) :]
    assert sheet.shape[1] == 16 + 2 * (60 + 16)
    assert (below[:, 16 + 60 : 2 * 16 + 60] == below[0, 0]).all()
    assert not (below[:, 16 : 16 + 60] == below[0, 0]).all()


def test_chinese_is_written_in_a_font_of_the_system_that_has_it(tmp_path, monkeypatch):
    (tmp_path / "fonts").mkdir()
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    latin = sheet_font("A052, turned by 90°")
    assert sheet_font("小红").getname() == latin.getname()  # a system without such a font
    (tmp_path / "fonts/wqy-zenhei.ttc").write_bytes(latin.font_bytes)
    assert sheet_font("小红").path == str(tmp_path / "fonts/wqy-zenhei.ttc")
    assert sheet_font("A052, turned by 90°").path != sheet_font("小红").path
