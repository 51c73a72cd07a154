"""``emomedia simulate``: a session with known truth."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

import typer

from . import arguments as arg
from .display import Display, make_display


def parse_size(text: str) -> tuple[int, int]:
    """``2160x3840``: width and height of the upright picture."""
    width, cross, height = text.partition("x")
    if not cross or not width.isdigit() or not height.isdigit():
        raise typer.BadParameter(f"{text!r} is no size; write 2160x3840")
    return int(width), int(height)


def parse_offset(text: str) -> Fraction:
    """A decimal number, negative too."""
    return arg.parse_decimal(text)


Size = Annotated[str, typer.Option("--size", metavar="WxH", help="Upright size of the takes.")]
Fps = Annotated[Fraction, typer.Option("--fps", parser=arg.parse_rate, metavar="RATE", help="Of both takes.")]
Seconds = Annotated[
    Fraction,
    typer.Option("--seconds", parser=arg.parse_seconds, metavar="SECONDS", help="Length of the session."),
]
RightOffset = Annotated[
    Fraction,
    typer.Option(
        "--right-offset", parser=parse_offset, metavar="SECONDS", help="Later start of the right camera."
    ),
]
RecorderOffset = Annotated[
    Fraction,
    typer.Option(
        "--recorder-offset",
        parser=parse_offset,
        metavar="SECONDS",
        help="Its later start.",
        rich_help_panel="The recorder",
    ),
]
Drift = Annotated[
    Fraction,
    typer.Option(
        "--drift-ppm",
        parser=parse_offset,
        metavar="PPM",
        help="Drift of its clock.",
        rich_help_panel="The recorder",
    ),
]

_RECORDER = "The recorder"
RecorderKind = Annotated[
    Literal["wav16", "wav24", "wav32", "wavfloat", "rf64", "bwf", "flac", "m4a", "none"],
    typer.Option("--recorder", help="Its files; none: the cameras' own sound.", rich_help_panel=_RECORDER),
]
RecorderRate = Annotated[
    int, typer.Option("--recorder-rate", metavar="HZ", help="44100 to 192000.", rich_help_panel=_RECORDER)
]
MixChannels = Annotated[
    int,
    typer.Option(
        "--mix-channels", min=0, metavar="N", help="Mixes before the actors' own.", rich_help_panel=_RECORDER
    ),
]
Separate = Annotated[
    bool, typer.Option("--file-per-actor", help="Two files, not one.", rich_help_panel=_RECORDER)
]


def simulate(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder to make the session in.", readable=False)
    ],
    size: Size = "2160x3840",
    fps: Fps = "25",  # type: ignore[assignment]
    seconds: Seconds = "14",  # type: ignore[assignment]
    codec: Annotated[Literal["h264", "hevc10"], typer.Option(help="H.264 8 bit or HEVC 10 bit.")] = "h264",
    gop: Annotated[int, typer.Option(min=1, help="Frames from one key frame to the next.")] = 25,
    open_gop: Annotated[bool, typer.Option("--open-gop", help="Let GOPs refer to the one before.")] = False,
    bframes: Annotated[int, typer.Option(min=0, help="B-frames in a row.")] = 2,
    rotate: Annotated[
        Literal["0", "90", "180", "270"], typer.Option(help="Store the takes turned, with a display matrix.")
    ] = "0",
    right_offset: RightOffset = "0",  # type: ignore[assignment]
    recorder: RecorderKind = "wav24",
    recorder_rate: RecorderRate = 48_000,
    mix_channels: MixChannels = 0,
    file_per_actor: Separate = False,
    recorder_offset: RecorderOffset = "0",  # type: ignore[assignment]
    drift_ppm: Drift = "0",  # type: ignore[assignment]
    bleed_db: Annotated[
        float | None,
        typer.Option(metavar="DB", help="Level of each voice in the other's track, such as -18."),
    ] = None,
    undeclared: Annotated[
        bool, typer.Option("--undeclared", help="Leave offsets out of session.toml: sync has to find them.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="For all that is left to chance.")] = 0,
    if_missing: Annotated[
        bool, typer.Option("--if-missing", help="Keep an equal session that is there.")
    ] = False,
    json: arg.Json = False,
) -> None:
    """Make a small session with known truth: two takes, a recorder's file, session.toml, turns.json."""
    from ..simulate import RecorderOptions, SimulateOptions, is_simulated
    from ..simulate import simulate as make

    written = RecorderOptions(
        used=recorder != "none", file_format="wav24" if recorder == "none" else recorder,
        sample_rate=recorder_rate, mix_channels=mix_channels, separate=file_per_actor,
    )  # fmt: skip
    options = SimulateOptions(
        size=parse_size(size), fps=fps, seconds=seconds, codec=codec, gop=gop, open_gop=open_gop,
        bframes=bframes, rotate=int(rotate), right_offset=right_offset,
        recorder=written, recorder_offset=recorder_offset, drift_ppm=drift_ppm, bleed_db=bleed_db,
        declare_offsets=not undeclared, seed=seed,
    )  # fmt: skip
    with make_display(json) as display:
        if if_missing and is_simulated(folder, options):
            path = folder / "session.toml"
        else:
            display.stage_begins("simulate")
            path = make(folder, options, lambda name, part: _advance(display, name, part))
        display.ends({"session": str(path)}, [f"simulated session: {path}"])


def _advance(display: Display, name: str, part: float) -> None:
    """Both takes are made at once and are equally long: the left one tells how far they are."""
    if name == "left take":
        display.advances("simulate", round(100 * part), 100)
