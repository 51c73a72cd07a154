"""A clip's voices, made of noise of known levels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import soxr

from emomedia.quality.sound import (
    COLUMN,
    Voice,
    clipped_share,
    other_voice_share,
    sound_measures,
    unheard_voice,
)

COLUMNS = 800
RNG = np.random.default_rng(0)


def level(columns: slice, db: float) -> np.ndarray:
    """Noise of that level in dB of full scale in some columns, silence elsewhere; its peaks stand out."""
    sound = np.zeros((COLUMNS, COLUMN))
    noise = RNG.normal(0, 10 ** (db / 20), sound[columns].shape)
    sound[columns] = noise
    return sound.reshape(-1)


def mask(columns: slice) -> np.ndarray:
    marked = np.zeros(COLUMNS, bool)
    marked[columns] = True
    return marked


OWN, OTHER = slice(100, 400), slice(450, 700)


def voice(own_db: float = -26, bleed_db: float = -44, noise_db: float = -66) -> Voice:
    """The own voice, the other one that bleeds, noise; the other track has its voice at -20 dB."""
    sound = level(OWN, own_db) + level(OTHER, bleed_db) + level(slice(None), noise_db)
    return Voice(
        sound.astype(np.float32),
        level(OTHER, -20).astype(np.float32),
        mask(OWN),
        mask(OTHER),
        mask(OWN),
        level_db=own_db,
        other_level_db=-20,
    )


def test_snr_is_the_voice_to_the_noise_between_the_voices():
    assert sound_measures(voice())["snr_db"] == pytest.approx(40, abs=0.3)
    assert sound_measures(voice(noise_db=-31))["snr_db"] == pytest.approx(5, abs=0.5)


def test_noise_that_hides_a_voice_or_comes_and_goes_with_it_is_noise():
    drowned = replace(voice(noise_db=-21), own=np.zeros(COLUMNS, bool))
    assert sound_measures(drowned)["snr_db"] == pytest.approx(-5, abs=0.5)
    burst = replace(voice(noise_db=-31), own=np.ones(COLUMNS, bool), other=np.zeros(COLUMNS, bool))
    assert sound_measures(replace(burst, noise_db=-66.0))["snr_db"] < 8


def test_bleed_is_the_other_voice_to_the_own_one_in_the_same_track():
    assert sound_measures(voice())["bleed_db"] == pytest.approx(-18, abs=0.3)
    louder = voice(own_db=-20, bleed_db=-38)
    assert sound_measures(louder)["bleed_db"] == pytest.approx(-18, abs=0.3)


def test_bleed_does_not_depend_on_how_loud_this_sentence_is():
    whispered = voice(bleed_db=-54)
    whispered = replace(whispered, other_sound=whispered.other_sound * np.float32(10 ** (-10 / 20)))
    assert sound_measures(whispered)["bleed_db"] == pytest.approx(-18, abs=0.3)


def test_what_is_not_there_is_not_measured():
    nothing = np.zeros(COLUMNS, bool)
    found = sound_measures(replace(voice(), own=nothing, other=nothing, turn=nothing))
    assert [found[name] for name in ("snr_db", "bleed_db")] == [None] * 2
    assert other_voice_share(nothing, nothing, nothing) is None


def test_the_share_of_silence_counts_gating_blocks():
    half = voice(noise_db=-120, bleed_db=-120)
    silence = sound_measures(half)["silence_share"]
    assert silence == pytest.approx(0.6, abs=0.05)
    assert sound_measures(replace(half, sound=np.zeros_like(half.sound)))["silence_share"] == 1


def test_the_other_voice_in_a_side_s_turns_is_a_wrong_speaker():
    column = np.arange(300)
    long, short = (column >= 50) & (column < 250), (column >= 100) & (column < 140)
    heard = short & (column >= 115)  # a murmur, whose beginning is not heard
    assert other_voice_share(long, short, long) == 0
    assert other_voice_share(short, long, long) == 0.83, "the turn names the wrong speaker"
    assert other_voice_share(heard, long, short) == pytest.approx(15 / 175, abs=0.01)
    assert other_voice_share(long, heard, heard) == 0.5, "of what both say there"


def test_flat_tops_are_clipped_wherever_they_are():
    whole = np.clip(RNG.normal(0, 0.1, 48_000), -0.9, 0.9).astype(np.float32)
    assert clipped_share(whole) == 0
    slow = 0.3 * triangle(48_000)
    top = np.clip(slow, -0.2, 0.25)
    expected = ((slow >= 0.25) | (slow <= -0.2)).mean()
    assert clipped_share(top) == pytest.approx(expected, rel=0.01)
    assert clipped_share(np.sign(slow) * np.float32(0.01)) == 0


def test_what_was_clipped_stays_so_when_it_is_resampled():
    voiced = soxr.resample(RNG.laplace(0, 0.1, 8_000).astype(np.float32), 8_000, 48_000)
    assert clipped_share(moved(voiced)) == 0
    clipped = moved(np.clip(voiced, -0.2, 0.2)) / 2
    assert clipped_share(clipped) == pytest.approx((abs(voiced) > 0.2).mean(), rel=0.3)


def triangle(samples):
    return (np.abs(np.arange(samples) / 150 % 4 - 2) - 1).astype(np.float32)


def moved(sound):
    """As a track whose drift is corrected."""
    return soxr.resample(sound, 1_000_000, 1_000_060, quality="HQ")


def test_a_whisper_that_nobody_marked_is_the_own_voice_and_bleed_is_not():
    nobody, everywhere = np.zeros(COLUMNS, bool), np.ones(COLUMNS, bool)
    whispered = replace(
        voice(own_db=-46), own=nobody, other=nobody, turn=everywhere, noise_db=-66, level_db=-26
    )
    assert (unheard_voice(whispered) == mask(OWN)).all()
    assert not unheard_voice(replace(whispered, noise_db=-50)).any(), "noise as loud"
    assert not unheard_voice(replace(whispered, turn=mask(OTHER))).any()
    assert not unheard_voice(replace(whispered, other=everywhere)).any(), "echoes of who speaks"
    assert not unheard_voice(replace(whispered, level_db=None)).any()
