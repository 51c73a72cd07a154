"""What is written beside a simulated session's media: session.toml, turns.json and truth.json.  Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from .. import __version__
from ..session import SIDES, SideName
from ..timeline import SAMPLE_RATE, rate_text
from .options import SimulateOptions
from .scene import Scene, Utterance
from .sound import Recorder, own_position
from .take import Part
from .voices import MILLISECOND

ACTORS = {"left": "A001", "right": "A002"}
_DIGITS = 9

Parts = dict[SideName, tuple[Part, ...]]


def lut_file(side: SideName) -> str:
    """Name of the LUT beside the side's take, where its camera has one."""
    return f"{side}.cube"


def session_toml(options: SimulateOptions, scenes: Sequence[Scene], parts: Parts, recorder: Recorder) -> str:
    """The session as its user would describe it."""
    lines = [f"id = {_quoted(options.session)}"]
    mics = options.recorder.microphones()
    for side in SIDES:
        files = [_quoted(part.path.name) for part in parts[side]]
        lines += ["", f"[{side}]", f"actor = {_quoted(ACTORS[side])}"]
        lines.append(f"video = {files[0] if len(files) == 1 else '[' + ', '.join(files) + ']'}")
        if side in mics:
            lines.append(f"mic = {{ file = {_quoted(mics[side][0])}, channel = {mics[side][1]} }}")
        if options.camera_of(side).names_lut:
            lines.append(f"lut = {_quoted(lut_file(side))}")
        lines += _placing(options, side, recorder)
    for scene in scenes if options.declare_dialogues else ():
        lines += ["", "[[dialogue]]", f"id = {_quoted(scene.id)}"]
        lines += [f"start = {_decimal(_seconds(scene.start))}", f"end = {_decimal(_seconds(scene.end))}"]
        lines += [f"topic = {_quoted(scene.topic)}", f"emotion = {_quoted(scene.emotion)}"]
    return "\n".join(lines) + "\n"


def _placing(options: SimulateOptions, side: SideName, recorder: Recorder) -> list[str]:
    lines = []
    if options.crop is not None:
        crop = options.crop
        lines.append(f"crop = {{ x = {crop.x}, y = {crop.y}, width = {crop.width}, height = {crop.height} }}")
    if options.camera_distance:
        lines.append(f"camera_distance = {_decimal(options.camera_distance)}")
    if options.declare_offsets:
        if options.recorder.used:
            lines.append(f"mic_offset = {_decimal(Fraction(recorder.first, SAMPLE_RATE))}")
        if side == "right":
            lines.append(f"offset = {_decimal(options.right_offset)}")
    return lines


def turns_body(options: SimulateOptions, scenes: Sequence[Scene]) -> dict[str, Any]:
    """The content of turns.json."""
    dialogues = [
        {
            "id": scene.id,
            "start": scene.start / 1000,
            "end": scene.end / 1000,
            "topic": scene.topic,
            "emotion": scene.emotion,
        }
        for scene in scenes
    ]
    turns = [
        _turn(utterance, scene.utterances[:number], scene.utterances)
        for scene in scenes
        for number, utterance in enumerate(scene.utterances)
    ]
    return {"session": options.session, "dialogues": dialogues, "turns": turns}


def _turn(utterance: Utterance, before: Sequence[Utterance], scene: Sequence[Utterance]) -> dict[str, Any]:
    overlap = sum(
        max(0, min(utterance.end, other.end) - max(utterance.start, other.start))
        for other in scene
        if other.speaker != utterance.speaker
    )
    silent_from = max((other.end for other in before), default=None)
    return {
        "id": utterance.id,
        "dialogue": utterance.dialogue,
        "speaker": utterance.speaker,
        "start": utterance.start / 1000,
        "end": utterance.end / 1000,
        "text": utterance.spoken.text,
        "overlap_s": overlap / 1000,
        "gap_s": None if silent_from is None else (utterance.start - silent_from) / 1000,
        "backchannel": utterance.backchannel,
        "flags": [],
    }


def truth_body(
    options: SimulateOptions, scenes: Sequence[Scene], parts: Parts, recorder: Recorder
) -> dict[str, Any]:
    """The content of truth.json: all that was chosen, and where everything is."""
    return {
        "session": options.session,
        "version": __version__,
        "options": options.as_json(),
        "footage": [_rounded(time) for time in options.footage()],
        "takes": {side: _take(options, side, parts[side]) for side in SIDES},
        "recorder": _recorder(options, recorder) if options.recorder.used else None,
        "utterances": [
            _said(utterance, recorder, options) for scene in scenes for utterance in scene.utterances
        ],
    }


def _recorder(options: SimulateOptions, recorder: Recorder) -> dict[str, Any]:
    mics = options.recorder.microphones()
    return {
        "files": {side: name for side, (name, _) in mics.items()},
        "channels": {side: channel for side, (_, channel) in mics.items()},
        "format": options.recorder.file_format,
        "sample_rate": recorder.rate,
        "bits": options.recorder.bits,
        "samples": recorder.count,
        "first_sample": recorder.first,
        "offset": _rounded(Fraction(recorder.first, SAMPLE_RATE)),
        "drift_ppm": _rounded(options.drift_ppm),
        "bleed_db": options.bleed_db,
        "noise_db": options.noise_db,
    }


def _take(options: SimulateOptions, side: SideName, parts: Sequence[Part]) -> dict[str, Any]:
    """The take; `pts` are ticks of `time_base` from the file's first shown frame."""
    camera, times = options.camera_of(side), options.times(side)
    return {
        "files": [
            {
                "file": part.path.name,
                "first_frame": part.first_frame,
                "frames": part.frame_count,
                "timecode": part.timecode,
                "pts": list(part.times.pts),
            }
            for part in parts
        ],
        "frames": times.count,
        "fps": rate_text(camera.fps),
        "timing": camera.timing,
        "time_base": rate_text(times.time_base),
        "interval": rate_text(times.interval),
        "offset": _rounded(options.offset(side)),
        "size": list(camera.size),
        "coded_size": list(camera.coded_size),
        "pixel_aspect": rate_text(camera.pixel_aspect),
        "rotate": camera.rotate,
        "mirrored": camera.mirrored,
        "bit_depth": camera.depth,
        "colour": camera.colour,
        "range": camera.range,
        "lut": lut_file(side) if camera.has_lut else None,
    }


def _said(utterance: Utterance, recorder: Recorder, options: SimulateOptions) -> dict[str, Any]:
    """An utterance; `track_samples` are the recorder's own, or without one the camera's own sound's."""
    samples = [utterance.start * MILLISECOND, utterance.end * MILLISECOND]
    if options.recorder.used:
        places = [recorder.position(sample) for sample in samples]
    else:
        places = [own_position(sample, utterance.speaker, options) for sample in samples]
    return {
        "id": utterance.id,
        "speaker": utterance.speaker,
        "start": utterance.start / 1000,
        "end": utterance.end / 1000,
        "text": utterance.spoken.text,
        "session_samples": samples,
        "track_samples": places,
    }


def _seconds(milliseconds: int) -> Fraction:
    return Fraction(milliseconds, 1000)


def json_text(body: dict[str, Any]) -> str:
    """A JSON object on its one line, as people read it."""
    return json.dumps(body, ensure_ascii=False) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _decimal(value: Fraction) -> str:
    """`value` to the nanosecond, without an exponent: ``-0.12``, ``3.0``."""
    text = f"{Decimal(round(value * 10**_DIGITS)).scaleb(-_DIGITS).normalize():f}"
    return text if "." in text else f"{text}.0"


def _rounded(value: Fraction) -> float:
    return float(_decimal(value))
