"""Overlaps refined: small versions of the bars, and that nothing else is touched.

``python -m benchmarks.overlaps`` measures the same on more rooms.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emomedia.audio._pcm import to_real
from emomedia.session import SIDES
from emomedia.speech import attributed
from emomedia.voice.clean import COLUMN, Cleaning, CleanTrack, clean_tracks, masks, overlaps
from emomedia.voice.sections import ALONE, LEAST, MOST, sections
from emomedia.voice.separation import separate

from ..rooms import Conversation, conformed, converse, runs, si_sdr, tracks


@pytest.fixture(scope="module")
def conversation() -> Conversation:
    return converse(40.0, 21, overlap=0.6)


def long_overlaps(conversation: Conversation) -> list[tuple[int, int]]:
    return [run for run in overlaps(conversation.active) if run[1] - run[0] >= 20]


def test_overlaps_gain(tmp_path, conversation):
    """At a bleed of -12 dB, against the own voice's image at that microphone."""
    recording = conversation.in_room(bleed_db=-12, seed=3)
    pcm = tracks(tmp_path, recording)
    active = attributed(pcm)
    cleaned, report = clean_tracks(pcm, active, tmp_path / "sound")
    gains = []
    for first, end in runs(active["left"] & active["right"] & _both(conversation)[: len(active["left"])]):
        if end - first >= 20:
            for side in SIDES:
                image = recording.own[side][first * 480 : end * 480]
                before, after = (
                    si_sdr(to_real(track.cut(first * 480, end * 480)), image)
                    for track in (pcm[side], cleaned[side])
                )
                gains.append(after - before)
    assert len(gains) >= 10
    assert np.median(gains) >= 8
    assert min(gains) >= 3
    assert len(report) == len(overlaps(active))
    for told in report:
        for side in SIDES:
            assert told[side]["applied"] is True
            assert told[side]["bleed_db"] < -6
            assert told[side]["own_db"] is None or told[side]["own_db"] < -20
            assert told[side]["changed_db"] < 6


def _both(conversation: Conversation) -> np.ndarray:
    return conversation.active["left"] & conversation.active["right"]


@pytest.mark.parametrize("bits", [16, 24])
def test_outside_overlaps_not_a_bit_changes(tmp_path, conversation, bits):
    recording = conversation.in_room(bleed_db=-12)
    pcm = {side: conformed(tmp_path / f"{side}.pcm", recording.track(side), bits) for side in SIDES}
    cleaned, _ = clean_tracks(pcm, conversation.active, tmp_path / "sound")
    inside = np.repeat(_both(conversation), COLUMN)
    for side in SIDES:
        untouched = pcm[side].array
        clean = np.concatenate(list(cleaned[side].blocks(0, len(untouched))))
        assert clean.dtype == untouched.dtype
        np.testing.assert_array_equal(clean[~inside], untouched[~inside])
        assert (clean[inside] != untouched[inside]).mean() > 0.9
        change = clean.astype(np.int64) - untouched
        edges = [place for first, end, _ in cleaned[side].patches for place in (first, end - 1)]
        assert np.abs(change[edges]).max() <= 2 < np.abs(change).max()  # patches begin and end in fades


def test_silences_are_attenuated_when_asked_for(tmp_path, conversation):
    recording = conversation.in_room(bleed_db=-12)
    pcm = tracks(tmp_path, recording)
    cleaned, _ = clean_tracks(pcm, conversation.active, tmp_path / "sound", silences=True)
    for side, other in zip(SIDES, reversed(SIDES), strict=True):
        bleed_only = np.repeat(conversation.active[other] & ~conversation.active[side], COLUMN)
        clean = to_real(cleaned[side].cut(0, pcm[side].samples)).astype(float)
        before = np.mean(to_real(pcm[side].array).astype(float)[bleed_only] ** 2)
        assert 10 * np.log10(before / np.mean(clean[bleed_only] ** 2)) >= 15
        own_only = np.repeat(conversation.active[side] & ~conversation.active[other], COLUMN)
        np.testing.assert_array_equal(clean[own_only], to_real(pcm[side].array)[own_only])


def test_how_a_clean_track_is_cut_does_not_show(tmp_path, conversation):
    pcm = tracks(tmp_path, conversation.in_room(bleed_db=-12))
    cleaned, _ = clean_tracks(pcm, conversation.active, tmp_path / "sound", silences=True)
    track = cleaned["right"]
    whole = track.cut(0, pcm["right"].samples)
    rng = np.random.default_rng(0)
    for first in rng.integers(0, len(whole) - 9000, 40):
        np.testing.assert_array_equal(track.cut(first, first + 9000), whole[first : first + 9000])


def test_the_same_input_gives_the_same_samples(tmp_path, conversation):
    pcm = tracks(tmp_path, conversation.in_room(bleed_db=-12))
    first, told = clean_tracks(pcm, conversation.active, tmp_path / "first")
    second, told_again = clean_tracks(pcm, conversation.active, tmp_path / "second")
    assert told == told_again
    for side in SIDES:
        assert first[side].path.read_bytes() == second[side].path.read_bytes() != b""


def test_foreign_tracks_are_left_alone(tmp_path, conversation):
    """Without a way from the one microphone into the other there is nothing to gain: no sample changes."""
    pcm = tracks(tmp_path, conversation.in_room(bleed_db=None))
    cleaned, report = clean_tracks(pcm, conversation.active, tmp_path / "sound")
    assert report
    assert all(told[side] == {"applied": False} for told in report for side in SIDES)
    for side in SIDES:
        assert not cleaned[side].touched(0, pcm[side].samples)
        np.testing.assert_array_equal(cleaned[side].cut(0, pcm[side].samples), pcm[side].array)


def test_a_path_that_cannot_be_learned_changes_nothing(tmp_path, conversation):
    """Both always speak: nobody is alone for long enough."""
    pcm = tracks(tmp_path, conversation.in_room(bleed_db=-12))
    always = {side: np.ones_like(conversation.active[side]) for side in SIDES}
    _, report = clean_tracks(pcm, always, tmp_path / "sound")
    assert [told["left"] for told in report] == [{"applied": False}]


def test_noise_is_reduced_where_it_is_heard(conversation):
    first, end = long_overlaps(conversation)[0]
    begin, stop = max(0, first - 500), end + 500
    near = {side: conversation.active[side][begin:stop] for side in SIDES}
    found = {}
    for level in (-45, -75):
        recording = conversation.in_room(bleed_db=-12, noise_db=level, seed=3)
        sound = {side: recording.track(side)[begin * 480 : stop * 480] for side in SIDES}
        made = separate(sound, near)
        image = recording.own["left"][first * 480 : end * 480]
        mixed = recording.track("left")[first * 480 : end * 480]
        found[level] = (
            made["left"].noise_db,
            si_sdr(made["left"].sound((first - begin) * 480, (end - begin) * 480), image)
            - si_sdr(mixed, image),
        )
    assert found[-45][0] > 6
    assert found[-75][0] is None
    assert min(found[-45][1], found[-75][1]) > 3


def test_sections_hold_each_overlap_once_and_enough_of_each_actor_alone(conversation):
    found = sections(conversation.active, overlaps(conversation.active))
    assert [run for section in found for run in section.overlaps] == overlaps(conversation.active)
    for section in found:
        here = slice(section.first, section.end)
        left, right = (conversation.active[side][here] for side in SIDES)
        assert section.first <= section.overlaps[0][0] and section.overlaps[-1][1] <= section.end
        whole = section.end - section.first >= len(conversation.active["left"])
        assert whole or min((left & ~right).sum(), (right & ~left).sum()) >= ALONE


def test_a_section_is_no_longer_than_it_must_be():
    left, right = np.zeros(9000, bool), np.zeros(9000, bool)
    left[4000:5000] = True
    right[4900:6000] = True
    (section,) = sections({"left": left, "right": right}, [(4900, 5000)])
    assert (section.first, section.end) == (4900 - 300, 5000 + 300)
    (lonely,) = sections({"left": left, "right": left}, [(4000, 5000)])
    assert (lonely.first, lonely.end) == (4000 - MOST, 5000 + MOST)
    assert LEAST < 300


def test_patches_lie_over_the_track(tmp_path):
    pcm = conformed(tmp_path / "a.pcm", np.zeros(1000), 16)
    np.arange(1, 11, dtype="<i2").tofile(tmp_path / "patches")
    track = CleanTrack(pcm, tmp_path / "patches", [(100, 104, 0), (200, 206, 4)])
    expected = np.zeros(1000, np.int16)
    expected[100:104], expected[200:206] = [1, 2, 3, 4], [5, 6, 7, 8, 9, 10]
    np.testing.assert_array_equal(track.cut(0, 1000), expected)
    np.testing.assert_array_equal(track.cut(102, 203), expected[102:203])
    np.testing.assert_array_equal(track.cut(-5, 2), np.zeros(7))
    assert track.touched(103, 104) and track.touched(0, 101)
    assert not track.touched(104, 200) and not track.touched(206, 1000)


def test_what_a_clip_depends_on():
    cleaning = Cleaning("abc", ((100, 200), (300, 400)), dict)
    assert cleaning.cache_key(0, 100) == cleaning.cache_key(200, 300) == []
    assert cleaning.cache_key(150, 160) == cleaning.cache_key(0, 101) == ["abc"]
    assert replace(cleaning, overlaps=None).cache_key(0, 1) == ["abc"]


def test_masks_are_the_activity_of_a_speech_json():
    body = {"left": {"activity": [[0.02, 0.05]]}, "right": {"activity": [[0.04, 0.1]]}}
    found = masks(body)
    assert runs(found["left"]) == [(2, 5)]
    assert runs(found["right"]) == [(4, 10)]
    assert overlaps(found) == []  # too short
