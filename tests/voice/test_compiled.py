"""Compiled loops where nothing can be kept on disk, or what is kept there is broken."""

from __future__ import annotations

import errno
import os

import numba
import numpy as np
import pytest
from numba.core.caching import FunctionCache

from emomedia.voice import compiled as module
from emomedia.voice.compiled import compiled


def double(values):
    for n in range(len(values)):
        values[n] *= 2


def works() -> bool:
    loop = compiled(double)
    values = np.arange(4.0)
    loop(values)
    return values.tolist() == [0, 2, 4, 6] and bool(loop.signatures)  # compiled, not interpreted


def refuse(*_):
    raise RuntimeError("cannot cache function 'double': no locator available")


def run_full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_without_a_place_for_a_cache_loops_are_compiled_all_the_same(monkeypatch):
    monkeypatch.setattr(module, "_Kept", refuse)
    assert works()


def test_a_full_disk_keeps_no_loop_from_being_compiled(monkeypatch, tmp_path):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(FunctionCache, "save_overload", run_full)
    assert works()


@pytest.mark.parametrize("kind", ["*.nbi", "*.nbc"])
def test_a_broken_cache_is_rebuilt(monkeypatch, tmp_path, kind):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    assert works()
    (kept,) = tmp_path.rglob(kind)
    whole = kept.read_bytes()
    kept.write_bytes(whole[:20])
    assert works()
    assert len(next(tmp_path.rglob(kind)).read_bytes()) == len(whole)
