"""The options of a simulated session."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass, replace
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any

from ..descriptions import ID_RULE, Rule, check_rules, is_id
from ..session import SIDES, Crop, SideName
from .camera import Camera
from .pattern import MAX_INDEX
from .recorder import RecorderOptions
from .timing import TakeTimes, take_times

MOST_SECONDS = 4 * 3600
"""The sound is made in memory: 0.4 MB a second."""

SHORTEST_SECONDS = Fraction(3, 2)
"""Less holds no sentence."""

_FEWEST_FRAMES = 8
"""Of each file, so that it has intervals even where frames are missing."""

_DIALOGUE_SECONDS = 7
_RECORDED_DIALOGUE_SECONDS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulateOptions:
    """Choices for :func:`emomedia.simulate.simulate`; the same choices give the same files.

    Attributes
    ----------
    camera : Camera
        Of both sides.
    right_camera : Camera or None
        Another one for the right side.
    seconds : Fraction
        Session time at which both cameras stop; the left one starts at zero.
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

    camera: Camera = field(default_factory=Camera)
    right_camera: Camera | None = None
    seconds: Fraction = Fraction(14)
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
        check_rules(_rules(self), "simulate", self, self.camera)

    @classmethod
    def of(cls, right: dict[str, Any] | None = None, **choices: Any) -> SimulateOptions:
        """Options from the session's and the camera's choices mixed; `right` holds the right camera's own."""
        names = {choice.name for choice in fields(Camera)}
        camera = Camera(**{name: value for name, value in choices.items() if name in names})
        session = {name: value for name, value in choices.items() if name not in names}
        return cls(camera=camera, right_camera=replace(camera, **right) if right else None, **session)

    def camera_of(self, side: SideName) -> Camera:
        """The side's camera."""
        return self.right_camera if side == "right" and self.right_camera else self.camera

    def offset(self, side: SideName) -> Fraction:
        """Seconds on the session clock of the take's first frame."""
        return self.right_offset if side == "right" else Fraction(0)

    def times(self, side: SideName) -> TakeTimes:
        """When the frames of the side's take are."""
        seed = (self.seed, SIDES.index(side))
        return take_times(self.camera_of(side), self.seconds - self.offset(side), seed)

    def frame_count(self, side: SideName) -> int:
        """Frames of the side's take that are shown."""
        return self.times(side).count

    def footage(self) -> tuple[Fraction, Fraction]:
        """The stretch of the session clock that both takes cover, in seconds."""
        ends = [self.offset(side) + self.times(side).end for side in SIDES]
        return max(Fraction(0), self.right_offset), min(ends)

    def dialogue_count(self) -> int:
        """Number of dialogues to try for."""
        usual = _RECORDED_DIALOGUE_SECONDS if self.speech else _DIALOGUE_SECONDS
        return self.dialogues or max(1, floor(self.seconds / usual))

    def as_json(self) -> dict[str, Any]:
        """The options as values for JSON; exact numbers as text."""
        return {choice.name: _plain(getattr(self, choice.name)) for choice in fields(self)}


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction | Path):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, Crop):
        return [value.x, value.y, value.width, value.height]
    if is_dataclass(value):
        return {choice.name: _plain(getattr(value, choice.name)) for choice in fields(value)}
    return value


def _files_hold_frames(options: SimulateOptions) -> bool:
    return all(
        options.camera_of(side).parts * _FEWEST_FRAMES
        <= (options.seconds - options.offset(side)) * options.camera_of(side).fps
        for side in SIDES
    )


def _rules(options: SimulateOptions) -> list[Rule]:
    """Each option that can be wrong: its name, whether it is right, and what belongs there."""
    common = options.seconds - max(Fraction(0), options.right_offset)
    fastest = max(options.camera_of(side).fps for side in SIDES)
    return [
        ("seconds", SHORTEST_SECONDS <= options.seconds <= MOST_SECONDS, f"1.5 to {MOST_SECONDS} seconds"),
        ("seconds", options.seconds * fastest <= MAX_INDEX / 4, f"at most {MAX_INDEX // 4} frames"),
        ("parts", _files_hold_frames(options), f"files of {_FEWEST_FRAMES} frames or more"),
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
