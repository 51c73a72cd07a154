"""What the quality stage reads of a clip's files: its frames, some of its key frames, a voice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..containers import NONE, opened
from ..errors import MediaError
from ..voice.compiled import compiled
from .people import Picture
from .pixels import values_of
from .views import View, Views

Values = npt.NDArray[np.float32]


def colour_range(path: Path) -> str:
    """``limited`` or ``full``, as the clip's stream is tagged."""
    for frame in _frames(path):
        return _range(frame)
    raise _unreadable(path, "no picture")


def clip_values(path: Path) -> tuple[Values, int, str]:
    """Decode a composite clip: its frames' values, the pixels of a half, and its range.

    Returns
    -------
    float32[frames, 2 · PER_HALF], int, {"limited", "full"}

    Raises
    ------
    MediaError
        It does not decode.
    """
    found, pixels, tagged = [], 0, "limited"
    for frame in _frames(path):
        luma, depth = _plane(frame, 0), frame.format.components[0].bits
        pixels, tagged = luma.size // 2, _range(frame)
        found.append(values_of(luma, depth, tagged))
    if not found:
        raise _unreadable(path, "no picture")
    return np.array(found), pixels, tagged


def key_views(path: Path, most: int, views: Views) -> list[View]:
    """Up to `most` key frames, evenly spread, of which those in `views` are not decoded again.

    A key frame is known by its packet and its stream's parameters: all that its picture depends on.
    """
    import av

    found = []
    try:
        with opened(path, only=NONE) as container:
            stream = container.streams.video[0]
            keys = [
                packet.pts or 0 for packet in container.demux(stream) if packet.is_keyframe and packet.size
            ]
            for number in spread(len(keys), most):
                container.seek(keys[number], stream=stream)
                packet = next(container.demux(stream))
                parameters = stream.codec_context.extradata or b""
                key = hashlib.sha256(b"%d:" % len(parameters) + parameters + bytes(packet)).digest()
                found.append(views.of(key, partial(_decoded, packet, stream.codec_context)))
    except av.FFmpegError as error:
        raise _unreadable(path, str(error)) from error
    except (StopIteration, IndexError) as error:
        raise _unreadable(path, "no picture") from error
    return found


def _decoded(packet: Any, decoder: Any) -> View:
    """A key frame's picture; no frame behind it is decoded."""
    return _view([*packet.decode(), *decoder.decode(None)][0])


def later_views(path: Path, count: int) -> list[View]:
    """So many frames, evenly spread behind the first one, of a short clip: all are decoded."""
    frames = list(_frames(path))[1:]
    return [_view(frames[place]) for place in spread(len(frames), count)]


def _view(frame: Any) -> View:
    return View(halves(_planes(frame)), _range(frame))


def voice(path: Path) -> npt.NDArray[np.float32]:
    """A FLAC file's samples, full scale 1.0."""
    import av

    try:
        with opened(path) as container:
            stream = container.streams.audio[0]
            blocks = [_real(frame.to_ndarray().reshape(-1)) for frame in container.decode(stream)]
    except av.FFmpegError as error:
        raise _unreadable(path, str(error)) from error
    except IndexError as error:
        raise _unreadable(path, "no sound") from error
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def _real(samples: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    return samples.astype(np.float32) * np.float32(1 / (1 << (8 * samples.dtype.itemsize - 1)))


def _frames(path: Path) -> Iterator[Any]:
    import av

    try:
        with opened(path, only=NONE) as container:
            yield from container.decode(container.streams.video[0])
    except av.FFmpegError as error:
        raise _unreadable(path, str(error)) from error
    except IndexError as error:
        raise _unreadable(path, "no picture") from error


def _unreadable(path: Path, found: str) -> MediaError:
    return MediaError(
        path, expected="a clip that decodes", found=found, remedy="delete the clip and run the session again"
    )


def _range(frame: Any) -> str:
    return "full" if int(frame.color_range) == 2 else "limited"


def spread(count: int, most: int) -> list[int]:
    """Up to `most` of `count` indices, evenly spread."""
    if count <= most:
        return list(range(count))
    return [(2 * number + 1) * count // (2 * most) for number in range(most)]


def _plane(frame: Any, number: int) -> npt.NDArray[Any]:
    plane = frame.planes[number]
    kind = np.dtype("<u2" if frame.format.components[0].bits > 8 else np.uint8)
    rows = np.frombuffer(plane, kind).reshape(plane.height, plane.line_size // kind.itemsize)
    result: npt.NDArray[Any] = rows[:, : plane.width]
    return result


def _planes(frame: Any) -> list[npt.NDArray[Any]]:
    """The three planes of a frame, in code values of 8 bits."""
    shift = frame.format.components[0].bits - 8
    planes = [_plane(frame, number) for number in range(3)]
    return [plane >> shift for plane in planes] if shift else planes


def halves(planes: Sequence[npt.NDArray[Any]]) -> tuple[Picture, Picture]:
    """Both halves of a 4:2:0 composite as uint8[height, width, 3], a quarter as wide and high, by means."""
    height, width = (edge // 4 for edge in planes[0].shape)
    picture = np.empty((height, width, 3), np.uint8)
    for number, plane in enumerate(planes):
        _average(plane, 2 if number else 4, picture[..., number])
    middle = picture.shape[1] // 2
    return picture[:, :middle], picture[:, middle:]


@compiled
def _average(plane: npt.NDArray[Any], size: int, means: npt.NDArray[np.uint8]) -> None:
    """Rounded means of blocks of `size` × `size` of code values of 8 bits."""
    height, width = means.shape
    columns = np.empty(width * size, np.uint16)
    for y in range(height):
        columns[:] = 0
        for row in range(y * size, (y + 1) * size):
            for x in range(width * size):
                columns[x] += plane[row, x]
        for x in range(width):
            total = size * size // 2
            for column in range(x * size, (x + 1) * size):
                total += columns[column]
            means[y, x] = total // (size * size)
