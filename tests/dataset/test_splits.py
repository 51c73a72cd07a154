"""Splits: no actor and no dialogue in two, near the fractions, balanced, the same for the same seed."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emomedia.dataset.splits import NAMES, Scene, components, make_splits, scenes
from emomedia.errors import DescriptionError, StageError


def scene(session: str, *actors: str, seconds: float = 60.0, emotion: str = "Joy") -> Scene:
    return Scene(session, actors, {("all", ""): seconds, ("emotion", emotion): seconds})


def pairs(count: int, emotions=("Joy", "Fear")) -> list[Scene]:
    """`count` sessions of two actors each, of whom nobody meets another."""
    return [
        scene(f"s{n:03}", f"L{n}", f"R{n}", emotion=emotions[n % len(emotions)], seconds=30 + n % 7)
        for n in range(count)
    ]


graphs = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=10, max_size=25, unique=True)


@settings(max_examples=15, deadline=None)
@given(graphs, st.integers(0, 3), st.booleans(), st.randoms(use_true_random=False))
def test_no_actor_is_in_two_splits_and_the_order_of_sessions_does_not_matter(edges, seed, leave_out, random):
    sessions = [scene(f"s{n}", f"A{one}", f"A{other}") for n, (one, other) in enumerate(edges)]
    splits = make_splits(sessions, seed=seed, leave_out=leave_out)
    places = defaultdict(set)
    for each in sessions:
        assert (each.session in splits.of_session) != (each.session in splits.left_out)
        for actor in each.actors if each.session in splits.of_session else ():
            places[actor].add(splits.of_session[each.session])
    assert {actor: {split} for actor, split in splits.of_actor.items()} == places
    assert leave_out or not splits.left_out
    shuffled = random.sample(sessions, len(sessions))
    assert make_splits(shuffled, seed=seed, leave_out=leave_out) == splits


def test_sessions_that_last_no_time_are_divided_too():
    splits = make_splits([scene("a", "1", "2", seconds=0.0), scene("b", "2", "3", seconds=0.0)])
    assert set(splits.of_session) == {"a", "b"} and "train holds 0.0%" in splits.notices[0]


def test_actors_who_met_through_others_are_one_component():
    sessions = [scene("a", "1", "2"), scene("b", "3", "4"), scene("c", "2", "3"), scene("d", "5", "6")]
    assert [[each.session for each in group] for group in components(sessions)] == [["a", "b", "c"], ["d"]]


def test_time_and_emotions_come_near_the_fractions():
    sessions = pairs(60, emotions=("Joy", "Joy", "Joy", "Fear"))
    splits = make_splits(sessions)
    for subject in (("all", ""), ("emotion", "Joy"), ("emotion", "Fear")):
        held = dict.fromkeys(NAMES, 0.0)
        for each in sessions:
            held[splits.of_session[each.session]] += each.seconds.get(subject, 0.0)
        assert np.allclose(np.array(list(held.values())) / sum(held.values()), (0.8, 0.1, 0.1), atol=0.04)
    assert splits.notices == ()


def test_no_split_is_empty_where_there_are_groups_enough():
    splits = make_splits([scene("a", "1", "2", seconds=50), *pairs(2)])
    assert all(splits.seconds.values())
    assert splits.of_session["a"] == "train"
    assert any(notice.startswith("test holds") for notice in splits.notices)


def test_another_seed_divides_otherwise():
    assert len({tuple(make_splits(pairs(20), seed=seed).of_session.values()) for seed in range(4)}) > 1


def test_one_component_is_told_of_with_what_leaving_out_would_cost():
    splits = make_splits([scene("a", "1", "2"), scene("b", "2", "3")])
    assert set(splits.of_session.values()) == {"train"}
    assert "all actors are connected" in splits.notices[0]
    assert splits.notices[1] == "leaving out sessions would bring the splits no nearer"
    ring = make_splits([scene(f"s{n}", f"A{n}", f"A{(n + 1) % 30}") for n in range(30)])
    assert set(ring.of_session.values()) == {"train"}
    assert "--leave-out would come to train 77.8%, validation 11.1%, test 11.1%" in ring.notices[1]
    assert "without 3 sessions with 10.0% of the time" in ring.notices[1]


def test_where_actors_mix_sessions_are_left_out_and_the_splits_come_near_the_fractions():
    troupes = [
        (6 * n + one, 6 * n + (one + step) % 6) for n in range(10) for one in range(6) for step in (1, 2)
    ]
    across = [(n, (n + 7) % 60) for n in range(0, 60, 10)]  # of 126 sessions those that connect the troupes
    sessions = [
        scene(f"s{n:03}", f"A{one:02}", f"A{other:02}", emotion=("Joy", "Fear", "Anger")[n % 3])
        for n, (one, other) in enumerate([*troupes, *across])
    ]
    assert len(components(sessions)) < 10
    splits = make_splits(sessions, leave_out=True)
    assert splits.lost_share < 0.04
    for subject in (("all", ""), ("emotion", "Joy"), ("emotion", "Fear")):
        held = dict.fromkeys(NAMES, 0.0)
        for each in sessions:
            if each.session in splits.of_session:
                held[splits.of_session[each.session]] += each.seconds.get(subject, 0.0)
        assert np.allclose(np.array(list(held.values())) / sum(held.values()), (0.8, 0.1, 0.1), atol=0.04)
    assert splits.notices[0].startswith(f"{len(splits.left_out)} sessions with ")


def test_nothing_is_left_out_where_that_brings_the_splits_no_nearer():
    star = make_splits([scene(f"s{n}", "host", f"guest{n}") for n in range(20)], leave_out=True)
    assert not star.left_out and set(star.of_session.values()) == {"train"}
    apart = make_splits(pairs(60), leave_out=True)
    assert not apart.left_out and apart == make_splits(pairs(60))


def test_what_cannot_be_divided_as_asked_is_reported():
    splits = make_splits([scene("a", "1", "2", seconds=60), scene("b", "3", "4", seconds=55)])
    assert any(notice.startswith("test holds 0.0%") for notice in splits.notices)


def test_a_fraction_of_zero_leaves_a_split_empty():
    splits = make_splits(pairs(20), (0.5, 0.0, 0.5))
    assert splits.seconds["validation"] == 0 < splits.seconds["test"]


@pytest.mark.parametrize("fractions", [(0.8, 0.1), (0.8, 0.3, 0.1), (0, 0.5, 0.5), (1.2, -0.1, -0.1)])
def test_fractions_that_are_none_are_refused(fractions):
    with pytest.raises(DescriptionError, match="add up to 1"):
        make_splits(pairs(3), fractions)


@pytest.mark.parametrize("actors", [None, {"left": "A", "right": None}])
def test_sessions_of_unknown_actors_are_refused(actors):
    row = {"session": "s", "actors": actors, "start": 0.0, "end": 1.0, "emotion": None, "topic": None}
    with pytest.raises(StageError, match="s: actors: expected the name"):
        scenes([row])
