"""A loaded model: CTranslate2's network and the tokenizer, and where they work."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import DeviceError, ModelError
from ..options import Device
from .folder import ModelFolder, parts, tokens, unknown, unusable

if TYPE_CHECKING:
    from faster_whisper.tokenizer import Tokenizer

_CUBLAS = "libcublas.so.12"

GPU_BATCHES = 2
"""Batches at a time on a GPU: one is prepared while the other one keeps it busy."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a network runs and in which numbers."""

    device: str
    compute_type: str


def placed(device: Device) -> Placed:
    """A GPU in half precision if one may be used, else the cores in 8-bit integers.

    Single precision instead where the device is no good at that: GPUs without tensor cores, for one.

    Raises
    ------
    DeviceError
        A GPU was asked for, and CTranslate2 finds none.
    MissingToolError
        CTranslate2 is not installed.
    """
    with parts():
        import ctranslate2
    lacks = "" if device == "cpu" else _lacking(ctranslate2.get_cuda_device_count())
    if device == "cuda" and lacks:
        raise DeviceError(
            "--device cuda",
            expected="a GPU that CTranslate2 can use",
            found=f"no {lacks}",
            remedy="install NVIDIA's driver and CUDA 12, or choose --device cpu",
        )
    on, numbers = ("cpu", "int8") if device == "cpu" or lacks else ("cuda", "float16")
    return Placed(on, numbers if numbers in ctranslate2.get_supported_compute_types(on) else "float32")


def _lacking(gpus: int) -> str:
    """What CTranslate2 lacks to work on a GPU: it loads cuBLAS by this name when it first multiplies."""
    if gpus == 0:
        return "GPU"
    try:
        ctypes.CDLL(_CUBLAS)
    except OSError:
        return _CUBLAS
    return ""


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A loaded model: CTranslate2's network, the words' tokenizer, and where they came from."""

    folder: ModelFolder
    whisper: Any
    words: Any
    placed: Placed

    @property
    def mels(self) -> int:
        return int(self.whisper.n_mels)

    @property
    def multilingual(self) -> bool:
        return bool(self.whisper.is_multilingual)

    def tokenizer(self, language: str) -> Tokenizer:
        """The tokenizer with the prompt's tokens for `language`.

        Raises
        ------
        ModelError
            The model does not know it.
        """
        from faster_whisper.tokenizer import Tokenizer

        known = not self.multilingual or self.words.token_to_id(f"<|{language}|>") is not None
        if not known or (not self.multilingual and language != "en"):
            found = "one that does not" if self.multilingual else "one of English alone"
            raise unknown(self.folder.path, language, found)
        try:
            return Tokenizer(self.words, self.multilingual, task="transcribe", language=language)
        except ValueError as error:
            raise ModelError(
                "--language", expected="a code such as zh", found=repr(language), remedy="correct it"
            ) from error


def load(folder: ModelFolder, where: Placed, workers: int) -> Network:
    """Load the network for as many batches at a time as there are workers, each on one core.

    One core for each batch, so that the number of workers never shows in the result.

    Raises
    ------
    ModelError
        What the files hold cannot be used.
    DeviceError
        The GPU failed.
    """
    with parts():
        import ctranslate2
    words = tokens(folder.path)
    try:
        whisper = ctranslate2.models.Whisper(
            os.fspath(folder.path),
            device=where.device,
            compute_type=where.compute_type,
            inter_threads=workers if where.device == "cpu" else min(workers, GPU_BATCHES),
            intra_threads=1,
        )
    except (RuntimeError, ValueError, IndexError) as error:
        if where.device == "cuda" and "CUDA" in str(error):
            raise DeviceError(
                "--device", expected="a GPU that works", found=str(error), remedy="choose --device cpu"
            ) from error
        raise unusable(folder.path, str(error)) from error
    return Network(folder, whisper, words, where)
