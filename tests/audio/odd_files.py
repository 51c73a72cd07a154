"""Recorders' files of every kind, right and wrong: WAV chunk by chunk, the others by PyAV's encoders."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from emomedia import _core
from emomedia.probe.track import mic_track
from emomedia.probe.types import Track
from emomedia.session import Mic, Session, Side

UNKNOWN = 0xFFFFFFFF


def found_track(path: Path, channel: int = 0) -> Track:
    """The track that a session with this microphone has."""
    left = Side(actor="A", video=(Path("a.mp4"),), mic=Mic(path, channel))
    right = Side(actor="B", video=(Path("b.mp4"),))
    session = Session("s", path.parent / "session.toml", left, right)
    return mic_track(session, "left", _core.probe(str(path))["streams"])


def chunk(name: bytes, data: bytes, size: int | None = None) -> bytes:
    """A RIFF chunk; with `size` it lies about its length."""
    padding = b"\0" * (len(data) % 2)
    return name + struct.pack("<I", len(data) if size is None else size) + data + padding


def form(
    tag: int = 1, channels: int = 1, rate: int = 48_000, bits: int = 24, align: int | None = None
) -> bytes:
    """The content of a ``fmt `` chunk."""
    align = channels * bits // 8 if align is None else align
    return struct.pack("<HHIIHH", tag, channels, rate, rate * align & UNKNOWN, align & 0xFFFF, bits)


def packed24(samples: np.ndarray) -> bytes:
    """Values of 24 bits, [n] or [n, channels], as WAV holds them."""
    return samples.astype("<i4").reshape(-1, 1).view(np.uint8)[:, :3].tobytes()


def riff(*chunks: bytes, size: int | None = None, name: bytes = b"RIFF") -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return name + struct.pack("<I", len(body) if size is None else size) + body


def rf64(samples: np.ndarray, *between: bytes, name: bytes = b"RF64") -> bytes:
    """24-bit mono as RF64 (EBU Tech 3306): true sizes in ``ds64``, all ones in the chunks."""
    data = packed24(samples)
    sizes = struct.pack("<QQQI", 1 << 20, len(data), len(samples), 0)
    return riff(
        chunk(b"ds64", sizes),
        *between,
        chunk(b"fmt ", form()),
        chunk(b"data", data, UNKNOWN),
        size=UNKNOWN,
        name=name,
    )


def bext(time_reference: int) -> bytes:
    """A broadcast extension (EBU Tech 3285): when the recording began, in samples since midnight."""
    words = b"scene 1".ljust(256, b"\0") + b"recorder".ljust(32, b"\0") + b"\0" * 32
    return chunk(b"bext", words + b"2025-04-1809:30:00" + struct.pack("<QH", time_reference, 1) + b"\0" * 254)


def encode(
    path: Path,
    codec: str,
    sample_format: str,
    samples: np.ndarray,
    rate: int = 48_000,
    *,
    layout: str = "stereo",
    container_format: str | None = None,
) -> Path:
    """Write `samples` [n, channels], already in the type of `sample_format`, with one of PyAV's encoders."""
    with av.open(str(path), "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout, format=sample_format)
        stream.codec_context.options = {"strict": "experimental"}  # libav's own Vorbis
        container.start_encoding()
        size = stream.codec_context.frame_size or 1024
        for begin in range(0, len(samples), size):
            block = samples[begin : begin + size]
            shaped = block.T if sample_format.endswith("p") else block.reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(shaped), sample_format, layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, begin, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
