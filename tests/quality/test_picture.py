"""From the values of a clip's frames to its measures."""

from __future__ import annotations

import numpy as np
import pytest

from emomedia.quality.picture import dropped_frames, flicker, picture_measures
from emomedia.quality.pixels import PER_HALF, VALUES

PIXELS = 960 * 1080


def frames(count: int, seed: int = 0) -> np.ndarray:
    """Values of frames of which each differs from the last one."""
    rng = np.random.default_rng(seed)
    values = np.zeros((count, 2, PER_HALF), np.float32)
    values[:, :, 0] = 100
    values[:, :, 1] = 1.5
    values[:, :, len(VALUES) :] = rng.normal(0, 40000, (count, 2, PER_HALF - len(VALUES)))
    return values


def measures(values: np.ndarray, **choices) -> dict:
    return picture_measures(values.reshape(len(values), -1), PIXELS, "limited", **choices)


def test_a_picture_that_stands_still_is_frozen_and_one_shown_twice_a_duplicate():
    values = frames(40)
    values[10:17, 0] = values[10, 0]
    values[20:25, 0] = values[20, 0]
    values[30:32, 0] = values[30, 0]
    found = measures(values)
    assert (found["left"]["frozen_frames"], found["left"]["duplicate_frames"]) == (6, 4 + 1)
    assert (found["right"]["frozen_frames"], found["right"]["duplicate_frames"]) == (0, 0)


def test_a_repeated_picture_that_was_coded_again_is_frozen_and_a_still_person_is_not():
    """Of 60 frames 20 repeat one, coded with errors of 0.1 code values; else people move by that a frame."""
    rng = np.random.default_rng(1)
    width = np.sqrt(PIXELS / 30) * 4  # of a sketch's sum, where the picture changes by a code value
    values = frames(1).repeat(60, axis=0)
    values[:, :, len(VALUES) :] += (np.arange(60) * 0.1 * width)[:, None, None]
    values[20:41, 0] = values[20, 0]
    values[:, :, len(VALUES) :] += rng.normal(0, 0.1 * width, values[:, :, len(VALUES) :].shape)
    found = measures(values)
    assert found["left"]["frozen_frames"] == pytest.approx(20, abs=4)
    assert found["right"]["frozen_frames"] == 0


def test_a_single_repeated_frame_that_was_coded_again_is_a_duplicate_where_somebody_moves():
    rng = np.random.default_rng(2)
    width = np.sqrt(PIXELS / 30) * 4
    values = frames(1).repeat(40, axis=0)
    steps = np.arange(40.0)
    steps[[10, 20, 30]] -= 1
    values[:, 0, len(VALUES) :] += (steps * 2 * width)[:, None]
    values[:, 1, len(VALUES) :] += (steps * 0.5 * width)[:, None]
    values[:, :, len(VALUES) :] += rng.normal(0, 0.05 * width, values[:, :, len(VALUES) :].shape)
    found = measures(values)
    assert (found["left"]["duplicate_frames"], found["right"]["duplicate_frames"]) == (3, 0)


def test_a_frame_that_the_plan_shows_twice_is_no_duplicate():
    values = frames(20)
    values[5] = values[4]
    shown = np.arange(20)
    shown[5:] -= 1
    found = measures(values, sources=(shown, np.arange(20)))
    assert (found["left"]["duplicate_frames"], found["right"]["duplicate_frames"]) == (0, 1)


def test_a_black_frame_is_nearly_all_black():
    values = frames(10)
    values[3, 1, VALUES.index("black")] = 0.99
    values[4, 1, VALUES.index("black")] = 0.9
    found = measures(values)
    assert (found["left"]["black_frames"], found["right"]["black_frames"]) == (0, 1)


def test_exposure_runs_from_black_to_white_of_the_range():
    values = frames(3)
    values[:, 0, 0], values[:, 1, 0] = 16, 235
    found = measures(values)
    assert (found["left"]["exposure"], found["right"]["exposure"]) == (0, 1)


def test_flicker_is_what_no_slow_change_explains():
    rng = np.random.default_rng(0)
    slow = 100 + 20 * np.sin(np.arange(500) / 40)
    assert flicker(slow) < 0.05
    assert flicker(slow + rng.normal(0, 3, 500)) == pytest.approx(3, rel=0.1)
    assert flicker(slow[:2]) is None


def test_frames_that_a_camera_left_out_are_counted_from_the_times_of_the_others():
    times = np.delete(np.arange(100) / 25, [20, 21, 60]) + np.random.default_rng(0).normal(0, 0.002, 97)
    assert dropped_frames(times, 1 / 25) == 3
    assert dropped_frames(np.arange(100) / 25, 1 / 25) == 0
