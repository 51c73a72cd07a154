"""Good clips and clips with a planted fault: real people as composites, real voices in simulated rooms."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image, ImageFilter

from emomedia import stages
from emomedia.audio._pcm import to_real
from emomedia.options import Options
from emomedia.quality import measure
from emomedia.quality.declared import declared_ms
from emomedia.quality.media import halves
from emomedia.quality.picture import picture_measures
from emomedia.quality.pixels import values_of
from emomedia.quality.views import View
from emomedia.run import open_session
from emomedia.session import SIDES
from emomedia.simulate import SimulateOptions, simulate
from emomedia.speech import speech_session

from .audio.sounds import shared
from .rooms import FRAME, RATE, Conversation, conformed, converse, runs

WIDTH, HEIGHT = 960, 1080
Half = np.ndarray
"""Frames of one side, uint8[frames, 1620, 960]: I420 of 960×1080."""

_SHOTS = {"azure_avatar/A_*": (0.5, 0.99), "azure_avatar/B_*": (0.31, 0.6), "asl/*": (0.5, 0.99)}
"""Where the person is: the middle's height and the crop's, as shares of the frame's."""


@dataclass(frozen=True, eq=False)
class Clip:
    """A clip as the rules see it; the fault that was planted in it and its side, None for either one."""

    row: dict[str, Any]
    fault: str | None = None
    side: str | None = None


# Pictures


def people() -> list[tuple[Path, float, float]]:
    """Recordings of real people, each with its crop."""
    folder = shared("faces")
    return [(path, *shot) for pattern, shot in _SHOTS.items() for path in sorted(folder.glob(pattern))]


def shot(path: Path, middle: float, share: float, frames: int) -> Half:
    """The first frames of a recording, 25 to 30 a second, the person in an 8:9 crop."""
    found = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        step = 2 if stream.average_rate and stream.average_rate > 40 else 1
        high = int(stream.height * share) // 2 * 2
        wide = int(high * 8 / 9) // 2 * 2
        x, y = (stream.width - wide) // 4 * 2, int(max(0, stream.height * middle - high / 2)) // 2 * 2
        for number, frame in enumerate(container.decode(stream)):
            if number % step == 0:
                whole = frame.reformat(format="yuv444p").to_ndarray()[:, y : y + high, x : x + wide]
                part = av.VideoFrame.from_ndarray(np.ascontiguousarray(whole), format="yuv444p")
                scaled = part.reformat(WIDTH, HEIGHT, "yuv420p", interpolation="LANCZOS")
                found.append(scaled.to_ndarray())
            if len(found) == frames:
                break
    return np.array(found)


def varied(half: Half, number: int) -> Half:
    """The same shot as another camera might have it: a little brighter or darker, mirrored, with grain."""
    rng = np.random.default_rng(number)
    made = half.copy()
    luma = made[:, :HEIGHT].astype(np.float32)
    luma = 16 + (luma - 16) * np.float32(rng.uniform(0.8, 1.05))
    grain = rng.normal(0, rng.uniform(0, 1.5), (4, HEIGHT, WIDTH)).astype(np.float32)
    for frame in range(len(made)):
        noisy = luma[frame] + np.roll(grain[frame % 4], rng.integers(0, 500), axis=1)
        made[frame, :HEIGHT] = np.clip(np.rint(noisy), 0, 255)
    if number % 2:
        made[:, :HEIGHT] = made[:, :HEIGHT, ::-1]
        chroma = made[:, HEIGHT:].reshape(len(made), 2 * HEIGHT // 2, WIDTH // 2)
        made[:, HEIGHT:] = chroma[..., ::-1].reshape(len(made), HEIGHT // 2, WIDTH)
    return made


def _changed_luma(half: Half, change: Callable[[np.ndarray], np.ndarray]) -> Half:
    made = half.copy()
    for frame in made:
        frame[:HEIGHT] = change(frame[:HEIGHT])
    return made


def blurred(half: Half) -> Half:
    """Out of focus by a Gaussian of 3 pixels of the composite."""
    blur = ImageFilter.GaussianBlur(3)
    return _changed_luma(half, lambda luma: np.asarray(Image.fromarray(luma).filter(blur)))


def over_exposed(half: Half) -> Half:
    """By a stop and a half."""
    return _changed_luma(
        half, lambda luma: np.clip(16 + (luma.astype(np.float32) - 16) * 2.8, 0, 255).astype(np.uint8)
    )


def dim(half: Half) -> Half:
    """Two and a half stops too dark."""
    return _changed_luma(half, lambda luma: (16 + (luma.astype(np.float32) - 16) * 0.18).astype(np.uint8))


def frozen(half: Half) -> Half:
    """The last sixteen frames are one."""
    made = half.copy()
    made[-16:] = made[-16]
    return made


def black(half: Half) -> Half:
    """Two frames of black."""
    made = half.copy()
    made[5:7, :HEIGHT], made[5:7, HEIGHT:] = 16, 128
    return made


def off_frame(half: Half, share: float = 0.4) -> Half:
    """The camera looks past the person, by two fifths of the picture."""
    made = np.empty_like(half)
    shift = round(share * WIDTH)
    made[:, :HEIGHT] = np.roll(half[:, :HEIGHT], shift, axis=2)
    made[:, :HEIGHT, :shift] = half[:, :HEIGHT, :1]
    made[:, HEIGHT:] = half[:, HEIGHT:]
    return made


PICTURE_FAULTS: dict[str, tuple[Callable[[Half], Half], tuple[str, ...]]] = {
    "blur": (blurred, ("blurred",)),
    "over-exposure": (over_exposed, ("over-exposed", "over-exposed face")),
    "freeze": (frozen, ("frozen",)),
    "black": (black, ("black",)),
    "off-frame": (off_frame, ("off frame", "no face")),
}
"""Each fault, and the reasons that name it."""


def pictured(left: Half, right: Half, tools: measure.Tools) -> dict[str, dict[str, Any]]:
    """Both sides' measures of a composite of two shots."""
    lumas = [np.hstack([left[n, :HEIGHT], right[n, :HEIGHT]]) for n in range(len(left))]
    values = np.array([values_of(luma, 8, "limited") for luma in lumas])
    seen = picture_measures(values, WIDTH * HEIGHT, "limited")
    sampled = [len(left) // 6, len(left) // 2, len(left) - 2]
    views = [View(_pictures(left[n], right[n]), "limited") for n in sampled]
    shown = measure.people_of(views, tools)
    return {side: seen[side] | {"dropped_frames": 0} | shown[side] for side in SIDES}


def _pictures(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    planes = []
    for first, rows, columns in ((0, HEIGHT, WIDTH), (HEIGHT, 540, 480), (HEIGHT + 270, 540, 480)):
        parts = [
            half[first : first + rows * columns // WIDTH].reshape(rows, columns) for half in (left, right)
        ]
        planes.append(np.hstack(parts))
    return halves(planes)


def picture_clips(variants: int, frames: int, tools: measure.Tools) -> Iterator[Clip]:
    """Good clips, and each of the faults on the left side of every one."""
    shots = [shot(*each, frames) for each in people()]
    shots = [half for half in shots if len(half) == frames]
    for variant in range(variants):
        for number, plain in enumerate(shots):
            left = varied(plain, 100 * variant + number)
            right = varied(shots[(number + 7) % len(shots)], 100 * variant + number + 50)
            yield Clip(_picture_row(pictured(left, right, tools), frames))
            name = list(PICTURE_FAULTS)[(number + variant) % len(PICTURE_FAULTS)]
            for fault in PICTURE_FAULTS if variant == 0 else [name]:
                wrong = PICTURE_FAULTS[fault][0](left)
                yield Clip(_picture_row(pictured(wrong, right, tools), frames), fault, "left")


def _picture_row(sides: Mapping[str, Any], frames: int) -> dict[str, Any]:
    return {"speaker": None, "frame_count": frames, "quality": dict(sides)}


# Sound

BLEED_DB = -18.0


@dataclass(frozen=True, eq=False)
class Heard:
    """Both tracks of a conversation, float32[n], and whose turns they are: (side, start, end) in seconds."""

    tracks: dict[str, np.ndarray]
    turns: list[tuple[str, float, float]]


def conversation(seconds: float, seed: int, bleed_db: float = BLEED_DB) -> Heard:
    """Two real speakers of those by whom no threshold of the speech stage was set, in a simulated room."""
    spoken: Conversation = converse(seconds, seed)
    recording = spoken.in_room(seed=seed, bleed_db=bleed_db)
    turns = [
        (side, start * FRAME / RATE, end * FRAME / RATE)
        for side in SIDES
        for start, end in runs(spoken.active[side])
        if end - start >= 120
    ]
    return Heard({side: recording.track(side).astype(np.float32) for side in SIDES}, turns)


def _noisy(heard: Heard, rng: np.random.Generator) -> Heard:
    """White noise 5 dB below the left voice."""
    left = heard.tracks["left"]
    active = np.zeros(len(left), bool)
    for side, start, end in heard.turns:
        if side == "left":
            active[round(start * RATE) : round(end * RATE)] = True
    level = np.sqrt((left[active] ** 2).mean()) * 10 ** (-5 / 20)
    noise = rng.normal(0, level, len(left)).astype(np.float32)
    return Heard(heard.tracks | {"left": left + noise}, heard.turns)


def _clipped(heard: Heard, _: np.random.Generator) -> Heard:
    """The left recorder is 10 dB too loud for its full scale."""
    left = heard.tracks["left"]
    loud = np.clip(left * (10 ** (10 / 20) / np.abs(left).max()), -1, 1 - 2**-15)
    return Heard(heard.tracks | {"left": loud.astype(np.float32)}, heard.turns)


def _swapped(heard: Heard, _: np.random.Generator) -> Heard:
    """The turns name the wrong speakers."""
    other = dict(zip(SIDES, reversed(SIDES), strict=True))
    return Heard(heard.tracks, [(other[side], start, end) for side, start, end in heard.turns])


SOUND_FAULTS: dict[str, tuple[Callable[[Heard, np.random.Generator], Heard], tuple[str, ...]]] = {
    "noisy": (_noisy, ("noisy",)),
    "clipped": (_clipped, ("clipped",)),
    "swapped": (_swapped, ("wrong speaker",)),
}


def sound_clips(conversations: int, seconds: float, folder: Path, tools: measure.Tools) -> Iterator[Clip]:
    """Turns of conversations, as they are and with each fault."""
    for seed in range(conversations):
        heard = conversation(seconds, seed)
        rng = np.random.default_rng(seed)
        yield from _turns(heard, folder, tools, None)
        for fault, (plant, _) in SOUND_FAULTS.items():
            yield from _turns(plant(heard, rng), folder, tools, fault)
        yield from _turns(conversation(seconds, seed, bleed_db=-5.0), folder, tools, "bleed")


def _turns(heard: Heard, folder: Path, tools: measure.Tools, fault: str | None) -> Iterator[Clip]:
    """A clip for each turn; a fault of the left track is in the turns of the left speaker."""
    pcm = {side: conformed(folder / f"{side}.pcm", heard.tracks[side]) for side in SIDES}
    speech = speech_session("s", pcm)
    turns = [
        {"id": str(number), "dialogue": None, "speaker": side, "start": start, "end": end}
        for number, (side, start, end) in enumerate(heard.turns)
    ]
    known = measure.SessionFacts(speech, {}, turns)
    for turn in turns:
        begin, end = max(0.0, turn["start"] - 0.1), turn["end"] + 0.1
        row = {"id": turn["id"], "start": begin, "end": end, "speaker": turn["speaker"], "frame_count": 100}
        sounds = {side: to_real(pcm[side].cut(round(begin * RATE), round(end * RATE))) for side in SIDES}
        row["quality"] = measure.voices_of(sounds, begin, known.of(row), tools)
        of_fault = fault in ("swapped", "bleed", None) or turn["speaker"] == "left"
        if of_fault:
            yield Clip(row, fault, None)


# Together


def sync_clips(sessions: int, folder: Path) -> Iterator[Clip]:
    """Simulated sessions whose places are declared, as they are and with one two frames off."""
    for seed in range(sessions):
        bleed = (None, -24.0, -18.0)[seed % 3]
        session = simulate(
            folder / f"s{seed}",
            SimulateOptions.of(
                size=(180, 320), seconds=Fraction(20), seed=seed, bleed_db=bleed, camera_distance=Fraction(1)
            ),
        )
        yield _declared(session, "", 0.0, folder / f"s{seed}-good")
        for key, by in (("mic_offset", 0.08), ("mic_offset", -0.08), ("offset", 0.08), ("offset", -0.08)):
            yield _declared(session, key, by, folder / f"s{seed}-{key}{by}")


def _declared(session: Path, key: str, by: float, out: Path) -> Clip:
    """A clip of the session if its description is off by so many seconds."""
    text = re.sub(
        rf"^{key} = (-?[\d.]+)$" if key else "^$",
        lambda found: f"{key} = {float(found[1]) + by:.6f}" if key else "",
        session.read_text(),
        flags=re.MULTILINE,
    )
    description = session.parent / f"{out.name}.toml"
    description.write_text(text)
    with open_session(description, out, Options()) as pipeline:
        clocks, body = pipeline.sync, stages.read(pipeline.folder.stage("sync"))
        found = declared_ms(pipeline.probe, clocks, body, pipeline.folder.sound)
    quality = {"left": {}, "right": {}, "sync_residual_ms": max(found.values(), default=None)}
    row = {"speaker": None, "frame_count": 100, "quality": quality}
    return Clip(row, "desync" if key else None)


def reasons(fault: str) -> Sequence[str]:
    """What the rules call it."""
    if fault in ("bleed", "desync"):
        return ("bleed",) if fault == "bleed" else ("out of sync",)
    return (PICTURE_FAULTS | SOUND_FAULTS)[fault][1]
