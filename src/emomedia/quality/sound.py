"""What a clip's sound is like, side by side, from the actors' own tracks and who speaks when.  Pure.

docs/quality.md has the definitions and their sources.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..timeline import SAMPLE_RATE
from . import loudness

COLUMN = SAMPLE_RATE // 100
"""Samples of 10 ms, for which activity is known."""

ENOUGH = 30
"""Columns, 0.3 s, that a level of a voice is taken from at least."""

ENOUGH_NOISE = 5
"""Columns of silence, 50 ms, that a level of noise is taken from at least."""

ENOUGH_PAUSES = 150
"""Columns, 1.5 s, in which a voice pauses somewhere, be it for two hundredths of them."""

_QUIETEST = 2.0
"""Percentile of a clip's columns that noise is no louder than."""

_STANDS_OUT = 4.0
"""Of the power of noise, and of the other track: what a whisper has at least."""

MOST_DB = 100.0
"""Beyond it is a ratio to digital silence."""

CLIPPED_RUN = 3
"""Neighbouring samples at the highest value that make a flat top."""

LOUD = 0.1
"""Of full scale: where even the highest sample is lower, equal samples are nothing to do with clipping."""

_FLAT = 1.01 / 32768
"""A step of 16 bits, by which the samples of a flat top may differ: dither."""

_BINS = 50
"""Of the values from 0 to the highest, for the heap of clipped ones that resampling and coding leave."""

_HEAP, _GAP, _BELOW, _FROM = 3, 1, 5, 20
"""Bins of a heap, between it and those that it is compared with, of those, and below the lowest heap."""

_HIGHER, _SIGMAS = 1.5, 5.0
"""How far a heap stands above the bins below it: by this factor and as many deviations of their count."""

_OVERSHOOT = 0.5
"""Of a heap's samples, that may lie beyond it: what filters make of a flat top's ends."""

_AT_A_TIME = 1 << 12
"""Columns."""

Sound = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Voice:
    """What is heard of one side in a clip.

    Attributes
    ----------
    sound, other_sound : float32[n]
        The side's own track at 48 kHz, and the other side's.
    own, other : bool[columns]
        When its own and the other actor speak, in columns of 10 ms.
    turn : bool[columns]
        When the clip's turns say that the side speaks.
    noise_db : float or None
        The track's noise in the whole session, used where the clip has too little of it.
    level_db, other_level_db : float or None
        Both actors' levels, each in the own track, in the whole session.
    """

    sound: Sound
    other_sound: Sound
    own: Mask
    other: Mask
    turn: Mask
    noise_db: float | None = None
    level_db: float | None = None
    other_level_db: float | None = None


def sound_measures(voice: Voice) -> dict[str, Any]:
    """The side's measures, None where there is nothing to measure."""
    powers = loudness.block_powers(voice.sound)
    columns = min(len(voice.sound) // COLUMN, len(voice.own))
    column_powers, others = (_powers(sound[: columns * COLUMN]) for sound in (voice.sound, voice.other_sound))
    own, other, turn = (mask[:columns] for mask in (voice.own, voice.other, voice.turn))
    noise = _noise(column_powers, column_powers[~own & ~other & ~turn], voice.noise_db)
    # where noise is louder than a voice, its activity is not found, but the turns say when it speaks
    alone = (own if own.sum() >= ENOUGH else turn) & ~other
    return {
        "snr_db": _rounded(_snr(column_powers[alone], noise)),
        "clipped_share": round(clipped_share(voice.sound), 6),
        "loudness_lufs": _rounded(loudness.integrated(powers)),
        "bleed_db": _rounded(_bleed(column_powers, others, other & ~own, noise, voice)),
        "silence_share": _rounded(_silence(powers)),
    }


def _powers(sound: Sound) -> npt.NDArray[np.float64]:
    """Mean power of each column."""
    columns = sound.reshape(-1, COLUMN)
    result = np.empty(len(columns))
    for first in range(0, len(columns), _AT_A_TIME):  # an hour in double precision would be gigabytes
        part = slice(first, first + _AT_A_TIME)
        result[part] = (columns[part].astype(np.float64) ** 2).mean(axis=1)
    return result


def _noise(
    powers: npt.NDArray[np.float64], silence: npt.NDArray[np.float64], session_db: float | None
) -> float | None:
    """Power of the noise: the median of the columns in which nobody speaks, else the session's.

    But no less than between words (minimum statistics: Martin 2001): noise may begin and end with a voice,
    and be taken for it.
    """
    known = None if session_db is None else 10 ** (session_db / 10)
    if len(silence) >= ENOUGH_NOISE:
        known = float(np.median(silence))
    if known is None or len(powers) < ENOUGH_PAUSES:
        return known
    return max(known, float(np.percentile(powers, _QUIETEST)))


def _snr(speech: npt.NDArray[np.float64], noise: float | None) -> float | None:
    """Own voice, less the noise in it, to noise; in dB."""
    if len(speech) < ENOUGH or noise is None:
        return None
    power = float(speech.mean())
    return _decibels(max(power - noise, power * 1e-3), noise)


def _bleed(
    powers: npt.NDArray[np.float64],
    others: npt.NDArray[np.float64],
    alone: Mask,
    noise: float | None,
    voice: Voice,
) -> float | None:
    """The other voice's level in this track, less the own voice's there.

    The clip shows by how much the other voice is weaker here than in its own track, while it is heard
    `alone`: in the middle of its columns by its power, so that a laugh or a murmur of the listener's that
    nobody has marked is not taken for it.  The session's levels of both voices bring that to the definition,
    whatever the tracks' gains and however loud this one sentence is.
    """
    if alone.sum() < ENOUGH or noise is None or voice.level_db is None or voice.other_level_db is None:
        return None
    said = others[alone]
    if not said.any():
        return None
    ways = np.maximum(powers[alone] - noise, noise / 10) / np.maximum(said, 1e-20)
    order = np.argsort(ways)
    middle = order[np.searchsorted(np.cumsum(said[order]), said.sum() / 2)]
    return _decibels(float(ways[middle]), 1.0) + voice.other_level_db - voice.level_db


def _decibels(power: float, reference: float) -> float:
    if power <= 0:
        return -MOST_DB
    return float(np.clip(10 * np.log10(power / max(reference, 1e-20)), -MOST_DB, MOST_DB))


def clipped_share(sound: Sound) -> float:
    """Share of the samples that are clipped, whether they are flat tops still or only heaped near a level."""
    if len(sound) == 0:
        return 0.0
    signs = [signed for signed in (sound, -sound) if signed.max() >= LOUD]
    return sum(max(_flat_tops(signed), _heaped(signed)) for signed in signs) / len(sound)


def _flat_tops(sound: Sound) -> int:
    """Samples in runs at the highest value."""
    high = sound >= sound.max() - _FLAT
    edges = np.flatnonzero(np.diff(np.concatenate([[False], high, [False]]).astype(np.int8)))
    runs = edges[1::2] - edges[::2]
    return int(runs[runs >= CLIPPED_RUN].sum())


def _heaped(sound: Sound) -> int:
    """Samples that are too many for their level.

    Of speech there are fewer the higher the value; where it was clipped, they heap up near that level, also
    after resampling and lossy coding (Eaton and Naylor 2013).
    """
    top = float(sound.max())
    high = sound[sound >= top * (_FROM - _GAP - _BELOW) / _BINS]  # few, and no bin below is looked at
    counts = np.histogram(high, _BINS, (0.0, top))[0]
    sums = np.concatenate([[0], np.cumsum(counts)])
    first = np.arange(_FROM, _BINS - _HEAP + 1)
    heap = sums[first + _HEAP] - sums[first]
    usual = (sums[first - _GAP] - sums[first - _GAP - _BELOW]) * (_HEAP / _BELOW)
    beyond = sums[-1] - sums[np.minimum(first + _HEAP + _GAP, _BINS)]
    stands = heap > _HIGHER * usual + _SIGMAS * np.sqrt(usual + 1)
    return int(np.where(stands & (beyond < _OVERSHOOT * heap), heap - usual, 0).max())


def _silence(powers: npt.NDArray[np.float64]) -> float | None:
    """Share of the gating blocks below the absolute gate."""
    if len(powers) == 0:
        return None
    return float((loudness.lufs(powers) <= loudness.ABSOLUTE_GATE).mean())


def unheard_voice(voice: Voice) -> Mask:
    """Columns of the side's turns in which nobody was heard to speak, but it whispers.

    They stand out from its track's noise, and from the other track, each by its own actor's level: so they
    are not what the other voice leaves behind.  Where that one speaks, its echoes may be more than that.
    """
    found = np.zeros(len(voice.own), np.bool_)
    unheard = voice.turn & ~voice.own & ~voice.other
    if voice.noise_db is None or voice.level_db is None or voice.other_level_db is None or not unheard.any():
        return found
    columns = min(len(voice.sound) // COLUMN, len(voice.own))
    mine, others = (_powers(sound[: columns * COLUMN]) for sound in (voice.sound, voice.other_sound))
    others *= 10 ** ((voice.level_db - voice.other_level_db) / 10)
    found[:columns] = mine > _STANDS_OUT * np.maximum(others, 10 ** (voice.noise_db / 10))
    return found & unheard


def other_voice_share(own: Mask, other: Mask, turn: Mask) -> float | None:
    """Of what both say in the side's turns, the other actor's share; less where the turns fit the own voice.

    They fit a voice by the columns in which turns and voice do not differ. The masks reach beyond the clip: a
    listener's murmur lies within the other one's turn from end to end, but the other one speaks on.
    """
    mine, theirs = int((turn & own).sum()), int((turn & other).sum())
    if mine + theirs < ENOUGH:
        return None
    off, others_off = int((turn ^ own).sum()), int((turn ^ other).sum())
    return round(min(theirs / (mine + theirs), off / max(1, off + others_off)), 2)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
