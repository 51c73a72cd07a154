"""Conversations of known turns, spoken by real voices, for what the speech and turns stages make of them."""

from __future__ import annotations

import numpy as np

from emomedia.session import SIDES

from .conversations import Talk
from .rooms import FRAME, RATE, Conversation, speakers, utterances

_QUIET = -9.0, 0.0
"""Decibels of a sign of listening, next to the rest."""


def voiced(talk: Talk, seed: int, *, held_out: bool = True) -> Conversation:
    """`talk` said by two real speakers, to 10 ms: each unit is a stretch of speech as long as it."""
    rng = np.random.default_rng([seed, 11])
    pools = speakers(held_out)
    frames = round(talk.seconds * 100) + 100
    voices = {side: np.zeros(frames * FRAME, np.float32) for side in SIDES}
    active = {side: np.zeros(frames, bool) for side in SIDES}
    pieces = {
        side: [piece for name in pools[pool] for piece in utterances(name)]
        for side, pool in zip(SIDES, rng.permutation(len(pools)), strict=False)
    }
    for turn in talk.turns:
        side = SIDES[turn.speaker]
        for start, end in turn.units:
            first, last = round(start * 100), round(end * 100)
            make = _sign if turn.backchannel else _stretch
            voices[side][first * FRAME : last * FRAME] = make(pieces[side], (last - first) * FRAME, rng)
            active[side][first:last] = True
    return Conversation(voices, active)


def _stretch(pieces: list[np.ndarray], length: int, rng: np.random.Generator) -> np.ndarray:
    """`length` samples of speech without a pause."""
    sound = np.zeros(0, np.float32)
    while len(sound) < length:
        sound = np.concatenate([sound, pieces[int(rng.integers(len(pieces)))]])
    return _faded(sound[:length])


def _sign(pieces: list[np.ndarray], length: int, rng: np.random.Generator) -> np.ndarray:
    """`length` samples of the loudest that is in some speech, voiced all through; a little quieter."""
    sound = _stretch(pieces, 3 * length, rng)
    power = np.concatenate([[0.0], np.cumsum(sound.astype(np.float64) ** 2)])
    at = int(np.argmax(power[length:] - power[:-length]))
    return _faded(sound[at : at + length]) * np.float32(10 ** (rng.uniform(*_QUIET) / 20))


def _faded(sound: np.ndarray) -> np.ndarray:
    """Over 5 ms at both ends."""
    ramp = np.linspace(0, 1, min(RATE // 200, len(sound) // 2), dtype=np.float32)
    faded = sound.copy()
    faded[: len(ramp)] *= ramp
    faded[-len(ramp) :] *= ramp[::-1]
    return faded
