"""Small takes whose frames can be told apart, made with PyAV, and the probe's values for them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from emomedia.probe.types import Probe, Take, TakeFile, Track
from emomedia.session import Crop, Session, Side
from emomedia.timeline import FileFrames, TakeFrames
from plain import plain_take

LOSSLESS = {
    "libx264": {"qp": "0", "preset": "ultrafast", "bf": "2"},
    "libx265": {"x265-params": "lossless=1:bframes=2:log-level=error", "preset": "ultrafast"},
    "prores_ks": {"profile": "2"},
    "ffv1": {"level": "3"},
    "rawvideo": {},
}

CHROMA = {
    "420": ("4:2:0", (2, 2)),
    "422": ("4:2:2", (2, 1)),
    "444": ("4:4:4", (1, 1)),
    "440": ("4:4:0", (1, 2)),
}
"""By the digits in libav's name of a pixel format: chroma's name, luma pixels a sample across and down."""


@dataclass(frozen=True)
class Format:
    width: int = 50
    height: int = 90
    pix_fmt: str = "yuv420p"
    codec: str = "libx264"
    rotate: int = 0

    @property
    def bits(self) -> int:
        return next((bits for bits in (10, 12) if f"p{bits}" in self.pix_fmt), 8)

    @property
    def chroma(self) -> str:
        return CHROMA[self.pix_fmt.strip("yuvap")[:3]][0]

    @property
    def chroma_shape(self) -> tuple[int, int]:
        across, down = CHROMA[self.pix_fmt.strip("yuvap")[:3]][1]
        return -(-self.height // down), -(-self.width // across)


def flat(format: Format, value: int) -> list[np.ndarray]:
    """A picture of one grey: luma `value`, neutral chroma."""
    scale = 1 << (format.bits - 8)
    kind = np.uint16 if format.bits > 8 else np.uint8
    luma = np.full((format.height, format.width), value * scale, kind)
    return [luma, *(np.full(format.chroma_shape, 128 * scale, kind) for _ in range(2))]


def noisy(format: Format, seed: int) -> list[np.ndarray]:
    """Noise over all code values, coarse enough to survive a lossy codec as something lively."""
    rng = np.random.default_rng(seed)
    top = (1 << format.bits) - 1
    return [
        rng.integers(0, top + 1, (-(-p.shape[0] // 4), -(-p.shape[1] // 4)))
        .repeat(4, 0)
        .repeat(4, 1)[: p.shape[0], : p.shape[1]]
        .astype(p.dtype)
        for p in flat(format, 0)
    ]


def write(
    path: Path, pictures, format: Format = Format(), rate: Fraction = Fraction(25), first_pts: int = 0
) -> Path:
    """Encode `pictures`, each three planes, into `path`."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(format.codec, rate=rate, options=LOSSLESS[format.codec])
        stream.width, stream.height, stream.pix_fmt = format.width, format.height, format.pix_fmt
        stream.gop_size = 5
        for number, planes in enumerate(pictures):
            frame = av.VideoFrame(format.width, format.height, format.pix_fmt)
            for target, plane in zip(frame.planes, planes, strict=False):  # alpha is left as it is
                rows = np.frombuffer(target, np.uint8).reshape(-1, target.line_size).view(plane.dtype)
                rows[: plane.shape[0], : plane.shape[1]] = plane
            frame.pts, frame.time_base = first_pts + number, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def frames_of(path: Path) -> tuple[Fraction, np.ndarray, np.ndarray]:
    """Time base, times and keys of the file's frames, from its packets."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets = [
            (p.pts, p.is_keyframe) for p in container.demux(stream) if p.pts is not None and not p.is_discard
        ]
        packets.sort()
        pts = np.array([pts for pts, _ in packets], np.int64)
        return Fraction(stream.time_base), pts, np.flatnonzero([key for _, key in packets])


def make_take(
    paths, format: Format = Format(), rate: Fraction = Fraction(25), crop: Crop | None = None
) -> Take:
    files, frames, base = [], [], Fraction(0)
    for path in paths:
        time_base, pts, keys = frames_of(path)
        files.append(TakeFile(path, 0, "h264", keys))
        frames.append(FileFrames(time_base, base, pts))
        base += int(pts[-1] - pts[0]) * time_base + 1 / rate
    size = (format.width, format.height) if format.rotate % 180 == 0 else (format.height, format.width)
    return plain_take(
        tuple(files),
        TakeFrames(tuple(frames), 1 / rate),
        width=format.width,
        height=format.height,
        bit_depth=format.bits,
        chroma=format.chroma,
        rotate=format.rotate,
        crop=crop or Crop(0, 0, *size),
        rate=rate,
    )


def make_probe(left: Take, right: Take, rate: Fraction = Fraction(25)) -> Probe:
    def side(take):
        return Side(actor="A", video=tuple(file.path for file in take.files))

    def track(take):
        return Track(take.files[0].path, 1, 0, 48000, 24, "aac", False, True, Fraction(0))

    session = Session("s", left.files[0].path.parent / "session.toml", side(left), side(right))
    takes = {"left": left, "right": right}
    return Probe(session, takes, {name: track(take) for name, take in takes.items()}, rate)
