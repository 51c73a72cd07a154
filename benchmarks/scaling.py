"""Sessions of any length and any number of clips, of low resolution, for what must not grow with either.

A few simulated seconds, pictures and sound, are repeated by copying: unlike `footage.py`'s, such takes are
made in seconds, at any length.  The session declares its offsets; repeated sound could not tell them.
"""

from __future__ import annotations

import json
import shutil
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av

from emomedia.files import atomic, write_bytes
from emomedia.session import SIDES, Crop
from emomedia.simulate import SimulateOptions, simulate

from .contenders import PRESET
from .footage import RATE, Footage, Session

LOOP_SECONDS = 8
"""Whole GOPs, and whole frames of AAC at 48 kHz."""

FAST = "ultrafast"
"""For plans whose clips are to cost more than their composites."""

Clips = Sequence[tuple[str, int, int]]
"""Id, first frame and one past the last of each."""


@dataclass(frozen=True)
class Sized:
    """A session: how long its takes are, and its clips.

    Attributes
    ----------
    case, name : str
        What it belongs to, and what it is there.
    seconds : int
        Of the takes; whole loops.
    preset : str
        Of the encoder.
    """

    case: str
    name: str
    seconds: int
    clips: Clips
    preset: str

    @property
    def composites(self) -> int:
        """Frames that at least one clip shows; clips are in order of their first frames and of their ends."""
        shared = sum(max(0, end - first) for (_, _, end), (_, first, _) in pairwise(self.clips))
        return sum(end - first for _, first, end in self.clips) - shared


def long_session(seconds: int, every: int, frames: int) -> Sized:
    """Turns of so many frames, one every so many seconds: nobody speaks in most of the session."""
    starts = range(0, seconds * RATE, every * RATE)
    return Sized("long session", f"{seconds} s", seconds, _clips(starts, frames), PRESET)


def wide_plan(count: int, seconds: int, step: int, frames: int) -> Sized:
    """So many turns of so many frames, each begun `step` frames after the one before."""
    starts = range(0, count * step, step)
    assert starts[-1] + frames <= seconds * RATE
    return Sized("wide plan", f"{count} clips", seconds, _clips(starts, frames), FAST)


def _clips(starts: Sequence[int], frames: int) -> Clips:
    return [(f"turn_{number:04}", first, first + frames) for number, first in enumerate(starts)]


def make(sized: Sized, folder: Path) -> Session:
    """The session on the disk: its takes, made unless they are there, and its turns in `folder`."""
    footage = Footage(
        "loop", size=(270, 480), crop=(0, 88, 270, 304), seconds=sized.seconds, dialogue_seconds=0,
        unique_seconds=LOOP_SECONDS, gop=RATE,
    )  # fmt: skip
    description = footage.folder / "session.toml"
    if not description.exists():
        _make_takes(footage)
    turns = folder / "turns.json"
    write_bytes(turns, json.dumps(_turns(sized.clips)).encode())
    takes = {side: footage.folder / f"{side}.mp4" for side in SIDES}
    return Session(footage, description, turns, takes, footage.folder / "recorder.wav", {})


def _turns(clips: Clips) -> dict[str, object]:
    turns = [
        {
            "id": name,
            "dialogue": None,
            "speaker": SIDES[number % 2],
            "start": float(Fraction(first, RATE)),
            "end": float(Fraction(end, RATE)),
        }
        for number, (name, first, end) in enumerate(clips)
    ]
    return {"session": "bench", "dialogues": [], "turns": turns}


def _make_takes(footage: Footage) -> None:
    folder = footage.folder
    shutil.rmtree(folder, ignore_errors=True)
    loop = folder / "loop"
    choices = SimulateOptions.of(
        size=footage.size,
        crop=Crop(*footage.crop),
        gop=footage.gop,
        seconds=Fraction(LOOP_SECONDS),
        session="bench",
        declare_dialogues=False,
    )
    described = simulate(loop, choices)
    times = footage.seconds // LOOP_SECONDS
    for side in SIDES:
        with atomic(folder / f"{side}.mp4") as take:
            _repeat_take(loop / f"{side}.mp4", take, times)
    with atomic(folder / "recorder.wav") as recorder:
        _repeat_sound(loop / "recorder.wav", recorder, times)
    text = described.read_bytes()
    shutil.rmtree(loop)
    write_bytes(folder / "session.toml", text)


def _repeat_take(source: Path, take: Path, times: int) -> None:
    """Each stream's packets of one loop, whichever time its first one has, over and over."""
    with av.open(str(source)) as given, av.open(str(take), "w", "mp4") as out:
        packets = [packet for packet in given.demux() if packet.size]
        streams = {stream.index: out.add_stream_from_template(stream) for stream in given.streams}
        begin = {index: min(p.pts for p in packets if p.stream.index == index) for index in streams}
        contents = [
            (packet.stream.index, bytes(packet), packet.pts, packet.dts, packet.duration, packet.is_keyframe)
            for packet in packets
            if (packet.pts - begin[packet.stream.index]) * packet.time_base < LOOP_SECONDS
        ]
        ticks = {stream.index: stream.time_base for stream in given.streams}
        for number in range(times):
            for index, content, pts, dts, duration, key in contents:
                shift = int(number * LOOP_SECONDS / ticks[index])
                packet = av.Packet(content)
                packet.stream, packet.time_base, packet.is_keyframe = streams[index], ticks[index], key
                packet.pts, packet.dts, packet.duration = pts + shift, dts + shift, duration
                out.mux(packet)


def _repeat_sound(source: Path, target: Path, times: int) -> None:
    with wave.open(str(source)) as given, wave.open(str(target), "wb") as out:
        samples = given.readframes(LOOP_SECONDS * given.getframerate())
        out.setparams(given.getparams())
        for _ in range(times):
            out.writeframesraw(samples)
