"""Single utterances: spoken by espeak-ng or read from recordings, with no silence around them."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import wave
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import cycle
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

from ..containers import opened
from ..errors import MediaError, MissingToolError
from ..session import SIDES, SideName
from ..timeline import SAMPLE_RATE

PROGRAM = "espeak-ng"

MILLISECOND = SAMPLE_RATE // 1000
"""Samples; utterances begin and end at whole milliseconds, so that decimals give their times exactly."""

_LANGUAGE = "cmn-latn-pinyin"  # plain "cmn" of espeak-ng 1.51 reads the tone numbers out in English
_SPEED = 210
_VOICES = {"left": ("m3", 38), "right": ("f2", 62)}  # variant and pitch

_FLOOR_DB = -38.0
"""Level against the loudest part below which the ends of an utterance count as silence."""

_LEVEL_DB, _PEAK = -20.0, 0.7
_FADE = 2 * MILLISECOND


@dataclass(frozen=True, slots=True, eq=False)
class Spoken:
    """An utterance: its text, if known, and its sound, float32[n] at 48 kHz, whole milliseconds long."""

    text: str | None
    samples: npt.NDArray[np.float32]

    @property
    def milliseconds(self) -> int:
        return len(self.samples) // MILLISECOND


Speaker = Callable[[SideName, str], Spoken]
"""Says a text with the voice of a side."""


def synthesised() -> Speaker:
    """A speaker that lets espeak-ng read Mandarin.

    Raises
    ------
    MissingToolError
        If espeak-ng, or its Mandarin voice, is not installed.
    """
    if shutil.which(PROGRAM) is None:
        raise _missing("nothing of that name")
    return lru_cache(maxsize=None)(_synthesise)


def recorded(files: tuple[tuple[Path, ...], tuple[Path, ...]]) -> Speaker:
    """A speaker that plays the left and the right actor's recordings in turn, whatever the text."""
    turns = {side: cycle(own) for side, own in zip(SIDES, files, strict=True)}
    load = lru_cache(maxsize=None)(_load)
    return lambda side, _text: load(next(turns[side]))


def _missing(found: str) -> MissingToolError:
    return MissingToolError(
        PROGRAM,
        expected="the speech synthesiser with its Mandarin voice, to let simulated actors speak",
        found=found,
        remedy="install it (Debian and Ubuntu: apt-get install espeak-ng), or give recorded speech",
    )


@lru_cache(maxsize=1)
def _repeatable() -> list[str]:
    """What makes espeak-ng's breath noise the same every time: 1.52 has an option for it, 1.51 no need."""
    usage = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=False).stdout
    return ["-D"] if "deterministic random mode" in usage else []


def _synthesise(side: SideName, text: str) -> Spoken:
    variant, pitch = _VOICES[side]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        voice = ["-v", f"{_LANGUAGE}+{variant}", "-s", str(_SPEED), "-p", str(pitch)]
        done = subprocess.run(
            [PROGRAM, *_repeatable(), *voice, "-b", "1", "-w", path, "--", text],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or not path.exists():
            raise _missing(done.stderr.strip() or f"exit status {done.returncode}")
        with wave.open(str(path)) as file:
            rate = file.getframerate()
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32)
    return Spoken(text, prepared(samples * np.float32(2**-15), rate))


def _load(path: Path) -> Spoken:
    """A recording of one utterance; several channels are averaged."""
    import av

    try:
        with opened(path) as container:
            resampler = av.AudioResampler(format="fltp", layout="mono")
            rate = container.streams.audio[0].sample_rate
            frames = [*container.decode(audio=0), None]
            blocks = [block.to_ndarray()[0] for frame in frames for block in resampler.resample(frame)]
    except (av.FFmpegError, IndexError) as error:
        raise MediaError(
            path, expected="a recording of speech", found=str(error), remedy="give a sound file such as WAV"
        ) from error
    text = path.with_suffix(".txt")
    words = text.read_text(encoding="utf-8").strip() if text.exists() else None
    samples = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    if not samples.any():
        raise MediaError(path, expected="speech", found="silence", remedy="give another recording")
    return Spoken(words, prepared(samples, rate))


def prepared(samples: npt.NDArray[np.float32], rate: int) -> npt.NDArray[np.float32]:
    """Speech at 48 kHz without the silence around it, at the usual level, faded at both ends.

    Parameters
    ----------
    samples : float32[n]
        Mono sound at `rate` samples a second that is not all zeros.
    """
    sound = soxr.resample(samples, rate, SAMPLE_RATE, quality="VHQ").astype(np.float32)
    sound = np.pad(sound, (0, -len(sound) % MILLISECOND))
    power = np.mean(sound.reshape(-1, MILLISECOND) ** 2, axis=1)
    loud = np.flatnonzero(power > power.max() * 10 ** (_FLOOR_DB / 10))
    sound = sound[loud[0] * MILLISECOND : (loud[-1] + 1) * MILLISECOND].copy()
    level = 10 ** (_LEVEL_DB / 20) / np.sqrt(np.mean(sound**2))
    sound *= min(level, _PEAK / np.abs(sound).max())
    ramp = np.linspace(0, 1, _FADE, dtype=np.float32)
    if len(sound) >= 2 * _FADE:
        sound[:_FADE] *= ramp
        sound[-_FADE:] *= ramp[::-1]
    return sound
