"""Compiled loops where nothing can be kept on disk."""

from __future__ import annotations

import numba
import numpy as np

from emomedia.voice.compiled import compiled


def test_without_a_place_for_a_cache_loops_are_compiled_all_the_same(monkeypatch):
    original = numba.njit

    def njit(*functions, **options):
        if options.get("cache"):
            raise RuntimeError("cannot cache function 'double': no locator available")
        return original(*functions, **options)

    monkeypatch.setattr(numba, "njit", njit)

    @compiled
    def double(values):
        for n in range(len(values)):
            values[n] *= 2

    values = np.arange(4.0)
    double(values)
    np.testing.assert_array_equal(values, [0, 2, 4, 6])
    assert double.signatures  # compiled, not interpreted
