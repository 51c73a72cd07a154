"""What other people's libraries for Praat and ELAN read of our files, and what we read of theirs."""

from __future__ import annotations

import pytest

from emomedia.interchange import eaf, textgrid

from .test_corrected import TURNS
from .test_round_trip import read, written


@pytest.mark.parametrize("form", ["short_textgrid", "long_textgrid"])
def test_praatio(tmp_path, form):
    praatio = pytest.importorskip("praatio.textgrid")
    path = tmp_path / "s.TextGrid"
    path.write_text(written(TURNS, textgrid), encoding="utf-8")
    grid = praatio.openTextgrid(str(path), includeEmptyIntervals=True)
    assert grid.getTier("right").entries[1][:] == (1.9, 2.3, "嗯")
    grid.save(str(path), format=form, includeBlankSpaces=True)
    assert read(path.read_bytes(), textgrid) == TURNS


def test_pympi(tmp_path):
    pympi = pytest.importorskip("pympi")
    path = tmp_path / "s.eaf"
    path.write_text(written(TURNS, eaf), encoding="utf-8")
    document = pympi.Elan.Eaf(str(path))
    assert document.get_annotation_data_for_tier("right")[0] == (1900, 2300, "嗯")
    assert document.get_ref_annotation_data_for_tier("left emotions")[0][:3] == (3000, 4000, "Joy")
    document.to_file(str(path))
    assert read(path.read_bytes(), eaf) == TURNS
