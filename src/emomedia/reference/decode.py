"""A take's frames the plain way: open each file, decode all of it in order, keep the frames asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from ..containers import opened
from ..errors import MediaError
from ..probe.types import Take
from .compose import Plane, Planes

if TYPE_CHECKING:
    import av.filter
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream


def planes_of(frame: VideoFrame) -> Planes:
    """The samples of a planar frame, without the padding of its rows."""
    sample = np.dtype(np.uint8 if frame.format.components[0].bits == 8 else "<u2")
    y, u, v = (_plane(frame, index, sample) for index in range(3))
    return y, u, v


def _plane(frame: VideoFrame, index: int, sample: np.dtype[np.uint8] | np.dtype[np.uint16]) -> Plane:
    plane = frame.planes[index]
    rows = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(-1, plane.line_size)
    samples: Plane = rows.view(sample)[:, : plane.width].copy()
    return samples


def _decoded(path: Path, stream: int, fields: str) -> Iterator[tuple[int, VideoFrame]]:
    """All whole frames of a video stream and their times; those outside its edit list are left out."""
    import av

    try:
        with opened(path) as container:
            video = next(video for video in container.streams.video if video.index == stream)
            every = (frame for packet in container.demux(video) for frame in _frames_in(packet))
            yield from every if fields == "progressive" else _deinterlaced(every, fields)
    except av.FFmpegError as error:
        raise MediaError(
            path,
            expected="frames that decode",
            found=str(error),
            remedy="check that the file plays, or copy it from the camera again",
        ) from error


def _frames_in(packet: Packet[VideoStream]) -> list[tuple[int, VideoFrame]]:
    """What comes out of the decoder for a packet: of a damaged one nothing, and decoding continues."""
    import av

    try:
        return [(frame.pts, frame) for frame in packet.decode() if frame.pts is not None]
    except av.FFmpegError:
        return []


def _deinterlaced(frames: Iterator[tuple[int, VideoFrame]], fields: str) -> Iterator[tuple[int, VideoFrame]]:
    """Frames of two fields made whole by libav's bwdif, one for one: the filter holds one frame back."""
    import av

    graph: av.filter.Graph | None = None
    times: list[int] = []
    for pts, frame in frames:
        if graph is None:
            graph = av.filter.Graph()
            parity = "tff" if fields == "top first" else "bff"
            source = graph.add_buffer(
                width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
            )
            made = graph.add("bwdif", f"mode=send_frame:deint=all:parity={parity}")
            graph.link_nodes(source, made, graph.add("buffersink")).configure()
        graph.push(frame)
        times.append(pts)
        yield from _pulled(graph, times)
    if graph is not None:
        graph.push(None)
        yield from _pulled(graph, times)


def _pulled(graph: av.filter.Graph, times: list[int]) -> Iterator[tuple[int, VideoFrame]]:
    import av

    while True:
        try:
            frame = cast("VideoFrame", graph.pull())
        except (av.BlockingIOError, av.EOFError):
            return
        yield times.pop(0), frame


def pictures(take: Take, wanted: Iterable[tuple[int, int]]) -> Iterator[Planes]:
    """The source pictures that are asked for by file and time, each as coded: not yet upright.

    Parameters
    ----------
    wanted : iterable of (file, pts)
        Index of the take's file and time in ticks of its video stream, in order of presentation; the
        same may be asked for again.  Where a damaged file has no such frame, the one before it stands in.
    """
    number = -1
    frames: Iterator[tuple[int, VideoFrame]] = iter(())
    shown: VideoFrame | None = None
    following: tuple[int, VideoFrame] | None = None
    held: Planes | None = None
    for file, pts in wanted:
        if file != number:
            number, held, shown = file, None, None
            frames = _decoded(take.files[file].path, take.files[file].stream, take.fields)
            following = next(frames, None)
        while following is not None and (shown is None or following[0] <= pts):
            shown, following, held = following[1], next(frames, None), None
        if shown is None:
            raise MediaError(
                take.files[file].path,
                expected="frames that decode",
                found="none",
                remedy="check that the file plays, or copy it from the camera again",
            )
        held = planes_of(shown) if held is None else held
        yield held
