"""Turns beside those of known conversations; ``python -m benchmarks.turns`` measures the same on more."""

from __future__ import annotations

from benchmarks.turns import events, missed, rooms


def test_the_turns_of_conversations_of_events():
    scores = events(4, 600.0)
    assert missed(scores["with words"]) == []
    silent, before = scores["without words"], scores["before"]
    assert silent.f1 > 0.82 > before.f1  # what words would tell, lengths and places don't
    assert silent.backchannel_f1 > 0.72 > before.backchannel_f1
    assert silent.edges[0] <= 20 and silent.edges[1] <= 80


def test_the_turns_of_real_voices_in_a_room():
    """So few turns have no F1 to hold to a bar: one that is missed costs three of twenty."""
    scores = rooms(1, 45.0)
    words, before = scores["with words"], scores["before"]
    assert words.f1 > before.f1 and words.backchannel_f1 > before.backchannel_f1
    assert words.edges[0] <= 20 and words.edges[1] <= 80
