"""From a plan to a job for the core, and running it.

The plan says which composite frames to make.  This module looks up the source frames that they show, names
the spool files by a hash of what they are made from, and hands everything to the core in one call.  No frame
passes through Python.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, astuple, dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from . import __version__
from .colour import Colours, conversion, read_cube, target_colours
from .encoder import LIBX264, Encoder
from .layout import SessionFolder
from .native_observer import NativeObserver
from .options import AUDIO_BIT_RATE, Options
from .placement import Placement
from .plan import Chunk, Clip, Plan
from .probe import Take
from .session import SIDES
from .sides import SidePicture
from .stages import digest
from .timeline import Clock, sample_at, source_frames

if TYPE_CHECKING:
    from . import _core
    from .audio.conform import Pcm
    from .voice.clean import Cleaning

_POLL_SECONDS = 0.1


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
        observed = [] if self.observer is None else [self.observer.meaning()]

        def key(chunk: Chunk) -> str:
            spans = [[span.first_frame, span.frame_count] for span in self.plan.chunk_spans(chunk)]
            return digest("chunk", self.media, settings, spans, *observed)

        return {chunk: key(chunk) for chunk in self.plan.chunks}

    def spool_keys(self, chunk: Chunk) -> list[str]:
        """What the packets of each picture of a chunk depend on: the composite, then the sides alone.

        Those of NVENC depend on the card too: another one does not go on with what one began.
        """
        key = self.chunk_keys[chunk]
        if self.encoder.card is not None:
            key = digest("card", key, self.encoder.card.told())
        return [key, *(digest("side", key, asdict(side)) for side in self.sides)]

    def clip_key(self, clip: Clip) -> str:
        """Digest of all that a clip's files depend on, but for its sides' sizes and what these show."""
        chunks = [self.chunk_keys[chunk] for chunk in self.plan.clip_chunks(clip)]
        first, count = self.samples_of(clip)
        cleaned = [] if self.cleaning is None else self.cleaning.meaning(first, first + count)
        return digest("clip", chunks, clip.first_frame, clip.frame_count, *cleaned)

    @property
    def encoding(self) -> dict[str, Any]:
        """What shapes the clips' bytes, as provenance records it."""
        return self.options.encoding(self.plan.rate, self.encoder.name)

    def samples_of(self, clip: Clip) -> tuple[int, int]:
        """First sample of the session clock and number of samples that cover just the clip's frames."""
        first = sample_at(clip.first_frame, self.plan.rate)
        return first, sample_at(clip.end_frame, self.plan.rate) - first

    def _frame_settings(self) -> list[Any]:
        from . import _core

        clocks = [[str(self.clocks[side].offset), str(self.clocks[side].drift_ppm)] for side in SIDES]
        return [__version__, str(self.plan.rate), clocks, self.encoding, _core.library_versions()]


def core_colour(take: Take, target: Colours, depth: int) -> _core.ColorMap | None:
    """What brings `take` to the composite's colours, as the core takes it."""
    from . import _core

    cube = None if take.lut is None else read_cube(take.lut)
    found = conversion(take, target, depth, cube)
    if found is None:
        return None
    return _core.ColorMap(to_output=found.to_output, to_cube=found.to_cube, cube=found.cube)


def core_take(take: Take, colour: _core.ColorMap | None = None) -> _core.Take:
    """`take` as the core reads it; `colour` is from :func:`core_colour`."""
    from . import _core

    files = []
    for file, frames in zip(take.files, take.frames.files, strict=True):
        key = np.zeros(len(frames.pts), dtype=np.uint8)
        key[file.keys] = 1
        files.append(_core.TakeFile(str(file.path), file.stream, frames.pts, key))
    sub_x, sub_y = take.subsampling
    return _core.Take(
        files=files,
        width=take.width,
        height=take.height,
        bit_depth=take.bit_depth,
        sub_x=sub_x,
        sub_y=sub_y,
        siting=take.siting,
        fields=take.fields,
        rotate=take.rotate,
        mirrored=take.mirrored,
        crop=(take.crop.x, take.crop.y, take.crop.width, take.crop.height),
        color=colour,
    )


def _core_settings(work: Work) -> _core.VideoSettings:
    from . import _core

    colours = target_colours(work.takes)
    rate = work.plan.rate
    return _core.VideoSettings(
        rate=(rate.numerator, rate.denominator),
        tags=(colours.range, colours.matrix, colours.primaries, colours.transfer),
        preset=work.options.preset,
        crf=_decimal(work.options.crf),
        gop=work.options.gop_frames(rate),
        depth=work.options.depth,
        encoder=work.encoder.name,
    )


def _decimal(value: Fraction) -> str:
    return f"{float(value):g}"


def _core_chunk(work: Work, chunk: Chunk, folder: SessionFolder) -> _core.Chunk:
    from . import _core

    spans = work.plan.chunk_spans(chunk)
    first = spans[0].first_frame
    count = sum(span.frame_count for span in spans)
    return _core.Chunk(
        first_frame=first,
        spans=[span.frame_count for span in spans],
        left=work.source_indices("left", first, count),
        right=work.source_indices("right", first, count),
        spools=[str(folder.spool / f"{key}.spool") for key in work.spool_keys(chunk)],
    )


def _core_clip(work: Work, clip: Clip, folder: SessionFolder, number_of: Mapping[Chunk, int]) -> _core.Clip:
    from . import _core

    first_sample, sample_count = work.samples_of(clip)
    return _core.Clip(
        paths=[str(path) for path in clip_paths(work, clip, folder)],
        first_frame=clip.first_frame,
        frame_count=clip.frame_count,
        first_sample=first_sample,
        sample_count=sample_count,
        chunks=[number_of[chunk] for chunk in work.plan.clip_chunks(clip)],
    )


def _core_side(picture: SidePicture) -> _core.SidePicture:
    from . import _core

    return _core.SidePicture(
        side=SIDES.index(picture.side),
        width=picture.width,
        height=picture.height,
        crop=astuple(picture.crop),
    )


def make_job(
    work: Work,
    clips: Iterable[Clip],
    folder: SessionFolder,
    placement: Placement | None = None,
    gpus: Mapping[int, _core.Gpu] = MappingProxyType({}),
) -> _core.Job:
    """The core's job for `clips`, with the chunks that they need and no others; on the cores by default.

    `gpus` are the placement's, opened.  Raises DeviceError where the encoder's cannot be had.
    """
    from . import _core

    wanted = list(clips)
    held = {chunk for clip in wanted for chunk in work.plan.clip_chunks(clip)}
    needed = sorted(held, key=lambda chunk: chunk.first_span)
    number_of = {chunk: number for number, chunk in enumerate(needed)}
    target, depth = target_colours(work.takes), work.options.depth
    placement = placement or Placement(work.options.worker_count)
    takes = [work.takes[side] for side in SIDES]
    left, right = (core_take(take, core_colour(take, target, depth)) for take in takes)
    card = work.encoder.card
    encoding = () if card is None else card.used_by(placement.gpus)
    encoding_gpus = [gpus.get(index) or _core.open_gpu(index) for index in encoding]
    return _core.Job(
        left=left,
        right=right,
        left_sound=_core.PcmSource(str(work.sound["left"].path), work.sound["left"].bits),
        right_sound=_core.PcmSource(str(work.sound["right"].path), work.sound["right"].bits),
        video=_core_settings(work),
        sides=[_core_side(picture) for picture in work.sides],
        audio_bit_rate=AUDIO_BIT_RATE,
        chunks=[_core_chunk(work, chunk, folder) for chunk in needed],
        clips=[_core_clip(work, clip, folder, number_of) for clip in wanted],
        workers=placement.workers,
        gpus=[gpus[index] for index in placement.gpus],
        gpu_of=placement.number_of,
        on_gpu=placement.on_gpu,
        encoder_gpus=encoding_gpus,
        observer=None if work.observer is None else work.observer.core(),
    )


def run_engine(
    engine: _core.Engine, meanwhile: Callable[[], None], advances: Callable[[int, int], None]
) -> _core.Report:
    """Run an engine's job to its end; `meanwhile` is called once beside it, on this thread.

    Any exception here, Ctrl-C among them, stops the workers after the frame in hand and is raised on;
    whole spool files stay and the next run goes on from them.
    """
    engine.start()
    try:
        meanwhile()
        while not engine.wait(_POLL_SECONDS):
            progress = engine.progress()
            advances(progress.frames_done, progress.frames_total)
    except BaseException:
        engine.cancel()
        while not engine.wait(_POLL_SECONDS):
            pass
        raise
    return engine.finish()


def clip_paths(work: Work, clip: Clip, folder: SessionFolder) -> list[Path]:
    """A clip's pictures: the composite, then the sides alone."""
    return [folder.clip(clip.id), *(folder.side_clip(clip.id, picture.side) for picture in work.sides)]
