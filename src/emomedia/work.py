"""What the cut stage works from, and the digests by which it knows finished work.

A chunk's packets and a clip's files are kept as long as everything that they depend on stays the same.  The
digests here are made of just that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import __version__
from .encoder import LIBX264, Encoder
from .layout import SessionFolder
from .native_observer import NativeObserver
from .options import Options
from .plan import Chunk, Clip, Plan
from .probe import Take
from .session import SIDES
from .sides import SidePicture
from .stages import digest
from .timeline import Clock, sample_at, source_frames

if TYPE_CHECKING:
    from .audio.conform import Pcm
    from .voice.clean import Cleaning


@dataclass(frozen=True)
class Work:
    """All that the cutting of a session depends on, besides which clips are wanted.

    Attributes
    ----------
    takes, clocks : mapping by side
        The takes and their clocks.
    find_sound : callable
        Gives the tracks on the session clock by side; called only when a clip is to be made.
    media : str
        Digest of the media files and of how they are read; part of every clip's key.
    sides : tuple of SidePicture
        The pictures of one side alone that are made beside the composite.
    cleaning : Cleaning or None
        What of the tracks is cleaned, if anything is to be.
    actors : mapping by side
        Who is seen and heard, as the description names them; the audit repeats it.
    models : mapping
        Name → SHA-256 of the models that the turns' words come from.
    encoder : Encoder
        What encodes the clips.
    observer : NativeObserver or None
        Sees each composite; its values are the report's ``measures``.
    """

    plan: Plan
    takes: Mapping[str, Take]
    clocks: Mapping[str, Clock]
    find_sound: Callable[[], Mapping[str, Pcm]]
    media: str
    options: Options
    sides: tuple[SidePicture, ...] = ()
    cleaning: Cleaning | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    observer: NativeObserver | None = None
    actors: Mapping[str, str] = field(default_factory=dict)
    encoder: Encoder = LIBX264

    @property
    def sound(self) -> Mapping[str, Pcm]:
        """The tracks on the session clock by side."""
        return self.find_sound()

    def source_indices(self, side: str, first_frame: int, frame_count: int) -> np.ndarray:
        """For each composite frame the index of the take's frame that it shows, int64[frame_count]."""
        return source_frames(
            self.takes[side].frames, self.clocks[side], self.plan.rate, first_frame, frame_count
        ).index

    @cached_property
    def chunk_keys(self) -> dict[Chunk, str]:
        """For each chunk of the plan a digest of all that the composite's packets depend on."""
        settings = self._frame_settings()
        observed = [] if self.observer is None else [self.observer.cache_key()]

        def key(chunk: Chunk) -> str:
            spans = [[span.first_frame, span.frame_count] for span in self.plan.chunk_spans(chunk)]
            return digest("chunk", self.media, settings, spans, *observed)

        return {chunk: key(chunk) for chunk in self.plan.chunks}

    def spool_keys(self, chunk: Chunk) -> list[str]:
        """What the packets of each picture of a chunk depend on: the composite, then the sides alone.

        Those of NVENC depend on the card too: another card does not continue what one has started.
        """
        key = self.chunk_keys[chunk]
        if self.encoder.card is not None:
            key = digest("card", key, self.encoder.card.as_json())
        return [key, *(digest("side", key, asdict(side)) for side in self.sides)]

    def clip_key(self, clip: Clip) -> str:
        """Digest of all that a clip's files depend on, except its sides' sizes and what these show."""
        chunks = [self.chunk_keys[chunk] for chunk in self.plan.clip_chunks(clip)]
        first, count = self.samples_of(clip)
        cleaned = [] if self.cleaning is None else self.cleaning.cache_key(first, first + count)
        return digest("clip", chunks, clip.first_frame, clip.frame_count, *cleaned)

    @property
    def encoding(self) -> dict[str, Any]:
        """What shapes the clips' bytes, as provenance records it."""
        return self.options.encoding(self.plan.rate, self.encoder.name)

    def samples_of(self, clip: Clip) -> tuple[int, int]:
        """First sample of the session clock and number of samples that cover just the clip's frames."""
        first = sample_at(clip.first_frame, self.plan.rate)
        return first, sample_at(clip.end_frame, self.plan.rate) - first

    def clip_paths(self, clip: Clip, folder: SessionFolder) -> list[Path]:
        """Where a clip's pictures go: the composite, then the sides alone."""
        return [folder.clip(clip.id), *(folder.side_clip(clip.id, picture.side) for picture in self.sides)]

    def _frame_settings(self) -> list[Any]:
        from . import _core

        clocks = [[str(self.clocks[side].offset), str(self.clocks[side].drift_ppm)] for side in SIDES]
        return [__version__, str(self.plan.rate), clocks, self.encoding, _core.library_versions()]
