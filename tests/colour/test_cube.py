"""The .cube format: what is read, and what is refused in one line."""

from __future__ import annotations

import numpy as np
import pytest

from emomedia.colour import read_cube
from emomedia.errors import DescriptionError, MediaNotFoundError

IDENTITY = "\n".join(f"{r} {g} {b}" for b in (0, 1) for g in (0, 1) for r in (0, 1))


def cube(tmp_path, text):
    path = tmp_path / "a.cube"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_red_runs_fastest_and_comments_blank_lines_and_titles_are_passed_over(tmp_path):
    text = f'# by hand\r\nTITLE "plain # 1"\n\nLUT_3D_SIZE 2 # two\n{IDENTITY}\n# end\n'
    table = read_cube(cube(tmp_path, text))
    assert table.size == 2
    assert table.values[0, 0, 1].tolist() == [1, 0, 0]
    assert table.values[0, 1, 0].tolist() == [0, 1, 0]
    assert table.values[1, 0, 0].tolist() == [0, 0, 1]
    assert (table.domain_min, table.domain_max) == ((0, 0, 0), (1, 1, 1))


@pytest.mark.parametrize(
    ("lines", "low", "high"),
    [
        ("DOMAIN_MIN -0.1 0 0\nDOMAIN_MAX 1 2 1.5e0", (-0.1, 0, 0), (1, 2, 1.5)),
        ("LUT_3D_INPUT_RANGE 0.1 0.9", (0.1,) * 3, (0.9,) * 3),
    ],
)
def test_domains(tmp_path, lines, low, high):
    table = read_cube(cube(tmp_path, f"\ufeffLUT_3D_SIZE 2\n{lines}\n{IDENTITY}"))
    assert (table.domain_min, table.domain_max) == (low, high)


WRONG = {
    "nothing": ("", "LUT_3D_SIZE of 2 to 129, found none"),
    "one-dimensional": ("LUT_1D_SIZE 2\n0 0 0\n1 1 1", "line 1: expected three numbers.* 'LUT_1D_SIZE 2'"),
    "one point": ("LUT_3D_SIZE 1\n0 0 0", "2 to 129, found 1"),
    "huge": ("LUT_3D_SIZE 99999\n0 0 0", "2 to 129, found 99999"),
    "no number": ("LUT_3D_SIZE two", "line 1: expected LUT_3D_SIZE and a whole number"),
    "a size in other digits": ("LUT_3D_SIZE ²", "line 1: expected LUT_3D_SIZE and a whole number"),
    "too few": (f"LUT_3D_SIZE 3\n{IDENTITY}", "27 colours, as LUT_3D_SIZE 3 says, found 8"),
    "too many": (f"LUT_3D_SIZE 2\n{IDENTITY}\n0 0 0", "8 colours.* found 9"),
    "two numbers": (f"LUT_3D_SIZE 2\n{IDENTITY[:-2]}", "line 9: expected three numbers"),
    "not finite": (f"LUT_3D_SIZE 2\n{IDENTITY[:-1]}nan", "line 9: expected finite numbers"),
    "a narrow domain": (f"LUT_3D_SIZE 2\nDOMAIN_MAX 1 0.1 1\n{IDENTITY}", "a domain 0.5 to 64"),
    "a domain far from zero": (
        f"LUT_3D_SIZE 2\nDOMAIN_MIN 60 60 60\nDOMAIN_MAX 60.5 60.5 60.5\n{IDENTITY}",
        "a domain .* near zero",
    ),
    "no text": (bytes(range(256)), "line 1: expected three numbers"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_table_is_refused_in_one_line(tmp_path, name):
    text, complaint = WRONG[name]
    with pytest.raises(DescriptionError, match=rf"a\.cube: .*{complaint}") as caught:
        read_cube(cube(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_huge_one_are_refused(tmp_path, monkeypatch):
    with pytest.raises(MediaNotFoundError, match=r"none\.cube"):
        read_cube(tmp_path / "none.cube")
    monkeypatch.setattr("emomedia.colour.cube.MAX_BYTES", 1 << 20)
    path = tmp_path / "a.cube"
    with path.open("wb") as file:
        file.truncate((1 << 20) + 1)
    with pytest.raises(DescriptionError, match="more than 1 MiB"):
        read_cube(path)


def test_a_table_of_33_points_reads_quickly_and_whole(tmp_path):
    values = np.random.default_rng(0).random((33**3, 3)).round(6)
    lines = "\n".join(" ".join(map(str, row)) for row in values.tolist())
    table = read_cube(cube(tmp_path, f"LUT_3D_SIZE 33\n{lines}"))
    assert np.array_equal(table.values.reshape(-1, 3), values)
