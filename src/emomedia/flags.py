"""The flags of doubtful texts and turns: one vocabulary, in one place.

Segments of speech.json, turns of turns.json and clips (``quality.transcript_flags``) have these flags;
docs/words-guard.md says when.  A turns.json of the user's own may have others.
"""

from __future__ import annotations

REPETITION = "repetition"
REPEATED_TEXT = "repeated_text"
SUBTITLES = "subtitles"
OTHER_LANGUAGE = "other_language"
TOO_FAST = "too_fast"
TOO_SLOW = "too_slow"
NO_SPEECH = "no_speech"
LOW_PROBABILITY = "low_probability"
UNFINISHED = "unfinished"
NO_TEXT = "no_text"

OF_TEXT = frozenset(
    {
        REPETITION,
        REPEATED_TEXT,
        SUBTITLES,
        OTHER_LANGUAGE,
        TOO_FAST,
        TOO_SLOW,
        NO_SPEECH,
        LOW_PROBABILITY,
        UNFINISHED,
        NO_TEXT,
    }
)
"""Those of what a recogniser wrote or left out; they say nothing of a text that somebody wrote instead."""

CUT = "cut"
"""Of a turn whose actor speaks on beyond it."""

FLAGS = OF_TEXT | {CUT}
