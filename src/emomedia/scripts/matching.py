"""Which turns say which lines of the script, though actors improvise.

One alignment over everything: the turns in their order against the lines in theirs, the most probable of all
ways to say, change, join, split, swap, leave out and put in (:mod:`.loops`).  Texts count by their edit
distance (:mod:`.letters`), speakers by whether one casting of each scene explains their sides.  A pair's
confidence is its share of the probability of all ways, by the forward-backward algorithm (Rabiner 1989,
https://doi.org/10.1109/5.18626; of pairs of sequences: Durbin et al. 1998, *Biological Sequence Analysis*,
chapter 4), so a line that might as well be said elsewhere has a low one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import log
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import DescriptionError
from ..session import SIDES, Dialogue, SideName
from ..turns import Scripted, Turn, TurnsFile
from .letters import Marks, joined, marks, shared
from .prompts import Line, Scene, Script

SAID, CHANCE = 0.65, 0.12
"""Similarity to be expected of a turn and its line, and of a turn and any other line."""

CHANCE_INSIDE = 0.3
"""The same of any other line and that part of a turn that resembles it most."""

MORE = 0.1
"""How often a turn says more than its line, before or after it."""

ALIKE, NEARLY_ALIKE = 0.3, 0.5
"""What a letter for another one costs where the two sound alike or nearly so."""

RIGHT_SIDE = 0.97
"""How often a line is said by the actor who has it."""

SKIPPED, ASIDE = 0.1, 0.9
"""How often a turn says no line, and a line is not said; how often a backchannel says none."""

_MOVES = np.log([0.1, 1, 1, 0.8, 0.05, 0.05, 0.02])
"""How often the moves of :mod:`.loops` are made; the first: another casting in the next scene."""

HOPELESS = -6.0
"""Odds at which a pair need not be looked at closely: far worse than a turn and a line left out."""

MIN_CONFIDENCE = 0.5
"""A turn says a line only if that is likelier than all else together."""

MAX_PAIRS = 4_000_000
"""Turns times lines: two and a half hours of talk; a quarter of a gigabyte."""

_REAL = npt.NDArray[np.float64]
_Odds = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Matched:
    """What the alignment says.

    Attributes
    ----------
    lines : tuple
        For each turn the numbers of the lines that it says, in their order; mostly one, maybe none.
    confidence : tuple of float
        For each turn the probability that it says the first of those; zero where there is none.
    sides : tuple
        For each scene the side of each speaker.
    """

    lines: tuple[tuple[int, ...], ...]
    confidence: tuple[float, ...]
    sides: tuple[Mapping[str, SideName], ...]

    def unmatched(self, lines: int) -> list[int]:
        """Which of so many lines nobody says."""
        said = {line for own in self.lines for line in own}
        return [line for line in range(lines) if line not in said]


class _Problem(NamedTuple):
    """What :func:`.loops.ways` is given, in its order."""

    pair: npt.NDArray[np.float32]
    two_turns: npt.NDArray[np.float32]
    two_lines: npt.NDArray[np.float32]
    turn_before: npt.NDArray[np.int64]
    line_before: npt.NDArray[np.int64]
    side: npt.NDArray[np.int64]
    fits: _REAL
    skip_turn: _REAL
    skip_line: _REAL
    first: npt.NDArray[np.bool_]
    moves: _REAL

    def backwards(self) -> _Problem:
        """The same from the end to the beginning."""
        turn_after, line_after = _after(self.turn_before), _after(self.line_before)
        return _Problem(
            self.pair[::-1, ::-1].copy(),
            _from_earlier(self.two_turns, turn_after)[::-1, ::-1].copy(),
            _from_earlier(self.two_lines.T, line_after).T[::-1, ::-1].copy(),
            _mirrored(turn_after),
            _mirrored(line_after),
            self.side[::-1].copy(),
            self.fits[:, ::-1].copy(),
            self.skip_turn[::-1].copy(),
            self.skip_line[::-1].copy(),
            np.roll(self.first, -1)[::-1].copy(),
            self.moves,
        )


def match(turns: Sequence[Turn], script: Script, sides: Mapping[str, SideName] | None = None) -> Matched:
    """Align `turns`, in order of start, with the lines of `script`.

    Parameters
    ----------
    sides : mapping or None
        Where speakers of the script sit, as far as that is known; the rest is found.

    Raises
    ------
    DescriptionError
        There are too many turns and lines to compare each with each.
    MissingToolError
        The texts are Chinese and pypinyin is not installed.
    """
    lines = script.lines
    if len(turns) * len(lines) > MAX_PAIRS:
        raise DescriptionError(
            "script",
            expected=f"turns and lines that make at most {MAX_PAIRS} pairs",
            found=f"{len(turns)} turns and {len(lines)} lines",
            remedy="give each [[dialogue]] in session.toml its own script",
        )
    if not lines or not any(turn.text for turn in turns):
        return Matched(((),) * len(turns), (0.0,) * len(turns), tuple({} for _ in script.scenes))
    problem = _problem(turns, script, sides or {})
    said, castings = _best(problem)
    probability = _probability(problem)
    kept = [
        tuple(line for line in sorted(own) if probability[turn, line] >= MIN_CONFIDENCE)
        for turn, own in enumerate(said)
    ]
    confidence = [min(1.0, float(probability[turn, own[0]])) if own else 0.0 for turn, own in enumerate(kept)]
    cast = _speakers(script, sides or {})
    starts = np.cumsum([0, *(len(scene.lines) for scene in script.scenes)])[:-1]
    chosen = (castings[min(start, len(lines) - 1)] for start in starts)
    return Matched(
        tuple(kept),
        tuple(confidence),
        tuple(both[casting] for both, casting in zip(cast, chosen, strict=True)),
    )


def _problem(turns: Sequence[Turn], script: Script, sides: Mapping[str, SideName]) -> _Problem:
    lines = script.lines
    scene_of = [number for number, scene in enumerate(script.scenes) for _ in scene.lines]
    spoken, written = [marks(turn.text or "") for turn in turns], [marks(line.text) for line in lines]
    turn_before = _before([turn.speaker for turn in turns], [0] * len(turns))
    line_before = _before([line.speaker for line in lines], scene_of)
    silent = np.array([ASIDE if turn.backchannel else SKIPPED for turn in turns])
    saying = np.log(1 - silent).astype(np.float32)[:, None]
    return _Problem(
        pair=np.maximum(_odds(spoken, written), _odds(spoken, written, inside=True) + log(MORE)) + saying,
        two_turns=_odds(_pairs(spoken, turn_before), written) + saying + saying[turn_before],
        two_lines=_odds(spoken, _pairs(written, line_before)) + saying,
        turn_before=turn_before,
        line_before=line_before,
        side=np.array([SIDES.index(turn.speaker) for turn in turns], np.int64),
        fits=_fits(script, _speakers(script, sides)),
        skip_turn=np.log(silent),
        skip_line=np.full(len(lines), log(SKIPPED)),
        first=np.array([n == 0 or scene_of[n] != scene_of[n - 1] for n in range(len(lines))]),
        moves=_MOVES,
    )


def _before(whose: Sequence[str], part: Sequence[int]) -> npt.NDArray[np.int64]:
    """For each the last before it of the same one in the same part, at most one in between; -1: none."""
    found = np.full(len(whose), -1, np.int64)
    for n in range(len(whose)):
        for earlier in (n - 1, n - 2):
            if earlier >= 0 and (whose[earlier], part[earlier]) == (whose[n], part[n]):
                found[n] = earlier
                break
    return found


def _pairs(texts: Sequence[Marks], before: npt.NDArray[np.int64]) -> list[Marks]:
    """Each text behind the one with which it may be one; nothing where there is none."""
    found = []
    for text, earlier in zip(texts, before, strict=True):
        both = earlier >= 0 and len(text) > 0 and len(texts[earlier]) > 0
        found.append(np.concatenate([texts[earlier], text]) if both else text[:0])
    return found


def _odds(spoken: Sequence[Marks], written: Sequence[Marks], *, inside: bool = False) -> _Odds:
    """Logarithm of how much likelier two texts are if the one says the other: float32[spoken, written].

    The similarity is one less the edit distance by the longer length; each letter of it is taken as a coin
    that falls right with the probabilities :data:`SAID` and :data:`CHANCE`.  If `inside`, what is said before
    and after the line counts neither for it nor against it.  Where even the sounds that two texts have in
    common leave no hope, these stand for the similarity.
    """
    from .loops import edit_distances

    one, one_at = joined(spoken)
    other, other_at = joined(written)
    lengths = np.diff(one_at)[:, None], np.diff(other_at)[None, :]
    whole = np.broadcast_to(lengths[1], (len(spoken), len(written))) if inside else np.maximum(*lengths)
    longest, mean = np.maximum(1, whole), whole if inside else (lengths[0] + lengths[1]) / 2
    chance = CHANCE_INSIDE if inside else CHANCE
    right, wrong = log(SAID / chance), log((1 - SAID) / (1 - chance))

    def odds(distance: npt.NDArray[Any]) -> npt.NDArray[Any]:
        alike = 1 - distance / longest
        found: npt.NDArray[Any] = mean * (alike * right + (1 - alike) * wrong)
        return found

    distance = (longest - shared(one[:, 2], one_at, other[:, 2], other_at)).astype(np.float32)
    costs = np.array([ALIKE, NEARLY_ALIKE], np.float32)
    wanted = odds(distance) > HOPELESS
    possible = lengths[0] > lengths[1] if inside else lengths[0] > 0
    edit_distances(one, one_at, other, other_at, costs, inside, wanted & possible, distance)
    return np.where(possible & (lengths[1] > 0), odds(distance), -np.inf).astype(np.float32)


def _speakers(script: Script, sides: Mapping[str, SideName]) -> list[tuple[dict[str, SideName], ...]]:
    """For each scene the sides of its speakers in the one and in the other casting.

    Castings go by the order of the speakers' ids: where all scenes have the same two, no casting changes.
    """
    everyone = sorted({line.speaker for line in script.lines})
    castings: list[tuple[dict[str, SideName], ...]] = []
    for scene in script.scenes:
        own = everyone if len(everyone) == 2 else sorted({line.speaker for line in scene.lines})
        pair = own if len(own) <= 2 else []
        one = dict(zip(pair, SIDES, strict=False))
        other = dict(zip(pair, reversed(SIDES), strict=False))
        known = {speaker: sides[speaker] for speaker in own if speaker in sides}
        castings.append((one | known, other | known))
    return castings


def _fits(script: Script, castings: Sequence[tuple[dict[str, SideName], ...]]) -> _REAL:
    """Odds of a line being said on a side: float64[castings, lines, sides]."""
    rows = [
        [[_fit(scene_cast[n].get(line.speaker), side) for side in SIDES] for line in scene.lines]
        for n in range(2)
        for scene, scene_cast in zip(script.scenes, castings, strict=True)
    ]
    flat = [line for scene in rows for line in scene]
    return np.array(flat).reshape(2, -1, len(SIDES))


def _fit(own: SideName | None, side: SideName) -> float:
    if own is None:
        return 0.0
    return log((RIGHT_SIDE if own == side else 1 - RIGHT_SIDE) * 2)


def _after(before: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """For each the one whose earlier one it is; -1: none."""
    after = np.full(len(before), -1, np.int64)
    for later, earlier in enumerate(before):
        if earlier >= 0:
            after[earlier] = later
    return after


def _from_earlier(table: npt.NDArray[np.float32], after: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Rows at the earlier one of each pair instead of the later one."""
    return np.where(after[:, None] >= 0, table[after], np.float32(-np.inf))


def _mirrored(after: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Who comes after, counted from the end."""
    return np.where(after >= 0, len(after) - 1 - after, -1)[::-1].copy()


def _ways(
    problem: _Problem, casting: float = 0.5, *, best: bool = False
) -> tuple[_REAL, _REAL, npt.NDArray[np.int8]]:
    from .loops import ways

    shape = (2, len(problem.skip_turn) + 1, len(problem.skip_line) + 1)
    reached, entered, move_of = np.empty(shape), np.empty(shape), np.zeros(shape, np.int8)
    ways(*problem, np.log([casting, casting]), best, reached, entered, move_of)
    return reached, entered, move_of


def _best(problem: _Problem) -> tuple[list[list[int]], list[int]]:
    """The lines of each turn on the best way, and in which casting each line stands."""
    reached, entered, move_of = _ways(problem, best=True)
    i, j = len(problem.skip_turn), len(problem.skip_line)
    said: list[list[int]] = [[] for _ in range(i)]
    castings = [0] * j
    cast = int(reached[1, i, j] > reached[0, i, j])
    while i or j:
        move = int(move_of[cast, i, j])
        turns, lines = [i - 1], [j - 1]
        if move == 4:
            turns = [i - 1, int(problem.turn_before[i - 1])]
        elif move == 5:
            lines = [j - 1, int(problem.line_before[j - 1])]
        if move == 6:
            said[i - 1].append(j - 2)
            said[i - 2].append(j - 1)
            turns, lines = [i - 2], [j - 2]
        elif move > 2:
            for turn in turns:
                said[turn] += lines
        after = i, j
        i, j = (i if move == 2 else turns[-1]), (j if move == 1 else lines[-1])
        castings[j : after[1]] = [cast] * (after[1] - j)
        if j < after[1] and entered[cast, i, j] > reached[cast, i, j]:
            cast = 1 - cast
    return said, castings


def _probability(problem: _Problem) -> _REAL:
    """How probable it is that a turn says a line: float64[turns, lines]."""
    from .loops import said_together

    reached, entered, _ = _ways(problem)
    total = float(np.logaddexp(*reached[:, -1, -1]))
    _, leaving, _ = _ways(problem.backwards(), casting=1)
    found = np.zeros(problem.pair.shape)
    said_together(*problem, entered, leaving, total, found)
    return found


def apply(turns_file: TurnsFile, script: Script, matched: Matched, turns: Sequence[Turn]) -> TurnsFile:
    """`turns_file` with what the script says of `turns`, which are some of its own.

    What turns and dialogues say of themselves already stays as it is.
    """
    lines = script.lines
    scene_of = [scene for scene in script.scenes for _ in scene.lines]
    changed = {
        turn.id: _with_lines(turn, [lines[n] for n in own], scene_of[own[0]], confidence)
        for turn, own, confidence in zip(turns, matched.lines, matched.confidence, strict=True)
        if own
    }
    unmatched = [*(turns_file.unmatched or ()), *(lines[n].id for n in matched.unmatched(len(lines)))]
    said = tuple(changed.get(turn.id, turn) for turn in turns_file.turns)
    dialogues = tuple(_named(dialogue, list(changed.values())) for dialogue in turns_file.dialogues)
    return replace(turns_file, turns=said, dialogues=dialogues, unmatched=tuple(unmatched))


def _with_lines(turn: Turn, lines: Sequence[Line], scene: Scene, confidence: float) -> Turn:
    scripted = Scripted(
        lines[0].id, Fraction(round(confidence * 1000), 1000), tuple(line.id for line in lines[1:])
    )
    return replace(
        turn, script=scripted, emotion=turn.emotion or lines[0].emotion, topic=turn.topic or scene.topic
    )


def _named(dialogue: Dialogue, turns: Sequence[Turn]) -> Dialogue:
    """The dialogue with the topic and the emotion that most of its lines have."""
    own = [turn for turn in turns if turn.dialogue == dialogue.id]
    return replace(
        dialogue,
        topic=dialogue.topic or _commonest(turn.topic for turn in own),
        emotion=dialogue.emotion or _commonest(turn.emotion for turn in own),
    )


def _commonest(values: Any) -> str | None:
    counted = Counter(value for value in values if value is not None)
    return counted.most_common(1)[0][0] if counted else None
