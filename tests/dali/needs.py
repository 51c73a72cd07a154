"""What some tests need: a skip where it is missing, a failure where the environment says that it is there."""

from __future__ import annotations

import os

import pytest

from emomedia.dali.graph import device_number, require_dali


def need_dali() -> None:
    """NVIDIA DALI; EMOMEDIA_REQUIRE_DALI=1 says that it is installed."""
    if os.environ.get("EMOMEDIA_REQUIRE_DALI") != "1":
        pytest.importorskip("nvidia.dali", reason="the extra 'dali' is not installed")
    require_dali()


def need_gpu() -> None:
    """A GPU that DALI can use; EMOMEDIA_REQUIRE_CUDA=1 says that there is one."""
    need_dali()
    if device_number("auto") is None and os.environ.get("EMOMEDIA_REQUIRE_CUDA") != "1":
        pytest.skip("no GPU that DALI can use")
