"""Reads the header of a network's file in CTranslate2's format: its kind, and its variables."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_OLDEST = 4
"""The first version of the format with this layout; no Whisper was written in an older one."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The head of a network's file.

    Attributes
    ----------
    kind : str
        CTranslate2's name for the sort of network.
    shapes : dict
        Name of a variable → its dimensions.
    numbers : dict
        Name of a scalar → its value, for whole ones.
    """

    kind: str
    shapes: dict[str, tuple[int, ...]]
    numbers: dict[str, int]

    @property
    def decoder_layers(self) -> int:
        """How many layers the decoder has."""
        layers = re.findall(r"^decoder/layer_(\d+)/", "\n".join(self.shapes), re.MULTILINE)
        return 1 + max(map(int, layers), default=-1)


def read_weights(path: Path) -> Weights:
    """The head of the file `path`; of its weights nothing is read.

    Raises
    ------
    ValueError
        It is something else, or ends early.
    OSError
        It cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        try:
            kind = _kind(file)
        except (struct.error, UnicodeDecodeError):
            kind = ""
        if not kind.isalnum():
            raise ValueError("something else")
        try:
            weights = Weights(kind, *_variables(file))
        except (struct.error, UnicodeDecodeError) as error:
            raise ValueError("a file that ends early") from error
        if file.tell() > size:
            raise ValueError("a file that ends early")
    return weights


def _kind(file: BinaryIO) -> str:
    (version,) = _unpack(file, "<I")
    return _text(file) if version >= _OLDEST else ""


def _variables(file: BinaryIO) -> tuple[dict[str, tuple[int, ...]], dict[str, int]]:
    """Shapes of all variables, and what those are that are but a number."""
    _, count = _unpack(file, "<II")
    shapes: dict[str, tuple[int, ...]] = {}
    numbers: dict[str, int] = {}
    for _ in range(count):
        name = _text(file)
        (rank,) = _unpack(file, "<B")
        shapes[name] = _unpack(file, f"<{rank}I")
        _, length = _unpack(file, "<BI")
        if rank == 0:
            numbers[name] = int.from_bytes(file.read(length), "little", signed=True)
        else:
            file.seek(length, 1)
    return shapes, numbers


def _unpack(file: BinaryIO, layout: str) -> tuple[int, ...]:
    return struct.unpack(layout, file.read(struct.calcsize(layout)))


def _text(file: BinaryIO) -> str:
    """A length, and as many bytes, the last of which is zero."""
    (length,) = _unpack(file, "<H")
    data = file.read(length)
    if len(data) < length:
        raise struct.error
    return data.rstrip(b"\0").decode("ascii")
