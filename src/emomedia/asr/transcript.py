"""The transcript of a session, as speech.json has it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import DeviceError
from ..session import SIDES
from .decode import language_of
from .features import features
from .folder import ModelFolder
from .guard import repeated_across
from .kept import Heard, Kept, in_order
from .model import Network, Placed, load
from .passages import BATCH_COLUMNS, COLUMNS, Batch, batches, passages, shown, windows
from .recognise import Settings, recognise
from .sound import Tracks
from .types import Segment

DETECTED_WINDOWS = 8
"""How many windows decide the language, those with the most speech: one batch."""


@dataclass(frozen=True, slots=True)
class Hints:
    """Texts that prompt the recogniser: one for all, and others instead in stretches of seconds."""

    everywhere: str = ""
    within: tuple[tuple[float, float, str], ...] = ()

    def numbered(self) -> tuple[tuple[str, ...], dict[int, range]]:
        """The texts, and the columns that each of the stretches' is for."""
        texts = [self.everywhere, *(text for _, _, text in self.within)]
        places = {
            number: range(round(start * COLUMNS), round(end * COLUMNS))
            for number, (start, end, _) in enumerate(self.within, start=1)
        }
        return tuple(texts), places


def transcribe(
    folder: ModelFolder,
    where: Placed,
    tracks: Tracks,
    *,
    language: str | None = None,
    hints: Hints | None = None,
    kept: Kept | None = None,
    workers: int = 1,
    advance: Callable[[int, int], None] | None = None,
) -> Heard:
    """What is said on both tracks, as the model writes it.

    Parameters
    ----------
    language : str or None
        Whisper's code; found from the sound, once for both sides, if None.
    kept : Kept or None
        The results of batches, from which an interrupted or changed session continues.
    workers : int
        Batches at a time; never shows in the result.
    advance : callable
        Called with the number of batches done and of all.

    Raises
    ------
    ModelError, DeviceError
        The model cannot be used, or does not know the language.
    OutputError
        There is no room in `kept`.
    """
    prompts, places = (hints or Hints()).numbered()
    formed = _batches(tracks, places, folder.short_windows, BATCH_COLUMNS[where.device])
    network = load(folder, where, workers)
    if language is None and formed:
        with _device_errors(where):
            language = _detected(network, formed, tracks)
    settings = Settings(language or "en", prompts)
    network.tokenizer(settings.language)  # refuses a language before any work

    def work(batch: Batch) -> list[Segment]:
        with _device_errors(where):
            return recognise(network, settings, batch, tracks, kept)

    found: list[Segment] = []
    for number, segments in enumerate(_in_threads(work, formed, workers), start=1):
        found += segments
        if advance is not None:
            advance(number, len(formed))
    return Heard(language, settings.as_json(network), in_order(found))


def to_body(
    heard: Heard, folder: ModelFolder, finish: Callable[[Segment], Segment] = lambda segment: segment
) -> dict[str, Any]:
    """What speech.json has under ``transcript``.

    `finish` says what becomes of each segment: its spelling, and what is done with doubtful text.
    """
    body: dict[str, Any] = {"model": {"name": folder.name, "sha256": folder.sha256}}
    body |= {"language": heard.language, "settings": heard.settings}
    for side in SIDES:
        own = repeated_across([segment for segment in heard.segments if segment.side == side])
        body[side] = [_row(finish(segment)) for segment in own]
    return body


@contextmanager
def _device_errors(where: Placed) -> Iterator[None]:
    """What CTranslate2 raises when a GPU fails, or has not enough memory, as the error that says so."""
    try:
        yield
    except RuntimeError as error:
        if where.device != "cuda":
            raise
        raise DeviceError(
            "--device",
            expected="a GPU with room for the model and a batch",
            found=str(error),
            remedy="choose a smaller model, or --device cpu",
        ) from error


def _batches(tracks: Tracks, places: Mapping[int, range], short: bool, most: int) -> list[Batch]:
    found = [
        window
        for side in SIDES
        for window in windows(passages(tracks.spoken[side], side, places), short=short)
    ]
    formed = batches(found, short=short, most=most)
    return [left for batch in formed for left in shown(batch, tracks.active, short=short)]


def _in_threads(
    work: Callable[[Batch], list[Segment]], formed: Iterable[Batch], workers: int
) -> Iterable[list[Segment]]:
    """Results in order; if one fails, or the caller stops iterating, no other is started."""
    threads = ThreadPoolExecutor(workers)
    try:
        yield from threads.map(work, formed)
    finally:
        threads.shutdown(cancel_futures=True)


def _detected(network: Network, formed: Iterable[Batch], tracks: Tracks) -> str:
    spoken = sorted(
        (window for batch in formed for window in batch.windows),
        key=lambda window: (-window.columns, window.passages[0].start, window.passages[0].side),
    )[:DETECTED_WINDOWS]
    columns = max(batch.columns for batch in formed)
    sounds = [tracks.window(window) for window in spoken]
    return language_of(network, features(sounds, network.mels, columns))


def _row(segment: Segment) -> dict[str, Any]:
    row = asdict(segment)
    del row["side"]
    return row
