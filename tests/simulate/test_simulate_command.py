"""``emomedia simulate``: what its flags make, and what it says to wrong ones."""

from __future__ import annotations

import dataclasses
import json
from fractions import Fraction

import pytest
import typer
from typer.testing import CliRunner

from emomedia.cli.app import app
from emomedia.cli.simulated import parse_aspect, parse_choice, parse_size
from emomedia.simulate import Camera, SimulateOptions

CHOICES = {choice.name for choice in dataclasses.fields(Camera)} - {"preset", "crf"}


def test_flags_apply_to_both_cameras_and_right_to_one(tmp_path):
    flags = """--size 180x320 --seconds 3 --fps 29.97 --codec hevc --depth 10 --colour hlg --timing variable
    --rotate 90 --mirrored --gop 50 --open-gop --bframes 3 --range full --declare-lut --parts 2 --seed 4
    --right codec=prores --right chroma=422 --right container=mov --right fps=25 --right rotate=0
    --right mirrored=no --right interlaced=tff --right timing=dropped --right parts=1 --right open-gop=no
    --right range=limited --right colour=bt709 --right sample-aspect=4:3 --right hidden=2
    --right timecode=01:00:00:00 --right-offset -0.25 --recorder-offset 0.5 --drift-ppm 20 --bleed-db -18"""
    ended = CliRunner().invoke(app, ["simulate", str(tmp_path), *flags.split()], catch_exceptions=False)
    assert ended.exit_code == 0
    expected = SimulateOptions.of(
        size=(180, 320), seconds=Fraction(3), fps=Fraction(30000, 1001), codec="hevc", depth=10, colour="hlg",
        timing="variable", rotate=90, mirrored=True, gop=50, open_gop=True, bframes=3, range="full",
        declare_lut=True, parts=2, seed=4, right_offset=Fraction("-0.25"), recorder_offset=Fraction("0.5"),
        drift_ppm=Fraction(20), bleed_db=-18.0,
        right={
            "codec": "prores", "chroma": "422", "container": "mov", "fps": Fraction(25), "rotate": 0,
            "mirrored": False, "interlaced": "tff", "timing": "dropped", "parts": 1, "open_gop": False,
            "range": "limited", "colour": "bt709", "sample_aspect": Fraction(4, 3), "hidden": 2,
            "timecode": "01:00:00:00",
        },
    )  # fmt: skip
    assert json.loads((tmp_path / "truth.json").read_text())["options"] == expected.as_json()
    names = {path.name for path in tmp_path.iterdir()} - {".lock"}
    assert {"left_01.mp4", "left_02.mp4", "left.cube", "right.mov", "session.toml"} <= names


def test_help_shows_a_flag_for_every_choice_of_a_camera():
    told = CliRunner().invoke(app, ["simulate", "--help"], env={"COLUMNS": "200"}).output
    for choice in CHOICES:
        assert f"--{choice.replace('_', '-')}" in told
    for panel in ("Pictures", "Frames in time", "Storage", "Session"):
        assert panel in told


def test_every_choice_can_be_made_for_the_right_camera():
    with pytest.raises(typer.BadParameter) as refused:
        parse_choice("preset=fast")
    assert all(choice.replace("_", "-") in str(refused.value) for choice in CHOICES)


@pytest.mark.parametrize("text", ["fps", "fps=", "mirrored=maybe", "size=big", "sample-aspect=4", "depth=x"])
def test_wrong_choices_for_the_right_camera_are_wrong_usage(text):
    with pytest.raises(typer.BadParameter):
        parse_choice(text)


def test_sizes_and_aspects_are_exact():
    assert parse_size("2160x3840") == (2160, 3840)
    assert parse_aspect("4:3") == Fraction(4, 3)
    for parse, text in (
        (parse_size, "2160"),
        (parse_size, "ax2"),
        (parse_aspect, "4:0"),
        (parse_aspect, "4"),
    ):
        with pytest.raises(typer.BadParameter):
            parse(text)
