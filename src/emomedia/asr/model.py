"""A recogniser's model: the folder that holds it, checked, and the network and tokenizer loaded from it.

The folder is what CTranslate2's converter writes of a Whisper of any size, as faster-whisper's are published:
``model.bin``, ``config.json``, ``vocabulary.json`` (or ``.txt``), ``tokenizer.json``.  Nothing is downloaded.
"""

from __future__ import annotations

import ctypes
import json
import os
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DeviceError, MissingToolError, ModelError
from ..files import complaint, sha256
from ..options import Device
from ..stages import digest

if TYPE_CHECKING:
    from faster_whisper.tokenizer import Tokenizer

NETWORK, CONFIG, TOKENIZER = "model.bin", "config.json", "tokenizer.json"
VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
OWN_FILE = "emomedia.json"
"""May lie beside the model's own files: ``{"windows": "short"}`` says that it was trained on windows shorter
than 30 s.  Whisper's published models were not, so without it passages are joined to windows of 30 s."""

_CUBLAS = "libcublas.so.12"

GPU_BATCHES = 2
"""Batches at a time on a GPU: one is prepared while the other one keeps it busy."""

_CONVERT = "convert it: ct2-transformers-converter --model DIR --output_dir NEW --copy_files tokenizer.json"
_GET = "give a folder such as Systran/faster-whisper-large-v3 on the Hugging Face hub has (docs/words.md)"
_TORCH_FILES = ("pytorch_model.bin", "model.safetensors", "model.safetensors.index.json")
_SPEC = b"WhisperSpec"


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A checked folder.

    Attributes
    ----------
    name : str
        The folder's own.
    sha256 : str
        Of all the files that count, their names included.
    short_windows : bool
        Whether windows may be as short as what is said in them; else they are 30 s long.
    """

    path: Path
    name: str
    sha256: str
    short_windows: bool


def model_folder(path: Path) -> ModelFolder:
    """Check the folder `path`, without loading the network.

    Raises
    ------
    ModelError
        It is not there, lacks a file, or holds something else than a Whisper for CTranslate2.
    """
    if not path.is_dir():
        raise _wrong(path, "nothing" if not path.exists() else "a file", _GET)
    try:
        names = {file.name for file in path.iterdir() if file.is_file()}
        _check_names(path, names)
        _check_kind(path / NETWORK)
        if "alignment_heads" not in _object(path / CONFIG):
            raise _wrong(path, f"one whose {CONFIG} names no alignment_heads, for the words' times", _CONVERT)
        vocabulary = next(name for name in VOCABULARIES if name in names)
        short = OWN_FILE in names and _own_words(path / OWN_FILE).get("windows") == "short"
        counted = [NETWORK, CONFIG, TOKENIZER, vocabulary] + [OWN_FILE] * (OWN_FILE in names)
        digests = {name: _sha256(path / name, *_version(path / name)) for name in counted}
    except OSError as error:
        raise _wrong(path, complaint(error), "correct its permissions") from error
    return ModelFolder(path, path.resolve().name, digest("model", digests), short)


def check_language(folder: ModelFolder, language: str) -> None:
    """Refuse a language for which the model has no sign, without loading the network.

    A model of English alone may have signs of others, or none at all: :meth:`Network.tokenizer` sees to it.

    Raises
    ------
    ModelError
        It has none, or its tokenizer cannot be read.
    """
    if language != "en" and _tokenizer(folder.path).token_to_id(f"<|{language}|>") is None:
        raise _unknown(folder.path, language, "one that does not")


def _unknown(path: Path, language: str, found: str) -> ModelError:
    return ModelError(
        path,
        expected=f"a model that knows the language {language!r}",
        found=found,
        remedy="choose another --language, or another --asr-model",
    )


def _tokenizer(path: Path) -> Any:
    """What tells tokens by their numbers and texts, from the folder `path`."""
    with _parts():
        import tokenizers
    try:
        return tokenizers.Tokenizer.from_file(os.fspath(path / TOKENIZER))
    except Exception as error:  # tokenizers raises bare exceptions
        raise _wrong(path / TOKENIZER, str(error), _GET) from error


def _version(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


@lru_cache(maxsize=64)
def _sha256(path: Path, _size: int, _changed: int) -> str:
    """A file's digest, worked out once a process: the largest models have 3 GB."""
    return sha256(path)


def _check_names(path: Path, names: set[str]) -> None:
    if NETWORK not in names and names & set(_TORCH_FILES):
        raise _wrong(path, "a model for PyTorch", _CONVERT)
    missing = [name for name in (NETWORK, CONFIG, TOKENIZER) if name not in names]
    missing += [] if names & set(VOCABULARIES) else [VOCABULARIES[0]]
    if missing:
        remedy = "copy the published tokenizer.json into it" if missing == [TOKENIZER] else _GET
        raise _wrong(path, f"one without {' and '.join(missing)}", remedy)


def _check_kind(network: Path) -> None:
    """Read the name that the network's file gives itself: a version, a length, as many letters."""
    with network.open("rb") as file:
        head = file.read(64)
    length = struct.unpack_from("<H", head, 4)[0] if len(head) >= 6 else 0
    name = head[6 : 6 + length].rstrip(b"\0")
    if name != _SPEC:
        found = name.decode("ascii") if name.isascii() and name.isalnum() else "something else"
        raise _wrong(network.parent, f"{found} in {NETWORK}", _GET)


def _object(path: Path) -> dict[str, Any]:
    """The JSON object in a file; empty where there is none."""
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _own_words(path: Path) -> dict[str, Any]:
    value = _object(path)
    if value.get("windows") not in ("short", "full"):
        raise _wrong(path, "other words", 'write {"windows": "short"}, or delete it')
    return value


def _wrong(path: Path, found: str, remedy: str) -> ModelError:
    return ModelError(
        path, expected="a folder with a Whisper model for CTranslate2", found=found, remedy=remedy
    )


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a network runs and in which numbers."""

    device: str
    compute_type: str


def placed(device: Device) -> Placed:
    """A GPU in half precision where there is one that may be used, else the cores in 8-bit integers.

    Raises
    ------
    DeviceError
        A GPU was asked for, and CTranslate2 finds none.
    MissingToolError
        CTranslate2 is not installed.
    """
    with _parts():
        import ctranslate2
    lacks = "" if device == "cpu" else _lacking(ctranslate2.get_cuda_device_count())
    if device == "cuda" and lacks:
        raise DeviceError(
            "--device cuda",
            expected="a GPU that CTranslate2 can use",
            found=f"no {lacks}",
            remedy="install NVIDIA's driver and CUDA 12, or choose --device cpu",
        )
    return Placed("cpu", "int8") if device == "cpu" or lacks else Placed("cuda", "float16")


def _lacking(gpus: int) -> str:
    """What CTranslate2 lacks to work on a GPU: it loads cuBLAS by this name when it first multiplies."""
    if gpus == 0:
        return "GPU"
    try:
        ctypes.CDLL(_CUBLAS)
    except OSError:
        return _CUBLAS
    return ""


class _parts:
    """Turns the absence of faster-whisper's parts into the error that names the remedy."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, ImportError):
            raise MissingToolError(
                "faster-whisper",
                expected="the package faster-whisper with CTranslate2, to recognise speech",
                found=str(error),
                remedy="install it: pip install faster-whisper",
            ) from error


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
            raise _unknown(self.folder.path, language, found)
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
    with _parts():
        import ctranslate2
    words = _tokenizer(folder.path)
    try:
        whisper = ctranslate2.models.Whisper(
            os.fspath(folder.path),
            device=where.device,
            compute_type=where.compute_type,
            inter_threads=workers if where.device == "cpu" else min(workers, GPU_BATCHES),
            intra_threads=1,
        )
    except (RuntimeError, ValueError) as error:
        if where.device == "cuda" and "CUDA" in str(error):
            raise DeviceError(
                "--device", expected="a GPU that works", found=str(error), remedy="choose --device cpu"
            ) from error
        raise _wrong(folder.path, str(error), _GET) from error
    return Network(folder, whisper, words, where)
