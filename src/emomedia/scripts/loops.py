"""The loops of the alignment: distances of texts, and all ways to go through turns and lines at once.

An alignment goes through the turns and the lines in their order by these moves; `before` names the turn (or
line) of the same side (or speaker) with which a turn (or line) may be one, at most one of the other side
lying between the two.

======  ==============================================================
move    what it says
======  ==============================================================
1       a turn says no line
2       a line is not said
3       a turn says a line
4       two turns say one line
5       one turn says two lines
6       two turns say two lines, the later one first
======  ==============================================================

Each line is played in one of two castings (which speaker is on which side), which may change where a scene
begins.  All numbers are natural logarithms of odds.
"""

from __future__ import annotations

import numpy as np

from ..voice.compiled import compiled


@compiled
def edit_distances(one, one_at, other, other_at, costs, inside, wanted, out):  # type: ignore[no-untyped-def]
    """Weighted edit distance of texts of `one` from those of `other`, where `wanted`; float32[ones, others].

    A letter put in or left out costs 1, one for another ``costs[0]`` where they sound alike, ``costs[1]``
    where they nearly do, else 1.  If `inside`, what `one` says before and after `other` costs nothing.
    """
    longest = 0
    for j in range(len(other_at) - 1):
        longest = max(longest, other_at[j + 1] - other_at[j])
    row = np.empty(longest + 1, np.float32)
    for i in range(len(one_at) - 1):
        for j in range(len(other_at) - 1):
            if not wanted[i, j]:
                continue
            begin, length = other_at[j], other_at[j + 1] - other_at[j]
            for k in range(length + 1):
                row[k] = k
            least = row[length]
            for place in range(one_at[i], one_at[i + 1]):
                letter, sound, heard = one[place, 0], one[place, 1], one[place, 2]
                corner = row[0]
                row[0] = 0 if inside else corner + 1
                for k in range(length):
                    cost = np.float32(1)
                    if other[begin + k, 2] == heard:
                        cost = costs[1]
                        if other[begin + k, 1] == sound:
                            cost = costs[0]
                    if other[begin + k, 0] == letter:
                        cost = np.float32(0)
                    best = min(corner + cost, min(row[k], row[k + 1]) + 1)
                    corner = row[k + 1]
                    row[k + 1] = best
                least = min(least, row[length])
            out[i, j] = least if inside else row[length]


@compiled
def ways(  # type: ignore[no-untyped-def]
    pair, two_turns, two_lines, turn_before, line_before, side, fits, skip_turn, skip_line, first, moves,
    prior, best, reached, entered, move_of,
):  # fmt: skip
    """The odds of all ways to each place, or (`best`) of the best way and the move that it ends with.

    Parameters
    ----------
    pair, two_turns, two_lines : float32[turns, lines]
        Odds of the texts in moves 3, 4 and 5; the later turn and the later line give the place.
    turn_before, line_before : int64
        With which earlier one a turn or a line may be one; -1: none.
    side : int64[turns]
    fits : float64[castings, lines, sides]
        Odds of a line being said on a side.
    skip_turn, skip_line : float64
        Odds of moves 1 and 2.
    first : bool[lines]
        Where a scene begins.
    moves : float64[7]
        Odds of moves 3 to 6 at their numbers; at 0 of another casting in the next scene.
    prior : float64[castings]
    reached, entered : float64[castings, turns + 1, lines + 1], written
        After so many turns and lines; the same before the next line, whose scene may be cast differently.
    move_of : int8, written
    """
    turns, lines = pair.shape
    options = np.empty(7)
    for i in range(turns + 1):
        for j in range(lines + 1):
            for cast in range(2):
                options[:] = -np.inf
                if i == 0 and j == 0:
                    options[0] = prior[cast]
                if i > 0:
                    options[1] = reached[cast, i - 1, j] + skip_turn[i - 1]
                if j > 0:
                    options[2] = entered[cast, i, j - 1] + skip_line[j - 1]
                if i > 0 and j > 0:
                    fit = fits[cast, j - 1, side[i - 1]]
                    options[3] = entered[cast, i - 1, j - 1] + pair[i - 1, j - 1] + fit + moves[3]
                    p = turn_before[i - 1]
                    if p >= 0:
                        odds = two_turns[i - 1, j - 1] + fit + moves[4]
                        for k in range(p + 1, i - 1):
                            odds += skip_turn[k]
                        options[4] = entered[cast, p, j - 1] + odds
                    q = line_before[j - 1]
                    if q >= 0:
                        odds = two_lines[i - 1, j - 1] + fit + moves[5]
                        for k in range(q + 1, j - 1):
                            odds += skip_line[k]
                        options[5] = entered[cast, i - 1, q] + odds
                    if i > 1 and j > 1 and not first[j - 1]:
                        odds = pair[i - 2, j - 1] + pair[i - 1, j - 2] + moves[6]
                        odds += fits[cast, j - 1, side[i - 2]] + fits[cast, j - 2, side[i - 1]]
                        options[6] = entered[cast, i - 2, j - 2] + odds
                top = 0
                for k in range(1, 7):
                    if options[k] > options[top]:
                        top = k
                move_of[cast, i, j] = top
                total = options[top]
                if not best and total > -np.inf:
                    total += np.log(np.exp(options - total).sum())
                reached[cast, i, j] = total
            for cast in range(2):
                here, there = reached[cast, i, j], reached[1 - cast, i, j] + moves[0]
                if 0 < j < lines and first[j] and max(here, there) > -np.inf:
                    most = max(here, there)
                    here = most if best else most + np.log(np.exp(here - most) + np.exp(there - most))
                entered[cast, i, j] = here


@compiled
def said_together(  # type: ignore[no-untyped-def]
    pair, two_turns, two_lines, turn_before, line_before, side, fits, skip_turn, skip_line, first, moves,
    entered, leaving, total, out,
):  # fmt: skip
    """The probability that a turn says a line: float64[turns, lines], added up over the moves into `out`.

    `entered` is of :func:`ways`, `leaving` the same of everything backwards; `total` the odds of all ways.
    """
    turns, lines = pair.shape
    for i in range(turns):
        for j in range(lines):
            for cast in range(2):
                after = leaving[cast, turns - i - 1, lines - j - 1] - total
                fit = fits[cast, j, side[i]]
                out[i, j] += np.exp(entered[cast, i, j] + pair[i, j] + fit + moves[3] + after)
                p = turn_before[i]
                if p >= 0:
                    odds = two_turns[i, j] + fit + moves[4] + after
                    for k in range(p + 1, i):
                        odds += skip_turn[k]
                    share = np.exp(entered[cast, p, j] + odds)
                    out[i, j] += share
                    out[p, j] += share
                q = line_before[j]
                if q >= 0:
                    odds = two_lines[i, j] + fit + moves[5] + after
                    for k in range(q + 1, j):
                        odds += skip_line[k]
                    share = np.exp(entered[cast, i, q] + odds)
                    out[i, j] += share
                    out[i, q] += share
                if i > 0 and j > 0 and not first[j]:
                    odds = pair[i - 1, j] + pair[i, j - 1] + moves[6] + after
                    odds += fits[cast, j, side[i - 1]] + fits[cast, j - 1, side[i]]
                    share = np.exp(entered[cast, i - 1, j - 1] + odds)
                    out[i - 1, j] += share
                    out[i, j - 1] += share
