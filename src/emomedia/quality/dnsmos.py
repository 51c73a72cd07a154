"""DNSMOS P.835: how people would rate speech, its background, and both (Reddy, Gopal and Cutler 2022).

The network is the one in the package speechmos; only the file is used, since the package's own code requires
much more to be installed.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..timeline import SAMPLE_RATE

RATE = 16_000
WINDOW = 144_160
"""Samples, 9.01 s, that the network hears at once; shorter sound is repeated, as in the authors' script."""

_MODEL = "dnsmos_models/sig_bak_ovr.onnx"
_CURVES = {
    "dnsmos_sig": (-0.08397278, 1.22083953, 0.0052439),
    "dnsmos_bak": (-0.13166888, 1.60915514, -0.39604546),
    "dnsmos_ovrl": (-0.06766283, 1.11546468, 0.04602535),
}
"""From the network's three outputs to the scale of ratings, as in the authors' script."""

NAMES = tuple(_CURVES)


class Dnsmos:
    """The network; safe to call from several threads."""

    def __init__(self, model: Path) -> None:
        onnxruntime: Any = import_module("onnxruntime")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self.name = f"speechmos {version('speechmos')}"

    @classmethod
    def found(cls) -> Dnsmos | None:
        """The installed one, if there is one."""
        package = find_spec("speechmos")
        if package is None or package.origin is None or find_spec("onnxruntime") is None:
            return None
        model = Path(package.origin).parent / _MODEL
        return cls(model) if model.is_file() else None

    def __call__(self, sound: npt.NDArray[np.float32], most: int) -> dict[str, float]:
        """Ratings from 1 to 5 of sound at 48 kHz: the means over its windows.

        There are up to `most`, evenly spread (the authors' script takes one each second, for many times the
        work); they do not overlap.
        """
        import soxr

        heard = np.clip(soxr.resample(sound, SAMPLE_RATE, RATE, quality="HQ"), -1, 1).astype(np.float32)
        heard = np.tile(heard, -(-WINDOW // len(heard)))
        count = min(most, len(heard) // WINDOW)
        starts = [(2 * number + 1) * len(heard) // (2 * count) - WINDOW // 2 for number in range(count)]
        outputs = [self._session.run(None, {"input_1": heard[None, at : at + WINDOW]})[0][0] for at in starts]
        raw: Any = np.asarray(outputs, np.float64)
        return {
            name: round(float(np.polyval(curve, raw[:, column]).mean()), 2)
            for column, (name, curve) in enumerate(_CURVES.items())
        }
