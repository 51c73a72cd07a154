"""Opening media with PyAV: the one place in Python where libav reads a file that somebody else made.

A session's files are untrusted: they may refer to other files, pretend to be a playlist, or never end.  So
only regular local files are opened, only by the demuxers that cameras and recorders need, on one thread, with
a time limit; the lists are the core's, in ``csrc/av/limits.h``.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import MediaNotFoundError

if TYPE_CHECKING:
    from av.container import InputContainer

TIMEOUT_SECONDS = 60.0
"""How long opening a file, or reading one packet of it, may take."""

MAX_STREAMS = 64

NONE = -1
"""No stream: see :func:`opened`."""

_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


@contextmanager
def opened(path: Path, only: int | None = None) -> Iterator[InputContainer]:
    """Open a media file for reading; its streams decode on one thread.

    Parameters
    ----------
    only : int, optional
        The one stream that is wanted.  Of the others libav decodes no pictures to find out what they are,
        which takes 0.2 s of a take in 4K; what is known of them is what the container says.  :data:`NONE`
        where that is enough of all.

    Raises
    ------
    MediaNotFoundError
        As :func:`regular_file`.
    av.FFmpegError
        libav cannot open the file, or what the ``with`` block asks of it fails: callers know what to say.
    """
    import av
    from av.codec.context import Flags

    from . import _core

    options = {
        "protocol_whitelist": "file",
        "format_whitelist": _core.DEMUXERS,
        "codec_whitelist": _core.DECODERS,
        "max_streams": str(MAX_STREAMS),
    }
    skipped: Any = {} if only is None else {"skip_frame": "all"}  # PyAV's stubs have text here
    regular_file(path)
    _limit_allocations(_core.MAX_ALLOCATION)
    # The scheme keeps a name with a colon in it from being taken for a protocol.
    with av.open(
        f"file:{path.absolute()}",
        options=options,
        stream_options=[{} if number == only else skipped for number in range(MAX_STREAMS)],
        timeout=TIMEOUT_SECONDS,
        metadata_errors="replace",
    ) as container:
        for stream in (*container.streams.video, *container.streams.audio):
            if stream.codec_context is not None:  # of a codec that libav does not know
                stream.codec_context.thread_count = 1
                stream.codec_context.thread_type = "NONE"
                stream.codec_context.flags |= Flags.bitexact
        yield container


@cache
def _limit_allocations(most: int) -> None:
    """Limit the allocations of PyAV's libav, which is not the core's.

    A file of 30 KB may claim an index of gigabytes.  PyAV does not offer it; symbols of the libraries that an
    extension module is linked to are found through it.
    """
    import av

    ctypes.CDLL(av._core.__file__).av_max_alloc(ctypes.c_size_t(most))


def regular_file(path: Path) -> os.stat_result:
    """Make sure that `path` is a file with an end, without opening it: a pipe would block for ever.

    Raises
    ------
    MediaNotFoundError
        There is nothing, it may not be looked at, or it is a folder, a pipe, a device or a socket.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise MediaNotFoundError(
            path,
            expected="a readable file",
            found=os.strerror(error.errno or 0).lower(),
            remedy="correct its path in session.toml, or its permissions",
        ) from error
    if not stat.S_ISREG(status.st_mode):
        raise MediaNotFoundError(
            path,
            expected="a regular file",
            found=_KINDS.get(stat.S_IFMT(status.st_mode), "something else"),
            remedy="name a media file",
        )
    return status
