"""The encoder of a dataset's clips: chosen once for an output folder, and recorded there.

libx264 gives the same bytes on any machine; NVENC is a GPU's own encoder, whose bytes are those of its card
and driver.  ``auto`` must not mean one on one machine and the other on the next, so the first run's choice is
recorded, and a machine that cannot follow it says so instead of choosing another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast, get_args

from . import _core
from .descriptions import show
from .errors import DeviceError, EmomediaError, StageError, UnsupportedMediaError
from .files import canonical_json, error_text, locked, read_small, write_bytes
from .layout import AUDIT_NAME
from .options import COMPOSITE_SIZE, EncoderChoice, Options, Size
from .stages import parse

RECORD_NAME = ".encoder.json"
"""In the output folder; ids of sessions do not begin with a dot."""

BEST_ON_A_GPU: EncoderChoice = "h264_nvenc"
"""What ``auto`` means where a GPU has NVENC: H.264 plays everywhere, and is what libx264 makes elsewhere."""

_MOST_BYTES = 1 << 26
_DRIVER = Path("/sys/module/nvidia/version")


@dataclass(frozen=True, slots=True)
class Card:
    """GPUs of one model whose NVENC encodes.

    Attributes
    ----------
    alike : tuple of int
        Their numbers, as CUDA counts them; the one that was tried first, then the emptiest.
    name, driver : str
        What their bytes depend on besides the pictures and the settings.
    """

    alike: tuple[int, ...]
    name: str
    driver: str

    def as_json(self) -> dict[str, str]:
        """The card as provenance and run.json record it."""
        return {"card": self.name, "driver": self.driver}


@dataclass(frozen=True)
class Encoder:
    """An encoder by libav's name, for pictures of `depth` bits.

    `kept` is the file that names it, `side` the size of the pictures of one side alone; or None.
    """

    name: str
    depth: int = 8
    kept: Path | None = None
    side: Size | None = None

    @cached_property
    def card(self) -> Card | None:
        """The GPUs that it works on, tried once; None for libx264.

        Raises
        ------
        DeviceError
            No GPU here has NVENC, or one that takes such pictures.
        """
        if self.name == "libx264":
            return None
        try:
            return _card(self.name, self.depth, self.side)
        except EmomediaError as error:
            if self.kept is None:
                raise DeviceError(
                    f"--encoder {self.name}",
                    expected="a GPU that encodes such pictures",
                    found=error.found,
                    remedy="choose --encoder libx264, or a machine with NVENC",
                ) from error
            raise DeviceError(
                self.kept,
                expected=f"{self.name}, which made the clips of this folder",
                found=f"a machine that cannot: {error.found}",
                remedy="run where NVENC is, or choose --encoder libx264, which makes the clips again",
            ) from error

    def gpus(self, workers: Mapping[int, _core.Gpu]) -> list[_core.Gpu]:
        """The GPUs that it works on, opened: those of its card that `workers` have, by CUDA's numbers.

        Where they have none, one alone, since others would lose memory for nothing: the first that can be
        had and opens an encoder now.  Raises DeviceError where none does.
        """
        if self.card is None:
            return []
        own = [workers[index] for index in self.card.alike if index in workers]
        return own or [self._another(self.card)]

    def _another(self, card: Card) -> _core.Gpu:
        refused: list[DeviceError] = []
        for index in card.alike:
            try:
                gpu = _core.open_gpu(index)
                _try(self.name, self.depth, self.side, gpu)
            except DeviceError as error:
                refused.append(error)
            else:
                return gpu
        raise refused[0]

    def as_json(self) -> dict[str, str]:
        """The encoder as run.json records it."""
        return {"name": self.name} | ({} if self.card is None else self.card.as_json())


LIBX264 = Encoder("libx264")


def choose(options: Options, out: Path) -> Encoder:
    """Choose the encoder of the clips in the output folder `out`, from now on.

    An encoder that the options name is written down there once it was seen to be here; ``auto`` is the one
    that is.  Where none is, and no clip tells, ``auto`` becomes :data:`BEST_ON_A_GPU` if GPUs are to be used
    (``device``) and one has NVENC, libx264 otherwise.

    Raises
    ------
    DeviceError
        The options name an encoder that this machine lacks, and the folder is not kept to it yet.
    StageError
        What is written down is no encoder.
    OutputError
        The folder cannot be written.
    """
    side = _side_size(options)
    if options.encoder == "auto":
        best = Encoder(BEST_ON_A_GPU, options.depth, out / RECORD_NAME, side)
        name = recorded(out)
        if name is None or not (out / RECORD_NAME).exists():  # many sessions' clips are asked once
            name = _recorded_first(out, name or _best(best, options))
        return best if name == best.name else replace(best, name=name)
    encoder = Encoder(options.encoder, options.depth, side=side)
    if recorded(out) != options.encoder:
        _ = encoder.card  # no folder is kept to what never made a clip of it
        with locked(out, wait=True):
            _record(out, options.encoder)
    return encoder


def recorded(out: Path) -> EncoderChoice | None:
    """The encoder recorded for `out`, in its file or else in its clips; None in a new folder."""
    path = out / RECORD_NAME
    try:
        body = parse(read_small(path, _MOST_BYTES), float)
    except FileNotFoundError:
        return _of_clips(out)
    except (OSError, ValueError) as error:
        raise _broken(path, error_text(error)) from error
    name = body.get("encoder") if isinstance(body, dict) else body
    if name not in get_args(EncoderChoice) or name == "auto":
        raise _broken(path, show(name))
    return cast(EncoderChoice, name)


def _of_clips(out: Path) -> EncoderChoice | None:
    """The encoder of the clips in a folder without a record."""
    for audit in sorted(out.glob(f"*/{AUDIT_NAME}")):
        try:
            with audit.open("rb") as file:
                name = parse(file.readline(_MOST_BYTES), float)["provenance"]["settings"]["encoder"]
        except (OSError, ValueError, KeyError, TypeError):
            continue  # reading that session's audit reports what is wrong with it
        if name in get_args(EncoderChoice):
            return cast(EncoderChoice, name)
    return None


def _recorded_first(out: Path, name: EncoderChoice) -> EncoderChoice:
    """`name`, now recorded, or what another machine's run has recorded meanwhile."""
    with locked(out, wait=True):
        if (out / RECORD_NAME).exists():
            return recorded(out) or name
        _record(out, name)
        return name


def _record(out: Path, name: EncoderChoice) -> None:
    write_bytes(out / RECORD_NAME, (canonical_json({"encoder": name}) + "\n").encode())


def _broken(path: Path, found: str) -> StageError:
    return StageError(
        path,
        expected="the name of an encoder",
        found=found,
        remedy="delete it, and name --encoder in the next run",
    )


def _best(on_a_gpu: Encoder, options: Options) -> EncoderChoice:
    if options.device == "cpu":
        return "libx264"
    try:
        _ = on_a_gpu.card
    except (DeviceError, UnsupportedMediaError):
        return "libx264"
    return BEST_ON_A_GPU


def _side_size(options: Options) -> Size | None:
    return options.side_size if options.sides else None


def _card(name: str, depth: int, side: Size | None) -> Card:
    """The first model of which a GPU opens such encoders; one of each is tried, the emptiest that can be had.

    Raises DeviceError where none does, UnsupportedMediaError where FFmpeg has no such encoder.
    """
    from .placement import why_none

    found = _core.find_gpus()
    if not found.gpus:
        raise DeviceError(name, expected="a GPU", found=why_none(found), remedy="choose --encoder libx264")
    models = list(dict.fromkeys(gpu.name for gpu in found.gpus))
    order = sorted(found.gpus, key=lambda gpu: (models.index(gpu.name), -gpu.free_memory))
    refused: dict[str, DeviceError] = {}
    shut: list[DeviceError] = []
    for gpu in order:
        if gpu.name in refused:
            continue  # asking takes a part of its memory until this process ends
        try:
            device = _core.open_gpu(gpu.index)
        except DeviceError as error:
            shut.append(error)  # of this one alone: another program may have it, or all its memory
            continue
        try:
            _try(name, depth, side, device)
        except DeviceError as error:
            refused[gpu.name] = error
            continue
        alike = (other.index for other in order if other.name == gpu.name)
        return Card((gpu.index, *(index for index in alike if index != gpu.index)), gpu.name, driver(found))
    raise next(iter([*refused.values(), *shut]))


def _try(name: str, depth: int, side: Size | None, gpu: _core.Gpu) -> None:
    for size in {COMPOSITE_SIZE, side or COMPOSITE_SIZE}:
        _core.try_encoder(_trial(name, depth, size), gpu)


def _trial(name: str, depth: int, size: Size) -> _core.VideoSettings:
    """Settings for the trial: what a card accepts depends only on the encoder, the size and the depth."""
    tags: Any = ("limited", "bt709", "bt709", "bt709")
    return _core.VideoSettings(
        width=size.width, height=size.height, depth=depth, rate=(25, 1), tags=tags,
        preset="veryfast", crf="20", gop=50, encoder=name,
    )  # fmt: skip


def driver(found: _core.FoundGpus) -> str:
    """The driver's release, or its CUDA version if the system does not report that."""
    try:
        return _DRIVER.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return f"CUDA {found.driver // 1000}.{found.driver % 1000 // 10}"
