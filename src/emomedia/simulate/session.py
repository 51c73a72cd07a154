"""Making a simulated session: the scenes, the recorder's file, both takes at once, the descriptions."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from fractions import Fraction
from itertools import chain, pairwise
from math import floor
from pathlib import Path

import numpy as np

from ..errors import DescriptionError, OutputError
from ..files import locked, remove_leftovers, write_bytes
from ..session import SIDES, SideName
from ..timeline import SAMPLE_RATE
from .colour import cube
from .description import Parts, json_text, lut_file, session_toml, truth_body, turns_body
from .options import SimulateOptions
from .picture import Moment, Painter, mouth_levels
from .recorder import write_recordings
from .scene import Scene, arrange
from .scripts import RECORDED, SCRIPTS
from .sound import Voices, camera_sound, recorder_of, speak, track
from .take import Part, Stopped, parts_of, write_part
from .voices import recorded, synthesised

Progress = Callable[[str, float], None]
"""Told the name of a piece of work and how much of it is done, 0 to 1."""

_POLL_SECONDS = 0.1
_STREAM = 0


def simulate(folder: Path, options: SimulateOptions, progress: Progress | None = None) -> Path:
    """Make a session whose every frame and utterance is known.

    Writes the takes, the recorder's files, ``turns.json``, ``truth.json`` and, when all of them are
    there, ``session.toml`` into `folder`; for a camera of log, HLG or PQ colours also ``<side>.cube``.

    Parameters
    ----------
    progress : callable or None
        Called on this thread, with ``"sound"``, ``"left take"`` or ``"right take"`` and a part of 1.

    Returns
    -------
    Path
        Of session.toml.

    Raises
    ------
    MissingToolError
        If espeak-ng is needed and not installed.
    DescriptionError
        If no utterance fits into the session.
    OutputError
        If `folder` holds a session that was not simulated, or cannot be written.
    MediaNotFoundError, MediaError
        If recorded speech cannot be read.
    """
    folder = Path(folder)
    report = progress or _unheard
    scenes = _scenes(options)
    with locked(folder):
        _clear(folder)
        recorder = recorder_of(options)
        voices = speak(scenes, options, recorder)
        report("sound", 0.0)
        if options.recorder.used:
            tracks = {side: track(voices, side, recorder, options) for side in SIDES}
            write_recordings(folder, tracks, options.recorder, Fraction(recorder.first, SAMPLE_RATE))
        report("sound", 1.0)
        parts: Parts = {side: parts_of(folder, side, options) for side in SIDES}
        _write_takes(voices, parts, options, report)
        write_bytes(folder / "turns.json", json_text(turns_body(options, scenes)).encode())
        write_bytes(folder / "truth.json", json_text(truth_body(options, scenes, parts, recorder)).encode())
        for side in SIDES:
            if options.camera_of(side).has_lut:
                lut = cube(options.camera_of(side).colour, f"{side} camera to BT.709")
                write_bytes(folder / lut_file(side), lut.encode())
        toml = session_toml(options, scenes, parts, recorder)
        write_bytes(folder / "session.toml", toml.encode())
    return folder / "session.toml"


def is_simulated(folder: Path, options: SimulateOptions) -> bool:
    """Whether `folder` already holds the whole session that `options` describe."""
    try:
        truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    wanted = json.loads(json_text(options.as_json()))
    return (folder / "session.toml").exists() and truth.get("options") == wanted


def _unheard(_name: str, _done: float) -> None:
    pass


def _scenes(options: SimulateOptions) -> tuple[Scene, ...]:
    say = recorded(options.speech) if options.speech else synthesised()
    rng = np.random.default_rng([options.seed, _STREAM])
    scripts = [RECORDED] if options.speech else [SCRIPTS[n] for n in rng.permutation(len(SCRIPTS))]
    scenes = arrange(options.session, scripts, options.footage(), options.dialogue_count(), say, rng)
    if not scenes:
        raise DescriptionError(
            "simulate: seconds",
            expected="time for one utterance in each dialogue, and silence around it",
            found=f"{float(options.seconds)} s for {options.dialogue_count()} dialogues",
            remedy="make the session longer, or ask for fewer dialogues",
        )
    return scenes


def _clear(folder: Path) -> None:
    """Remove an earlier simulation's descriptions, so that no interrupted run looks whole."""
    description, truth = folder / "session.toml", folder / "truth.json"
    if description.exists() and not truth.exists():
        raise OutputError(
            description,
            expected="nothing, or a session simulated earlier",
            found="a session that emomedia did not simulate",
            remedy="choose another folder",
        )
    remove_leftovers(folder)
    description.unlink(missing_ok=True)


def _write_takes(voices: Voices, parts: Parts, options: SimulateOptions, report: Progress) -> None:
    """Paint and encode both takes, each on a thread of its own."""
    done: dict[SideName, int] = dict.fromkeys(SIDES, 0)
    stop = threading.Event()

    def write(side: SideName) -> None:
        def advance() -> None:
            done[side] += 1
            if stop.is_set():
                raise Stopped

        _write_take(side, voices, parts[side], options, advance)

    with ThreadPoolExecutor(len(SIDES)) as pool:
        try:
            pending = {pool.submit(write, side) for side in SIDES}
            while pending:
                finished, pending = wait(pending, timeout=_POLL_SECONDS)
                for side in SIDES:
                    report(f"{side} take", done[side] / options.frame_count(side))
                for future in finished:
                    future.result()
        finally:
            stop.set()


def _write_take(
    side: SideName,
    voices: Voices,
    parts: tuple[Part, ...],
    options: SimulateOptions,
    advance: Callable[[], None],
) -> None:
    camera, take = options.camera_of(side), options.times(side)
    sound = camera_sound(voices, side, options)
    painter = Painter(camera, side, _moments(side, voices, options), options.seed)
    for number, part in enumerate(parts):
        begin, end = (
            floor(seconds * SAMPLE_RATE) for seconds in (part.times.base, camera.late + take.file_end(number))
        )
        write_part(part, painter, sound[:, begin:end], camera, take, advance)


def _moments(side: SideName, voices: Voices, options: SimulateOptions) -> list[Moment]:
    """What each frame shows, or each field; the mouth moves with what is heard until the next."""
    take = options.times(side)
    times = [*take.seconds, take.end]
    if options.camera_of(side).interlaced:
        halves = [(earlier + later) / 2 for earlier, later in pairwise(times)]
        times = [*chain.from_iterable(zip(times, halves, strict=False)), take.end]
    first = options.offset(side)
    edges = [round((first + time) * SAMPLE_RATE) - voices.first for time in times]
    levels = mouth_levels(voices.samples[side], edges)
    return [Moment(float(time), level) for time, level in zip(times[:-1], levels, strict=True)]
