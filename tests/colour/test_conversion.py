"""Conversions against BT.601, BT.709 and BT.2020 worked out in floats, and against the takes they refuse."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from emomedia.colour import Cube, conversion, target_colours
from emomedia.colour.conversion import REC709, Colours
from emomedia.colour.cube import FARTHEST, NARROWEST, WIDEST
from emomedia.errors import UnsupportedMediaError
from emomedia.probe.take import make_take
from emomedia.reference.colour import convert_half

from ..probe.found import found, session

LUMA = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}
TABLE = Path("/shoot/a.cube")


def take(side="left", **colours):
    lut = colours.pop("lut", None)
    return make_take(session(**{side: {"lut": lut}}), side, [found(f"{side}.mp4", **colours)])


def to_rgb(code, matrix, full, depth):
    """R'G'B' of code values [n, 3] of `depth` bits, by the Recommendations' own formulas."""
    red, blue = LUMA[matrix]
    code = np.asarray(code, float)
    if full:
        y, chroma = code[:, 0] / (2**depth - 1), (code[:, 1:] - 2 ** (depth - 1)) / (2**depth - 1)
    else:
        unit = 2 ** (depth - 8)
        y, chroma = (code[:, 0] / unit - 16) / 219, (code[:, 1:] / unit - 128) / 224
    r, b = y + 2 * (1 - red) * chroma[:, 1], y + 2 * (1 - blue) * chroma[:, 0]
    return np.stack([r, (y - red * r - blue * b) / (1 - red - blue), b], axis=1)


def from_rgb(rgb, matrix, full, depth):
    red, blue = LUMA[matrix]
    y = rgb @ [red, 1 - red - blue, blue]
    chroma = np.stack([(rgb[:, 2] - y) / (2 * (1 - blue)), (rgb[:, 0] - y) / (2 * (1 - red))], axis=1)
    if full:
        y, chroma = y * (2**depth - 1), chroma * (2**depth - 1) + 2 ** (depth - 1)
    else:
        y, chroma = (219 * y + 16) * 2 ** (depth - 8), (224 * chroma + 128) * 2 ** (depth - 8)
    return np.clip(np.column_stack([y, chroma]), 0, 2**depth - 1)


def converted(colours, code, source_depth, depth):
    """Flat halves of each of the `code` values, through the reference kernel."""
    results = []
    for triple in code:
        planes = tuple(np.full((2, 4), value << (12 - source_depth), np.uint16) for value in triple)
        results.append([int(plane[0, 0]) for plane in convert_half(planes, colours, depth)])
    return np.array(results)


@pytest.mark.parametrize("depth", [8, 10])
@pytest.mark.parametrize("source_depth", [8, 10, 12])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", LUMA)
def test_code_values_come_out_as_the_standards_have_them(matrix, full, source_depth, depth):
    rng = np.random.default_rng(3)
    target = Colours("limited", "bt709", "bt709", "bt709")
    source = take(matrix=matrix, range="full" if full else "limited", bit_depth=source_depth)
    code = rng.integers(2 ** (source_depth - 3), 7 * 2 ** (source_depth - 3), (200, 3)).tolist()
    colours = conversion(source, target, depth, None)
    if matrix == "bt709" and not full:
        assert colours is None
        return
    wanted = from_rgb(to_rgb(code, matrix, full, source_depth), "bt709", False, depth)
    rounded = (0.5 + 3 * 2**-14 * 4095) / 2 ** (14 - depth)  # to 14 bits, and of three factors
    assert np.abs(converted(colours, code, source_depth, depth) - wanted).max() <= 0.5 + rounded


def test_full_range_black_and_white_meet_the_limited_ones():
    colours = conversion(take(range="full"), REC709, 8, None)
    assert converted(colours, [(0, 128, 128), (255, 128, 128)], 8, 8).tolist() == [
        [16, 128, 128], [235, 128, 128],
    ]  # fmt: skip


def cube_of(function, size=33, low=0.0, high=1.0):
    axis = np.linspace(low, high, size)
    b, g, r = np.meshgrid(axis, axis, axis, indexing="ij")
    return Cube(function(np.stack([r, g, b], axis=3)), (low,) * 3, (high,) * 3)


@pytest.mark.parametrize("depth", [8, 10])
@pytest.mark.parametrize("size", [2, 17, 33, 129])
def test_an_identical_table_changes_nothing(size, depth):
    colours = conversion(take(bit_depth=10), REC709, depth, cube_of(lambda rgb: rgb, size))
    rng = np.random.default_rng(4)
    rgb = rng.uniform(0.05, 0.95, (100, 3))
    code = np.rint(from_rgb(rgb, "bt709", False, 10)).astype(int).tolist()
    wanted = from_rgb(to_rgb(code, "bt709", False, 10), "bt709", False, depth)
    assert np.abs(converted(colours, code, 10, depth) - wanted).max() <= 0.6


def test_a_table_maps_red_green_and_blue_each_to_its_own():
    swapped = conversion(take(), REC709, 8, cube_of(lambda rgb: rgb[..., [2, 0, 1]], 5))
    code = np.rint(from_rgb(np.array([[0.7, 0.2, 0.4]]), "bt709", False, 8)).astype(int)
    wanted = from_rgb(to_rgb(code, "bt709", False, 8)[:, [2, 0, 1]], "bt709", False, 8)
    assert np.abs(converted(swapped, code.tolist(), 8, 8) - wanted).max() <= 0.6


def test_a_table_is_interpolated_within_tetrahedra_as_a_float_model_has_it():
    """Within a tetrahedron a table is linear; a curved one shows whether the right one was taken."""
    cube = cube_of(lambda rgb: np.stack([rgb[..., 0] * rgb[..., 1], rgb[..., 1] ** 2, rgb.min(axis=3)], 3), 4)
    colours = conversion(take(bit_depth=10), REC709, 10, cube)
    rgb = np.random.default_rng(5).uniform(0, 1, (200, 3))
    code = np.rint(from_rgb(rgb, "bt709", False, 10)).astype(int)
    exact = to_rgb(code, "bt709", False, 10).clip(0, 1)
    wanted = from_rgb(np.array([tetrahedral(cube.values, colour) for colour in exact]), "bt709", False, 10)
    assert np.abs(converted(colours, code.tolist(), 10, 10) - wanted).max() <= 1.0


def tetrahedral(lattice, colour):
    """Barycentric interpolation along the path through the cell's corners by falling rest."""
    size = len(lattice)
    point = np.minimum(np.floor(colour * (size - 1)).astype(int), size - 2)
    rest = colour * (size - 1) - point
    corner, total, before = point.copy(), np.zeros(3), 1.0
    for axis in np.argsort(-rest):
        total += (before - rest[axis]) * lattice[corner[2], corner[1], corner[0]]
        before, corner[axis] = rest[axis], corner[axis] + 1
    return total + before * lattice[corner[2], corner[1], corner[0]]


def test_a_domain_moves_the_table():
    shifted = conversion(take(), REC709, 8, cube_of(lambda rgb: rgb, 9, -0.5, 1.5))
    assert converted(shifted, [(126, 128, 128)], 8, 8)[0, 0] == 126


@pytest.mark.parametrize("matrix", LUMA)
@pytest.mark.parametrize("scale", ["limited", "full"])
@pytest.mark.parametrize("width", [NARROWEST, 1, WIDEST])
def test_every_domain_that_is_read_fits_the_kernels_32_bits(matrix, scale, width):
    """The bound is the core's own: `require_valid` in csrc/kernels/color.cpp."""
    for low in (-FARTHEST * width, 0, (FARTHEST - 1) * width):
        cube = cube_of(lambda rgb: rgb, 2, low, low + width)
        colours = conversion(take(matrix=matrix, range=scale), REC709, 8, cube)
        for rows, largest in ((colours.to_cube, 4095), (colours.to_output, 1 << 15)):
            assert all(abs(d) + 4096 + sum(map(abs, abc)) * largest < 1 << 31 for *abc, d in rows)


def test_the_clips_have_the_left_takes_colours_or_those_that_its_table_makes():
    right = take("right", matrix="smpte170m", range="full")
    left = take(range="full", matrix="smpte170m", primaries="smpte170m", transfer="smpte170m")
    assert target_colours({"left": left, "right": right}).range == "full"
    assert target_colours({"left": replace(left, lut=TABLE), "right": right}) == REC709
    hlg = {"matrix": "bt2020nc", "primaries": "bt2020", "transfer": "arib-std-b67"}
    both = {"left": take(**hlg), "right": take("right", **hlg)}
    assert target_colours(both).transfer == "arib-std-b67"


HLG = {"matrix": "bt2020nc", "primaries": "bt2020", "transfer": "arib-std-b67"}


@pytest.mark.parametrize(
    ("left", "right", "complaint"),
    [
        ({}, {"transfer": "arib-std-b67"}, r"right\.mp4: .*transfer, bt709, found transfer arib.*\[right\]"),
        ({}, {"primaries": "bt2020"}, r"right\.mp4: .*primaries, bt709, found primaries bt2020"),
        ({}, {"matrix": "ycgco"}, r"right\.mp4: .*matrix, bt709, found matrix ycgco"),
        ({"matrix": "ycgco"}, {}, r"right\.mp4: .*matrix, ycgco, found matrix bt709"),
        ({"lut": TABLE}, HLG, r"right\.mp4: .*transfer, bt709"),
        (HLG, {"lut": TABLE}, r"right\.mp4: .*arib-std-b67, found transfer bt709; give the other take"),
        ({"lut": TABLE, "matrix": "ycgco"}, {}, r"left\.mp4: .*found matrix ycgco"),
    ],
)
def test_colours_that_cannot_be_brought_together_are_refused(left, right, complaint):
    with pytest.raises(UnsupportedMediaError, match=complaint):
        target_colours({"left": take(**left), "right": take("right", **right)})


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({}, {"matrix": "smpte170m", "range": "full", "primaries": "smpte170m", "transfer": "smpte170m"}),
        ({"transfer": "bt2020-10"}, {"transfer": "smpte170m"}),
        (HLG, HLG | {"range": "full"}),
        ({"matrix": "ycgco"}, {"matrix": "ycgco"}),
        (HLG | {"lut": TABLE}, {}),
        ({}, HLG | {"lut": TABLE}),
    ],
)
def test_colours_that_can_be_brought_together_are(left, right):
    target_colours({"left": take(**left), "right": take("right", **right)})


def test_same_colours_in_other_names_are_not_converted():
    pal, ntsc = take(matrix="bt470bg"), Colours("limited", "smpte170m", "smpte170m", "smpte170m")
    assert conversion(pal, ntsc, 8, None) is None


def test_factors_are_exact_until_they_are_rounded():
    """The sum of luma's factors is the ratio of the two ranges, to the rounding of three numbers."""
    rows = conversion(take(range="full"), REC709, 8, None).to_output
    assert abs(Fraction(rows[0][0], 1 << 13) - Fraction(219, 255) * 4) < Fraction(1, 1 << 13)
