"""Turns of every kind that turns.json allows and a tier can show."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import strategies as st

from emomedia.session import SIDES, Dialogue
from emomedia.turns import Scripted, Turn, TurnsFile, Word

NANO = Fraction(1, 10**9)

ODD = ['"', '""', "\n", "\r\n", "\t", "<", "&", "]]>", "!", "\\", "\u2028", "\x00", "\x7f", "\ufffe"]
odd = st.sampled_from(ODD)
texts = st.lists(st.one_of(odd, st.text(st.characters(exclude_categories=["Cs"]), max_size=6)), max_size=5)
text = st.one_of(st.just("你好，“世界”！"), texts.map("".join))
label = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)


def times(count: int) -> st.SearchStrategy[list[Fraction]]:
    """So many times in order, to the nanosecond, some of them very near each other."""
    steps = st.one_of(st.integers(2_000, 900_000), st.integers(10**6, 5 * 10**9))
    return st.lists(steps, min_size=count, max_size=count).map(
        lambda parts: [sum(parts[: n + 1]) * NANO for n in range(len(parts))]
    )


@st.composite
def words(draw: st.DrawFn, start: Fraction, end: Fraction) -> tuple[Word, ...]:
    """Words mostly within a turn, some without length, some over each other."""
    made = []
    for _ in range(draw(st.integers(0, 3))):
        shares = sorted(draw(st.lists(st.integers(-1, 11), min_size=2, max_size=2)))
        first, last = (max(Fraction(0), start + (end - start) * share / 10) for share in shares)
        probability = draw(st.none() | st.integers(0, 100).map(lambda n: Fraction(n, 100)))
        made.append(Word(draw(text), round(first / NANO) * NANO, round(last / NANO) * NANO, probability))
    return tuple(made)


@st.composite
def turns_files(draw: st.DrawFn) -> TurnsFile:
    """A session of a few turns; those of one side don't overlap, though they may touch."""
    edges = draw(times(4))
    dialogues = [Dialogue(f"s_{n:03d}", edges[2 * n], edges[2 * n + 1]) for n in range(2)]
    named = st.none() | label
    dialogues = [replace(one, topic=draw(named), emotion=draw(named)) for one in dialogues]
    dialogues = dialogues[: draw(st.integers(0, 2))]
    turns: list[Turn] = []
    for side in SIDES:
        count = draw(st.integers(0, 4))
        edges, touching = draw(times(2 * count)), draw(st.booleans())
        for n in range(count):
            start, end = edges[2 * n], edges[2 * n + (2 if touching and n + 1 < count else 1)]
            further = st.just(()) | st.tuples(label)
            scripted = draw(st.none() | st.builds(Scripted, label, st.just(Fraction(1, 2)), further))
            turns.append(
                Turn(
                    f"{side}{n}",
                    draw(st.sampled_from([None, *(one.id for one in dialogues)])),
                    side,
                    start,
                    end,
                    draw(st.none() | text),
                    draw(words(start, end)),
                    draw(st.integers(0, 10**9)) * NANO,
                    draw(st.none() | st.integers(-(10**9), 10**9).map(lambda n: n * NANO)),
                    draw(st.booleans()),
                    tuple(draw(st.lists(label, max_size=2))),
                    scripted,
                    draw(named),
                    draw(named),
                )
            )  # fmt: skip
    turns.sort(key=lambda turn: (turn.start, turn.id))
    unmatched = draw(st.none() | st.lists(label, max_size=2).map(tuple))
    return TurnsFile("s", tuple(turns), tuple(dialogues), unmatched)
