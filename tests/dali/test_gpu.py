"""Batches from a GPU against those from the CPU; skipped where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from emomedia.dali import Loader, LoaderOptions

from .needs import need_gpu
from .test_graph import difference
from .test_loader import places


@pytest.mark.parametrize("size", [None, (96, 108)])
@pytest.mark.parametrize("kind", ["turn", "dialogue"])
def test_a_gpu_gives_the_same_windows(dataset, kind, size):
    """Every frame is nearest to itself, and as near as two conversions to R'G'B' are; sound is equal."""
    need_gpu()
    found, expected = (
        Loader(
            dataset,
            LoaderOptions(
                frames=4, step=11, batch_size=2, kind=kind, size=size, drop_last=False, device=device
            ),
        )
        for device in ("cuda", "cpu")
    )
    assert found.state_dict() == expected.state_dict()
    for made, wanted in zip(found, expected, strict=True):
        assert places(made) == places(wanted)
        for name in wanted.sound:
            assert np.array_equal(np.asarray(made.sound[name].as_cpu()), np.asarray(wanted.sound[name]))
        for name in wanted.video:
            pictures, same = np.asarray(made.video[name].as_cpu()), np.asarray(wanted.video[name])
            assert pictures.shape == same.shape
            for one, other in zip(pictures, same, strict=True):
                off = [[difference(frame, each) for each in other] for frame in one]
                assert np.argmin(off, axis=1).tolist() == [0, 1, 2, 3]
                assert np.diag(off).max() < 2
