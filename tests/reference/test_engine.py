"""Which source frames the reference's composites show, and the clips it cuts."""

from __future__ import annotations

from fractions import Fraction

import av
import pytest

from emomedia.plan import Chunk, Clip, Plan, Span
from emomedia.reference.compose import plane_filters
from emomedia.reference.engine import composites, cut
from emomedia.timeline import Clock

from .footage import Format, flat, make_probe, make_take, write
from .lanczos import Case, model_tables

SIZE = (96, 54)
FORMAT = Format(50, 90)


@pytest.fixture(scope="module")
def probe(tmp_path_factory):
    """Left: two files at 25 fps, greys from 20; right: one file at 50 fps, greys from 100."""
    folder = tmp_path_factory.mktemp("takes")
    first = write(folder / "1.mp4", [flat(FORMAT, 20 + n) for n in range(6)])
    second = write(folder / "2.mp4", [flat(FORMAT, 26 + n) for n in range(6)], first_pts=7)
    fast = write(folder / "r.mp4", [flat(FORMAT, 100 + n) for n in range(30)], rate=Fraction(50))
    return make_probe(make_take([first, second]), make_take([fast], rate=Fraction(50)))


@pytest.fixture(scope="module")
def filters():
    case = Case(50, 90, crop=(0, 0, 50, 90), out=(SIZE[0] // 2, SIZE[1]))
    return dict.fromkeys(("left", "right"), plane_filters(model_tables(case)))


CLOCKS = {"left": Clock(), "right": Clock(Fraction(3, 50))}


def greys(planes):
    """The two halves' luma, each of one grey."""
    half = SIZE[0] // 2
    left, right = planes[0][:, :half], planes[0][:, half:]
    assert left.min() == left.max()
    assert right.min() == right.max()
    return int(left[0, 0]), int(right[0, 0])


def test_each_composite_shows_the_frames_on_display(probe, filters):
    """Frame n is at n/25 s: left frame n, over the files' seam; right frame 2n − 3."""
    found = list(composites(probe, CLOCKS, [(2, 4), (8, 2)], size=SIZE, filters=filters))
    assert [number for number, _ in found] == [2, 3, 4, 5, 8, 9]
    assert [greys(planes) for _, planes in found] == [(20 + n, 100 + 2 * n - 3) for n in (2, 3, 4, 5, 8, 9)]
    assert [plane.shape for plane in found[0][1]] == [(54, 96), (27, 48), (27, 48)]


def test_frames_before_the_footage_are_refused(probe, filters):
    with pytest.raises(ValueError, match="footage"):
        list(composites(probe, CLOCKS, [(1, 2)], size=SIZE, filters=filters))


def test_cut_writes_each_clip_with_its_frames(probe, filters, tmp_path, monkeypatch):
    """A dialogue of 6 frames and two turns in it that overlap."""
    monkeypatch.setattr("emomedia.reference.engine.take_filters", lambda *_, **__: filters["left"])
    spans = (Span(3, 2), Span(5, 2), Span(7, 2))
    clips = (
        Clip("d", "dialogue", "d", None, 3, 6, 0, 3),
        Clip("d_000", "turn", "d", "left", 3, 4, 0, 2),
        Clip("d_001", "turn", "d", "right", 5, 4, 1, 2),
    )
    plan = Plan("s", Fraction(25), (2, 12), spans, (Chunk(0, 3),), clips)
    paths = cut(probe, CLOCKS, plan, tmp_path, crf=1, size=SIZE)
    assert [path.name for path in paths] == ["d.mp4", "d_000.mp4", "d_001.mp4"]
    for clip, path in zip(clips, paths, strict=True):
        with av.open(str(path)) as container:
            frames = list(container.decode(video=0))
            assert [frame.time for frame in frames] == pytest.approx(
                [n / 25 for n in range(clip.frame_count)]
            )
            assert frames[0].colorspace == 1
        chroma = frames[0].to_ndarray()[SIZE[1] :]
        assert chroma.min() >= 127
        assert chroma.max() <= 129
        shown = [int(frame.to_ndarray()[10, 10]) for frame in frames]
        assert shown == pytest.approx([20 + clip.first_frame + n for n in range(clip.frame_count)], abs=0.5)
