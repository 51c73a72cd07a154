"""``emomedia simulate``: a session with known truth."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from . import arguments as arg
from .display import Display, make_display
from .values import parse_decimal, parse_rate, parse_seconds, parse_size


def parse_offset(text: str) -> Fraction:
    """A decimal number, negative too."""
    return parse_decimal(text)


def parse_aspect(text: str) -> Fraction:
    """``4:3``."""
    width, colon, height = text.partition(":")
    if not colon or not width.isdigit() or not height.isdigit() or not int(height):
        raise typer.BadParameter(f"{text!r} is not an aspect ratio; write 4:3")
    return Fraction(int(width), int(height))


def _option(flag: str, panel: str, **settings: Any) -> Any:
    return typer.Option(flag, rich_help_panel=panel, **settings)


_PICTURE, _TIME, _STORE, _SESSION = "Pictures", "Frames in time", "Storage", "Session"
_RECORDER = "The recorder"

Size = Annotated[str, _option("--size", _PICTURE, metavar="WxH", help="Size of the takes, upright.")]
Depth = Annotated[
    int, _option("--depth", _PICTURE, help="Bits per sample: 8, 10 or 12, as the codec allows.")
]
Chroma = Annotated[
    Literal["420", "422", "444"], _option("--chroma", _PICTURE, help="Subsampling, as the codec allows.")
]
Range = Annotated[Literal["limited", "full"], _option("--range", _PICTURE, help="Range of the code values.")]
Colour = Annotated[
    Literal["bt709", "bt601", "bt2020", "hlg", "pq", "log"],
    _option("--colour", _PICTURE, help="The cameras' colours; hlg, pq and log come with a LUT."),
]
Rotate = Annotated[
    Literal["0", "90", "180", "270"],
    _option("--rotate", _PICTURE, help="Store the takes rotated, with a display matrix."),
]
Mirrored = Annotated[
    bool, _option("--mirrored", _PICTURE, help="Store the takes mirrored, with a display matrix.")
]
Aspect = Annotated[
    Fraction,
    _option(
        "--sample-aspect", _PICTURE, parser=parse_aspect, metavar="W:H", help="Aspect of a stored pixel."
    ),
]
DeclareLut = Annotated[
    bool | None,
    _option(
        "--declare-lut/--no-declare-lut",
        _PICTURE,
        help="Name the LUT in session.toml; default: for log only.",
    ),
]

Fps = Annotated[
    Fraction, _option("--fps", _TIME, parser=parse_rate, metavar="RATE", help="Frame rate of both takes.")
]
Timing = Annotated[
    Literal["constant", "dropped", "variable"],
    _option("--timing", _TIME, help="Constant, constant with frames missing, or irregular intervals."),
]
Start = Annotated[
    Fraction,
    _option("--start", _TIME, parser=parse_offset, metavar="SECONDS", help="Time at which the files start."),
]
Late = Annotated[
    Fraction,
    _option(
        "--late",
        _TIME,
        parser=parse_seconds,
        metavar="SECONDS",
        help="How long after the sound the picture starts.",
    ),
]
Hidden = Annotated[
    int, _option("--hidden", _TIME, min=0, help="Number of first frames that an edit list hides.")
]
Fields = Annotated[
    Literal["tff", "bff"] | None,
    _option("--interlaced", _TIME, help="Interlace the takes, in this field order."),
]
Timecode = Annotated[
    str | None, _option("--timecode", _TIME, metavar="HH:MM:SS:FF", help="Timecode of the first frames.")
]

Codec = Annotated[
    Literal["h264", "hevc", "av1", "vp9", "prores", "dnxhd", "mjpeg", "mpeg2"],
    _option("--codec", _STORE, help="Codec of both takes."),
]
Container = Annotated[
    Literal["mp4", "mov", "mkv", "mxf", "ts"] | None,
    _option("--container", _STORE, help="Container, as the codec allows; default: the codec's usual one."),
]
Gop = Annotated[int, _option("--gop", _STORE, min=1, help="Frames from one key frame to the next.")]
OpenGop = Annotated[bool, _option("--open-gop", _STORE, help="Use open GOPs.")]
BFrames = Annotated[int, _option("--bframes", _STORE, min=0, help="Consecutive B-frames.")]
Parts = Annotated[int, _option("--parts", _STORE, min=1, help="Number of consecutive files per take.")]
Right = Annotated[
    list[str] | None,
    _option(
        "--right", _STORE, metavar="KEY=VALUE",
        help="A different choice for the right camera alone, such as codec=prores or fps=50.",
    ),
]  # fmt: skip

Seconds = Annotated[
    Fraction,
    _option("--seconds", _SESSION, parser=parse_seconds, metavar="SECONDS", help="Length of the session."),
]
RightOffset = Annotated[
    Fraction,
    _option(
        "--right-offset", _SESSION, parser=parse_offset, metavar="SECONDS",
        help="How much later the right camera starts.",
    ),
]  # fmt: skip
RecorderOffset = Annotated[
    Fraction,
    _option(
        "--recorder-offset", _RECORDER, parser=parse_offset, metavar="SECONDS", help="Its later start."
    ),
]  # fmt: skip
Drift = Annotated[
    Fraction,
    _option("--drift-ppm", _RECORDER, parser=parse_offset, metavar="PPM", help="Drift of its clock."),
]
RecorderKind = Annotated[
    Literal["wav16", "wav24", "wav32", "wavfloat", "rf64", "bwf", "flac", "m4a", "none"],
    _option("--recorder", _RECORDER, help="Format of its files; none: the cameras' own sound."),
]
RecorderRate = Annotated[
    int, _option("--recorder-rate", _RECORDER, metavar="HZ", help="Sample rate, 44100 to 192000.")
]
MixChannels = Annotated[
    int,
    _option(
        "--mix-channels", _RECORDER, min=0, metavar="N", help="Channels of mixes before the actors' own."
    ),
]
Separate = Annotated[
    bool,
    _option("--file-per-actor", _RECORDER, help="Write one file per actor."),
]
Bleed = Annotated[
    float | None,
    _option(
        "--bleed-db",
        _SESSION,
        metavar="DB",
        help="Level of each voice in the other actor's track, such as -18.",
    ),
]
Undeclared = Annotated[
    bool,
    _option("--undeclared", _SESSION, help="Leave offsets out of session.toml, for sync to find."),
]
Seed = Annotated[int, _option("--seed", _SESSION, min=0, help="Seed of all random choices.")]


def simulate(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder to make the session in.", readable=False)
    ],
    size: Size = "2160x3840",
    depth: Depth = 8,
    chroma: Chroma = "420",
    range_: Range = "limited",
    colour: Colour = "bt709",
    rotate: Rotate = "0",
    mirrored: Mirrored = False,
    sample_aspect: Aspect = "1:1",  # type: ignore[assignment]
    declare_lut: DeclareLut = None,
    fps: Fps = "25",  # type: ignore[assignment]
    timing: Timing = "constant",
    start: Start = "0",  # type: ignore[assignment]
    late: Late = "0",  # type: ignore[assignment]
    hidden: Hidden = 0,
    interlaced: Fields = None,
    timecode: Timecode = None,
    codec: Codec = "h264",
    container: Container = None,
    gop: Gop = 25,
    open_gop: OpenGop = False,
    bframes: BFrames = 2,
    parts: Parts = 1,
    right: Right = None,
    seconds: Seconds = "14",  # type: ignore[assignment]
    right_offset: RightOffset = "0",  # type: ignore[assignment]
    recorder: RecorderKind = "wav24",
    recorder_rate: RecorderRate = 48_000,
    mix_channels: MixChannels = 0,
    file_per_actor: Separate = False,
    recorder_offset: RecorderOffset = "0",  # type: ignore[assignment]
    drift_ppm: Drift = "0",  # type: ignore[assignment]
    bleed_db: Bleed = None,
    undeclared: Undeclared = False,
    seed: Seed = 0,
    if_missing: Annotated[
        bool, typer.Option("--if-missing", help="Keep an existing session if it is the same.")
    ] = False,
    json: arg.Json = False,
) -> None:
    """Make a small session with known ground truth: takes, a recording, session.toml and turns.json."""
    from ..simulate import RecorderOptions, SimulateOptions, is_simulated
    from ..simulate import simulate as make

    written = RecorderOptions(
        used=recorder != "none", file_format="wav24" if recorder == "none" else recorder,
        sample_rate=recorder_rate, mix_channels=mix_channels, separate=file_per_actor,
    )  # fmt: skip
    options = SimulateOptions.of(
        size=parse_size(size), depth=depth, chroma=chroma, range=range_, colour=colour, rotate=int(rotate),
        mirrored=mirrored, sample_aspect=sample_aspect, declare_lut=declare_lut, fps=fps, timing=timing,
        start=start, late=late, hidden=hidden, interlaced=interlaced, timecode=timecode, codec=codec,
        container=container, gop=gop, open_gop=open_gop, bframes=bframes, parts=parts,
        right=dict(map(parse_choice, right or ())), seconds=seconds, right_offset=right_offset,
        recorder=written, recorder_offset=recorder_offset, drift_ppm=drift_ppm, bleed_db=bleed_db,
        declare_offsets=not undeclared, seed=seed,
    )  # fmt: skip
    with make_display(json) as display:
        if if_missing and is_simulated(folder, options):
            path = folder / "session.toml"
        else:
            display.stage_begins("simulate")
            path = make(folder, options, lambda name, part: _advance(display, name, part))
        display.result({"session": str(path)}, [f"simulated session: {path}"])


def _yes_or_no(text: str) -> bool:
    return bool(("no", "yes").index(text))


_PARSERS: dict[str, Callable[[str], Any]] = {
    "size": parse_size, "depth": int, "chroma": str, "range": str, "colour": str, "rotate": int,
    "mirrored": _yes_or_no, "sample_aspect": parse_aspect,
    "declare_lut": _yes_or_no, "fps": parse_rate, "timing": str,
    "start": parse_offset, "late": parse_seconds, "hidden": int, "interlaced": str, "timecode": str,
    "codec": str, "container": str, "gop": int, "open_gop": _yes_or_no,
    "bframes": int, "parts": int,
}  # fmt: skip


def parse_choice(text: str) -> tuple[str, Any]:
    """``KEY=VALUE``, one choice of the right camera: a flag's name and its value; a switch's is yes or no."""
    key, equals, value = text.partition("=")
    name = key.replace("-", "_")
    if not equals or name not in _PARSERS:
        known = ", ".join(name.replace("_", "-") for name in _PARSERS)
        raise typer.BadParameter(f"{text!r} is not a choice; write KEY=VALUE, KEY one of {known}")
    try:
        return name, _PARSERS[name](value)
    except ValueError as error:
        raise typer.BadParameter(f"{value!r} is no {key}") from error


def _advance(display: Display, name: str, part: float) -> None:
    """Both takes are made at once and are equally long: the left one's progress is shown for both."""
    if name == "left take":
        display.progress("simulate", round(100 * part), 100)
