"""A run's options: one frozen object, made by the command line or by any other caller."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from .descriptions import Rule, check_rules
from .machine import usable_cores

if TYPE_CHECKING:
    from .session import SideName

Interlaced = Literal["deinterlace", "keep", "refuse"]
Clean = Literal["overlaps", "all", "off"]
Device = Literal["auto", "cpu", "cuda"]
EncoderChoice = Literal["auto", "libx264", "h264_nvenc", "hevc_nvenc"]
Hints = Literal["none", "topic", "script"]
Doubtful = Literal["keep", "blank"]
"""What becomes of text that is still flagged after a second try."""

Characters = Literal["keep", "simplified", "traditional", "taiwan", "hongkong"]
"""Chinese characters as Whisper wrote them, simplified, traditional by OpenCC's standard, or as in Taiwan or
Hong Kong.  What was said stays: no place's vocabulary is put for another's."""

Punctuation = Literal["keep", "full", "half", "none"]
"""Marks as Whisper wrote them, Chinese, Latin, or none."""

PICTURES = ("composite", "left", "right")
"""What a layout may name: both sides as one picture, and each alone."""


class Size(NamedTuple):
    """Width and height of a picture in pixels."""

    width: int
    height: int


DEFAULT_PAD = Fraction(1, 10)
DEFAULT_PRESET = "veryfast"
DEFAULT_CRF = Fraction(20)
COMPOSITE_SIZE = Size(1920, 1080)
DEFAULT_LAYOUT = ("composite",)
DEFAULT_SIDE_SIZE = Size(960, 1080)
GOP_SECONDS = 2
"""Seconds from one IDR picture to the next: what a training loader decodes at most to reach a frame."""

MAX_FPS = 240
MAX_CRF = 51
SIDE_PIXELS = range(16, 4096 + 1, 2)
"""Width and height that a side alone may have: what encoders take, up to a 4K camera's own picture."""

AUDIO_BIT_RATE = 192_000
"""Bits per second of a clip's stereo AAC, half of them for a side alone; the FLAC files beside it hold the
very samples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Choices for the stages of one session.

    Attributes
    ----------
    fps : Fraction or None
        Composite frames per second; the left take's rate if None.
    turns : Path or None
        A turns.json, .eaf or .TextGrid to use instead of finding turns from the sound.
    pad : Fraction
        Seconds shown before and after a turn.
    preset : str
        libx264's preset; stands for one of NVENC's.
    crf : Fraction
        libx264's constant rate factor, or NVENC's quantiser; lower is better and larger.
    gop : int or None
        Frames from one IDR picture to the next; two seconds' worth if None.
    depth : int
        Bits per sample of the clips' pictures, 8 or 10.
    interlaced : {"deinterlace", "keep", "refuse"}
        What becomes of takes whose frames are two fields: whole frames made by a filter, the fields taken
        as they are (they are of one moment), or an error.
    lut : Path or None
        A 3-D table to Rec. 709 for takes whose description names none.
    layout : collection of str
        The pictures to make, of :data:`PICTURES`; the composite is always made.
    side_size : Size
        Of the pictures of one side alone; both numbers even.
    clean : {"overlaps", "all", "off"}
        Where clips get clean voices beside the untouched ones: where both actors speak; also, attenuated,
        where a track's own actor is silent; or nowhere.
    asr_model : Path or None
        Folder of the Whisper model that finds the words; without one there are none.
    language : str or None
        Whisper's code of what is spoken; found from the sound if None.
    prompt : str
        Text that prompts the recogniser before every passage: names, spellings.
    hints : {"none", "topic", "script"}
        What of a dialogue's description prompts it too: its topic, or that and its script.
    doubtful : {"keep", "blank"}
        What happens to text that is flagged as not spoken: it stays, or only its flags do.
    characters, punctuation : str
        How Chinese is written: as the model writes it (``keep``), or by :mod:`emomedia.asr.normal`.
    profile : Path or None
        What clips must be like in order to be kept, instead of emomedia's own profile.
    face_model, person_model : Path or None
        ONNX models by which faces and persons are found, instead of by OpenCV.
    device : {"auto", "cpu", "cuda"}
        Where to decode, compose and recognise; never shows in the clips, though a letter of the words may
        differ.  ``auto``: on GPUs where there are any.
    encoder : {"auto", "libx264", "h264_nvenc", "hevc_nvenc"}
        What encodes the clips.  ``auto``: what the output folder's clips are made by, or as
        :mod:`emomedia.encoder` chooses for a new one.
    workers : int
        Chunks made at a time; never shows in the output.
    """

    fps: Fraction | None = None
    turns: Path | None = None
    pad: Fraction = DEFAULT_PAD
    preset: str = DEFAULT_PRESET
    crf: Fraction = DEFAULT_CRF
    gop: int | None = None
    depth: int = 8
    interlaced: Interlaced = "deinterlace"
    lut: Path | None = None
    layout: Collection[str] = DEFAULT_LAYOUT
    side_size: Size = DEFAULT_SIDE_SIZE
    clean: Clean = "overlaps"
    asr_model: Path | None = None
    language: str | None = None
    prompt: str = ""
    hints: Hints = "none"
    doubtful: Doubtful = "keep"
    characters: Characters = "keep"
    punctuation: Punctuation = "keep"
    profile: Path | None = None
    face_model: Path | None = None
    person_model: Path | None = None
    device: Device = "auto"
    encoder: EncoderChoice = "auto"
    workers: int = 0

    def __post_init__(self) -> None:
        """Raises DescriptionError for a value that the command line would refuse, too."""
        check_rules(_rules(self), "options", self)

    def gop_frames(self, rate: Fraction) -> int:
        """Frames from one IDR picture to the next at `rate` frames per second."""
        return self.gop or max(1, round(GOP_SECONDS * rate))

    def encoding(self, rate: Fraction, encoder: str) -> dict[str, Any]:
        """What shapes the clips' bytes, as provenance records it; `encoder` is libav's name."""
        return {
            "encoder": encoder,
            "preset": self.preset,
            "crf": float(self.crf),
            "gop": self.gop_frames(rate),
            "depth": self.depth,
            "audio_bit_rate": AUDIO_BIT_RATE,
        }

    @property
    def sides(self) -> tuple[SideName, ...]:
        """The sides to make alone, left before right."""
        from .session import SIDES

        return tuple(side for side in SIDES if side in self.layout)

    @property
    def worker_count(self) -> int:
        """Workers to use: as many as asked for, or one for each usable core."""
        return self.workers or usable_cores()


_CHOICES = {
    "interlaced": Interlaced, "clean": Clean, "hints": Hints, "doubtful": Doubtful, "characters": Characters,
    "punctuation": Punctuation, "device": Device, "encoder": EncoderChoice,
}  # fmt: skip


def _rules(options: Options) -> list[Rule]:
    """Each option that can be wrong: its name, whether it is right, and what belongs there."""
    choices = {name: get_args(kind) for name, kind in _CHOICES.items()}
    return [
        ("fps", options.fps is None or 1 <= options.fps <= MAX_FPS, f"1 to {MAX_FPS}, or None"),
        ("pad", options.pad >= 0, "0 or more seconds"),
        ("crf", 0 <= options.crf <= MAX_CRF, f"0 to {MAX_CRF}"),
        ("gop", options.gop is None or options.gop >= 1, "1 or more, or None"),
        ("depth", options.depth in (8, 10), "8 or 10"),
        ("layout", set(options.layout) <= set(PICTURES), f"some of {', '.join(PICTURES)}"),
        (
            "side_size",
            all(pixels in SIDE_PIXELS for pixels in options.side_size),
            f"even numbers from {SIDE_PIXELS[0]} to {SIDE_PIXELS[-1]}",
        ),
        ("workers", options.workers >= 0, "0 or more"),
        *((name, getattr(options, name) in of, f"one of {', '.join(of)}") for name, of in choices.items()),
    ]
