"""Arguments that several commands share, and how a command receives a run's options."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from copy import copy
from dataclasses import fields
from fractions import Fraction
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import typer

from ..options import (
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
from .values import (
    parse_crf,
    parse_language,
    parse_layout,
    parse_prompt,
    parse_rate,
    parse_seconds,
    parse_side_size,
)

_WORDS = "Words"
_Preset = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo"
]

# Paths are not `readable` here: the stages say what is wrong with one, and what to do.
SessionFile = Annotated[
    Path,
    typer.Argument(help="The session's description, session.toml.", metavar="SESSION.toml", readable=False),
]
Out = Annotated[
    Path,
    typer.Option(
        "--out", help="Output folder, with a folder for each session.", metavar="OUT", readable=False
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")]

OF_A_RUN: Mapping[str, Any] = {
    "turns": Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Turns to use (turns.json, .TextGrid or .eaf) instead of finding them.",
            readable=False,
        ),
    ],
    "pad": Annotated[
        Fraction,
        typer.Option(
            parser=parse_seconds,
            metavar="SECONDS",
            help="Time to show before and after each turn, within its dialogue.",
        ),
    ],
    "fps": Annotated[
        Fraction | None,
        typer.Option(
            parser=parse_rate, metavar="RATE", help="Frame rate of the clips; default: the left take's."
        ),
    ],
    "preset": Annotated[
        _Preset, typer.Option(help="Preset of libx264, or the nearest of NVENC; slower gives smaller files.")
    ],
    "crf": Annotated[
        Fraction,
        typer.Option(
            parser=parse_crf,
            metavar="N",
            help="CRF of libx264, or quantiser of NVENC, 0 to 51; lower is better quality.",
        ),
    ],
    "gop": Annotated[
        int | None,
        typer.Option(
            min=1, metavar="FRAMES", help="Frames between IDR pictures; default: two seconds' worth."
        ),
    ],
    "depth": Annotated[Literal[8, 10], typer.Option(help="Bit depth of the clips.")],
    "interlaced": Annotated[
        Interlaced,
        typer.Option(help="Interlaced takes: deinterlace, keep (both fields are of one moment), or refuse."),
    ],
    "lut": Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.cube", help="3-D LUT to Rec. 709, for takes without a `lut` of their own."
        ),
    ],
    "layout": Annotated[
        Collection[str],
        typer.Option(
            parser=parse_layout,
            metavar="PICTURES",
            help="Clips to make: composite, or composite,left,right for each side alone as well.",
        ),
    ],
    "side_size": Annotated[
        Size,
        typer.Option(parser=parse_side_size, metavar="WxH", help="Size of the clips of one side alone."),
    ],
    "clean": Annotated[
        Clean,
        typer.Option(
            help="Clean voices too: where both actors speak; all: also quieter in silence; off: none."
        ),
    ],
    "asr_model": Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of a Whisper model for CTranslate2; without one there is no transcript.",
            rich_help_panel=_WORDS,
            readable=False,
        ),
    ],
    "language": Annotated[
        str | None,
        typer.Option(
            parser=parse_language,
            metavar="CODE",
            help="Language spoken, such as zh; default: detected from the sound.",
            rich_help_panel=_WORDS,
        ),
    ],
    "prompt": Annotated[
        str,
        typer.Option(
            parser=parse_prompt,
            metavar="TEXT",
            help="Text that prompts the recogniser, such as names and spellings.",
            rich_help_panel=_WORDS,
        ),
    ],
    "hints": Annotated[
        Hints,
        typer.Option(
            help="What else prompts it from session.toml: each dialogue's topic, or topic and script.",
            rich_help_panel=_WORDS,
        ),
    ],
    "doubtful": Annotated[
        Doubtful,
        typer.Option(
            help="Text that may not have been spoken is flagged: keep it, or blank it.",
            rich_help_panel=_WORDS,
        ),
    ],
    "characters": Annotated[
        Characters, typer.Option(help="Chinese characters to write.", rich_help_panel=_WORDS)
    ],
    "punctuation": Annotated[
        Punctuation,
        typer.Option(help="Punctuation of Chinese: full (，), half (,) or none.", rich_help_panel=_WORDS),
    ],
    "profile": Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.toml",
            help="Rules by which clips are kept, instead of the usual ones; docs/quality.md shows how to "
            "copy those.",
            readable=False,
        ),
    ],
    "face_model": Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.onnx", help="Model that finds faces, instead of OpenCV's.", readable=False
        ),
    ],
    "person_model": Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.onnx",
            help="Model that finds the person's outline, instead of comparing with the backdrop.",
            readable=False,
        ),
    ],
    "device": Annotated[
        Device,
        typer.Option(
            help="Where to decode, compose and recognise words: on NVIDIA GPUs (cuda), on the cores (cpu), "
            "or on GPUs if there are any that decode the takes (auto). The clips are the "
            "same for the same --encoder; single letters of the words may differ."
        ),
    ],
    "encoder": Annotated[
        EncoderChoice,
        typer.Option(
            help="Encoder of the clips: libx264 on the cores, or NVENC on NVIDIA GPUs. auto: the one that "
            "made the clips in OUT; for a new OUT, a GPU's H.264 if --device has one that encodes, else "
            "libx264."
        ),
    ],
    "workers": Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            help="How much to do in parallel; 0: one per core. Does not change the output.",
        ),
    ],
}
"""The command-line option of each field of :class:`Options`, in the order of ``--help``.

Flag and default are the field's own."""


def takes_options(*shown: str, **instead: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command all options of a run as its parameter ``options``; ``--help`` lists `shown`, or all.

    All verbs accept the same options; one that a verb's stages do not depend on has no effect there.
    `instead` replaces this command's entries of :data:`OF_A_RUN`.
    """
    annotations = {
        name: instead.get(name, option) if name in shown or not shown else _hidden(option)
        for name, option in OF_A_RUN.items()
    }
    defaults = {field.name: _as_text(field.default) for field in fields(Options)}
    apart = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=defaults[name], annotation=annotations[name])
        for name in annotations
    ]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def called(**given: Any) -> None:
            command(options=Options(**{name: given.pop(name) for name in annotations}), **given)

        parameters: list[Parameter] = []
        for parameter in signature(command, eval_str=True).parameters.values():
            own = parameter.replace(kind=Parameter.KEYWORD_ONLY)
            parameters += apart if parameter.name == "options" else [own]
        called.__signature__ = signature(command).replace(parameters=parameters)  # type: ignore[attr-defined]
        return called

    return decorate


def _hidden(annotation: Any) -> Any:
    """An option that ``--help`` does not list."""
    kind, option = get_args(annotation)
    option = copy(option)
    option.hidden = True
    return Annotated[kind, option]


def _as_text(default: Any) -> Any:
    """A default of :class:`Options` as one would type it, where an option has a parser."""
    match default:
        case Fraction():
            return format(float(default), "g")
        case Size(width, height):
            return f"{width}x{height}"
        case tuple():
            return ",".join(default)
    return default
