"""Whose voice it is, in rooms with real speakers by whom no threshold was set; small versions of the bars.

``python -m benchmarks.voices`` measures the same on more rooms, beside other methods.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from emomedia import stages
from emomedia.session import SIDES
from emomedia.speech import held, lasting, listen, ranges, speech_session
from emomedia.turn_taking import units
from emomedia.voice.remarks import remarks

from ..rooms import RATE, Conversation, conformed, converse, f1, marked, runs, tracks

SECONDS = 45.0


@pytest.fixture(scope="module")
def conversations() -> list[Conversation]:
    return [converse(SECONDS, seed) for seed in (11, 12, 100)]


Judged = tuple[dict, dict]


@pytest.fixture(scope="module")
def judged(conversations, tmp_path_factory) -> Callable[..., Judged]:
    """The tracks of a conversation, by its number, in a room, and the activity found in them every 10 ms."""

    @cache
    def judge(number: int, **room) -> Judged:
        conversation = conversations[number]
        pcm = tracks(tmp_path_factory.mktemp("room"), conversation.in_room(**room))
        body = speech_session("s", pcm)
        frames = len(conversation.active["left"])
        return pcm, {side: marked(body[side]["activity"], frames) for side in SIDES}

    return judge


@pytest.mark.parametrize(("bleed", "least", "least_overlap"), [(-18, 0.97, 0.90), (-10, 0.93, 0.80)])
def test_activity_and_overlaps(judged, conversations, bleed, least, least_overlap):
    own, overlap, silero = [], [], []
    for seed, conversation in enumerate(conversations):
        known = conversation.active
        pcm, found = judged(seed, bleed_db=bleed, seed=seed)
        own += [f1(found[side], known[side]) for side in SIDES]
        for side in SIDES:
            alone = ranges(lasting(held(listen(pcm[side]).speech)))
            silero.append(f1(marked(alone, len(known[side])), known[side]))
        overlap.append(f1(found["left"] & found["right"], known["left"] & known["right"]))
    assert np.mean(own) >= least
    assert np.mean(overlap) >= least_overlap
    assert np.mean(silero) < 0.9  # what this is for


@pytest.mark.parametrize("bleed", [-30, -12])
def test_no_turn_is_made_of_bleed_and_edges_are_where_they_are(judged, conversations, bleed):
    errors = []
    for seed, conversation in enumerate(conversations):
        _, found = judged(seed, bleed_db=bleed, seed=seed)
        for side in SIDES:
            known = conversation.active[side]
            assert all(known[max(0, first - 5) : end + 5].any() for first, end in runs(found[side]))
            for which in (0, 1):
                edges = np.array([run[which] for run in runs(found[side])])
                errors += [10 * np.abs(edges - run[which]).min() for run in runs(known)]
    assert np.median(errors) <= 15
    assert np.percentile(errors, 95) <= 60


@pytest.mark.parametrize("bleed", [-12, -6])
def test_an_actor_who_says_nothing_has_no_turns(tmp_path, conversations, bleed):
    only = Conversation(
        conversations[0].voices | {"right": np.zeros_like(conversations[0].voices["right"])},
        conversations[0].active,
    )
    body = speech_session("s", tracks(tmp_path, only.in_room(bleed_db=bleed)))
    assert body["right"]["activity"] == body["overlaps"] == []
    assert body["right"]["flags"] == ["silent"]
    found = marked(body["left"]["activity"], len(only.active["left"]))
    assert f1(found, only.active["left"]) > 0.95


def test_quiet_backchannels_are_kept(judged, conversations):
    """Every unit of 300 ms or more is found, even those 14 dB below their speaker's voice."""
    heard = []
    for seed, conversation in enumerate(conversations):
        _, found = judged(seed, bleed_db=-18, seed=seed)
        for side in SIDES:
            short = [run for run in runs(conversation.active[side]) if 30 <= run[1] - run[0] <= 75]
            heard += [found[side][first:end].mean() > 0.4 for first, end in short]
    assert len(heard) >= 6
    assert np.mean(heard) >= 0.9


def test_a_noisy_room(judged, conversations):
    _, found = judged(0, bleed_db=-18, noise_db=-48, reverberation=0.5)
    for side in SIDES:
        assert f1(found[side], conversations[0].active[side]) > 0.93


def test_activity_is_inter_pausal_units(tmp_path, conversations):
    body = speech_session("s", tracks(tmp_path, conversations[0].in_room()))
    stages.write(tmp_path / "speech.json", body, "")
    body = stages.read(tmp_path / "speech.json")
    for side in SIDES:
        found = [tuple(map(str, run)) for run in body[side]["activity"]]
        whole = [(0, int(SECONDS))]
        joined = units([tuple(map(_exact, run)) for run in found], whole, side)
        assert len(joined) in (len(found), len(found) - 1)  # one may be shorter than any turn
        assert float(body[side]["noise_db"]) == pytest.approx(-62 - 4.8, abs=1)  # a third is below 8 kHz
        assert body[side]["snr_db"] > 25
        assert float(body[side]["bleed_db"]) == pytest.approx(-18, abs=4)
    assert float(sum(body["seconds"].values())) == pytest.approx(SECONDS, abs=0.1)
    both = sum(end - start for start, end in body["overlaps"])
    assert float(body["seconds"]["both"]) == pytest.approx(float(both), abs=0.02)


def _exact(text: str):
    from fractions import Fraction

    return Fraction(text)


def test_faults_are_named(tmp_path, conversations):
    recording = conversations[0].in_room()
    left, right = (recording.track(side) for side in SIDES)
    clipped = np.clip(left * 20, -1, 1)
    gap = right.copy()
    gap[10 * RATE : 12 * RATE] = 0
    pcm = {
        "left": conformed(tmp_path / "l.pcm", clipped),
        "right": replace(conformed(tmp_path / "r.pcm", gap), covered=(0, len(gap) - 2 * RATE)),
    }
    body = speech_session("s", pcm)
    assert body["left"]["flags"] == ["clipping"]
    assert body["right"]["flags"] == ["digital_zero", "ends_early"]


def test_a_track_of_zeros(tmp_path, conversations):
    recording = conversations[0].in_room()
    pcm = {
        "left": conformed(tmp_path / "l.pcm", recording.track("left")),
        "right": conformed(tmp_path / "r.pcm", np.zeros_like(recording.track("left"))),
    }
    body = speech_session("s", pcm)
    assert body["right"]["flags"] == ["digital_zero", "silent"]
    assert body["right"]["activity"] == []
    known = conversations[0].active["left"]  # bleed cannot be told from it without the other track
    assert (marked(body["left"]["activity"], len(known)) & known).sum() > 0.95 * known.sum()


def test_one_recording_for_both_sides(tmp_path, conversations):
    """Nobody can say whose voice it is: both sides get all of it, and the flag."""
    mixed = sum(conversations[0].in_room().track(side) for side in SIDES)
    pcm = {side: conformed(tmp_path / f"{side}.pcm", mixed) for side in SIDES}
    body = speech_session("s", pcm)
    assert [body[side]["flags"] for side in SIDES] == [["duplicate"]] * 2
    (told,) = remarks(body)
    assert told.startswith("left and right: both tracks are one recording")
    assert body["left"]["activity"] == body["right"]["activity"] == body["overlaps"] != []


@pytest.mark.parametrize("are_exchanged", [False, True])
def test_exchanged_tracks_are_found_by_the_cameras(tmp_path, conversations, are_exchanged):
    recording = conversations[0].in_room()
    far = conversations[0].in_room(bleed_db=-4, distance=1.6, microphone_distance=1.1, noise_db=-55, seed=8)

    def hears(sound):
        return lambda start, seconds: sound[round(start * RATE) :][: round(seconds * RATE)]

    cameras = {side: hears(far.track(side)) for side in SIDES}
    sides = SIDES[::-1] if are_exchanged else SIDES
    pcm = {
        side: conformed(tmp_path / f"{side}.pcm", recording.track(heard))
        for side, heard in zip(SIDES, sides, strict=True)
    }
    body = speech_session("s", pcm, cameras)
    assert body["facing_db"] == pytest.approx(-4 if are_exchanged else 4, abs=1.5)
    assert [body[side]["flags"] for side in SIDES] == [["swapped"] if are_exchanged else []] * 2
    assert ["exchange the `mic`" in told for told in remarks(body)] == [True] * are_exchanged
