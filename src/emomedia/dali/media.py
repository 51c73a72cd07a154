"""A window's pictures and sound, from its clip's own files, exact to the frame and to the sample.

Frame `n` of a clip is the one with the presentation time ``n / rate``.  Only the packets of a clip are read
from the key frame before the window on, up to the last that the window's frames need.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from itertools import chain
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..audio._pcm import pick, to_real
from ..audio.decode import decode
from ..containers import opened
from ..errors import MediaError, UnsupportedMediaError
from ..timeline import SAMPLE_RATE

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.reformatter import VideoReformatter
    from av.video.stream import VideoStream

Pictures = npt.NDArray[np.uint8]

_MATRICES = {1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020nc"}
"""libav's names of the matrices by H.273's numbers, those that composites may have."""


@dataclass(frozen=True, slots=True)
class Window:
    """Frames `first` to ``first + count - 1`` of a clip's file of `rate` frames a second."""

    path: Path
    rate: Fraction
    first: int
    count: int

    @property
    def end(self) -> int:
        return self.first + self.count


@dataclass(frozen=True, slots=True, eq=False)
class Excerpt:
    """A piece of a clip as it was encoded, for a decoder elsewhere.

    Attributes
    ----------
    mp4 : uint8[n]
        A whole MP4 file without sound.
    lead : int
        Frames in it before the window's first.
    matrix : str
        The pictures' Y'CbCr matrix, by libav's name.
    """

    mp4: npt.NDArray[np.uint8]
    lead: int
    matrix: str


def pictures(window: Window) -> Pictures:
    """The window's frames as R'G'B' of 8 bits, full range: uint8[count, height, width, 3].

    Converted by libswscale: matrix and range as the clip has them, chroma interpolated linearly.

    Raises
    ------
    MediaError, MediaNotFoundError
        The clip is not there, broken, or shorter than the window.
    """
    from av.video.reformatter import VideoReformatter

    with _video(window) as (container, video):
        codec, convert = video.codec_context, VideoReformatter()
        made = np.empty((window.count, codec.height, codec.width, 3), np.uint8)
        missing = set(range(window.count))
        for packet in chain(_packets(window, container, video), [None]):
            shown = packet is None or _number(window, video, packet.pts) >= window.first
            codec.skip_frame = "DEFAULT" if shown else "NONREF"  # no window needs them
            for frame in codec.decode(packet):
                place = _number(window, video, frame.pts) - window.first
                if place in missing:
                    made[place] = _rgb(convert, frame).to_ndarray()
                    missing.remove(place)
    if missing:
        raise _short(window, f"{len(missing)} fewer")
    return made


def excerpt(window: Window) -> Excerpt:
    """The packets that the window's frames need, in a file of their own.

    Raises
    ------
    MediaError, MediaNotFoundError
        As :func:`pictures`.
    """
    import av

    with _video(window) as (container, video):
        file, matrix = BytesIO(), _matrix(window, video)
        packets = _packets(window, container, video)
        key = next(packets)
        begin, lead = key.dts or 0, window.first - _number(window, video, key.pts)
        with av.open(file, "w", format="mp4") as output:
            stream = output.add_stream_from_template(video)
            stream.time_base = video.time_base
            for packet in chain([key], packets):
                packet.pts, packet.dts = (packet.pts or 0) - begin, (packet.dts or 0) - begin
                packet.stream = stream
                output.mux(packet)
    return Excerpt(np.frombuffer(file.getbuffer(), np.uint8), lead, matrix)


def voice(path: Path, first: int, count: int) -> npt.NDArray[np.float32]:
    """Samples ``first … first + count - 1`` of an actor's FLAC file, full scale 1.0: the file's very values.

    Raises
    ------
    MediaError, MediaNotFoundError
        The file is not there, broken, or shorter.
    """

    def refuse(begin: int, end: int) -> None:
        raise _unlike(path, "samples that decode", f"none from {begin} to {end - 1}")

    target = np.empty(count, np.float32)
    place = 0
    for block in decode(path, 0, SAMPLE_RATE, first, refuse):
        part = to_real(pick(block[: count - place], 0, 16 if block.dtype == np.int16 else 24))
        target[place : place + len(part)] = part
        place += len(part)
        if place == count:
            return target
    raise _unlike(path, f"{count} samples from {first} on", str(place))


@contextmanager
def _video(window: Window) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The clip opened for reading; libav's errors become emomedia's."""
    import av

    try:
        with opened(window.path) as container:
            if not container.streams.video:
                raise _unlike(window.path, "a clip", "no picture in it")
            yield container, container.streams.video[0]
    except av.FFmpegError as error:
        raise _unlike(window.path, "a clip that decodes", str(error)) from error


def _packets(window: Window, container: InputContainer, video: VideoStream) -> Iterator[Packet[VideoStream]]:
    """From the key frame at or before the window to the last packet that it needs, in order of decoding.

    A frame refers only to what was decoded before it, so the window is whole as soon as every frame from the
    key frame to the window's last has come.
    """
    needed: int | None = None
    for packet in _from_key_frame(window, container, video):
        number = _number(window, video, packet.pts)
        if packet.is_corrupt:
            raise _unlike(window.path, "whole packets", f"that of frame {number} cut short")
        needed = window.end - number if needed is None else needed
        yield packet
        needed -= number < window.end
        if needed == 0:
            return
    raise _short(window, f"{needed} fewer")


def _from_key_frame(
    window: Window, container: InputContainer, video: VideoStream
) -> Iterator[Packet[VideoStream]]:
    """All packets from the last key frame on that is shown no later than the window's first frame.

    Seeking goes by times of decoding, which lie before those of showing: what it finds may be a key frame
    within the window, and then is sought from further back.
    """
    tick = floor(window.first / window.rate / _time_base(video))
    while True:
        container.seek(tick, stream=video)
        packets = (packet for packet in container.demux(video) if packet.size)
        head = next(packets, None)
        if head is None or head.dts is None:
            raise _short(window, "none")
        if _number(window, video, head.pts) <= window.first:
            return chain([head], packets)
        tick = min(tick, head.dts) - 1


def _number(window: Window, video: VideoStream, pts: int | None) -> int:
    """Which frame of the clip is shown at `pts`."""
    number = None if pts is None else pts * _time_base(video) * window.rate
    if number is None or number.denominator != 1:
        raise _unlike(window.path, f"frames at {window.rate} a second", f"one at tick {pts}")
    return int(number)


def _time_base(video: VideoStream) -> Fraction:
    return Fraction(video.time_base or 0)


def _matrix(window: Window, video: VideoStream) -> str:
    code = video.codec_context.colorspace
    if code not in _MATRICES:
        raise UnsupportedMediaError(
            window.path,
            expected=f"a Y'CbCr matrix among {', '.join(_MATRICES.values())}",
            found=f"number {code} of H.273",
            remedy="leave the session out with `where`, or run it again with `lut` to Rec. 709",
        )
    return _MATRICES[code]


def _rgb(convert: VideoReformatter, frame: VideoFrame) -> VideoFrame:
    from av.video.reformatter import Interpolation as By

    accurate = By.BILINEAR | By.ACCURATE_RND | By.FULL_CHR_H_INT
    return convert.reformat(frame, format="rgb24", interpolation=accurate, threads=1)


def _short(window: Window, found: str) -> MediaError:
    return _unlike(window.path, f"frames {window.first} to {window.end - 1}", found)


def _unlike(path: Path, expected: str, found: str) -> MediaError:
    return MediaError(path, expected=expected, found=found, remedy="check the dataset with 'emomedia verify'")
