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
        "--out", help="Output folder; each session gets a folder in it.", metavar="OUT", readable=False
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line instead of the human view.")]

OF_A_RUN: Mapping[str, Any] = {
    "turns": Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A turns.json, .TextGrid or .eaf instead of turns found from the sound.",
            readable=False,
        ),
    ],
    "pad": Annotated[
        Fraction,
        typer.Option(
            parser=parse_seconds,
            metavar="SECONDS",
            help="Shown before and after a turn, within its dialogue.",
        ),
    ],
    "fps": Annotated[
        Fraction | None,
        typer.Option(
            parser=parse_rate, metavar="RATE", help="Composite frame rate; default: the left take's."
        ),
    ],
    "preset": Annotated[
        _Preset, typer.Option(help="libx264's preset, or NVENC's nearest: slower is smaller.")
    ],
    "crf": Annotated[
        Fraction,
        typer.Option(
            parser=parse_crf,
            metavar="N",
            help="libx264's quality or NVENC's quantiser, 0 to 51; lower is better.",
        ),
    ],
    "gop": Annotated[
        int | None,
        typer.Option(min=1, metavar="FRAMES", help="From one IDR picture to the next; default: two seconds."),
    ],
    "depth": Annotated[Literal[8, 10], typer.Option(help="Bits per sample of the clips' pictures.")],
    "interlaced": Annotated[
        Interlaced,
        typer.Option(
            help="Frames of two fields: make whole ones, keep them (fields of one moment), or refuse."
        ),
    ],
    "lut": Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.cube", help="3-D table to Rec. 709 for takes that name no `lut` of their own."
        ),
    ],
    "layout": Annotated[
        Collection[str],
        typer.Option(
            parser=parse_layout,
            metavar="PICTURES",
            help="Pictures to make: composite, or composite,left,right for each side alone too.",
        ),
    ],
    "side_size": Annotated[
        Size,
        typer.Option(parser=parse_side_size, metavar="WxH", help="Pixels of the pictures of a side alone."),
    ],
    "clean": Annotated[
        Clean,
        typer.Option(
            help="Clean voices beside the untouched: in overlaps, also attenuated where silent (all), or off."
        ),
    ],
    "asr_model": Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of a Whisper model for CTranslate2, to find the words; without one there are none.",
            rich_help_panel=_WORDS,
            readable=False,
        ),
    ],
    "language": Annotated[
        str | None,
        typer.Option(
            parser=parse_language,
            metavar="CODE",
            help="What is spoken, such as zh; default: found from the sound.",
            rich_help_panel=_WORDS,
        ),
    ],
    "prompt": Annotated[
        str,
        typer.Option(
            parser=parse_prompt,
            metavar="TEXT",
            help="What the recogniser is told before it listens: names, spellings.",
            rich_help_panel=_WORDS,
        ),
    ],
    "hints": Annotated[
        Hints,
        typer.Option(
            help="What of session.toml's dialogues it is told besides: their topics, or their scripts too.",
            rich_help_panel=_WORDS,
        ),
    ],
    "doubtful": Annotated[
        Doubtful,
        typer.Option(
            help="Text that nobody may have said is flagged: keep it, or blank it.", rich_help_panel=_WORDS
        ),
    ],
    "characters": Annotated[Characters, typer.Option(help="How Chinese is written.", rich_help_panel=_WORDS)],
    "punctuation": Annotated[
        Punctuation, typer.Option(help="Chinese marks, Latin ones, or none.", rich_help_panel=_WORDS)
    ],
    "profile": Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.toml",
            help="What clips must be like in order to be kept, instead of the usual rules; docs/quality.md "
            "tells how to copy those.",
            readable=False,
        ),
    ],
    "face_model": Annotated[
        Path | None,
        typer.Option(metavar="FILE.onnx", help="Find faces by this model, not by OpenCV.", readable=False),
    ],
    "person_model": Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.onnx",
            help="Find the person's outline by this model, not from the backdrop.",
            readable=False,
        ),
    ],
    "device": Annotated[
        Device,
        typer.Option(
            help="Where to decode, compose and find words: on NVIDIA's GPUs (cuda), on the cores (cpu), or "
            "on GPUs where there are some that decode the takes. Same clips from the same --encoder; of the "
            "words a letter may differ."
        ),
    ],
    "encoder": Annotated[
        EncoderChoice,
        typer.Option(
            help="What encodes the clips: the cores, or NVIDIA's GPUs. auto: what those in OUT are made by; "
            "for a new OUT a GPU's H.264 where --device has one that encodes, otherwise libx264."
        ),
    ],
    "workers": Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            help="Chunks, batches of words or clips done at a time; 0: one for each core. Same output.",
        ),
    ],
}
"""What the command line says of each field of :class:`Options`, in the order of ``--help``; the flag is the
field's name and the default its own."""


def takes_options(*shown: str, **instead: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let a command's parameter ``options`` be all options of a run; ``--help`` shows those `shown`, or all.

    So one set of options serves all verbs; what a verb's own stages do not depend on changes nothing there.
    `instead` is what this command says of an option, where :data:`OF_A_RUN` does not fit.
    """
    said = {
        name: instead.get(name, told) if name in shown or not shown else _hidden(told)
        for name, told in OF_A_RUN.items()
    }
    defaults = {field.name: _as_text(field.default) for field in fields(Options)}
    apart = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=defaults[name], annotation=said[name])
        for name in said
    ]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def called(**given: Any) -> None:
            command(options=Options(**{name: given.pop(name) for name in said}), **given)

        parameters: list[Parameter] = []
        for parameter in signature(command, eval_str=True).parameters.values():
            own = parameter.replace(kind=Parameter.KEYWORD_ONLY)
            parameters += apart if parameter.name == "options" else [own]
        called.__signature__ = signature(command).replace(parameters=parameters)  # type: ignore[attr-defined]
        return called

    return decorate


def _hidden(told: Any) -> Any:
    """An option that ``--help`` does not list."""
    kind, option = get_args(told)
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
