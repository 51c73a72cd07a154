"""How texts are compared: letter by letter, and for Chinese also by how a letter sounds.

What a recogniser mishears sounds alike, so a letter that differs counts less where its syllable is the
same, and somewhat less where the syllables differ as they do between accents: 是 and 四, 您 and 林.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ..errors import MissingToolError

Marks = npt.NDArray[np.int32]
"""int32[letters, 3]: for each letter who it is, how it sounds, and how it sounds to an untrained ear."""

_ACCENTS = ((re.compile("^([zcs])h"), r"\1"), (re.compile("^n"), "l"), (re.compile("ng$"), "n"))
"""What many Mandarin speakers do not distinguish: zh and z, ch and c, sh and s, n and l, -ng and -n."""


_KINDS = 1009
"""Sounds that a first comparison of two texts distinguishes: more than Mandarin has."""


def letters(text: str) -> str:
    """The letters and digits of a text, wide ones as narrow ones, capitals as small ones."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in folded if letter.isalnum())


def marks(text: str) -> Marks:
    """The letters of a text, made to be compared: equal numbers in a column mean equal letters or sounds.

    Raises
    ------
    MissingToolError
        The text is Chinese and pypinyin is not installed.
    """
    rows = [_mark(letter) for letter in letters(text)]
    return np.array(rows, np.int32).reshape(-1, 3)


@lru_cache(maxsize=1 << 15)
def _mark(letter: str) -> tuple[int, int, int]:
    code = ord(letter)
    if not "\u3400" <= letter <= "\u9fff":
        return code, -code, -code
    sound = _syllable(letter)
    heard = sound
    for pattern, plain in _ACCENTS:
        heard = pattern.sub(plain, heard)
    return code, _number(sound), _number(heard)


def _syllable(letter: str) -> str:
    try:
        from pypinyin import lazy_pinyin
    except ImportError as error:
        raise MissingToolError(
            "pypinyin",
            expected="the package that compares Chinese lines by their sound too",
            found=str(error),
            remedy="run 'pip install emomedia[scripts]'",
        ) from error
    return str(lazy_pinyin(letter)[0])


def _number(syllable: str) -> int:
    """A number for a syllable: its at most six small letters as digits; no syllable of others has it."""
    number = 0
    for letter in syllable[:6]:
        number = number * 31 + ord(letter) % 31
    return number


def joined(texts: Iterable[Marks]) -> tuple[Marks, npt.NDArray[np.int64]]:
    """Texts one after the other, and where each begins, with the end behind the last: int64[texts + 1]."""
    listed: Sequence[Marks] = list(texts)
    ends = np.cumsum([0, *(len(text) for text in listed)], dtype=np.int64)
    return np.concatenate([np.zeros((0, 3), np.int32), *listed]), ends


def shared(
    one: npt.NDArray[np.int32],
    one_at: npt.NDArray[np.int64],
    other: npt.NDArray[np.int32],
    other_at: npt.NDArray[np.int64],
) -> npt.NDArray[np.float32]:
    """How many sounds of each text of `one` each of `other` has at most: float32[ones, others].

    `one` and `other` are sounds of :func:`joined` texts.
    """
    ones, others = _counted(one, one_at), _counted(other, other_at)
    there: npt.NDArray[np.float32] = ones @ (others > 0).T.astype(np.float32)
    back: npt.NDArray[np.float32] = (ones > 0).astype(np.float32) @ others.T
    return np.minimum(there, back)


def _counted(sounds: npt.NDArray[np.int32], at: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """How often each text has each sound, some sounds taken as one: float32[texts, _KINDS]."""
    counts = np.zeros((len(at) - 1, _KINDS), np.float32)
    np.add.at(counts, (np.repeat(np.arange(len(at) - 1), np.diff(at)), sounds % _KINDS), 1)
    return counts
