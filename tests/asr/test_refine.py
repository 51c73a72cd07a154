"""Word times on the actor's own track: near Whisper's, where the sound has edges, within its own speech."""

from __future__ import annotations

from itertools import combinations, pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emomedia.asr.refine import SHORTEST, STEP, place_words, refined
from emomedia.asr.types import Word

from . import heard

RATE = heard.RATE


def words(*times: tuple[float, float]) -> list[Word]:
    return [Word("一", start, end, 0.1 * n) for n, (start, end) in enumerate(times)]


def voice(*syllables: tuple[float, float, float], seconds: float = 3.0) -> np.ndarray:
    """Harmonic sounds of a few formants, each ``(start, end, hertz)``, over faint noise."""
    sound = np.random.default_rng(1).normal(0, 1e-4, round(seconds * RATE))
    for start, end, hertz in syllables:
        time = np.arange(round(start * RATE), round(end * RATE)) / RATE
        harmonics = np.arange(1, 12)
        gains = 1 / (1 + ((harmonics * 140 - hertz) / 200) ** 2)
        sound[round(start * RATE) : round(end * RATE)] += 0.1 * (
            gains @ np.sin(2 * np.pi * 140 * harmonics[:, None] * time)
        )
    return sound.astype(np.float32)


def times(found) -> np.ndarray:
    return np.array([(word.start, word.end) for word in found])


def test_edges_move_to_where_the_sound_changes():
    true = [(0.5, 0.74), (0.74, 0.93), (0.93, 1.2)]
    sound = voice((0.5, 0.74, 400), (0.74, 0.93, 1100), (0.93, 1.2, 500))
    given = words((0.44, 0.7), (0.7, 0.98), (0.98, 1.16))
    np.testing.assert_allclose(times(refined(given, sound, 0.0, [(0.5, 1.2)])), true, atol=0.0051)


def test_a_first_word_that_begins_with_the_window_is_put_where_speech_begins():
    sound = voice((0.8, 1.0, 400), (1.0, 1.25, 1100))
    found = refined(words((0.0, 0.98), (0.98, 1.3)), sound, 0.0, [(0.8, 1.25)])
    np.testing.assert_allclose(times(found), [(0.8, 1.0), (1.0, 1.25)], atol=0.0051)


def test_a_consonant_belongs_to_the_vowel_after_it():
    sound = voice((0.5, 0.7, 400), (0.76, 1.0, 1100))
    consonant = slice(round(0.7 * RATE), round(0.76 * RATE))
    sound[consonant] += np.random.default_rng(2).normal(0, 0.003, round(0.06 * RATE)).astype(np.float32)
    found = times(refined(words((0.5, 0.735), (0.735, 1.0)), sound, 0.0, [(0.5, 1.0)]))
    np.testing.assert_allclose(found, [(0.5, 0.7), (0.7, 1.0)], atol=0.0101)


def test_a_first_word_keeps_its_weak_consonant():
    sound = voice((0.6, 0.8, 400), (0.8, 1.0, 1100))
    consonant = slice(round(0.54 * RATE), round(0.6 * RATE))
    sound[consonant] += np.random.default_rng(2).normal(0, 0.006, round(0.06 * RATE)).astype(np.float32)
    found = times(refined(words((0.53, 0.8), (0.8, 1.0)), sound, 0.0, [(0.54, 1.0)]))
    assert found[0, 0] == 0.54


def test_a_pause_between_words_belongs_to_neither():
    sound = voice((0.5, 0.74, 400), (0.9, 1.14, 1100))
    found = refined(words((0.5, 0.8), (0.8, 1.14)), sound, 0.0, [(0.5, 1.14)])
    np.testing.assert_allclose(times(found), [(0.5, 0.74), (0.9, 1.14)], atol=0.0051)


def test_what_a_room_sounds_after_a_word_is_a_pause():
    """By 12 dB less, and by 60 dB in 0.5 s."""
    sound = voice((0.5, 0.74, 400), (0.96, 1.2, 1100))
    tail = voice((0.74, 0.96, 400))
    sound += tail * 10 ** (-(12 + 120 * (np.arange(len(sound)) / RATE - 0.74)) / 20)
    found = refined(words((0.5, 0.86), (0.86, 1.2)), sound.astype(np.float32), 0.0, [(0.5, 1.2)])
    np.testing.assert_allclose(times(found), [(0.5, 0.74), (0.96, 1.2)], atol=0.0051)


def test_the_closure_of_a_plosive_is_no_pause():
    sound = voice((0.5, 0.74, 400), (0.77, 1.0, 1100))
    found = times(refined(words((0.5, 0.74), (0.74, 1.0)), sound, 0.0, [(0.5, 1.0)]))
    assert found[0, 1] == found[1, 0]


def test_a_word_over_two_stretches_of_speech_is_put_into_one():
    sound = voice((0.5, 0.7, 400), (0.7, 0.9, 1100), (1.4, 1.6, 400))
    found = refined(words((0.5, 0.7), (0.7, 1.3), (1.3, 1.6)), sound, 0.0, [(0.5, 0.9), (1.4, 1.6)])
    np.testing.assert_allclose(times(found), [(0.5, 0.7), (0.7, 0.9), (1.4, 1.6)], atol=0.0051)


def test_words_far_from_all_speech_are_brought_to_it():
    sound = voice((2.2, 2.4, 400), (2.4, 2.6, 1100))
    found = times(refined(words((0.1, 0.2), (0.2, 0.4)), sound, 0.0, [(2.2, 2.6)]))
    assert found.min() >= 2.2 and found.max() <= 2.6


@pytest.mark.parametrize("meant", [(0.5, 0.9), (1.4, 1.6), (2.2, 2.5)])
def test_a_word_may_be_drawn_out(meant):
    found = times(refined(words(meant), voice((0.4, 2.6, 700)), 0.0, [(0.4, 2.6)]))
    np.testing.assert_allclose(found, [(0.4, 2.6)], atol=0.0051)


def test_times_are_on_the_session_clock():
    sound = voice((0.5, 0.74, 400), (0.74, 1.0, 1100))
    here = refined(words((0.46, 0.7), (0.7, 0.96)), sound, 0.0, [(0.5, 1.0)])
    later = refined(words((60.46, 60.7), (60.7, 60.96)), sound, 60.0, [(10.0, 12.0), (60.5, 61.0)])
    np.testing.assert_allclose(times(later), times(here) + 60, atol=1e-9)


def test_texts_and_probabilities_stay():
    given = words((0.5, 0.7), (0.7, 0.9))
    found = refined(given, voice((0.5, 0.9, 400)), 0.0, [(0.5, 0.9)])
    assert [(word.text, word.probability) for word in found] == [("一", 0.0), ("一", 0.1)]


def test_words_that_fit_only_if_they_are_short_are_short():
    sound = voice((0.5, 0.7, 400))
    found = times(refined(words(*[(0.5, 0.6)] * 8), sound, 0.0, [(0.5, 0.7)]))
    np.testing.assert_allclose(np.diff(found, axis=1), 0.025, atol=0.0051)


def test_words_that_do_not_fit_share_the_speech():
    sound = voice((0.5, 0.52, 400))
    found = times(refined(words(*[(0.5, 0.6)] * 8), sound, 0.0, [(0.5, 0.52)]))
    assert found[0, 0] == 0.5 and found[-1, 1] == 0.52
    np.testing.assert_array_equal(found[1:, 0], found[:-1, 1])


def test_without_words_or_speech_nothing_is_changed():
    given = words((0.5, 0.7), (0.7, 0.9))
    assert refined([], voice(), 0.0, [(0.5, 0.9)]) == ()
    assert refined(given, voice(), 0.0, []) == tuple(given)
    assert refined(given, np.zeros(0, np.float32), 0.0, [(0.5, 0.9)]) == tuple(given)


@st.composite
def situations(draw):
    """Words with times that need make no sense, and activity of a few stretches."""
    bounds = sorted(draw(st.sets(st.integers(0, 200), min_size=2, max_size=8)))
    activity = [(bounds[n] / 100, bounds[n + 1] / 100) for n in range(0, len(bounds) - 1, 2)]
    starts = draw(st.lists(st.floats(-1, 4), min_size=1, max_size=9))
    given = [Word("一", start, start + draw(st.floats(0, 2)), 0.5) for start in sorted(starts)]
    return given, activity, draw(st.integers(0, 2**32 - 1))


@settings(max_examples=60, deadline=None)
@given(situations())
def test_words_are_in_order_and_within_speech_whatever_the_times(situation):
    given, activity, seed = situation
    sound = np.random.default_rng(seed).normal(0, 0.1, 2 * RATE).astype(np.float32)
    found = refined(given, sound, 0.0, activity)
    room = sum(int((end - start) / STEP / SHORTEST + 1e-6) for start, end in activity)
    assert len(found) == len(given)
    assert all(one.end <= next_.start for one, next_ in pairwise(found))
    for word in found:
        if room >= len(given):
            assert any(start <= word.start and word.end <= end for start, end in activity)
            assert word.end - word.start >= SHORTEST * STEP - 1e-9
        else:
            assert activity[0][0] <= word.start <= word.end <= activity[-1][1]


def cost_of(placed, meant, lasting, edge, within, reach, scale, farthest, pause) -> float:
    last = len(within)
    pauses = list(pairwise([0, *np.ravel(placed), last]))[::2]
    opens = [int(n < last and reach[n + 1] <= n) for n in range(last + 1)]
    closes = [int(n < last and reach[n] < n) for n in range(last + 1)]
    cost = pause * sum(opens[first] + closes[end] for first, end in pauses if first < end)
    inside = np.zeros(len(within), bool)
    for (start, end), (first, final), held in zip(placed, meant, lasting, strict=True):
        inside[start:end] = True
        cost += held[end - start] + edge[start] + edge[end]
        cost += min(abs(start - first) / scale, farthest) + min(abs(end - final) / scale, farthest)
    return cost + np.where(inside, within, -within).sum()


def placements(count: int, number: int, reach, longest: int):
    """Every way to place `number` words on `count` edges, in order."""
    spans = [(s, e) for s, e in combinations(range(count), 2) if s >= reach[e] and e - s <= longest]
    for placed in product(spans, repeat=number):
        if all(one[1] <= after[0] for one, after in pairwise(placed)):
            yield placed


@pytest.mark.parametrize("seed", range(12))
def test_no_placement_is_cheaper(seed):
    rng = np.random.default_rng(seed)
    count, number = 8, 1 + seed % 3
    meant = np.sort(rng.uniform(0, count, 2 * number)).reshape(number, 2)
    lasting = np.concatenate([np.full((number, 1), np.inf), rng.uniform(0, 2, (number, 5))], axis=1)
    edge, within = rng.normal(0, 1, count), rng.normal(0, 0.5, count - 1)
    reach = np.minimum(np.arange(count), np.where(np.arange(count) < 4, 0, 4))
    places, cost = np.zeros((number, 2), np.int64), np.zeros(1)
    place_words(meant, lasting, edge, within, reach, 2.0, 1.5, 0.4, count, places, cost)
    tried = placements(count, number, reach, 5)
    expected = min(cost_of(placed, meant, lasting, edge, within, reach, 2.0, 1.5, 0.4) for placed in tried)
    assert cost[0] == pytest.approx(expected)
    assert cost_of(places, meant, lasting, edge, within, reach, 2.0, 1.5, 0.4) == pytest.approx(expected)


def test_held_out_utterances_have_their_edges():
    """The bars, on a few files; the whole comparison is ``python -m benchmarks.word_times``."""
    errors, whispers = [], []
    for said in heard.held_out()[::5]:
        activity = said.activity
        given = heard.aligned_words(said.sound, (activity[0][0], activity[-1][1]))
        errors.append(heard.edge_errors(said, refined(given, said.sound, 0.0, activity)))
        whispers.append(heard.edge_errors(said, heard.own_words(said.sound)))
    error, whisper = np.abs(np.concatenate(errors)), np.abs(np.concatenate(whispers))
    assert len(error) > 60
    assert np.median(error) <= min(0.040, np.median(whisper) / 2)
    assert np.percentile(error, 95) <= min(0.150, np.percentile(whisper, 95) / 2)
