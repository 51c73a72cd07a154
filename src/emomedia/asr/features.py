"""Whisper's input: log-mel spectra, made by faster-whisper's own extractor.

It takes a fiftieth of the smallest network's time; an extractor of our own was no faster.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from .sound import Sound

Features = npt.NDArray[np.float32]


def features(sounds: Sequence[Sound], mels: int, frames: int) -> Features:
    """The log-mel spectra of sounds at 16 kHz, zeros behind their ends: float32[sounds, mels, frames]."""
    found = np.zeros((len(sounds), mels, frames), np.float32)
    for number, sound in enumerate(sounds):
        spectrum = _extractor(mels)(sound)[:, :-1][:, :frames]
        found[number, :, : spectrum.shape[1]] = spectrum
    return found


@lru_cache(maxsize=4)
def _extractor(mels: int) -> Any:
    from faster_whisper.feature_extractor import FeatureExtractor

    return FeatureExtractor(feature_size=mels)
