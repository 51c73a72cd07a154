"""Encoding one simulated take with the camera's own sound, into one file or several consecutive ones."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from pathlib import Path
from typing import Any, cast

import av
import numpy as np

from ..files import atomic
from ..session import SideName
from ..timeline import SAMPLE_RATE
from .camera import Camera
from .codecs import CODECS, FORMATS, pixel_format
from .colour import CODINGS
from .encoding import settings
from .options import SimulateOptions
from .pattern import MAX_INDEX
from .picture import Painter
from .sound import Sound
from .timing import FileTimes, TakeTimes

_AUDIO_BIT_RATE = 128_000
_AUDIO_BLOCK = 1024
_FULL_TURN = 1 << 16
"""One in a display matrix."""


class Stopped(Exception):
    """Encoding was called off."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a take: where it is written, its shown frames, and its first one's timecode."""

    path: Path
    times: FileTimes
    timecode: str | None

    @property
    def first_frame(self) -> int:
        return self.times.first_frame

    @property
    def frame_count(self) -> int:
        return len(self.times.pts)


def parts_of(folder: Path, side: SideName, options: SimulateOptions) -> tuple[Part, ...]:
    """The files of a take, in order, each with nearly the same number of frames."""
    camera, files = options.camera_of(side), options.times(side).files
    numbers = [""] if len(files) == 1 else [f"_{number:02}" for number in range(1, len(files) + 1)]
    return tuple(
        Part(folder / f"{side}{number}.{camera.suffix}", times, _timecode(camera, times))
        for number, times in zip(numbers, files, strict=True)
    )


def _timecode(camera: Camera, times: FileTimes) -> str | None:
    """The timecode of a file's first frame, counted without dropping numbers."""
    if camera.timecode is None:
        return None
    rate = round(camera.fps)
    hours, minutes, seconds, frames = map(int, camera.timecode.split(":"))
    count = ((hours * 60 + minutes) * 60 + seconds) * rate + frames + round(times.base * camera.fps)
    seconds, frames = divmod(count, rate)
    return f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{frames:02}"


def write_part(
    part: Part, painter: Painter, sound: Sound, camera: Camera, take: TakeTimes, advance: Callable[[], None]
) -> None:
    """Paint and encode one file of a take.

    The encoder gets the frames' numbers, and its packets then get the frames' times: so
    what it does can't depend on them.

    Parameters
    ----------
    sound : float32[2, n]
        The camera's sound to the part's end, at 48 kHz; it begins ``camera.late`` before the first frame.
    advance : callable
        Called after each frame; what it raises ends the work, and no file is left.
    """
    clock = _Clock(camera, part.times, take)
    options = _muxer_options(camera)
    with (
        _same_scheduling(),
        atomic(part.path) as path,
        av.open(str(path), "w", format=FORMATS[camera.suffix], options=options) as container,
    ):
        if part.timecode:
            container.metadata["timecode"] = part.timecode
        video, audio = _video_stream(container, camera), _audio_stream(container, camera)
        blocks = _blocks(sound, camera)
        tag = _field_tagger(camera)
        for number, frame in enumerate(_painted(part, painter, camera)):
            frame.pts, frame.time_base = number, 1 / camera.fps
            container.mux(clock.timed(video.encode(tag(frame))))
            for block in _due(blocks, clock.seconds(number + 1)):
                container.mux(audio.encode(block))
            advance()
        for block in blocks:
            container.mux(audio.encode(block))
        container.mux(clock.timed(video.encode(None)))
        container.mux(audio.encode(None))


@contextmanager
def _same_scheduling() -> Iterator[None]:
    """The system schedules this thread as before: libsvtav1, run by root, makes it a real-time one."""
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        if os.sched_getscheduler(0) != policy:
            os.sched_setscheduler(0, policy, parameters)


def _painted(part: Part, painter: Painter, camera: Camera) -> Iterator[av.VideoFrame]:
    """The part's frames; the hidden ones before them carry numbers that no shown frame has."""
    for number in range(camera.hidden):
        yield painter.paint(part.first_frame, mark=MAX_INDEX - number)
    for index in range(part.first_frame, part.first_frame + part.frame_count):
        yield painter.paint(index)


class _Clock:
    """Gives the encoder's frame numbers their times in the file."""

    def __init__(self, camera: Camera, times: FileTimes, take: TakeTimes) -> None:
        self._step = max(1, round(take.interval / take.time_base))
        self._time_base = take.time_base
        self._hidden = camera.hidden
        self._pts = times.pts
        self._start = camera.start + camera.late
        self._first = round((camera.start + camera.late) / take.time_base)

    def _tick(self, number: int) -> int:
        """Ticks from the first shown frame to frame `number` of the file; any number."""
        shown = number - self._hidden
        if shown < 0:
            return shown * self._step
        beyond = shown - len(self._pts) + 1
        return self._pts[-1] + beyond * self._step if beyond > 0 else self._pts[shown]

    def timed(self, packets: list[av.Packet[Any]]) -> list[av.Packet[Any]]:
        for packet in packets:
            number, order = cast(int, packet.pts), cast(int, packet.dts)
            packet.pts, packet.dts = self._first + self._tick(number), self._first + self._tick(order)
            packet.duration = self._tick(number + 1) - self._tick(number)
            packet.time_base = self._time_base
        return packets

    def seconds(self, number: int) -> Fraction:
        """The container's time of frame `number` of the file, in seconds."""
        return self._start + self._tick(number) * self._time_base


def _muxer_options(camera: Camera) -> dict[str, str]:
    options = {"fflags": "+bitexact"}
    if camera.suffix in ("mp4", "mov"):
        ticks = (1 / camera.time_base).numerator
        # Edits of picture and sound both in whole ticks.
        options |= {"video_track_timescale": str(ticks), "movie_timescale": str(lcm(ticks, SAMPLE_RATE))}
    if camera.suffix == "ts":
        options["mpegts_copyts"] = "1"
    if camera.suffix != "mkv":
        options["avoid_negative_ts"] = "disabled"
    return options


def _video_stream(container: av.container.OutputContainer, camera: Camera) -> av.VideoStream:
    if camera.codec == "av1":
        os.environ.setdefault("SVT_LOG", "1")  # the encoder's only way to be told to print errors alone
    encoder = CODECS[camera.codec].encoder
    stream = cast(av.VideoStream, container.add_stream(encoder, rate=camera.fps, options=settings(camera)))
    stream.width, stream.height = camera.coded_size
    stream.pix_fmt = pixel_format(camera.depth, camera.chroma)
    context, coding = stream.codec_context, CODINGS[camera.colour]
    context.thread_count = 1  # what an encoder writes may depend on its number of threads
    context.color_range = 2 if camera.range == "full" else 1
    context.colorspace, context.color_primaries = coding.matrix, coding.primaries
    context.color_trc = coding.transfer
    if camera.codec == "hevc" and camera.suffix in ("mp4", "mov"):
        context.codec_tag = "hvc1"
    if camera.rotate or camera.mirrored:
        stream.set_display_matrix(_display_matrix(camera))
    return stream


def _display_matrix(camera: Camera) -> list[int]:
    """A clockwise turn, then a mirror image, as QuickTime's nine numbers: a, b, u, c, d, v, x, y, w."""
    a, b, c, d = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}[camera.rotate]
    if camera.mirrored:
        a, c = -a, -c
    return [a * _FULL_TURN, b * _FULL_TURN, 0, c * _FULL_TURN, d * _FULL_TURN, 0, 0, 0, 1 << 30]


def _field_tagger(camera: Camera) -> Callable[[av.VideoFrame], av.VideoFrame]:
    """Flags frames as interlaced, as encoders want them to be; PyAV can do so by a filter alone."""
    if camera.interlaced is None:
        return lambda frame: frame
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=camera.coded_size[0],
        height=camera.coded_size[1],
        format=av.VideoFormat(pixel_format(camera.depth, camera.chroma)),
        time_base=1 / camera.fps,
    )
    fields, sink = graph.add("setfield", camera.interlaced), graph.add("buffersink")
    source.link_to(fields)
    fields.link_to(sink)
    graph.configure()

    def tagged(frame: av.VideoFrame) -> av.VideoFrame:
        graph.push(frame)
        return cast(av.VideoFrame, graph.pull())

    return tagged


def _audio_stream(container: av.container.OutputContainer, camera: Camera) -> av.AudioStream:
    exact = {"flags": "+bitexact"}
    if camera.pcm:
        return container.add_stream("pcm_s16le", rate=SAMPLE_RATE, layout="stereo", options=exact)
    stream = container.add_stream("aac", rate=SAMPLE_RATE, layout="stereo", options=exact)
    stream.bit_rate = _AUDIO_BIT_RATE
    return stream


def _blocks(sound: Sound, camera: Camera) -> Iterator[av.AudioFrame]:
    start = round(camera.start * SAMPLE_RATE)
    for first in range(0, sound.shape[1], _AUDIO_BLOCK):
        block = np.ascontiguousarray(np.clip(sound[:, first : first + _AUDIO_BLOCK], -1, 1))
        if camera.pcm:
            values = np.rint(block.T.reshape(1, -1) * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(values, format="s16", layout="stereo")
        else:
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start + first, Fraction(1, SAMPLE_RATE)
        yield frame


def _due(blocks: Iterator[av.AudioFrame], seconds: Fraction) -> Iterator[av.AudioFrame]:
    """Blocks until one ends at `seconds` or later."""
    for block in blocks:
        yield block
        if (block.pts or 0) + block.samples >= seconds * SAMPLE_RATE:
            return
