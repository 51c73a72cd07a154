"""One spelling for a transcript: simplified or traditional characters, punctuation, full and half width."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from ..errors import MissingToolError
from ..options import Characters, Punctuation
from .types import Segment

if TYPE_CHECKING:
    from opencc import OpenCC

CONFIGURATIONS = {"simplified": "tw2s", "traditional": "s2t", "taiwan": "s2tw", "hongkong": "s2hk"}
"""OpenCC's.  ``tw2s`` also knows what Taiwan writes otherwise (著急), which ``t2s`` leaves traditional."""

_FULL = dict(zip(",.?!:;()", "，。？！：；（）", strict=True))

_HALF = {full: half for half, full in _FULL.items()} | {
    **{"、": ",", "…": "...", "—": "-", "【": "[", "】": "]"},
    **dict.fromkeys("“”「」『』《》", '"'),
    **dict.fromkeys("‘’", "'"),
}

_WITHOUT_SPACE = frozenset((*_FULL, *_FULL.values(), "…", "、"))
"""Marks that are followed by no space when they are full-width."""

_WIDE = re.compile("[\uff0e\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff66-\uff9f\u3000]+")
"""Full-width digits, their points and Latin letters, half-width katakana, and the ideographic space."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """How transcripts are spelled; digits and Latin letters are always half-width, katakana full-width."""

    characters: Characters = "keep"
    punctuation: Punctuation = "keep"


def spelled(segment: Segment, spelling: Spelling) -> Segment:
    """`segment` in that spelling: its text, and as many words with the same times and probabilities.

    Raises
    ------
    MissingToolError
        If other characters are asked for and OpenCC is not installed.
    """
    texts = [word.text for word in segment.words]
    new = respelled(texts, spelling)
    whole = "".join(texts).strip() == segment.text.strip()
    return replace(
        segment,
        text="".join(new).strip() if whole else respelled([segment.text], spelling)[0].strip(),
        words=tuple(replace(word, text=text) for word, text in zip(segment.words, new, strict=True)),
    )


def check_spelling(spelling: Spelling) -> None:
    """Refuse a spelling that cannot be written here, as :func:`spelled` would later."""
    if spelling.characters != "keep":
        _converter(CONFIGURATIONS[spelling.characters])


def respelled(texts: Sequence[str], spelling: Spelling) -> tuple[str, ...]:
    """The pieces of one text, each in that spelling, judged in the context of the others.

    A piece that is nothing but punctuation may end empty.
    """
    pieces = [_WIDE.sub(lambda wide: unicodedata.normalize("NFKC", wide[0]), text) for text in texts]
    if spelling.punctuation != "keep":
        pieces = _punctuated(pieces, spelling.punctuation)
    if spelling.characters != "keep":
        pieces = _converted(pieces, _converter(CONFIGURATIONS[spelling.characters]))
    return tuple(pieces)


def _punctuated(pieces: Sequence[str], punctuation: Punctuation) -> list[str]:
    text = "".join(pieces)
    marks = [_mark(text, n, punctuation) for n in range(len(text))]
    bounds = pairwise(accumulate(map(len, pieces), initial=0))
    return ["".join(marks[first:end]) for first, end in bounds]


def _mark(text: str, place: int, punctuation: Punctuation) -> str:
    """What a character of `text` becomes: decimal points, apostrophes and hyphens within words stay."""
    own = text[place]
    before, after = text[place - 1 : place] if place else "", text[place + 1 : place + 2]
    if own == " ":
        return "" if punctuation == "full" and before in _WITHOUT_SPACE else own
    if not unicodedata.category(own).startswith("P") or (_joins(before) and _joins(after)):
        return own
    if punctuation == "none":
        return ""
    if punctuation == "half":
        return _HALF.get(own, own)
    if own == "." and "." in (before, after):
        return "" if text[max(0, place - 2) : place] == ".." else "…"
    return _FULL.get(own, own)


def _joins(character: str) -> bool:
    """Whether it is a letter or digit of a script that uses apostrophes and points within words."""
    return character.isalnum() and character.isascii()


def _converted(pieces: Sequence[str], converter: OpenCC) -> list[str]:
    """Pieces of the converted text: what a character becomes depends on its neighbours in other pieces."""
    text = "".join(pieces)
    whole = converter.convert(text)
    bounds = list(accumulate(map(len, pieces), initial=0))
    if len(whole) != len(text):
        bounds = _moved(text, whole, bounds, converter)
    return [whole[first:end] for first, end in pairwise(bounds)]


def _moved(text: str, whole: str, bounds: Sequence[int], converter: OpenCC) -> list[int]:
    """Where bounds of `text` lie in what it was converted to.

    A bound that cuts no phrase in two is known by converting both sides alone.  Between two such bounds,
    others are put at the same share of the length.
    """
    known = {0: 0, len(text): len(whole)}
    for bound in bounds:
        before = converter.convert(text[:bound])
        if before + converter.convert(text[bound:]) == whole:
            known[bound] = len(before)
    moved = []
    for bound in bounds:
        low = max(place for place in known if place <= bound)
        high = min(place for place in known if place >= bound)
        share = (bound - low) / (high - low) if high > low else 0.0
        moved.append(known[low] + round(share * (known[high] - known[low])))
    return moved


@cache
def _converter(configuration: str) -> OpenCC:
    try:
        from opencc import OpenCC
    except ImportError as error:
        raise MissingToolError(
            "opencc",
            expected="OpenCC, to write Chinese with other characters",
            found="no such package",
            remedy="pip install 'emomedia[chinese]', or keep the characters as they are",
        ) from error
    return OpenCC(configuration)
