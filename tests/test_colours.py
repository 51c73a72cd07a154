"""The same scene filmed in other colours, pixels and orientations is the same composite."""

from __future__ import annotations

from dataclasses import fields
from fractions import Fraction

import numpy as np
import pytest

from emomedia import _core
from emomedia.colour import target_colours
from emomedia.engine import core_colour, core_take
from emomedia.probe import probe_session
from emomedia.session import SIDES
from emomedia.session_file import load_session
from emomedia.simulate import Camera

SIZE = (540, 960)
PLAIN = {field.name: getattr(Camera(size=SIZE, crf=2), field.name) for field in fields(Camera)}
TEN = {"depth": 10, "chroma": "422"}
HLG = {"codec": "hevc", "depth": 10, "colour": "hlg", "declare_lut": True}

KINDS = {
    # name: left camera, right camera, most that 99 of 100 blocks' means differ by, in 8-bit code values
    "full range on the right": ({}, {"range": "full"}, 1.0),
    "full range on the left": ({"range": "full"}, {}, 1.0),
    "BT.601 on the right, its primaries left as they are": ({}, {"colour": "bt601"}, 2.5),
    "log": ({**TEN, "colour": "log"}, {}, 1.5),
    "HLG | PQ": (HLG, {**TEN, "colour": "pq", "declare_lut": True}, 1.5),
    "log, full range | 12 bit 4:4:4": (
        {**TEN, "colour": "log", "range": "full"},
        {"codec": "hevc", "depth": 12, "chroma": "444"},
        1.5,
    ),
    "mirrored | interlaced": ({"mirrored": True, "rotate": 90}, {"interlaced": "tff"}, 1.5),
    "wide pixels, whose marks have other edges": (
        {"sample_aspect": Fraction(4, 3), "container": "mov"},
        {},
        8,
    ),
}

FRAME = 10
BLOCK = 54


def red_green_blue(planes, colours):
    """R'G'B' of a composite in 8-bit code values of full range, by its own range and matrix."""
    red, blue = (0.2126, 0.0722) if colours.matrix == "bt709" else (0.299, 0.114)
    y, u, v = (plane.astype(float) for plane in planes)
    u, v = (plane.repeat(2, 0).repeat(2, 1) - 128 for plane in (u, v))
    if colours.range == "limited":
        y, u, v = (y - 16) * 255 / 219, u * 255 / 224, v * 255 / 224
    r, b = y + 2 * (1 - red) * v, y + 2 * (1 - blue) * u
    return np.stack([r, (y - red * r - blue * b) / (1 - red - blue), b], axis=2)


def composite(session):
    takes = probe_session(load_session(session)).takes
    target = target_colours(takes)
    left, right = (core_take(takes[side], core_colour(takes[side], target, 8)) for side in SIDES)
    *planes, damaged = _core.Composites(left, right).render(FRAME, FRAME)
    assert damaged == 0
    return red_green_blue(planes, target)


def block_means(picture):
    height, width = picture.shape[0] // BLOCK * BLOCK, picture.shape[1] // BLOCK * BLOCK
    blocks = picture[:height, :width].reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK, 3)
    return blocks.mean(axis=(1, 3))


@pytest.fixture(scope="module")
def plain(simulated):
    return composite(simulated(size=SIZE, seconds=Fraction(3), dialogues=1, crf=2))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_scene_is_the_same_composite(simulated, plain, kind):
    left, right, largest = KINDS[kind]
    session = simulated(size=SIZE, seconds=Fraction(3), dialogues=1, crf=2, right=PLAIN | right, **left)
    difference = block_means(composite(session) - plain)
    assert np.percentile(np.abs(difference), 99) <= largest
    assert np.abs(np.median(difference, axis=(0, 1))).max() <= 0.5
