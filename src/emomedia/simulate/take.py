"""Encoding one simulated take with the camera's own sound, into one MP4 file or several consecutive ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import cast

import av
import numpy as np

from ..files import atomic
from ..session import SideName
from ..timeline import SAMPLE_RATE
from .options import SimulateOptions
from .picture import Painter
from .sound import Sound

_AUDIO_BIT_RATE = 128_000
_AUDIO_BLOCK = 1024


class Stopped(Exception):
    """Encoding was called off."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a take, and which of the take's frames it holds."""

    path: Path
    first_frame: int
    frame_count: int


def parts_of(folder: Path, side: SideName, options: SimulateOptions) -> tuple[Part, ...]:
    """The files of a take, in order, each with nearly the same number of frames."""
    total = options.frame_count(side)
    edges = [total * number // options.parts for number in range(options.parts + 1)]
    numbers = [""] if options.parts == 1 else [f"_{number:02}" for number in range(1, options.parts + 1)]
    return tuple(
        Part(folder / f"{side}{number}.mp4", first, end - first)
        for number, (first, end) in zip(numbers, pairwise(edges), strict=True)
    )


def write_part(
    part: Part, painter: Painter, sound: Sound, options: SimulateOptions, advance: Callable[[], None]
) -> None:
    """Paint and encode one file of a take.

    Parameters
    ----------
    sound : float32[2, n]
        The camera's sound from the part's first frame to its end, at 48 kHz.
    advance : callable
        Called after each frame; what it raises ends the work, and no file is left.
    """
    bitexact = {"fflags": "+bitexact"}
    with atomic(part.path) as path, av.open(str(path), "w", format="mp4", options=bitexact) as container:
        video, audio = _video_stream(container, options), _audio_stream(container)
        blocks = _blocks(sound)
        for number in range(part.frame_count):
            frame = painter.paint(part.first_frame + number)
            frame.pts, frame.time_base = number, 1 / options.fps
            container.mux(video.encode(frame))
            for block in _due(blocks, Fraction(number + 1) / options.fps):
                container.mux(audio.encode(block))
            advance()
        for block in blocks:
            container.mux(audio.encode(block))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))


def _video_stream(container: av.container.OutputContainer, options: SimulateOptions) -> av.VideoStream:
    codec, settings = _codec(options)
    stream = cast(av.VideoStream, container.add_stream(codec, rate=options.fps, options=settings))
    stream.width, stream.height = options.coded_size
    stream.pix_fmt = "yuv420p" if options.depth == 8 else "yuv420p10le"
    context = stream.codec_context
    context.thread_count = 1  # what an encoder writes may depend on its number of threads
    context.color_range = 1  # limited
    context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709
    if options.codec == "hevc10":
        context.codec_tag = "hvc1"
    if options.rotate:
        stream.set_display_rotation(-options.rotate)
    return stream


def _codec(options: SimulateOptions) -> tuple[str, dict[str, str]]:
    """The encoder's name and settings: key frames at fixed places, one thread, the same on any machine."""
    common: dict[str, int | str] = {
        "keyint": options.gop,
        "min-keyint": options.gop,
        "scenecut": 0,
        "open-gop": int(options.open_gop),
        "bframes": options.bframes,
        "b-adapt": 0,
    }
    if options.codec == "h264":
        own: dict[str, int | str] = {"threads": 1, "lookahead-threads": 1, "cpu-independent": 1}
        name, key = "libx264", "x264-params"
    else:
        own = {"pools": "none", "frame-threads": 1, "log-level": "error"}
        name, key = "libx265", "x265-params"
    text = ":".join(f"{option}={value}" for option, value in (common | own).items())
    return name, {"preset": options.preset, "crf": str(options.crf), "flags": "+bitexact", key: text}


def _audio_stream(container: av.container.OutputContainer) -> av.AudioStream:
    exact = {"flags": "+bitexact"}
    stream = container.add_stream("aac", rate=SAMPLE_RATE, layout="stereo", options=exact)
    stream.bit_rate = _AUDIO_BIT_RATE
    return stream


def _blocks(sound: Sound) -> Iterator[av.AudioFrame]:
    for first in range(0, sound.shape[1], _AUDIO_BLOCK):
        block = np.ascontiguousarray(np.clip(sound[:, first : first + _AUDIO_BLOCK], -1, 1))
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, first, Fraction(1, SAMPLE_RATE)
        yield frame


def _due(blocks: Iterator[av.AudioFrame], seconds: Fraction) -> Iterator[av.AudioFrame]:
    """Blocks until one begins at `seconds` or later."""
    for block in blocks:
        yield block
        if (block.pts or 0) + _AUDIO_BLOCK >= seconds * SAMPLE_RATE:
            return
