"""Makes the core's job from the cut's :class:`~emomedia.work.Work`, and runs it.

The plan says which composite frames to make.  A job adds which source frames they show and which files to
write, and goes to the core in one call.  No frame passes through Python.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from .colour import Colours, conversion, read_cube, target_colours
from .layout import SessionFolder
from .options import AUDIO_BIT_RATE
from .placement import Placement
from .plan import Chunk, Clip
from .probe import Take
from .session import SIDES
from .sides import SidePicture
from .work import Work

if TYPE_CHECKING:
    from . import _core

_POLL_SECONDS = 0.1


def core_colour(take: Take, target: Colours, depth: int) -> _core.ColorMap | None:
    """The conversion of `take` to the composite's colours, for the core."""
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
        paths=[str(path) for path in work.clip_paths(clip, folder)],
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

    `gpus` are the placement's, opened.  Raises DeviceError where the encoder has none.
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
        encoder_gpus=work.encoder.gpus(gpus),
        observer=None if work.observer is None else work.observer.core(),
    )


def run_engine(
    engine: _core.Engine, meanwhile: Callable[[], None], on_progress: Callable[[int, int], None]
) -> _core.Report:
    """Run an engine's job to its end; `meanwhile` is called once beside it, on this thread.

    Any exception here, Ctrl-C among them, stops the workers after the current frame and is raised again;
    complete spool files stay, and the next run resumes from them.
    """
    engine.start()
    try:
        meanwhile()
        while not engine.wait(_POLL_SECONDS):
            progress = engine.progress()
            on_progress(progress.frames_done, progress.frames_total)
    except BaseException:
        engine.cancel()
        while not engine.wait(_POLL_SECONDS):
            pass
        raise
    return engine.finish()
