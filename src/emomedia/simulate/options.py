"""What a simulated session shall be like."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any, Literal

from ..descriptions import ID_RULE, is_id
from ..errors import DescriptionError
from ..session import Crop, SideName
from .pattern import MAX_INDEX
from .recorder import RecorderOptions

Codec = Literal["h264", "hevc10"]

SMALLEST_SIDE, LARGEST_SIDE = 180, 8192
"""Pixels across below which the frames' marks no longer survive, and that no frame exceeds."""

MOST_SECONDS = 4 * 3600
"""The sound is made in memory: 0.4 MB a second."""

SHORTEST_SECONDS = Fraction(3, 2)
"""Less holds no sentence."""

_DIALOGUE_SECONDS = 7
_RECORDED_DIALOGUE_SECONDS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulateOptions:
    """Choices for :func:`emomedia.simulate.simulate`; the same choices give the same files.

    Attributes
    ----------
    size : (width, height)
        Upright pixels of both takes, even.
    fps : Fraction
        Frames per second of both takes.
    seconds : Fraction
        Session time at which both cameras stop; the left one starts at zero.
    codec : {"h264", "hevc10"}
        H.264 with 8 bits or HEVC with 10.
    preset, crf : str, int
        Of libx264 or libx265.  A camera's bit rate at 4K (60 Mbit/s) takes 20 of the one, about 12 of the
        other, which is then eight times as slow.
    gop : int
        Frames from one key frame to the next.
    open_gop : bool
        Whether frames shown before a key frame may refer to frames before it.
    bframes : int
        B-frames between two others, at most.
    rotate : {0, 90, 180, 270}
        The takes are stored so that they must be turned by this much clockwise to be upright, with a
        display matrix that says so.
    parts : int
        Consecutive files that each take is stored in.
    crop : Crop or None
        A crop for session.toml to declare, for both sides.
    right_offset : Fraction
        Seconds on the session clock of the right take's first frame; negative if it started earlier.
    recorder : RecorderOptions
        What the recorder writes, or that there is none.
    recorder_offset : Fraction
        Seconds on the session clock of the recorder's first sample, rounded to whole samples.
    drift_ppm : Fraction
        How much longer the recorder's second is than the session's, in millionths.
    bleed_db : float or None
        Level of a voice in the other actor's track against its level in its own; None for no bleed.
    noise_db : float or None
        Level of the recorder's noise in dB below full scale; None for digital silence.
    camera_distance : Fraction
        Metres from mouth to camera, by which the cameras hear everything later; declared.
    dialogues : int or None
        Number of dialogues; by the length of the session if None.
    speech : (left, right) tuples of Path, or None
        Recordings of single utterances to use instead of espeak-ng, in turn; the text of each is what
        a file of the same name with the suffix .txt says.
    declare_offsets, declare_dialogues : bool
        Whether session.toml says where the recordings lie on the session clock, and what is spoken when.
    session : str
        The session's id.
    seed : int
        For all that is left to chance.
    """

    size: tuple[int, int] = (2160, 3840)
    fps: Fraction = Fraction(25)
    seconds: Fraction = Fraction(14)
    codec: Codec = "h264"
    preset: str = "ultrafast"
    crf: int = 20
    gop: int = 25
    open_gop: bool = False
    bframes: int = 2
    rotate: int = 0
    parts: int = 1
    crop: Crop | None = None
    right_offset: Fraction = Fraction(0)
    recorder: RecorderOptions = field(default_factory=RecorderOptions)
    recorder_offset: Fraction = Fraction(0)
    drift_ppm: Fraction = Fraction(0)
    bleed_db: float | None = None
    noise_db: float | None = -66.0
    camera_distance: Fraction = Fraction(0)
    dialogues: int | None = None
    speech: tuple[tuple[Path, ...], tuple[Path, ...]] | None = None
    declare_offsets: bool = True
    declare_dialogues: bool = True
    session: str = "sim"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, right, expected in _rules(self):
            if not right:
                raise DescriptionError(
                    f"simulate: {name}",
                    expected=expected,
                    found=str(getattr(self, name)),
                    remedy="choose another value",
                )

    @property
    def depth(self) -> int:
        """Bits per sample of the pictures."""
        return 10 if self.codec == "hevc10" else 8

    @property
    def coded_size(self) -> tuple[int, int]:
        """Width and height of the takes as they are stored."""
        width, height = self.size
        return (height, width) if self.rotate % 180 else (width, height)

    def offset(self, side: SideName) -> Fraction:
        """Seconds on the session clock of the take's first frame."""
        return self.right_offset if side == "right" else Fraction(0)

    def frame_count(self, side: SideName) -> int:
        """Frames of the side's take."""
        return floor((self.seconds - self.offset(side)) * self.fps)

    def footage(self) -> tuple[Fraction, Fraction]:
        """The stretch of the session clock that both takes cover, in seconds."""
        ends = [self.offset(side) + self.frame_count(side) / self.fps for side in ("left", "right")]
        return max(Fraction(0), self.right_offset), min(ends)

    def dialogue_count(self) -> int:
        """Number of dialogues to try for."""
        usual = _RECORDED_DIALOGUE_SECONDS if self.speech else _DIALOGUE_SECONDS
        return self.dialogues or max(1, floor(self.seconds / usual))

    def as_json(self) -> dict[str, Any]:
        """The options as values for JSON; exact numbers as text."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


def _plain(value: Any) -> Any:
    match value:
        case Fraction() | Path():
            return str(value)
        case tuple():
            return [_plain(part) for part in value]
        case RecorderOptions():
            return value.as_json()
        case Crop():
            return [value.x, value.y, value.width, value.height]
        case _:
            return value


def _rules(options: SimulateOptions) -> list[tuple[str, bool, str]]:
    """Each option that can be wrong: its name, whether it is right, and what belongs there."""
    width, height = options.size
    even = width % 2 == 0 and height % 2 == 0
    common = options.footage()[1] - options.footage()[0] if options.fps > 0 else Fraction(0)
    return [
        ("size", even and min(width, height) >= SMALLEST_SIDE, f"even numbers, {SMALLEST_SIDE} or more"),
        ("size", max(width, height) <= LARGEST_SIDE, f"at most {LARGEST_SIDE} pixels"),
        ("fps", 1 <= options.fps <= 240, "1 to 240 frames per second"),
        ("seconds", SHORTEST_SECONDS <= options.seconds <= MOST_SECONDS, f"1.5 to {MOST_SECONDS} seconds"),
        ("seconds", options.seconds * options.fps <= MAX_INDEX / 2, f"at most {MAX_INDEX // 2} frames"),
        ("codec", options.codec in ("h264", "hevc10"), "h264 or hevc10"),
        ("crf", 0 <= options.crf <= 51, "0 to 51"),
        ("gop", 1 <= options.gop <= 1000, "1 to 1000 frames"),
        ("bframes", 0 <= options.bframes <= 8, "0 to 8"),
        ("rotate", options.rotate in (0, 90, 180, 270), "0, 90, 180 or 270 degrees"),
        ("parts", 1 <= options.parts <= 99, "1 to 99 files"),
        ("right_offset", common >= SHORTEST_SECONDS, "at least 1.5 seconds that both takes cover"),
        ("right_offset", abs(options.right_offset) <= options.seconds, "no more than the session's length"),
        ("recorder_offset", -600 <= options.recorder_offset <= options.seconds, "-600 to the end"),
        ("drift_ppm", abs(options.drift_ppm) <= 1000, "at most 1000 ppm either way"),
        ("camera_distance", 0 <= options.camera_distance <= 100, "0 to 100 metres"),
        ("dialogues", options.dialogues is None or options.dialogues >= 1, "1 or more"),
        ("speech", options.speech is None or all(options.speech), "at least one recording of each actor"),
        ("session", is_id(options.session), ID_RULE),
        ("seed", options.seed >= 0, "0 or more"),
    ]
