"""From two takes to clips, end to end: emomedia, and what a user could do instead.

All encode with the same preset and rate factor. FFmpeg's clips hold picture and stereo sound; emomedia's
have each actor's FLAC beside them, the audit and the index, so it does more.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from emomedia.session import SIDES

from .footage import RATE, Session

PRESET, CRF = "veryfast", "20"
AUDIO = ["-c:a", "aac", "-b:a", "192k"]
HERE = Path(__file__).parent

Commands = list[list[str]]


@dataclass(frozen=True)
class Contender:
    """A way to make a session's clips.

    Attributes
    ----------
    commands : callable
        For a session and an output folder, the commands to run one after the other.
    clip : callable
        For an output folder and a clip's id, the clip's file.
    frames : int or None
        Composites made, if not the whole session.
    """

    name: str
    commands: Callable[[Session, Path], Commands]
    clip: Callable[[Path, str], Path]
    frames: int | None = None


def emomedia_run(workers: int, preset: str = PRESET) -> Contender:
    """The main job."""

    def commands(session: Session, out: Path) -> Commands:
        options = ["--turns", str(session.turns), "--pad", "0", "--preset", preset, "--crf", CRF]
        run = [sys.executable, "-m", "emomedia", "cut", str(session.description), "--out", str(out)]
        return [[*run, *options, "--workers", str(workers), "--json"]]

    name = f"emomedia, {workers} worker{'s' if workers > 1 else ''}"
    return Contender(name, commands, lambda out, clip: out / "bench/clips" / f"{clip}.mp4")


def ffmpeg_once(binary: str, name: str) -> Contender:
    """One command makes everything, with key frames where clips begin; then each clip is cut by copying.

    The clips' frames are exact because the cut points are IDR pictures and GOPs are closed, as emomedia's.
    """

    def commands(session: Session, out: Path) -> Commands:
        whole = out / "whole.mp4"
        keys = ",".join(_seconds(frame) for frame in session.footage.key_frames)
        every = [*_start(binary), *_inputs(session, 0, session.footage.frames), *_side_by_side(session)]
        every += ["-c:v", "libx264", "-preset", PRESET, "-crf", CRF, "-forced-idr", "1"]
        every += ["-force_key_frames", keys]
        every += ["-x264-params", "keyint=infinite:min-keyint=1:scenecut=0:open-gop=0", *AUDIO, str(whole)]
        return [
            every,
            *(_cut(binary, whole, out / f"{id}.mp4", first, end) for id, first, end in session.footage.clips),
        ]

    return Contender(name, commands, _in_folder)


def _cut(binary: str, whole: Path, clip: Path, first: int, end: int) -> list[str]:
    """By packets: as many as the clip has frames, which in closed GOPs are the clip's own."""
    count = ["-frames:v", str(end - first), "-c", "copy", "-t", _seconds(end - first)]
    return [*_start(binary), "-ss", _seconds(first), "-i", str(whole), *count, str(clip)]


def ffmpeg_per_clip(binary: str) -> Contender:
    """What most people do: for each clip seek, decode, compose and encode."""

    def commands(session: Session, out: Path) -> Commands:
        return [
            [
                *_start(binary), *_inputs(session, first, end - first), *_side_by_side(session),
                "-c:v", "libx264", "-preset", PRESET, "-crf", CRF, *AUDIO, str(out / f"{clip}.mp4"),
            ]
            for clip, first, end in session.footage.clips
        ]  # fmt: skip

    return Contender("ffmpeg, once per clip", commands, _in_folder)


def reference(frames: int) -> Contender:
    """The pure-Python engine on the dialogue's beginning."""

    def commands(session: Session, out: Path) -> Commands:
        return [
            [sys.executable, str(HERE / "reference_run.py"), str(session.description), str(frames), str(out)]
        ]

    return Contender("reference in Python", commands, _in_folder, frames)


def raw_composites(session: Session, binary: str, path: Path) -> list[str]:
    """FFmpeg's composites of one period, before any encoder."""
    frames = session.footage.period
    return [
        *_start(binary), *_inputs(session, 0, frames), *_side_by_side(session, sound=False),
        "-pix_fmt", "yuv420p", "-f", "rawvideo", str(path),
    ]  # fmt: skip


def _in_folder(out: Path, clip: str) -> Path:
    return out / f"{clip}.mp4"


def _start(binary: str) -> list[str]:
    return [binary, "-nostdin", "-y", "-v", "error"]


def _seconds(frames: int) -> str:
    return f"{frames / RATE:g}"


def _inputs(session: Session, first: int, count: int) -> list[str]:
    files = [session.takes[side] for side in SIDES] + [session.recorder]
    at = ["-ss", _seconds(first), "-t", _seconds(count)]
    return [word for file in files for word in [*at, "-i", str(file)]]


def _side_by_side(session: Session, sound: bool = True) -> list[str]:
    """crop, which copies nothing, before scale; swscale's Lanczos has three lobes by default.

    10-bit takes become 8-bit ones while they are scaled.
    """
    x, y, width, height = session.footage.crop
    half = f"crop={width}:{height}:{x}:{y},scale=960:1080:flags=lanczos,format=yuv420p"
    graph = f"[0:v]{half}[l];[1:v]{half}[r];[l][r]hstack[v]"
    return ["-filter_complex", graph, "-map", "[v]", *(["-map", "2:a"] if sound else [])]


def ffmpeg_version(binary: str) -> int:
    """The major version of an ffmpeg; 0 if it does not run or says none."""
    try:
        text = subprocess.run([binary, "-version"], capture_output=True, text=True).stdout
    except OSError:
        return 0
    found = re.match(r"ffmpeg version n?(\d+)\.", text)
    return int(found.group(1)) if found else 0


def newer_ffmpeg(least: int = 7) -> str | None:
    """An ffmpeg of that version or a later one: BENCH_FFMPEG, the system's, or that of imageio-ffmpeg."""
    candidates: Sequence[str | None] = [os.environ.get("BENCH_FFMPEG"), shutil.which("ffmpeg"), _packaged()]
    return next((binary for binary in candidates if binary and ffmpeg_version(binary) >= least), None)


def _packaged() -> str | None:
    try:
        import imageio_ffmpeg
    except ImportError:
        return None
    return str(imageio_ffmpeg.get_ffmpeg_exe())
