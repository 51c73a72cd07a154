"""What the recogniser hears: words and the segments of speech that they were heard in.

Times are seconds on the session clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..session import SideName


@dataclass(frozen=True, slots=True)
class Word:
    """One word; `probability`, 0 to 1, is the mean of its tokens'.

    Whisper's spelling is kept: a language that puts spaces between words has one before each `text`.
    """

    text: str
    start: float
    end: float
    probability: float


@dataclass(frozen=True, slots=True)
class Segment:
    """What was heard in one stretch of a side's own speech, at most 30 s, sent to the recogniser as one.

    Attributes
    ----------
    start, end : float
        The stretch that was sent.
    mean_log_probability : float
        Of the tokens, natural logarithm, as Whisper's authors define it.
    no_speech_probability : float
        Of the token that says that there is no speech.
    compression_ratio : float
        Bytes of the text by bytes of it deflated: high for text that repeats itself.
    flags : tuple of str
        Why the text is not to be trusted.
    """

    side: SideName
    start: float
    end: float
    text: str
    words: tuple[Word, ...]
    language: str
    mean_log_probability: float
    no_speech_probability: float
    compression_ratio: float
    flags: tuple[str, ...] = ()
