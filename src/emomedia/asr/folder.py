"""The folder that holds a recogniser's model, checked before anything is loaded.

It is what CTranslate2's converter writes for a Whisper of any size, like those that faster-whisper publishes:
``model.bin``, ``config.json``, ``vocabulary.json`` (or ``.txt``), ``tokenizer.json``.  Nothing is downloaded.
The files are also compared with each other: with the tokens of another Whisper there would be no error,
only nonsense, and with attention heads that the network does not have CTranslate2 ends the process.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import MissingToolError, ModelError
from ..files import error_text, sha256
from ..stages import digest
from .weights import Weights, read_weights

NETWORK, CONFIG, TOKENIZER = "model.bin", "config.json", "tokenizer.json"
VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
"""In the order in which CTranslate2 looks for them."""

OWN_FILE = "emomedia.json"
"""May lie beside the model's own files: ``{"windows": "short"}`` says that it was trained on windows shorter
than 30 s.  Whisper's published models were not, so without it passages are joined to windows of 30 s."""

_CONVERT = "convert it: ct2-transformers-converter --model DIR --output_dir NEW --copy_files tokenizer.json"
_GET = "give a folder such as Systran/faster-whisper-large-v3 on the Hugging Face hub has (docs/words.md)"
_COPY = "copy the published tokenizer.json of the very model into it"
_TORCH_FILES = ("pytorch_model.bin", "model.safetensors", "model.safetensors.index.json")
_KIND = "WhisperSpec"

_STEERING = ("endoftext", "startoftranscript", "transcribe", "startofprev", "notimestamps")
"""Signs whose numbers differ from one Whisper to another: large-v3 has one language more than large-v2."""

_MULTILINGUAL = ""
"""The word that Whisper's vocabulary of many languages has and the English one has not; CTranslate2 tells
them apart by it."""


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
    multilingual : bool
        Whether it knows more than English.
    tells_languages : bool
        Whether its configuration names the tokens of the languages.
    """

    path: Path
    name: str
    sha256: str
    short_windows: bool
    multilingual: bool
    tells_languages: bool


def model_folder(path: Path) -> ModelFolder:
    """Check the folder `path`, without loading the network.

    Raises
    ------
    ModelError
        It is not there, lacks a file, holds something else than a Whisper for CTranslate2, or files of
        different ones.
    MissingToolError
        faster-whisper is not installed.
    """
    if not path.is_dir():
        raise _wrong(path, "nothing" if not path.exists() else "a file", _GET)
    try:
        names = {file.name for file in path.iterdir() if file.is_file()}
        _check_names(path, names)
        config = _object(path / CONFIG)
        _check_heads(path, config.get("alignment_heads"), _weights(path))
        vocabulary = next(name for name in VOCABULARIES if name in names)
        words = _words(path / vocabulary)
        _check_tokens(path, vocabulary, words)
        short = OWN_FILE in names and _own_words(path / OWN_FILE).get("windows") == "short"
        counted = [NETWORK, CONFIG, TOKENIZER, vocabulary] + [OWN_FILE] * (OWN_FILE in names)
        digests = {name: _sha256(path / name, *_version(path / name)) for name in counted}
    except OSError as error:
        raise _wrong(path, error_text(error), "correct its permissions") from error
    return ModelFolder(
        path,
        path.resolve().name,
        digest("model", digests),
        short,
        multilingual=_MULTILINGUAL in words,
        tells_languages=bool(config.get("lang_ids")),
    )


def check_language(folder: ModelFolder, language: str | None) -> None:
    """Refuse a language that the model does not know, or no language for a model that cannot detect it.

    Raises
    ------
    ModelError
        It has no sign for it, knows English alone, or names no languages.
    """
    if language is None:
        if folder.multilingual and not folder.tells_languages:
            raise nameless(folder.path)
    elif not folder.multilingual:
        if language != "en":
            raise unknown(folder.path, language, "one of English alone")
    elif tokens(folder.path).token_to_id(f"<|{language}|>") is None:
        raise unknown(folder.path, language, "one that does not")


def unknown(path: Path, language: str, found: str) -> ModelError:
    """The error that the model in the folder `path` does not know a language."""
    return ModelError(
        path,
        expected=f"a model that knows the language {language!r}",
        found=found,
        remedy="choose another --language, or another --asr-model",
    )


def nameless(path: Path) -> ModelError:
    """The error that the model in the folder `path` cannot detect languages."""
    return ModelError(
        path,
        expected=f"a {CONFIG} whose lang_ids name the languages",
        found="no language",
        remedy="give the language: --language CODE",
    )


def unusable(path: Path, found: str) -> ModelError:
    """The error that the content of the folder `path` cannot be used."""
    return _wrong(path, found, _GET)


def tokens(path: Path) -> Any:
    """The tokenizer's file in the folder `path`, with the tokens' numbers and texts."""
    return _tokens(path / TOKENIZER, *_version(path / TOKENIZER))


@lru_cache(maxsize=4)
def _tokens(path: Path, _size: int, _changed: int) -> Any:
    with parts():
        import tokenizers
    try:
        tokenizer = tokenizers.Tokenizer.from_file(os.fspath(path))
    except Exception as error:  # tokenizers raises bare exceptions
        raise _wrong(path, str(error), _GET) from error
    tokenizer.no_truncation()  # what a training set up stays in the file
    tokenizer.no_padding()
    return tokenizer


def _version(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


@lru_cache(maxsize=64)
def _sha256(path: Path, _size: int, _changed: int) -> str:
    """A file's digest, computed once per process: the largest models have 3 GB."""
    return sha256(path)


def _check_names(path: Path, names: set[str]) -> None:
    if NETWORK not in names and names & set(_TORCH_FILES):
        raise _wrong(path, "a model for PyTorch", _CONVERT)
    missing = [name for name in (NETWORK, CONFIG, TOKENIZER) if name not in names]
    missing += [] if names & set(VOCABULARIES) else [VOCABULARIES[0]]
    if missing:
        raise _wrong(path, f"one without {' and '.join(missing)}", _COPY if missing == [TOKENIZER] else _GET)


def _weights(path: Path) -> Weights:
    try:
        weights = read_weights(path / NETWORK)
    except ValueError as error:
        raise _wrong(path, f"{error} in {NETWORK}", _GET) from error
    if weights.kind != _KIND:
        raise _wrong(path, f"{weights.kind} in {NETWORK}", _GET)
    return weights


def _check_heads(path: Path, heads: Any, weights: Weights) -> None:
    """Refuse alignment heads that the decoder does not have, as of the model that it was distilled from."""
    if not heads:
        raise _wrong(path, f"one whose {CONFIG} names no alignment_heads, for the words' times", _CONVERT)
    most = (weights.decoder_layers, weights.numbers.get("decoder/num_heads", 8))
    for head in heads if isinstance(heads, list) else [heads]:
        if not isinstance(head, list) or len(head) != 2 or not _within(head, most):
            layers = f"a decoder of {most[0]} layers with {most[1]} heads"
            raise _wrong(path, f"the alignment head {head!r} in {CONFIG}, and {layers}", _CONVERT)


def _within(head: list[Any], most: tuple[int, int]) -> bool:
    return all(type(number) is int and 0 <= number < end for number, end in zip(head, most, strict=True))


def _words(path: Path) -> list[Any]:
    """A model's vocabulary, by the tokens' numbers."""
    data = path.read_bytes()
    try:
        text = data.decode()
        words = json.loads(text) if path.suffix == ".json" else text.removesuffix("\n").split("\n")
    except (ValueError, RecursionError):
        words = None
    if not isinstance(words, list):
        raise _wrong(path.parent, f"no list of words in {path.name}", _GET)
    return words


def _check_tokens(path: Path, vocabulary: str, words: list[Any]) -> None:
    """Refuse a tokenizer that has other numbers for the signs than the network."""
    known = tokens(path)
    for sign in (f"<|{name}|>" for name in _STEERING):
        own = words.index(sign) if sign in words else None
        if own is None or known.token_to_id(sign) != own:
            found = f"{sign} as token {own} in {vocabulary} and {known.token_to_id(sign)} in {TOKENIZER}"
            raise _wrong(path, found, _COPY)


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


class parts:
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
