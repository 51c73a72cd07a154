"""Arguments and options that several commands share, and how their texts become exact values."""

from __future__ import annotations

import re
from collections.abc import Collection
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

import typer

from ..descriptions import MAX_DIGITS
from ..options import (
    DEFAULT_CRF,
    DEFAULT_LAYOUT,
    DEFAULT_PAD,
    DEFAULT_PRESET,
    DEFAULT_SIDE_SIZE,
    PICTURES,
    Characters,
    Clean,
    Device,
    Doubtful,
    EncoderChoice,
    Hints,
    Interlaced,
    Options,
    Punctuation,
    Size,
)
from ..timeline import STANDARD_RATES

_WORDS = "Words"
PRESETS = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo"
]
_NEAR = Fraction(1, 200)
_FASTEST = 240
_SIZE = re.compile(r"([0-9]{1,5})x([0-9]{1,5})")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_SIDE_PIXELS = range(16, 4096 + 1, 2)
"""Width and height that a side alone may have: what encoders take, up to a 4K camera's own picture."""


def parse_rate(text: str) -> Fraction:
    """``25``, ``30000/1001``, or a rounded ``29.97``, which means the standard rate next to it."""
    try:
        rate = Fraction(text) if len(text) <= MAX_DIGITS and "e" not in text.lower() else Fraction(0)
    except (ValueError, ZeroDivisionError) as error:
        raise typer.BadParameter(f"{text!r} is no frame rate; write 25, 29.97 or 30000/1001") from error
    if not 1 <= rate <= _FASTEST:
        raise typer.BadParameter(f"{text} is not between 1 and {_FASTEST} frames a second")
    near = min(STANDARD_RATES, key=lambda standard: abs(standard - rate))
    return near if rate.denominator != 1 and abs(near - rate) < _NEAR else rate


def parse_seconds(text: str) -> Fraction:
    """A decimal number of seconds, zero or more."""
    value = parse_decimal(text)
    if value < 0:
        raise typer.BadParameter(f"{text} is negative")
    return value


def parse_crf(text: str) -> Fraction:
    """libx264's range: 0 (lossless) to 51."""
    value = parse_decimal(text)
    if not 0 <= value <= 51:
        raise typer.BadParameter(f"{text} is not between 0 and 51")
    return value


def parse_decimal(text: str) -> Fraction:
    """A finite decimal number, exactly."""
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise typer.BadParameter(f"{text!r} is no decimal number") from error
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or abs(exponent) > MAX_DIGITS or value.adjusted() > MAX_DIGITS:
        raise typer.BadParameter(f"{text} is not a number of at most {MAX_DIGITS} digits")
    return Fraction(value)


def parse_layout(text: str) -> frozenset[str]:
    """Names of pictures with commas between them; the composite is one of them."""
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in PICTURES:
            raise typer.BadParameter(f"{name!r} is none of the pictures {', '.join(PICTURES)}")
        if names.count(name) > 1:
            raise typer.BadParameter(f"{name} is named more than once")
    if PICTURES[0] not in names:
        raise typer.BadParameter(f"{text} lacks the composite, which is always made; write composite,{text}")
    return frozenset(names)


def parse_size(text: str) -> Size:
    """``1080x1920``: width and height in pixels."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is no size; write width and height, such as 1080x1920")
    return Size(int(match[1]), int(match[2]))


def parse_side_size(text: str) -> Size:
    """A size of even numbers."""
    size = parse_size(text)
    if not all(pixels in _SIDE_PIXELS for pixels in size):
        raise typer.BadParameter(
            f"{text} is not of even numbers from {_SIDE_PIXELS[0]} to {_SIDE_PIXELS[-1]} each way"
        )
    return size


def parse_language(text: str) -> str:
    """A code of two or three letters, as Whisper has them."""
    if _LANGUAGE.fullmatch(text) is None:
        raise typer.BadParameter(f"{text!r} is no language's code; write one such as zh or en")
    return text


# Paths are not `readable` here: the stages say what is wrong with one, and what to do.
SessionFile = Annotated[
    Path,
    typer.Argument(help="The session's description, session.toml.", metavar="SESSION.toml", readable=False),
]
Out = Annotated[
    Path,
    typer.Option(
        "--out", help="Output folder; each session gets a folder in it.", metavar="OUT", readable=False
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line instead of the human view.")]
Fps = Annotated[
    Fraction | None,
    typer.Option(
        "--fps", parser=parse_rate, metavar="RATE", help="Composite frame rate; default: the left take's."
    ),
]
Turns = Annotated[
    Path | None,
    typer.Option(
        "--turns",
        metavar="FILE",
        help="A turns.json, .TextGrid or .eaf instead of turns found from the sound.",
        readable=False,
    ),
]
Pad = Annotated[
    Fraction,
    typer.Option(
        "--pad",
        parser=parse_seconds,
        metavar="SECONDS",
        help="Shown before and after a turn, within its dialogue.",
    ),
]
Preset = Annotated[
    PRESETS, typer.Option("--preset", help="libx264's preset, or NVENC's nearest: slower is smaller.")
]
Crf = Annotated[
    Fraction,
    typer.Option(
        "--crf",
        parser=parse_crf,
        metavar="N",
        help="libx264's quality or NVENC's quantiser, 0 to 51; lower is better.",
    ),
]
Gop = Annotated[
    int | None,
    typer.Option(
        "--gop", min=1, metavar="FRAMES", help="From one IDR picture to the next; default: two seconds."
    ),
]
Depth = Annotated[Literal["8", "10"], typer.Option("--depth", help="Bits per sample of the clips' pictures.")]
Layout = Annotated[
    Collection[str],
    typer.Option(
        "--layout",
        parser=parse_layout,
        metavar="PICTURES",
        help="Pictures to make: composite, or composite,left,right for each side alone too.",
    ),
]
SideSize = Annotated[
    Size,
    typer.Option(
        "--side-size", parser=parse_side_size, metavar="WxH", help="Pixels of the pictures of a side alone."
    ),
]
CleanOption = Annotated[
    Clean,
    typer.Option(
        "--clean",
        help="Clean voices beside the untouched: in overlaps, also attenuated where silent (all), or off.",
    ),
]
Profile = Annotated[
    Path | None,
    typer.Option(
        "--profile",
        metavar="FILE.toml",
        help="What clips must be like in order to be kept, instead of the usual.",
        readable=False,
    ),
]
FaceModel = Annotated[
    Path | None,
    typer.Option(
        "--face-model", metavar="FILE.onnx", help="Find faces by this model, not by OpenCV.", readable=False
    ),
]
PersonModel = Annotated[
    Path | None,
    typer.Option(
        "--person-model",
        metavar="FILE.onnx",
        help="Find the person's outline by this model, not from the backdrop.",
        readable=False,
    ),
]
Workers = Annotated[
    int,
    typer.Option(
        "--workers", min=0, metavar="N", help="Chunks made at a time; 0: one for each core. Same output."
    ),
]
InterlacedOption = Annotated[
    Interlaced,
    typer.Option(
        "--interlaced",
        help="Frames of two fields: make whole ones, keep them (fields of one moment), or refuse.",
    ),
]
Lut = Annotated[
    Path | None,
    typer.Option(
        "--lut", metavar="FILE.cube", help="3-D table to Rec. 709 for takes that name no `lut` of their own."
    ),
]
AsrModel = Annotated[
    Path | None,
    typer.Option(
        "--asr-model",
        metavar="DIR",
        help="Folder of a Whisper model for CTranslate2, to find the words; without one there are none.",
        rich_help_panel=_WORDS,
        readable=False,
    ),
]
Language = Annotated[
    str | None,
    typer.Option(
        "--language",
        parser=parse_language,
        metavar="CODE",
        help="What is spoken, such as zh; default: found from the sound.",
        rich_help_panel=_WORDS,
    ),
]
Prompt = Annotated[
    str,
    typer.Option(
        "--prompt",
        metavar="TEXT",
        help="What the recogniser is told before it listens: names, spellings.",
        rich_help_panel=_WORDS,
    ),
]
HintsOption = Annotated[
    Hints,
    typer.Option(
        "--hints",
        help="What of session.toml's dialogues it is told besides: their topics, or their scripts too.",
        rich_help_panel=_WORDS,
    ),
]
DoubtfulOption = Annotated[
    Doubtful,
    EncoderChoice,
    typer.Option(
        "--doubtful",
        help="Text that nobody may have said is flagged: keep it, or blank it.",
        rich_help_panel=_WORDS,
    ),
]
CharactersOption = Annotated[
    Characters,
    typer.Option("--characters", help="How Chinese is written.", rich_help_panel=_WORDS),
]
PunctuationOption = Annotated[
    Punctuation,
    typer.Option("--punctuation", help="Chinese marks, Latin ones, or none.", rich_help_panel=_WORDS),
]
DeviceOption = Annotated[
    Device,
    typer.Option(
        "--device",
        help="Where to decode, compose and find words: on NVIDIA's GPUs (cuda), on the cores (cpu), or on "
        "GPUs where there are some that decode the takes. Same clips; of the words a letter may differ.",
    ),
]
Encoder = Annotated[
    EncoderChoice,
    typer.Option(
        "--encoder",
        help="What encodes the clips: the cores, or NVIDIA's GPUs. auto: what those in OUT are made by; "
        "for a new OUT a GPU's H.264 where --device has one that encodes, otherwise libx264.",
    ),
]

PAD_DEFAULT = format(float(DEFAULT_PAD), "g")
CRF_DEFAULT = format(float(DEFAULT_CRF), "g")
LAYOUT_DEFAULT = ",".join(DEFAULT_LAYOUT)
SIDE_SIZE_DEFAULT = f"{DEFAULT_SIDE_SIZE.width}x{DEFAULT_SIDE_SIZE.height}"


def make_options(
    *,
    fps: Fraction | None,
    turns: Path | None = None,
    pad: Fraction = DEFAULT_PAD,
    preset: str = DEFAULT_PRESET,
    crf: Fraction = DEFAULT_CRF,
    gop: int | None = None,
    depth: str = "8",
    interlaced: Interlaced = "deinterlace",
    lut: Path | None = None,
    layout: Collection[str] = DEFAULT_LAYOUT,
    side_size: Size = DEFAULT_SIDE_SIZE,
    clean: Clean = "overlaps",
    asr_model: Path | None = None,
    language: str | None = None,
    prompt: str = "",
    hints: Hints = "none",
    doubtful: Doubtful = "keep",
    characters: Characters = "keep",
    punctuation: Punctuation = "keep",
    profile: Path | None = None,
    face_model: Path | None = None,
    person_model: Path | None = None,
    device: Device = "auto",
    encoder: EncoderChoice = "auto",
    workers: int = 0,
) -> Options:
    """The options of a run from what the command line gave."""
    return Options(
        fps=fps, turns=turns, pad=pad, preset=preset, crf=crf, gop=gop, depth=int(depth),
        interlaced=interlaced, lut=lut, layout=layout, side_size=side_size, clean=clean,
        asr_model=asr_model, language=language, prompt=prompt, hints=hints, doubtful=doubtful,
        characters=characters, punctuation=punctuation,
        profile=profile, face_model=face_model, person_model=person_model, device=device,
        encoder=encoder, workers=workers,
    )  # fmt: skip
