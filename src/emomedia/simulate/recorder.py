"""The recorder that the simulated actors' microphones are plugged into, and the files that it writes."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, cast, get_args

import av
import numpy as np
import numpy.typing as npt

from ..descriptions import Rule, check_rules
from ..files import atomic
from ..session import SIDES, SideName

FileFormat = Literal["wav16", "wav24", "wav32", "wavfloat", "rf64", "bwf", "flac", "m4a"]
Sound = npt.NDArray[np.float32]

RATES = (44_100, 48_000, 88_200, 96_000, 176_400, 192_000)
MOST_EXTRA_CHANNELS = 30

_BITS: dict[FileFormat, int | None] = {
    "wav16": 16, "wav24": 24, "wav32": 32, "wavfloat": 32, "rf64": 24, "bwf": 24, "flac": 24, "m4a": None,
}  # fmt: skip
_SUFFIXES = {"flac": ".flac", "m4a": ".m4a"}
_LAYOUTS = ("", "mono", "stereo", "3.0", "4.0", "5.0", "5.1")
_UNKNOWN = 0xFFFFFFFF
_AAC_BIT_RATE = 96_000
"""A second, of each channel."""

_BLOCK = 4096
_BEGAN = 34_200
"""Seconds after midnight at which session time is zero, for the file formats that store it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderOptions:
    """What the recorder writes.

    Attributes
    ----------
    used : bool
        Without a recorder the cameras' own sound is the track.
    file_format : str
        ``wav16``, ``wav24``, ``wav32`` (integers), ``wavfloat`` (32 bits), ``rf64`` and ``bwf`` (24 bits),
        ``flac`` (24 bits) or ``m4a`` (AAC, at most 96 kHz).
    sample_rate : int
        In Hz, one of :data:`RATES`.
    mix_channels : int
        Channels before the actors' own, each a mix of both voices, as mixers record it first.
    separate : bool
        One file for each actor instead of one for both.
    """

    used: bool = True
    file_format: FileFormat = "wav24"
    sample_rate: int = 48_000
    mix_channels: int = 0
    separate: bool = False

    def __post_init__(self) -> None:
        check_rules(self._rules(), "simulate: recorder", self)

    @property
    def bits(self) -> int | None:
        """Of one sample; None for lossy files."""
        return _BITS[self.file_format]

    def microphones(self) -> dict[SideName, tuple[str, int]]:
        """For each side its file's name and its channel; empty without a recorder."""
        if not self.used:
            return {}
        suffix = _SUFFIXES.get(self.file_format, ".wav")
        if self.separate:
            return {side: (f"recorder_{side}{suffix}", self.mix_channels) for side in SIDES}
        return {side: (f"recorder{suffix}", self.mix_channels + n) for n, side in enumerate(SIDES)}

    def _rules(self) -> list[Rule]:
        """Each choice that can be wrong: its name, whether it is right, and what belongs there."""
        aac, wide = self.file_format == "m4a", self.file_format not in _SUFFIXES
        return [
            ("file_format", self.file_format in get_args(FileFormat), ", ".join(get_args(FileFormat))),
            ("sample_rate", self.sample_rate in RATES, ", ".join(map(str, RATES))),
            ("sample_rate", not aac or self.sample_rate <= 96_000, "at most 96000 in m4a"),
            ("mix_channels", 0 <= self.mix_channels <= MOST_EXTRA_CHANNELS, f"0 to {MOST_EXTRA_CHANNELS}"),
            ("mix_channels", wide or self.mix_channels <= 4, "at most 4 in flac and m4a"),
        ]


def write_recordings(
    folder: Path, tracks: dict[SideName, Sound], options: RecorderOptions, first_second: Fraction
) -> None:
    """Write the recorder's files.

    Parameters
    ----------
    tracks : mapping by side of float32[n]
        What each microphone hears, at the recorder's rate; full scale 1.0.
    first_second : Fraction
        Session time of the first sample, for the formats that store when they began.
    """
    mix = sum(tracks.values()) * np.float32(0.5)
    mixes = [cast(Sound, mix)] * options.mix_channels
    files: dict[str, list[Sound]] = {}
    for side, (name, _) in options.microphones().items():
        files.setdefault(name, [*mixes]).append(tracks[side])
    for name, channels in files.items():
        with atomic(folder / name) as path:
            if options.file_format == "flac":
                _encode(path, "flac", "flac", channels, options.sample_rate)
            elif options.file_format == "m4a":
                _encode(path, "ipod", "aac", channels, options.sample_rate)
            else:
                _write_wav(path, channels, options, first_second)


def _integers(sound: npt.NDArray[np.float32], bits: int) -> npt.NDArray[np.int32]:
    scale = 1 << (bits - 1)
    return np.clip(np.rint(sound * np.float64(scale)), -scale, scale - 1).astype(np.int32)


def _write_wav(
    path: Path, channels: Sequence[Sound], options: RecorderOptions, first_second: Fraction
) -> None:
    together = np.stack(channels, axis=1)
    bits = options.bits or 0
    real = options.file_format == "wavfloat"
    if real:
        data = together.astype("<f4").tobytes()
    else:
        wide = _integers(together, bits).astype("<i4").reshape(-1, 1).view(np.uint8)
        data = wide[:, : bits // 8].tobytes()
    align = len(channels) * bits // 8
    rate = options.sample_rate
    form = struct.pack("<HHIIHH", 3 if real else 1, len(channels), rate, rate * align, align, bits)
    chunks = _chunk(b"fmt ", form)
    if options.file_format == "bwf":
        chunks = _chunk(b"bext", _bext(round((_BEGAN + first_second) * rate))) + chunks
    if options.file_format == "rf64":
        size = len(chunks) + len(data) + len(data) % 2 + 48
        sizes = struct.pack("<QQQI", size, len(data), len(together), 0)
        head, length = b"RF64" + struct.pack("<I", _UNKNOWN) + b"WAVE" + _chunk(b"ds64", sizes), _UNKNOWN
    else:
        size = 4 + len(chunks) + 8 + len(data) + len(data) % 2
        head, length = b"RIFF" + struct.pack("<I", size) + b"WAVE", len(data)
    with path.open("wb") as file:
        file.write(head + chunks + b"data" + struct.pack("<I", length))
        file.write(data)
        file.write(b"\0" * (len(data) % 2))


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _bext(time_reference: int) -> bytes:
    """EBU Tech 3285: a description, who made it, when, and its first sample since midnight."""
    words = b"simulated".ljust(256, b"\0") + b"emomedia".ljust(32, b"\0") + bytes(32)
    return words + b"2025-01-0109:30:00" + struct.pack("<QH", time_reference, 1) + bytes(254)


def _encode(path: Path, container_format: str, codec: str, channels: Sequence[Sound], rate: int) -> None:
    """FLAC of 24 bits, or AAC."""
    lossy = codec == "aac"
    kind, layout = ("fltp" if lossy else "s32"), _LAYOUTS[len(channels)]
    exact = {"flags": "+bitexact"}
    options = exact if lossy else exact | {"bits_per_raw_sample": "24"}
    together = np.stack(channels)
    with av.open(str(path), "w", format=container_format, options={"fflags": "+bitexact"}) as container:
        stream = cast(
            av.AudioStream,
            container.add_stream(codec, rate=rate, layout=layout, format=kind, options=options),
        )
        if lossy:
            stream.bit_rate = _AAC_BIT_RATE * len(channels)
        for first in range(0, together.shape[1], _BLOCK):
            block = together[:, first : first + _BLOCK]
            shaped = np.clip(block, -1, 1) if lossy else (_integers(block, 24) << 8).T.reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(shaped), kind, layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, first, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
