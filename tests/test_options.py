"""The options of a run, as other programs may make them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from emomedia.errors import DescriptionError
from emomedia.options import Options, Size

WRONG = {
    "fps": Fraction(1, 2), "pad": -1, "crf": 99, "gop": 0, "depth": 12, "layout": "composite",
    "side_size": Size(959, 1080), "workers": -1, "interlaced": "no", "clean": True, "hints": None,
    "doubtful": "drop", "characters": "zh", "punctuation": "", "device": "gpu", "encoder": "x264",
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG.items(), ids=list(WRONG))
def test_what_the_command_line_refuses_is_refused_of_programs_too(name: str, value: Any):
    with pytest.raises(DescriptionError, match=f"options: {name}: expected .+, found") as refused:
        Options(**{name: value})
    assert str(value) in str(refused.value)


def test_plain_numbers_and_lists_will_do():
    assert Options(crf=14, pad=0, layout=["composite", "left"], side_size=(540, 960)).sides == ("left",)
