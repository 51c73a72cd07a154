"""The codecs of simulated cameras: each one's pictures, containers and encoder."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from .colour import CODINGS, Colour

Codec = Literal["h264", "hevc", "av1", "vp9", "prores", "dnxhd", "mjpeg", "mpeg2"]
Chroma = Literal["420", "422", "444"]
Container = Literal["mp4", "mov", "mkv", "mxf", "ts"]
Range = Literal["limited", "full"]

FORMATS: dict[Container, str] = {"mp4": "mp4", "mov": "mov", "mkv": "matroska", "mxf": "mxf", "ts": "mpegts"}
"""libav's names of the containers' muxers."""

TIME_BASES: dict[Container, Fraction] = {"mkv": Fraction(1, 1000), "ts": Fraction(1, 90_000)}
"""Seconds per tick in the containers that have one of their own."""

SUBSAMPLING: dict[Chroma, tuple[int, int]] = {"420": (2, 2), "422": (2, 1), "444": (1, 1)}
"""Luma samples per chroma sample, across and down."""

_ALL: tuple[Chroma, ...] = ("420", "422", "444")
_MPEG2_RATES = tuple(
    Fraction(rate) for rate in ("24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60")
)


def _pictures(*depths: int, chroma: tuple[Chroma, ...] = _ALL) -> tuple[tuple[int, Chroma], ...]:
    return tuple((depth, kind) for depth in depths for kind in chroma)


@dataclass(frozen=True, slots=True)
class CodecKind:
    """What a codec can hold.

    Attributes
    ----------
    encoder : str
        libav's name.
    pictures : tuple of (bits, chroma)
    containers : tuple of str
        Those that hold it, the usual one first.
    interlaced : bool
        Whether it is made to code fields here.
    open_gops : bool
        Whether it can be made to let a GOP refer to the one before it.
    smallest : (width, height)
    rates : tuple of Fraction
        The only frame rates it knows; any if empty.
    ranges, colours : tuple of str
        Those that its streams can say, or that nothing in them gainsays.
    pcm_in : tuple of str
        The containers in which cameras put PCM beside it; AAC elsewhere.
    """

    encoder: str
    pictures: tuple[tuple[int, Chroma], ...]
    containers: tuple[Container, ...]
    interlaced: bool = False
    open_gops: bool = False
    smallest: tuple[int, int] = (16, 16)
    rates: tuple[Fraction, ...] = ()
    ranges: tuple[Range, ...] = ("limited", "full")
    colours: tuple[Colour, ...] = tuple(CODINGS)
    pcm_in: tuple[Container, ...] = ("mxf",)


CODECS: dict[Codec, CodecKind] = {
    "h264": CodecKind(
        "libx264", _pictures(8, 10), ("mp4", "mov", "mkv", "ts"), interlaced=True, open_gops=True
    ),
    "hevc": CodecKind("libx265", _pictures(8, 10, 12), ("mp4", "mov", "mkv", "ts"), open_gops=True),
    "av1": CodecKind("libsvtav1", _pictures(8, 10, chroma=("420",)), ("mp4", "mkv"), smallest=(64, 64)),
    "vp9": CodecKind("libvpx-vp9", _pictures(8), ("mkv", "mp4")),
    "prores": CodecKind(
        "prores_ks",
        _pictures(10, chroma=("422", "444")),
        ("mov", "mkv", "mxf"),
        interlaced=True,
        ranges=("limited",),
        pcm_in=("mov", "mxf"),
    ),
    "dnxhd": CodecKind(
        "dnxhd",
        ((8, "422"), (10, "422"), (10, "444")),
        ("mov", "mxf"),
        smallest=(256, 120),
        colours=("bt709", "log"),
        pcm_in=("mov", "mxf"),
    ),
    "mjpeg": CodecKind(
        "mjpeg", _pictures(8), ("mov", "mkv"), ranges=("full",), colours=("bt601",), pcm_in=("mov",)
    ),
    "mpeg2": CodecKind(
        "mpeg2video",
        _pictures(8, chroma=("420", "422")),
        ("ts", "mkv", "mxf", "mov", "mp4"),
        interlaced=True,
        open_gops=True,
        rates=_MPEG2_RATES,
        ranges=("limited",),
    ),
}


def pixel_format(depth: int, chroma: Chroma) -> str:
    """libav's name of planar Y'CbCr with this many bits."""
    return f"yuv{chroma}p" if depth == 8 else f"yuv{chroma}p{depth}le"
