"""One scene in every camera's colours: decoded takes, converted back by the standards' own numbers.

The arithmetic here is the test's own, from published matrices and formulas, not the simulation's.
"""

from __future__ import annotations

import tomllib
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from emomedia.simulate.camera import Camera
from emomedia.simulate.colour import CODINGS, LUT_POINTS, cube, to_camera, to_display
from emomedia.simulate.pattern import LEVELS, blocks
from simulate.takes import PLAIN, shown_frames, upright_planes

SIZE = (270, 480)
SMALL = {"size": SIZE, "seconds": Fraction(3), "fps": Fraction(5), "crf": 6}
PLAIN = PLAIN | {"size": SIZE, "fps": Fraction(5), "crf": 6}
TEN = {"depth": 10, "chroma": "422"}
KINDS = {
    "full range, 8 bit | 4:4:4": ({"range": "full"}, {"chroma": "444"}),
    "12 bit 4:2:2 | 12 bit full": (
        {"codec": "hevc", "depth": 12, "chroma": "422"}, {"codec": "hevc", "depth": 12, "range": "full"},
    ),
    "bt601 | bt601 mjpeg": (
        {"colour": "bt601"}, {"colour": "bt601", "codec": "mjpeg", "range": "full", "chroma": "422"},
    ),
    "bt2020 | bt2020 full, 12 bit 4:4:4": (
        {"codec": "hevc", "depth": 10, "colour": "bt2020"},
        {"codec": "hevc", "depth": 12, "chroma": "444", "colour": "bt2020", "range": "full"},
    ),
    "hlg | hlg full": (
        {"codec": "hevc", "depth": 10, "colour": "hlg"}, {**TEN, "colour": "hlg", "range": "full"},
    ),
    "pq | pq full": ({**TEN, "colour": "pq"}, {**TEN, "colour": "pq", "range": "full"}),
    "log, prores | log full": (
        {**TEN, "codec": "prores", "colour": "log"}, {**TEN, "colour": "log", "range": "full"},
    ),
}  # fmt: skip
WITH_LUT = ["hlg | hlg full", "pq | pq full", "log, prores | log full"]

PARTS = {"wall": (slice(136, 144), slice(20, 36)), "clothes": (slice(424, 432), slice(128, 144)),
         "nose": (slice(232, 240), slice(128, 140))}  # fmt: skip
"""Flat parts of the picture: upright rows and columns."""

LUMA = {"bt709": (0.2126, 0.0722), "bt601": (0.299, 0.114), "bt2020": (0.2627, 0.0593)}
LUMA |= {"hlg": LUMA["bt2020"], "pq": LUMA["bt2020"], "log": LUMA["bt709"]}
"""Of red and blue."""

FROM_2020 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])
"""Linear light of BT.2020 to that of BT.709 (BT.2407)."""

FROM_170M = np.array([[0.9395, 0.0502, 0.0103], [0.0178, 0.9658, 0.0164], [-0.0016, -0.0044, 1.0060]])
"""Linear light of SMPTE 170M to that of BT.709."""


def whole(planes: list[np.ndarray]) -> np.ndarray:
    """Planes with chroma repeated to luma's size: float[3, rows, columns]."""
    luma = planes[0]
    return np.stack(
        [
            np.repeat(np.repeat(plane, luma.shape[0] // len(plane), 0), luma.shape[1] // plane.shape[1], 1)
            for plane in planes
        ]
    ).astype(float)


def signals(values: np.ndarray, camera: Camera, depth: int) -> np.ndarray:
    """The camera's non-linear R'G'B' of code values, float[3, ...]."""
    one = 1 << (depth - 8)
    if camera.range == "full":
        y, c = values[:1] / (256 * one - 1), (values[1:] - 128 * one) / (256 * one - 1)
    else:
        y, c = (values[:1] - 16 * one) / (219 * one), (values[1:] - 128 * one) / (224 * one)
    red, blue = LUMA[camera.colour]
    r, b = y[0] + 2 * (1 - red) * c[1], y[0] + 2 * (1 - blue) * c[0]
    return np.stack([r, (y[0] - red * r - blue * b) / (1 - red - blue), b])


def displayed(rgb: np.ndarray, colour: str) -> np.ndarray:
    """BT.709's non-linear R'G'B' for a BT.1886 display, of the camera's."""
    if colour == "bt709":
        return rgb
    if colour == "log":
        scene = 10 ** ((rgb * 1023 - 420) / 261.5) * 0.19 - 0.01  # above 0.01125, as all here is
        return np.where(scene < 0.018, 4.5 * scene, 1.099 * np.abs(scene) ** 0.45 - 0.099)
    if colour == "hlg":
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(rgb <= 0.5, rgb**2 / 3, (np.exp((rgb - c) / a) + b) / 12)
        luminance = 0.2627 * scene[0] + 0.6780 * scene[1] + 0.0593 * scene[2]
        light = 1000 * luminance**0.2 * scene / 203
    elif colour == "pq":
        power = rgb ** (32 / 2523)
        linear = np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)
        light = 10_000 * linear ** (16384 / 2610) / 203
    else:
        light = np.abs(rgb) ** 2.4
    light = np.tensordot(FROM_170M if colour == "bt601" else FROM_2020, light, 1)
    return np.abs(light) ** (1 / 2.4)


def codes(rgb: np.ndarray) -> np.ndarray:
    """8-bit limited-range Y'CbCr of BT.709's R'G'B'."""
    luma = 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]
    return np.stack(
        [16 + 219 * luma, 128 + 224 * (rgb[2] - luma) / 1.8556, 128 + 224 * (rgb[0] - luma) / 1.5748]
    )


def means(values: np.ndarray) -> dict[str, np.ndarray]:
    return {name: values[:, rows, columns].mean(axis=(1, 2)) for name, (rows, columns) in PARTS.items()}


def first_frame(folder: Path, side: str, camera: Camera) -> tuple[np.ndarray, int]:
    frame = shown_frames(folder / f"{side}.{camera.suffix}")[0][1]
    return whole(upright_planes(frame)), frame.format.components[0].bits


@pytest.fixture
def sides(request, simulated):
    """For each side of a kind: the camera, its first frame's R'G'B', and what BT.709 has there."""
    left, right = KINDS[request.param]
    folder = simulated(**SMALL | left, right=PLAIN | right).parent
    plain = simulated(**SMALL).parent
    found = []
    for side, own in (("left", left), ("right", right)):
        camera = Camera(**PLAIN | own)
        values, depth = first_frame(folder, side, camera)
        found.append(
            (folder, side, camera, signals(values, camera, depth), first_frame(plain, side, Camera())[0])
        )
    return found


@pytest.mark.parametrize("sides", KINDS, indirect=True)
def test_flat_parts_have_the_same_colour_in_every_coding(sides):
    for _, _, camera, rgb, plain in sides:
        shown, expected = means(codes(displayed(rgb, camera.colour))), means(plain)
        for name in PARTS:
            assert np.abs(shown[name] - expected[name]).max() < 1.5, (camera, name)


@pytest.mark.parametrize("sides", KINDS, indirect=True)
def test_marks_have_the_same_levels_in_every_coding(sides):
    for _, _, camera, rgb, _ in sides:
        luma = codes(displayed(rgb, camera.colour))[0]
        for rows, columns in blocks(*SIZE):
            darkest, brightest = np.percentile(rgb[:, rows, columns], (5, 95))
            assert darkest > 0.08 and brightest < 0.92  # clear of clipping
            cells = luma[rows, columns]
            found = np.median(cells[cells < 125]), np.median(cells[cells > 125])
            assert np.abs(np.array(found) - LEVELS).max() < 2


@pytest.mark.parametrize("sides", WITH_LUT, indirect=True)
def test_the_lut_gives_bt709(sides):
    for folder, side, _, rgb, plain in sides:
        table = parsed(folder / f"{side}.cube")
        expected = means(plain)
        for name, signal in means(rgb).items():
            assert np.abs(codes(looked_up(table, signal)) - expected[name]).max() < 2, name


def parsed(path: Path) -> np.ndarray:
    """A LUT, float[blue, green, red, 3]: red is the fastest in the file."""
    lines = path.read_text().splitlines()
    size = next(int(line.split()[1]) for line in lines if line.startswith("LUT_3D_SIZE"))
    rows = [line.split() for line in lines if line[0].isdigit()]
    return np.array(rows, float).reshape(size, size, size, 3)


def looked_up(table: np.ndarray, rgb: np.ndarray) -> np.ndarray:
    """Trilinear interpolation at one colour."""
    place = rgb * (len(table) - 1)
    low = np.floor(place).astype(int)
    part, total = place - low, np.zeros(3)
    for corner in product((0, 1), repeat=3):
        weight = np.prod(np.where(corner, part, 1 - part))
        r, g, b = low + corner
        total += weight * table[b, g, r]
    return total


def test_luts_stand_in_the_session_where_they_are_declared(simulated):
    for name, sides in (("log, prores | log full", "LR"), ("hlg | hlg full", "")):
        left, right = KINDS[name]
        path = simulated(**SMALL | left, right=PLAIN | right)
        described = tomllib.loads(path.read_text())
        assert described["left"].get("lut") == ("left.cube" if sides else None)
        assert described["right"].get("lut") == ("right.cube" if sides else None)
    declared = Camera(**PLAIN | TEN | {"colour": "pq", "declare_lut": True})
    assert declared.names_lut
    assert not Camera(**PLAIN | {"colour": "log", "declare_lut": False}).names_lut
    assert not Camera(**PLAIN | {"declare_lut": True}).names_lut


@pytest.mark.parametrize("colour", [colour for colour in CODINGS if colour != "bt709"])
def test_the_way_back_is_the_inverse_of_the_way_there(colour):
    rgb = np.random.default_rng(0).uniform(0.09, 0.95, (3, 1000))  # BT.709's two pieces don't meet exactly
    assert np.abs(to_display(to_camera(rgb, colour), colour) - rgb).max() < 1e-9


@pytest.mark.parametrize("colour", ["log", "hlg", "pq"])
def test_luts_hold_the_whole_cube_in_0_to_1(colour):
    lines = cube(colour, "a camera").splitlines()
    assert lines[:2] == ['TITLE "a camera"', f"LUT_3D_SIZE {LUT_POINTS}"]
    table = np.array([line.split() for line in lines[2:]], float)
    assert table.shape == (LUT_POINTS**3, 3)
    assert table.min() >= 0 and table.max() <= 1
    grey = table.reshape(LUT_POINTS, LUT_POINTS, LUT_POINTS, 3)[*[range(LUT_POINTS)] * 3]
    assert (np.diff(grey, axis=0) >= 0).all()
    assert np.abs(np.diff(grey, axis=1)).max() < 1e-5  # grey stays grey
