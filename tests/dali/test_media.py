"""Frames, packets and samples of a window against the whole clip's, decoded from its beginning by PyAV."""

from __future__ import annotations

import io
import os
import shutil
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import Interpolation

from emomedia.dali.media import Window, excerpt, pictures, voice
from emomedia.errors import MediaError, MediaNotFoundError, UnsupportedMediaError

from ..exact import decoded_sound

PAL = Fraction(25)
ACCURATE = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


def decoded(clip: Path | io.BytesIO) -> list[av.VideoFrame]:
    with av.open(clip) as container:
        return list(container.decode(video=0))


def rgb(frame: av.VideoFrame) -> np.ndarray:
    return frame.to_ndarray(format="rgb24", interpolation=ACCURATE)


@pytest.fixture
def clip(dataset):
    return dataset / "pal/clips/pal_000_001.mp4"


@pytest.fixture
def whole(clip):
    return decoded(clip)


@pytest.fixture
def keys(clip):
    """Numbers of the clip's key frames."""
    with av.open(clip) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    shown = [packet.pts for packet in packets]
    assert shown != sorted(shown), "frames are reordered"
    return [packet.pts * packet.time_base * 25 for packet in packets if packet.is_keyframe]


def test_frames_are_the_clips_own_wherever_a_window_begins(clip, whole, keys):
    assert len(keys) > 3, "windows cross them"
    expected = [rgb(frame) for frame in whole]
    for first in range(0, len(whole) - 1):
        found = pictures(Window(clip, PAL, first, 2))
        assert np.array_equal(found, expected[first : first + 2]), first
    assert np.array_equal(pictures(Window(clip, PAL, 0, len(whole))), expected)


def test_colours_are_those_of_the_clips_matrix_and_range(tmp_path):
    """Against the formula of H.273, on flat colours, so that no chroma is interpolated."""
    codes = np.array([[81, 90, 240], [145, 54, 34], [41, 200, 110], [180, 128, 128], [100, 150, 100]])
    for matrix, (red, blue) in {1: (0.2126, 0.0722), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}.items():
        clip = tmp_path / f"{matrix}.mp4"
        write(clip, [np.broadcast_to(code[:, None, None], (3, 64, 64)) for code in codes], matrix)
        luma = (codes[:, 0] - 16) / 219 * 255
        cb, cr = ((codes[:, k] - 128) / 224 * 255 for k in (1, 2))
        red_of, blue_of = luma + 2 * (1 - red) * cr, luma + 2 * (1 - blue) * cb
        green_of = (luma - red * red_of - blue * blue_of) / (1 - red - blue)
        expected = np.clip(np.stack([red_of, green_of, blue_of], axis=1), 0, 255)
        found = pictures(Window(clip, PAL, 0, len(codes)))[:, 32, 32]
        assert np.abs(found - expected).max() < 1.5, matrix


def write(path: Path, yuv: list[np.ndarray], matrix: int) -> None:
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, 1
        for y, u, v in yuv:
            flat = np.concatenate([y.ravel(), u[::2, ::2].ravel(), v[::2, ::2].ravel()]).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(flat.reshape(96, 64), format="yuv420p")))
        container.mux(stream.encode(None))


def test_an_excerpt_holds_the_windows_frames_after_its_lead_and_little_more(clip, whole, keys):
    for first in range(0, len(whole) - 5, 3):
        piece = excerpt(Window(clip, PAL, first, 5))
        found = decoded(io.BytesIO(piece.mp4.tobytes()))
        assert piece.matrix == "bt709"
        assert piece.lead == first - max(key for key in keys if key <= first)
        assert len(found) <= piece.lead + 5 + 4
        for expected, frame in zip(whole[first:], found[piece.lead :][:5], strict=False):
            assert np.array_equal(frame.to_ndarray(), expected.to_ndarray()), first
        with av.open(io.BytesIO(piece.mp4.tobytes())) as container:
            assert min(packet.pts for packet in container.demux(video=0) if packet.size) >= 0


@pytest.mark.parametrize("make", [pictures, excerpt])
def test_what_is_no_clip_or_shorter_is_refused(clip, whole, tmp_path, make):
    with pytest.raises(
        MediaError, match=f"expected frames {len(whole) - 2} to {len(whole) + 1}, found 2 fewer"
    ):
        make(Window(clip, PAL, len(whole) - 2, 4))
    with pytest.raises(MediaError, match="expected frames at 24 a second"):
        make(Window(clip, Fraction(24), 5, 4))
    with pytest.raises(MediaNotFoundError):
        make(Window(tmp_path / "none.mp4", PAL, 0, 1))
    with pytest.raises(MediaError, match="no picture in it"):
        make(Window(clip.parent.parent / "audio/pal_000.left.flac", PAL, 0, 1))


@pytest.mark.parametrize("make", [pictures, excerpt])
def test_a_clip_that_was_not_copied_whole_is_refused_where_it_ends(clip, whole, tmp_path, make):
    with av.open(clip) as container:
        packet = next(islice(container.demux(video=0), 20, None))
        broken, place = packet.pts // 512, packet.pos + packet.size // 2
    cut = Path(shutil.copy(clip, tmp_path / "cut.mp4"))
    os.truncate(cut, place)
    with pytest.raises(MediaError, match=f"expected whole packets, found that of frame {broken} cut short"):
        make(Window(cut, PAL, broken, 1))
    with pytest.raises(MediaError, match=f"expected frames {len(whole) - 1} to {len(whole) - 1}"):
        make(Window(cut, PAL, len(whole) - 1, 1))
    make(Window(cut, PAL, 0, 10))


def test_a_matrix_that_no_decoder_could_be_told_is_refused(tmp_path):
    write(tmp_path / "ycgco.mp4", [np.full((3, 64, 64), 90)] * 3, 8)
    with pytest.raises(
        UnsupportedMediaError, match=r"expected a Y'CbCr matrix among bt709, .*found number 8"
    ):
        excerpt(Window(tmp_path / "ycgco.mp4", PAL, 0, 1))


def test_samples_are_the_files_own_wherever_they_begin(dataset):
    path = dataset / "pal/audio/pal_000.right.flac"
    whole = decoded_sound(path)[0]
    full_scale = 2.0 ** (8 * whole.dtype.itemsize - 1)
    for first in (0, 1, 4095, 4096, 4097, 50_000, len(whole) - 777):
        found = voice(path, first, 777)
        assert found.dtype == np.float32
        assert np.array_equal(found * full_scale, whole[first : first + 777]), first


def test_sound_that_is_short_or_broken_is_refused(dataset, tmp_path):
    path = dataset / "pal/audio/pal_000.right.flac"
    count = decoded_sound(path).shape[1]
    with pytest.raises(MediaError, match=f"expected 11 samples from {count - 10} on, found 10"):
        voice(path, count - 10, 11)
    broken = bytearray(path.read_bytes())
    broken[len(broken) // 2] ^= 1
    (tmp_path / "broken.flac").write_bytes(broken)
    with pytest.raises(MediaError, match="expected samples that decode, found none from"):
        voice(tmp_path / "broken.flac", 0, count)
