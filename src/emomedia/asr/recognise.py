"""One batch of windows, from the tracks to segments: the unit of work, and of resuming."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from math import fsum
from typing import Any

from .. import __version__
from ..flags import UNFINISHED
from ..stages import digest
from ..voice.activity import runs
from .decode import BEAM, Decoded, Spoken, decode
from .features import features
from .guard import RETRY, Retry, better, flagged, flags_of
from .kept import Kept
from .model import Network
from .passages import COLUMNS, GAP, Batch, Passage, Window
from .refine import refined
from .sound import RATE, Sound, Tracks
from .types import Segment, Word


@dataclass(frozen=True, slots=True)
class Settings:
    """What shapes the text besides the model and the sound.

    Attributes
    ----------
    language : str
        Whisper's code of it.
    prompts : tuple of str
        The texts that prompt the recogniser, by the number that passages have for them.
    """

    language: str
    prompts: tuple[str, ...] = ("",)

    def as_json(self, network: Network) -> dict[str, Any]:
        """All of it for speech.json, with where and by what it was worked out."""
        import ctranslate2

        return {
            "beam": BEAM,
            "prompts": [prompt for prompt in self.prompts if prompt],
            "windows": "short" if network.folder.short_windows else "full",
            "device": network.placed.device,
            "compute_type": network.placed.compute_type,
            "ctranslate2": ctranslate2.__version__,
        }


def recognise(
    network: Network, settings: Settings, batch: Batch, tracks: Tracks, kept: Kept | None = None
) -> list[Segment]:
    """What is said in the passages of a batch; the same whatever is done beside it.

    Parameters
    ----------
    kept : Kept or None
        Where the result is kept, and taken from if it is there.
    """
    sounds = [tracks.window(window) for window in batch.windows]
    key = "" if kept is None else _key(network, settings, batch, sounds, tracks)
    if kept is not None and (found := kept.batch(key)) is not None:
        return found
    heard = _heard(network, settings, batch, sounds, tracks)
    doubtful = [one for one in heard if one.segment.flags]
    if doubtful:
        again = _heard_again(network, settings, batch, doubtful, tracks)
        heard = [replace(one, segment=_likelier(one, again)) for one in heard]
    segments = [one.segment for one in heard]
    if kept is not None:
        kept.keep(key, segments)
    return segments


@dataclass(frozen=True, slots=True, eq=False)
class _Heard:
    """What was heard in a passage, and its sound."""

    passage: Passage
    sound: Sound
    segment: Segment


def _heard(
    network: Network,
    settings: Settings,
    batch: Batch,
    sounds: Sequence[Sound],
    tracks: Tracks,
    retry: Retry | None = None,
) -> list[_Heard]:
    """The segments of a batch's windows, with the times that the sound gives them, and flagged.

    Where the decoder came to its limit before the end of a window, its passages are heard one by one.
    """
    prompt = settings.prompts[batch.windows[0].passages[0].prompt]
    choices: dict[str, Any] = {}
    if retry is not None:
        choices = asdict(retry)
        prompt = prompt if choices.pop("prompted") else ""
    spectra = features(sounds, network.mels, batch.columns)
    tokenizer = network.tokenizer(settings.language)
    lengths = [window.columns for window in batch.windows]
    decoded = decode(network, tokenizer, spectra, lengths, prompt, choices)
    found: list[_Heard] = []
    crowded: list[tuple[Passage, Sound]] = []
    for window, sound, result in zip(batch.windows, sounds, decoded, strict=True):
        own = {
            passage: sound[_sample(place) : _sample(place + passage.columns)]
            for passage, place in zip(window.passages, window.places, strict=True)
        }
        if result.unfinished and len(own) > 1:
            crowded += own.items()
            continue
        for passage, segment in _segments(window, result, settings.language):
            found.append(_Heard(passage, own[passage], _judged(segment, passage, own[passage], tracks)))
    for part, part_sounds in _one_by_one(crowded, batch):
        found += _heard(network, settings, part, part_sounds, tracks, retry)
    return found


def _one_by_one(heard: Sequence[tuple[Passage, Sound]], batch: Batch) -> Iterator[tuple[Batch, list[Sound]]]:
    """Passages of a batch in windows of their own, and their sounds; no more at a time than in the batch."""
    for first in range(0, len(heard), len(batch.windows)):
        part = heard[first : first + len(batch.windows)]
        windows = tuple(Window((passage,), (0,)) for passage, _ in part)
        yield Batch(windows, batch.columns), [sound for _, sound in part]


def _heard_again(
    network: Network, settings: Settings, batch: Batch, doubtful: Sequence[_Heard], tracks: Tracks
) -> dict[Passage, Segment]:
    """What is heard at a second try, each passage in a window of its own."""
    again: dict[Passage, Segment] = {}
    for part, sounds in _one_by_one([(one.passage, one.sound) for one in doubtful], batch):
        found = _heard(network, settings, part, sounds, tracks, RETRY)
        again |= {one.passage: one.segment for one in found}
    return again


def _likelier(one: _Heard, again: Mapping[Passage, Segment]) -> Segment:
    """The better of two hearings; a second one that heard nothing does not count."""
    second = again.get(one.passage)
    return one.segment if second is None else better(one.segment, second)


def _judged(segment: Segment, passage: Passage, sound: Sound, tracks: Tracks) -> Segment:
    """`segment` with its words where the sound has them, and with its flags."""
    spoken = _spoken(passage, tracks)
    activity = [((passage.start + first) / COLUMNS, (passage.start + end) / COLUMNS) for first, end in spoken]
    words = refined(segment.words, sound, passage.begin / COLUMNS, activity)
    segment = replace(segment, words=tuple(_rounded(word) for word in words))
    return flagged(segment, flags_of(segment, sum(end - first for first, end in spoken) / COLUMNS))


def _rounded(word: Word) -> Word:
    return replace(word, start=round(word.start, 3), end=round(word.end, 3))


def _sample(column: int) -> int:
    return column * RATE // COLUMNS


def _key(network: Network, settings: Settings, batch: Batch, sounds: Sequence[Sound], tracks: Tracks) -> str:
    """Digest of all that a batch's result depends on, whatever else is in the session."""
    heard = hashlib.sha256()
    for sound in sounds:
        heard.update(sound.tobytes())
    prompt = settings.prompts[batch.windows[0].passages[0].prompt]
    used = replace(settings, prompts=(prompt,)).as_json(network)
    windows = [
        [place, astuple(replace(passage, prompt=0)), _spoken(passage, tracks)]
        for window in batch.windows
        for place, passage in zip(window.places, window.passages, strict=True)
    ]
    model = [network.folder.sha256, settings.language, used]
    return digest("asr", __version__, model, batch.columns, windows, heard.hexdigest())


def _spoken(passage: Passage, tracks: Tracks) -> list[tuple[int, int]]:
    """When its actor speaks in a passage, in columns from its start."""
    return runs(tracks.active[passage.side][passage.start : passage.end])


def _segments(window: Window, decoded: Decoded, language: str) -> list[tuple[Passage, Segment]]:
    """What was heard in each of a window's passages; those without a word are left out."""
    groups: list[list[Spoken]] = [[] for _ in window.passages]
    for word in decoded.words:
        groups[_passage_at(window, (word.start + word.end) / 2)].append(word)
    alone = len(window.passages) == 1
    found = []
    for passage, place, words in zip(window.passages, window.places, groups, strict=True):
        if not words:
            continue
        logs = [value for word in words for value in word.logs]
        mean = decoded.mean_log_probability if alone or not logs else fsum(logs) / len(logs)
        text = "".join(word.text for word in words).strip()
        segment = Segment(
            side=passage.side,
            start=passage.start / COLUMNS,
            end=passage.end / COLUMNS,
            text=text,
            words=_timed(words, (passage.begin - place) / COLUMNS),
            language=language,
            mean_log_probability=round(mean, 4),
            no_speech_probability=round(decoded.no_speech_probability, 4),
            compression_ratio=round(_compression(text), 4),
            flags=(UNFINISHED,) if decoded.unfinished else (),
        )
        found.append((passage, segment))
    return found


def _passage_at(window: Window, seconds: float) -> int:
    """The number of the passage that is heard at a time of the window."""
    column = seconds * COLUMNS + GAP / 2
    return max(0, sum(place <= column for place in window.places) - 1)


def _timed(words: Sequence[Spoken], shift: float) -> tuple[Word, ...]:
    """Words of a window on the session clock, which is `shift` seconds later."""
    return tuple(
        Word(word.text, word.start + shift, word.end + shift, round(min(1.0, word.probability), 4))
        for word in words
    )


def _compression(text: str) -> float:
    data = text.encode()
    return len(data) / len(zlib.compress(data))
