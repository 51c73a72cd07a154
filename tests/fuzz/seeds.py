"""Seeds of the corpora: small files of every kind that an entry reads, made here rather than kept.

``python -m fuzz.seeds FOLDER`` writes ``FOLDER/<entry>/<name>``.
"""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Iterator
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any

import av
import numpy as np

from emomedia.interchange import eaf, textgrid, to_tiers
from emomedia.stages import as_read
from emomedia.turns import parse_turns

from .examples import CUBE, PLAN, SCRIPT, SESSION, SESSION_JSON, SPEECH, SYNC, TURNS, rows

VIDEO = [
    ("mp4", "libx264", "yuv420p", {}),
    ("mov", "libx264", "yuv422p10le", {"g": "1"}),
    ("mov", "prores_ks", "yuv422p10le", {}),
    ("mov", "mjpeg", "yuvj420p", {}),
    ("mp4", "libx265", "yuv420p10le", {"x265-params": "log-level=none"}),
    ("matroska", "libx264", "yuv420p", {}),
    ("matroska", "ffv1", "yuv420p", {}),
    ("webm", "libvpx-vp9", "yuv420p", {}),
    ("mpegts", "libx264", "yuv420p", {}),
    ("mxf", "mpeg2video", "yuv422p", {"intra_vlc": "1"}),
    ("avi", "mpeg4", "yuv420p", {}),
    ("ivf", "libvpx", "yuv420p", {}),
    ("h264", "libx264", "yuv420p", {}),
    ("hevc", "libx265", "yuv420p", {"x265-params": "log-level=none"}),
]
SOUND = [
    ("wav", "pcm_s24le"), ("w64", "pcm_s16le"), ("aiff", "pcm_s16be"), ("caf", "pcm_s16be"), ("flac", "flac"),
    ("adts", "aac"), ("mp3", "libmp3lame"), ("ogg", "libopus"), ("ipod", "alac"),
]  # fmt: skip

ENDINGS = [bytes(3), bytes([0, 0, 5 | 8]), bytes([20, 0, 1]), bytes([0, 90, 2])]
"""How a media input ends: libav's limit, the allocation that fails, options (see csrc/fuzz/media.cpp)."""


def write_video(path: Path, container: str, codec: str, pixels: str, options: dict[str, str]) -> None:
    """Four frames of 64x48 that differ."""
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
        for number in range(4):
            picture = np.full((48, 64, 3), 60 * number, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixels)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


def write_sound(path: Path, container: str, codec: str) -> None:
    """A hundredth of a second of a tone."""
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=48_000, layout="stereo")
        tone = (8000 * np.sin(np.arange(480) / 8)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(np.repeat(tone, 2)[None], format="s16", layout="stereo")
        frame.sample_rate, frame.pts = 48_000, 0
        resampler = av.AudioResampler(stream.codec_context.format, "stereo", 48_000)
        for part in resampler.resample(frame):
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))


def broadcast_wav() -> bytes:
    """A hundredth of a second with all that a recorder writes before it."""
    bext = bytes(320) + b"2025-04-1819:00:00" + struct.pack("<QH", 1 << 33, 1) + bytes(254)
    form = struct.pack("<HHIIHH", 1, 2, 48_000, 192_000, 4, 16)
    chunks = ((b"bext", bext), (b"iXML", b"<BWFXML/>"), (b"fmt ", form), (b"data", bytes(range(192)) * 10))
    body = b"WAVE" + b"".join(
        name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for name, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def media(scratch: Path) -> Iterator[tuple[str, bytes]]:
    """Every container and codec that the installed PyAV can write."""
    wanted = [(write_video, kind) for kind in VIDEO] + [(write_sound, kind) for kind in SOUND]
    for number, (write, kind) in enumerate(wanted):
        try:
            write(scratch, *kind)
        except (av.FFmpegError, ValueError) as error:
            print(f"no seed of {kind[0]} with {kind[1]}: {error}", file=sys.stderr)
            continue
        yield f"{kind[0]}-{kind[1]}", scratch.read_bytes() + ENDINGS[number % len(ENDINGS)]
        scratch.unlink()


def spool() -> Iterator[tuple[str, bytes]]:
    """Two packets, three parameter bytes, a measure, as csrc/engine/spool.h lays them out."""
    body = b"EMOSPL02" + struct.pack("<I", 3) + b"\1\2\3" + b"\x0a\x0b" + b"\x14"
    table = struct.pack("<QqQIIqQIIQ", 2, 100, 15, 2, 1, 101, 17, 1, 0, 2) + b"\0\3"
    end = struct.pack("<Q", len(body)) + b"EMOSPL02" + b"\0"
    yield "two", body + table + struct.pack("<Q", 0) + end
    yield "measured", body + table + struct.pack("<Qf", 1, 0.5) + end
    yield "none", b"EMOSPL02" + bytes(4) + bytes(24) + struct.pack("<Q", 12) + b"EMOSPL02" + b"\0"


def compose() -> Iterator[tuple[str, bytes]]:
    """A take's whole picture and a crop of it, at every turn and depth."""
    for flags in range(0, 128, 9):
        for crop in ((0, 0, 48, 48), (3, 7, 30, 31), (47, 40, 1, 1)):
            numbers = [61, 61, *crop, 22, 18]
            yield (
                f"{flags}-{crop[0]}",
                bytes(reversed([0, flags, *(n for value in numbers for n in (1, value))])),
            )


def descriptions() -> Iterator[tuple[str, str, bytes]]:
    """The examples of every description."""
    documents: list[tuple[str, Any]] = [
        ("turns", TURNS), ("plan", PLAN), ("probe", SESSION_JSON), ("sync", SYNC), ("script", SCRIPT),
        ("speech", SPEECH),
    ]  # fmt: skip
    yield "session", "whole", SESSION.encode()
    yield "profile", "whole", files("emomedia.quality").joinpath("profile.toml").read_bytes()
    yield "sound", "whole", broadcast_wav()
    for entry, value in documents:
        yield entry, "whole", json.dumps(value, ensure_ascii=False).encode()
    yield "cube", "whole", CUBE.encode()
    turns = parse_turns(as_read(TURNS), Path("turns.json"))
    yield "textgrid", "whole", textgrid.write(to_tiers(turns, textgrid.TICK)).encode()
    yield "eaf", "whole", eaf.write(to_tiers(turns, eaf.TICK)).encode()
    yield "clips", "whole", "".join(json.dumps(row) + "\n" for row in rows()).encode()


def all_seeds(scratch: Path) -> Iterator[tuple[str, str, bytes]]:
    """Entry, name and bytes of every seed."""
    for name, data in media(scratch):
        yield "media", name, data
        yield "sound", name, data
    yield from (("spool", name, data) for name, data in spool())
    yield from (("compose", name, data) for name, data in compose())
    yield from descriptions()


def write_seeds(folder: Path) -> int:
    """Write every seed, return their number."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for entry, name, data in all_seeds(folder / "scratch"):
        (folder / entry).mkdir(exist_ok=True)
        (folder / entry / name).write_bytes(data)
        count += 1
    return count


if __name__ == "__main__":
    print(f"{write_seeds(Path(sys.argv[1]))} seeds in {sys.argv[1]}")
