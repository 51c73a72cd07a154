"""The chain goes through the right guesses, past the wrong ones, and over a step."""

from __future__ import annotations

import numpy as np

from emomedia.audio.chain import Smoothness, best_chain, jumps

SMOOTH = Smoothness(jitter=0.001, drift=1e-4, jump=1.0)


def test_wrong_guesses_are_passed_over():
    times = np.arange(20.0)
    places = 3 + 5e-5 * times
    places[[4, 11, 12]] = [2.7, 3.4, 3.41]
    chain = best_chain(times, places, np.ones(20), SMOOTH)
    assert [*chain] == [n for n in range(20) if n not in (4, 11, 12)]
    assert len(jumps(times[chain], places[chain], SMOOTH)) == 0


def test_of_alternatives_at_one_time_one_is_taken():
    times = np.repeat(np.arange(6.0), 2)
    places = np.tile([1.0, 5.0], 6)
    chain = best_chain(times, places, np.tile([0.5, 0.4], 6), SMOOTH)
    assert [*chain] == [0, 2, 4, 6, 8, 10]


def test_a_step_is_taken_if_enough_lies_beyond_it():
    times, places = np.arange(12.0), np.where(np.arange(12) < 7, 0.0, 0.05)
    chain = best_chain(times, places, np.full(12, 0.5), SMOOTH)
    assert [*chain] == [*range(12)]
    assert [*jumps(times[chain], places[chain], SMOOTH)] == [7]
    lone = best_chain(times[:8], places[:8], np.full(8, 0.5), SMOOTH)
    assert [*lone] == [*range(7)]


def test_nothing():
    assert len(best_chain(np.zeros(0), np.zeros(0), np.zeros(0), SMOOTH)) == 0
