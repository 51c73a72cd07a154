"""Detects text that nobody said: what Whisper writes for noise, and the loops that it falls into.

The first guard is that only an actor's own speech is sent.  What is left shows in the text itself, in how
much of it there is for the speech that carries it, and in the probabilities.  Whisper's own thresholds
(Radford et al. 2023, section 4.5: compression ratio 2.4, mean log probability −1, no speech 0.6) are kept
where they work for short Mandarin turns; what was added, and why, is in docs/words-guard.md.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from ..flags import (
    LOW_PROBABILITY,
    NO_SPEECH,
    OTHER_LANGUAGE,
    REPEATED_TEXT,
    REPETITION,
    SUBTITLES,
    TOO_FAST,
    TOO_SLOW,
)
from ..options import Doubtful
from .phrases import PHRASES
from .types import Segment

COMPRESSION_RATIO, COMPRESSED_LETTERS = 2.4, 30
"""Whisper's threshold, and the length of text from which the ratio separates loops from laughter."""

MEAN_LOG_PROBABILITY = -1.0
NO_SPEECH_PROBABILITY = 0.6

WORD_PROBABILITY, SEVERAL_WORDS = 0.5, 4
"""Mean over so many words or more below which they were guessed; short answers are uncertain and right."""

REPEATS = {1: 8, 2: 5, 3: 4}
"""How often 1, 2 or 3 letters follow themselves in a loop: 对对对对 and 好的好的好的 are said in earnest."""

LONGER_REPEATS = 3
"""How often something longer does."""

LAUGHTER = frozenset("哈呵嘿嘻嗯啊呀哦噢hae")
"""What is drawn out at will, alone."""

LAUGHTER_REPEATS = 24

SYLLABLES = 11.0
"""A second of speech at most, twice what people read: 5.2 in Mandarin, 6.2 in English, less than 8 in every
language that was measured (Pellegrino, Coupé and Marsico 2011)."""

SLACK_SYLLABLES = 1
"""More, whatever the length: activity is cut to 10 ms and may lose a weak beginning."""

LEAST_SYLLABLES, LONG_SPEECH = 0.5, 4.0
"""A second of speech at least, in speech of so many seconds: most of it was not written down."""

LETTERS = 2.5
"""Letters a syllable where letters are not syllables."""

SYLLABARIES = frozenset(
    {"CJK", "IDEOGRAPHIC", "HANGUL", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "ETHIOPIC"}
)
"""Scripts in which a letter is a syllable, more or less; in all others several are."""

SHORTEST_SPEECH = 0.06
"""Seconds of an actor's own speech without which there are no words."""

OTHER_SCRIPT, FOREIGN_LETTERS = 0.1, 12
"""Share of letters in scripts that the language is not written in; how many Latin letters are more than a
borrowed word, where most letters are Latin."""

SCRIPTS = {
    "zh": frozenset({"CJK", "IDEOGRAPHIC", "LATIN"}),
    "yue": frozenset({"CJK", "IDEOGRAPHIC", "LATIN"}),
    "ja": frozenset({"CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "LATIN"}),
    "ko": frozenset({"HANGUL", "CJK", "IDEOGRAPHIC", "LATIN"}),
    "ru": frozenset({"CYRILLIC", "LATIN"}),
    **dict.fromkeys(("en", "de", "fr", "es", "it", "pt", "nl"), frozenset({"LATIN"})),
}
"""Scripts by language (々 and 〇 are ``IDEOGRAPHIC``); other languages are not judged by their letters."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How a flagged segment is heard once more: nothing in it is random, so that runs repeat.

    The prompt and the hot words are left out (`prompted`): Whisper repeats them when it hears nothing.  A
    wider beam finds what a narrow one lost.  Tokens that were used become a little less likely, and no six
    may come again in the same order, two to six characters of Chinese or a few words: that ends loops.
    """

    beam_size: int = 10
    patience: float = 1.0
    repetition_penalty: float = 1.1
    no_repeat_ngram_size: int = 6
    prompted: bool = False


RETRY = Retry()


def flags_of(segment: Segment, speech_seconds: float, language: str | None = None) -> tuple[str, ...]:
    """Reasons to doubt the text of a segment; empty if there is no text or no reason.

    Parameters
    ----------
    segment : Segment
        What was heard; its own `flags` are not looked at.
    speech_seconds : float
        How long its actor speaks in it.
    language : str or None
        What is spoken, Whisper's code; the segment's own if None.
    """
    text = letters(segment.text)
    if not text:
        return ()
    syllables = syllables_of(text)
    checks = {
        REPETITION: _deflates(segment, text) or is_loop(text),
        SUBTITLES: any(phrase in text for phrase in PHRASES),
        OTHER_LANGUAGE: is_other_language(text, language or segment.language),
        TOO_FAST: syllables > SYLLABLES * speech_seconds + SLACK_SYLLABLES,
        TOO_SLOW: speech_seconds >= LONG_SPEECH and syllables < LEAST_SYLLABLES * speech_seconds,
        NO_SPEECH: speech_seconds < SHORTEST_SPEECH or _sounds_like_nothing(segment),
        LOW_PROBABILITY: _is_guess(segment),
    }
    return tuple(name for name, found in checks.items() if found)


def _deflates(segment: Segment, text: str) -> bool:
    return len(text) >= COMPRESSED_LETTERS and segment.compression_ratio > COMPRESSION_RATIO


def _sounds_like_nothing(segment: Segment) -> bool:
    """Whisper's own rule: the token for no speech is likely, and what was written is not."""
    return (
        segment.no_speech_probability > NO_SPEECH_PROBABILITY
        and segment.mean_log_probability < MEAN_LOG_PROBABILITY
    )


def _is_guess(segment: Segment) -> bool:
    if segment.mean_log_probability < MEAN_LOG_PROBABILITY:
        return True
    probabilities = [word.probability for word in segment.words]
    count = len(probabilities)
    return count >= SEVERAL_WORDS and sum(probabilities) < WORD_PROBABILITY * count


def repeated_across(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """One side's segments in order, flagged where three in a row say the same four letters or more."""
    found = list(segments)
    first = 0
    for n in range(1, len(found) + 1):
        text = letters(found[first].text) if found else ""
        if n < len(found) and letters(found[n].text) == text:
            continue
        if n - first >= LONGER_REPEATS and len(text) >= 4:
            found[first:n] = [flagged(segment, (REPEATED_TEXT,)) for segment in found[first:n]]
        first = n
    return tuple(found)


def flagged(segment: Segment, flags: Sequence[str]) -> Segment:
    """With `flags` besides its own, each once."""
    return replace(segment, flags=tuple(dict.fromkeys((*segment.flags, *flags))))


def better(first: Segment, second: Segment) -> Segment:
    """Of two hearings of one stretch, with their flags: fewer flags, then likelier words, then the first."""
    if len(second.flags) != len(first.flags):
        return min(first, second, key=lambda segment: len(segment.flags))
    return second if second.mean_log_probability > first.mean_log_probability else first


def settled(segment: Segment, doubtful: Doubtful) -> Segment:
    """As it goes into the transcript: flagged text is kept, or blanked; the flags stay."""
    if doubtful == "blank" and segment.flags:
        return replace(segment, text="", words=())
    return segment


def letters(text: str) -> str:
    """Letters and digits of a text, half-width and in lower case."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


def syllables_of(text: str) -> float:
    """About how many syllables there are in letters and digits."""
    whole = sum(character.isdigit() or script(character) in SYLLABARIES for character in text)
    return whole + (len(text) - whole) / LETTERS


@cache
def script(character: str) -> str:
    """The first word of a letter's Unicode name, which is its script: CJK, LATIN, HANGUL, ..."""
    return unicodedata.name(character, "UNKNOWN").split()[0]


def is_other_language(text: str, language: str) -> bool:
    """Whether letters are not those of a language; a few Latin ones in any language are a borrowed word."""
    own = SCRIPTS.get(language)
    scripts = [script(character) for character in text if not character.isdigit()]
    if own is None or not scripts:
        return False
    if sum(name not in own for name in scripts) > OTHER_SCRIPT * len(scripts):
        return True
    latin = scripts.count("LATIN")
    return own != {"LATIN"} and latin > max(len(scripts) / 2, FOREIGN_LETTERS)


def is_loop(text: str) -> bool:
    """Whether something in `text` follows itself more often than people repeat themselves."""
    for period in range(1, len(text) // 2 + 1):
        same = 0
        for n in range(period, len(text)):
            same = same + 1 if text[n] == text[n - period] else 0
            if same and same // period + 1 >= _limit(text[n - period + 1 : n + 1]):
                return True
    return False


def _limit(repeated: str) -> int:
    """How often something is repeated in a loop."""
    if set(repeated) <= LAUGHTER:
        return LAUGHTER_REPEATS // len(repeated)
    if len(set(repeated)) == 1:
        return -(-REPEATS[1] // len(repeated))
    return REPEATS.get(len(repeated), LONGER_REPEATS)
