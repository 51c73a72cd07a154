"""Conversations of known turns, spoken by real voices, for what the speech and turns stages make of them."""

from __future__ import annotations

import numpy as np

from emomedia.session import SIDES

from .conversations import Talk
from .rooms import FRAME, RATE, Conversation, speakers, utterances

_QUIET = -14.0, -3.0
"""Decibels of a listening sign, next to the rest."""


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
        level = 10 ** (rng.uniform(*_QUIET) / 20) if turn.backchannel else 1.0
        for start, end in turn.units:
            first, last = round(start * 100), round(end * 100)
            sound = _stretch(pieces[side], (last - first) * FRAME, rng) * np.float32(level)
            voices[side][first * FRAME : last * FRAME] = sound
            active[side][first:last] = True
    return Conversation(voices, active)


def _stretch(pieces: list[np.ndarray], length: int, rng: np.random.Generator) -> np.ndarray:
    """`length` samples of speech without a pause, faded at the end."""
    sound = np.zeros(0, np.float32)
    while len(sound) < length:
        sound = np.concatenate([sound, pieces[int(rng.integers(len(pieces)))]])
    sound = sound[:length].copy()
    ramp = min(RATE // 200, length)
    sound[-ramp:] *= np.linspace(1, 0, ramp, dtype=np.float32)
    return sound
