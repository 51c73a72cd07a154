"""The reference compose against the contract's formula, against geometry and against a float model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emomedia.reference.compose import (
    AxisFilter,
    PlaneFilter,
    compose_half,
    compose_plane,
    plane_filters,
    side_by_side,
    upright,
)

from .lanczos import Case, model, model_tables

CASES = {
    "plain": Case(216, 384, crop=(0, 70, 216, 243)),
    "odd crop": Case(216, 384, crop=(3, 71, 201, 227)),
    "crop in a corner": Case(216, 384, crop=(15, 157, 201, 227)),
    "lying, 10 bit": Case(384, 216, rotate=90, crop=(1, 33, 215, 241), depth=10),
    "upside down": Case(216, 384, rotate=180, crop=(5, 9, 160, 181)),
    "other side, 4:2:2": Case(384, 216, sub_y=1, rotate=270, crop=(0, 61, 216, 243)),
    "4:2:2, 10 bit": Case(216, 384, sub_y=1, crop=(7, 12, 200, 225), depth=10),
    "centre": Case(216, 384, siting="center", rotate=90, crop=(30, 0, 192, 216)),
    "top left": Case(216, 384, siting="topleft", crop=(11, 20, 192, 216)),
    "to 10 bit": Case(216, 384, crop=(0, 70, 216, 243), depth=10, out_depth=10),
    "odd picture": Case(217, 385, crop=(1, 71, 215, 241)),
    "odd picture, upside down": Case(217, 385, rotate=180, crop=(2, 70, 213, 240)),
    "mirrored": Case(216, 384, mirrored=True, crop=(3, 71, 201, 227)),
    "lying, mirrored": Case(385, 217, rotate=90, mirrored=True, crop=(1, 33, 215, 241)),
    "4:4:4, 12 bit": Case(216, 384, sub_x=1, sub_y=1, crop=(7, 12, 200, 225), depth=12),
    "4:4:0, other side, mirrored": Case(384, 216, sub_x=1, rotate=270, mirrored=True, crop=(5, 61, 200, 225)),
    "enlarged": Case(108, 192, crop=(21, 31, 64, 72)),
}


def tables_by_core(case):
    return pytest.importorskip("emomedia._core").compose_filters(*case.arguments())


TABLES = {"model": model_tables, "core": tables_by_core}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


@pytest.fixture(params=TABLES)
def filters(request, case):
    return plane_filters(TABLES[request.param](case))


def smooth_noise(shape, depth, rng):
    """Values over the whole range, with edges: blocks of noise, one sample in ten flipped."""
    top = (1 << depth) - 1
    blocks = rng.integers(0, top + 1, (-(-shape[0] // 5), -(-shape[1] // 5)))
    plane = blocks.repeat(5, axis=0).repeat(5, axis=1)[: shape[0], : shape[1]]
    flipped = np.where(rng.random(shape) < 0.1, top - plane, plane)
    return flipped.astype(np.uint8 if depth == 8 else np.uint16)


def psnr(wanted, found, top):
    return 10 * np.log10(top**2 / np.mean((wanted - found) ** 2))


def test_agrees_with_the_float_model(case, filters):
    rng = np.random.default_rng(1)
    planes = tuple(smooth_noise(shape, case.depth, rng) for shape in case.coded_shapes)
    composed = compose_half(planes, filters, case.rotate, case.depth, case.out_depth, mirrored=case.mirrored)
    top = (1 << case.out_depth) - 1
    for index, (plane, found) in enumerate(zip(planes, composed, strict=True)):
        wanted = np.clip(model(case, index, upright(plane, case.rotate, case.mirrored)), 0, top)
        assert found.shape == wanted.shape
        assert np.abs(np.rint(wanted) - found).max() <= 1
        assert psnr(wanted, found.astype(float), top) >= 58


def slope(case, plane, axis):
    """A coded plane whose samples hold their own upright place along `axis`, in luma pixels."""
    cosited = {"left": (True, False), "center": (False, False), "topleft": (True, True)}[case.siting]
    steps = (1, 1) if plane == 0 else (case.sub_x, case.sub_y)
    rows, columns = np.indices(case.coded_shapes[plane])
    x, y = (
        step * index + (0.5 if step == 2 and not together else 0)
        for index, step, together in zip((columns, rows), steps, cosited, strict=True)
    )
    right, bottom = case.width - 1, case.height - 1
    turned = {0: (x, y), 90: (bottom - y, x), 180: (right - x, bottom - y), 270: (y, right - x)}
    place = turned[case.rotate][axis]
    width = case.width if case.rotate % 180 == 0 else case.height
    return width - 1 - place if case.mirrored and axis == 0 else place


def test_every_sample_shows_what_lies_at_its_place(case, filters):
    """Of a picture that is a slope each output sample shows the slope's height at its own place.

    A quarter of a luma pixel is the smallest error that a wrong siting or rotation would make.  The
    arithmetic holds for 14-bit samples too, whose rounding does not show.
    """
    for plane, table in enumerate(filters):
        for axis in (0, 1):
            source = upright((slope(case, plane, axis) * 32).astype(np.uint16), case.rotate, case.mirrored)
            found = compose_plane(source, table, 14, 14).mean(axis=axis) / 32
            ratio = case.crop[2 + axis] / case.out[axis]
            pixel = np.arange(len(found)) * (1 if plane == 0 else 2) + (0.5 if plane and axis else 0)
            wanted = case.crop[axis] + (pixel + 0.5) * ratio - 0.5
            assert abs(np.mean((found - wanted)[8:-8])) < 0.05


def test_a_flat_picture_stays_flat(case, filters):
    for value in (0, 1, 127, 255):
        planes = tuple(np.full(shape, value << (case.depth - 8), np.uint16) for shape in case.coded_shapes)
        for found in compose_half(
            planes, filters, case.rotate, case.depth, case.out_depth, mirrored=case.mirrored
        ):
            assert (found == value << (case.out_depth - 8)).all()


def formula(plane, table, depth, out_depth, j, i):
    """The contract's two lines, one output sample, in Python integers."""
    total = 1 << (28 - out_depth - 1)
    for t, c in enumerate(table.cols.coeff[i].tolist()):
        x = int(table.cols.start[i]) + t
        column = plane[table.rows.start[j] : table.rows.start[j] + table.rows.coeff.shape[1], x].tolist()
        rows = sum(r * p for r, p in zip(table.rows.coeff[j].tolist(), column, strict=True))
        value = (rows + (1 << (depth - 1))) >> depth
        assert -(2**15) <= value < 2**15
        total += c * value
    return min(max(total >> (28 - out_depth), 0), (1 << out_depth) - 1)


def test_keeps_the_contract_in_every_bit(case, filters):
    """Noise of the two extreme values drives the sums as far as they can go."""
    rng = np.random.default_rng(2)
    top = (1 << case.depth) - 1
    for plane, table in enumerate(filters):
        shape = upright(np.empty(case.coded_shapes[plane]), case.rotate, case.mirrored).shape
        source = (rng.integers(0, 2, shape) * top).astype(np.uint8 if case.depth == 8 else np.uint16)
        found = compose_plane(source, table, case.depth, case.out_depth)
        for j, i in zip(rng.integers(0, found.shape[0], 8), rng.integers(0, found.shape[1], 8), strict=True):
            assert found[j, i] == formula(source, table, case.depth, case.out_depth, j, i)


def test_negative_sums_round_as_an_arithmetic_shift():
    """−3 · 128 / 2^8 is −1.5, which rounds to −1, and −1 becomes 0 after the clamp."""
    rows = AxisFilter(np.array([0], np.int32), np.array([[16384]], np.int16))
    cols = AxisFilter(np.array([0], np.int32), np.array([[-8192, 24576]], np.int16))
    plane = np.array([[255, 0]], np.uint8)
    assert compose_plane(plane, PlaneFilter(rows, cols), 8).tolist() == [[0]]
    assert compose_plane(plane[:, ::-1], PlaneFilter(rows, cols), 8).tolist() == [[255]]


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_upright_turns_clockwise(rotate):
    coded = np.arange(6, dtype=np.uint8).reshape(2, 3)
    wanted = {
        0: [[0, 1, 2], [3, 4, 5]],
        90: [[3, 0], [4, 1], [5, 2]],
        180: [[5, 4, 3], [2, 1, 0]],
        270: [[2, 5], [1, 4], [0, 3]],
    }
    assert upright(coded, rotate).tolist() == wanted[rotate]


def test_the_left_take_is_on_the_left():
    left = tuple(np.full((4, 3), 10 + p, np.uint8) for p in range(3))
    right = tuple(np.full((4, 3), 20 + p, np.uint8) for p in range(3))
    for plane, composed in enumerate(side_by_side(left, right)):
        assert composed.shape == (4, 6)
        assert (composed[:, :3] == 10 + plane).all()
        assert (composed[:, 3:] == 20 + plane).all()


def dense(starts, coeffs, count):
    matrix = np.zeros((len(starts), count), int)
    for row, (start, coeff) in enumerate(zip(starts, coeffs, strict=True)):
        matrix[row, start : start + len(coeff)] = coeff
    return matrix


@st.composite
def any_case(draw):
    width, height = draw(st.integers(16, 300)), draw(st.integers(16, 300))
    rotate = draw(st.sampled_from([0, 90, 180, 270]))
    across, down = (width, height) if rotate % 180 == 0 else (height, width)
    crop_width, crop_height = draw(st.integers(8, across)), draw(st.integers(9, down))
    x, y = draw(st.integers(0, across - crop_width)), draw(st.integers(0, down - crop_height))
    siting = draw(st.sampled_from(["left", "center", "topleft"]))
    crop = (x, y, crop_width, crop_height)
    sub_x, sub_y = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    return Case(width, height, sub_x, sub_y, siting, rotate, draw(st.booleans()), crop)


@settings(max_examples=60, deadline=None)
@given(any_case())
def test_core_and_model_make_the_same_tables(case):
    """The two were written apart from each other; one unit is left to the last bit of a sine."""
    for wanted, found in zip(model_tables(case), tables_by_core(case), strict=True):
        for axis in (0, 2):
            count = max(int(table[axis].max()) + table[axis + 1].shape[1] for table in (wanted, found))
            one, other = (dense(table[axis], table[axis + 1], count) for table in (wanted, found))
            assert np.abs(one - other).max() <= 1
            assert (other.sum(axis=1) == 1 << 14).all()
