"""A simulated camera: how it codes its pictures, keeps time and stores its take."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from ..descriptions import Rule, check_rules
from .codecs import CODECS, SUBSAMPLING, TIME_BASES, Chroma, Codec, Container, Range
from .colour import CODINGS, Colour

Timing = Literal["constant", "dropped", "variable"]
Interlaced = Literal["tff", "bff"]

SMALLEST_SIDE, LARGEST_SIDE = 180, 8192
"""Pixels across below which the frames' marks no longer survive, and that no frame exceeds."""

VARIABLE_TIME_BASE = Fraction(1, 90_000)
_FINEST_GRID = 10_000
_TIMECODE = re.compile(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d:\d\d")
_QUICKTIME = ("mp4", "mov")


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """Choices for one side's take.

    Attributes
    ----------
    size : (width, height)
        Stored pixels once they are upright, even.
    codec : str
        One of :data:`~emomedia.simulate.codecs.CODECS`.
    depth, chroma : int, {"420", "422", "444"}
        Bits per sample, and how chroma is subsampled, as the codec allows.
    container : str or None
        As the codec allows; its usual one if None.
    fps : Fraction
        Frames per second, whole frames where they are interlaced; the mean one of a variable rate.
    timing : {"constant", "dropped", "variable"}
        Whether frames lie on a grid, on a grid on which some are missing, or at irregular intervals in
        ticks of 1/90000 s.
    start : Fraction
        Seconds at which the container says that picture and sound begin; below zero in ts alone.
    late : Fraction
        Seconds by which the picture begins later than the sound.
    hidden : int
        Frames at each file's beginning that its edit list hides.
    preset, crf : str, int
        Of libx264 or libx265 (`crf` also of the AV1 and VP9 encoders).  A camera's bit rate at 4K
        (60 Mbit/s) takes 20 of the one, about 12 of the other, which is then eight times as slow.
    gop : int
        Frames from one key frame to the next, where the codec has other frames than those.
    open_gop : bool
        Whether frames shown before a key frame may refer to frames before it.
    bframes : int
        B-frames between two others, at most, where the codec has any.
    rotate : {0, 90, 180, 270}
        The take is stored so that it must be turned by this much clockwise to be upright, with a
        display matrix that says so.
    mirrored : bool
        The take is stored so that, once turned, it must also be mirrored, as the display matrix says.
    range : {"limited", "full"}
        Of the code values.
    colour : str
        One of :data:`~emomedia.simulate.colour.CODINGS`; the scene is the same in each.
    declare_lut : bool or None
        Whether session.toml names the LUT that is written for ``log``, ``hlg`` and ``pq``; None for
        ``log`` alone.
    interlaced : {"tff", "bff"} or None
        Frames are two fields, the upper or the lower one the earlier; both carry the frame's mark.
    sample_aspect : Fraction
        Width of a stored pixel by its height.
    timecode : str or None
        ``HH:MM:SS:FF`` of the first frame, in mp4, mov or mxf.
    parts : int
        Consecutive files that the take is stored in.
    """

    size: tuple[int, int] = (2160, 3840)
    codec: Codec = "h264"
    depth: int = 8
    chroma: Chroma = "420"
    container: Container | None = None
    fps: Fraction = Fraction(25)
    timing: Timing = "constant"
    start: Fraction = Fraction(0)
    late: Fraction = Fraction(0)
    hidden: int = 0
    preset: str = "ultrafast"
    crf: int = 20
    gop: int = 25
    open_gop: bool = False
    bframes: int = 2
    rotate: int = 0
    mirrored: bool = False
    range: Range = "limited"
    colour: Colour = "bt709"
    declare_lut: bool | None = None
    interlaced: Interlaced | None = None
    sample_aspect: Fraction = Fraction(1)
    timecode: str | None = None
    parts: int = 1

    def __post_init__(self) -> None:
        check_rules((*_rules(self), *_codec_rules(self), *_container_rules(self)), "simulate", self)

    @property
    def suffix(self) -> Container:
        """The container, which is also the suffix of the take's files."""
        return self.container or (CODECS[self.codec].containers[0] if self.codec in CODECS else "mp4")

    @property
    def coded_size(self) -> tuple[int, int]:
        """Width and height of the take as it is stored."""
        width, height = self.size
        return (height, width) if self.rotate % 180 else (width, height)

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a pixel by its height in the upright picture."""
        return 1 / self.sample_aspect if self.rotate % 180 else self.sample_aspect

    @property
    def pcm(self) -> bool:
        """Whether the camera's own sound is PCM rather than AAC."""
        return self.suffix in CODECS[self.codec].pcm_in

    @property
    def has_lut(self) -> bool:
        """Whether a LUT to BT.709 is written beside the take."""
        return CODINGS[self.colour].lut

    @property
    def names_lut(self) -> bool:
        """Whether session.toml names that LUT."""
        return self.has_lut and (self.colour == "log" if self.declare_lut is None else self.declare_lut)

    @property
    def time_base(self) -> Fraction:
        """Seconds per tick of the take's video stream."""
        if self.suffix in TIME_BASES:
            return TIME_BASES[self.suffix]
        if self.suffix == "mxf":
            return 1 / self.fps
        if self.timing == "variable":
            return VARIABLE_TIME_BASE
        ticks = self.fps.numerator
        while ticks < _FINEST_GRID:
            ticks *= 2
        return Fraction(1, ticks)


def _rules(camera: Camera) -> list[Rule]:
    """Each choice that can be wrong: its name, whether it is right, and what belongs there."""
    width, height = camera.size
    even = width % 2 == 0 and height % 2 == 0
    upright = camera.rotate == 0 and not camera.mirrored
    return [
        ("size", even and min(width, height) >= SMALLEST_SIDE, f"even numbers, {SMALLEST_SIDE} or more"),
        ("size", max(width, height) <= LARGEST_SIDE, f"at most {LARGEST_SIDE} pixels"),
        ("fps", 1 <= camera.fps <= 240, "1 to 240 frames per second"),
        ("timing", camera.timing in ("constant", "dropped", "variable"), "constant, dropped or variable"),
        ("late", 0 <= camera.late <= 60, "0 to 60 seconds"),
        ("hidden", 0 <= camera.hidden <= 1000, "0 to 1000 frames"),
        ("crf", 0 <= camera.crf <= 51, "0 to 51"),
        ("gop", 1 <= camera.gop <= 1000, "1 to 1000 frames"),
        ("bframes", 0 <= camera.bframes <= 8, "0 to 8"),
        ("rotate", camera.rotate in (0, 90, 180, 270), "0, 90, 180 or 270 degrees"),
        ("range", camera.range in ("limited", "full"), "limited or full"),
        ("colour", camera.colour in CODINGS, _one_of(CODINGS)),
        ("interlaced", camera.interlaced in (None, "tff", "bff"), "tff or bff"),
        ("interlaced", camera.interlaced is None or upright, "no rotation or mirroring with fields"),
        ("interlaced", camera.interlaced is None or height % 4 == 0, "a height that is a multiple of 4"),
        ("sample_aspect", Fraction(1, 4) <= camera.sample_aspect <= 4, "1/4 to 4"),
        ("timecode", camera.timecode is None or _is_timecode(camera), "HH:MM:SS:FF"),
        ("parts", 1 <= camera.parts <= 99, "1 to 99 files"),
    ]


def _codec_rules(camera: Camera) -> list[Rule]:
    """What the codec demands."""
    if camera.codec not in CODECS:
        return [("codec", False, _one_of(CODECS))]
    if camera.chroma not in SUBSAMPLING:
        return [("chroma", False, _one_of(SUBSAMPLING))]
    if camera.colour not in CODINGS:
        return []
    kind, codec = CODECS[camera.codec], camera.codec
    depths = sorted({depth for depth, _ in kind.pictures})
    chromas = [chroma for depth, chroma in kind.pictures if depth == camera.depth]
    narrow = all(have >= need for have, need in zip(camera.coded_size, kind.smallest, strict=True))
    return [
        ("depth", camera.depth in depths, f"{_one_of(depths)} bits in {codec}"),
        ("chroma", camera.chroma in chromas, f"{_one_of(chromas)} in {codec} with {camera.depth} bits"),
        ("container", camera.suffix in kind.containers, f"{_one_of(kind.containers)} for {codec}"),
        ("size", narrow, f"at least {kind.smallest[0]}x{kind.smallest[1]} stored pixels in {codec}"),
        ("fps", not kind.rates or camera.fps in kind.rates, f"{_one_of(kind.rates)} in {codec}"),
        ("open_gop", kind.open_gops or not camera.open_gop, f"closed GOPs in {codec}"),
        ("interlaced", kind.interlaced or camera.interlaced is None, f"whole frames in {codec}"),
        ("range", camera.range in kind.ranges, f"{_one_of(kind.ranges)} in {codec}"),
        ("colour", camera.colour in kind.colours, f"{_one_of(kind.colours)} in {codec}"),
        ("colour", camera.depth >= CODINGS[camera.colour].least_depth, f"another with {camera.depth} bits"),
        ("sample_aspect", camera.sample_aspect == 1 or codec != "mpeg2", "1 in mpeg2"),
    ]


def _container_rules(camera: Camera) -> list[Rule]:
    """What the container demands."""
    suffix = camera.suffix
    quicktime = suffix in _QUICKTIME
    plain_start = camera.start == camera.late == 0
    matrix = quicktime or suffix == "mkv"
    mute = (suffix, camera.codec, camera.chroma) == ("mxf", "dnxhd", "444")
    limit = 3600 if suffix != "mxf" else 0
    return [
        ("timing", suffix != "mxf" or camera.timing == "constant", "constant in mxf"),
        ("start", 0 <= camera.start <= limit or (suffix == "ts" and -30 <= camera.start < 0),
         f"0 to {limit} seconds in {suffix}; -30 or more in ts"),
        ("late", camera.late == 0 or suffix != "mxf", "0 in mxf"),
        ("hidden", camera.hidden == 0 or quicktime, f"0 in {suffix}, which has no edit lists"),
        ("hidden", camera.hidden == 0 or plain_start, "0 with another start than 0"),
        ("rotate", matrix or camera.rotate == 0, f"0 in {suffix}, which has no display matrix"),
        ("mirrored", matrix or not camera.mirrored, f"False in {suffix}, which has no display matrix"),
        ("interlaced", camera.interlaced is None or (suffix, camera.codec) != ("mxf", "prores"),
         "whole frames of prores in mxf, where libav declares no other"),
        ("range", camera.range == "limited" or not mute, "limited in dnxhd 4:4:4 in mxf, which says none"),
        ("sample_aspect", camera.sample_aspect == 1 or quicktime or suffix == "ts", f"1 in {suffix}"),
        ("timecode", camera.timecode is None or quicktime or suffix == "mxf", f"none in {suffix}"),
    ]  # fmt: skip


def _is_timecode(camera: Camera) -> bool:
    text = camera.timecode or ""
    return bool(_TIMECODE.fullmatch(text)) and int(text[-2:]) < round(camera.fps)


def _one_of(values: Iterable[object]) -> str:
    texts = [str(value) for value in values]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} or {texts[-1]}" if texts else "nothing"
