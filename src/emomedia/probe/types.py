"""What a session's media are: plain values, found once by the probe and carried through all stages."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..session import Crop, Session
from ..timeline import TakeFrames

SUBSAMPLING = {"4:2:0": (2, 2), "4:2:2": (2, 1), "4:4:4": (1, 1), "4:4:0": (1, 2)}
"""Luma pixels per chroma sample, across and down, of what can be composed."""


@dataclass(frozen=True, slots=True, eq=False)
class TakeFile:
    """One file of a take; its frame times are ``take.frames.files[i]``.

    Attributes
    ----------
    stream : int
        Index of the video stream in the container.
    codec, container : str
        As libav names them: ``h264``, ``hevc``, ``prores``; ``mov,mp4,m4a,3gp,3g2,mj2``.
    keys : int64[k]
        Indices of the file's key frames, counted in order of presentation from zero.
    timecode : str or None
        Of its first frame, SMPTE 12M, where it has one.
    hidden : int
        Frames that an edit list leaves out.
    open_gops : bool
        Whether frames shown before a key frame are decoded after it.
    undecodable : int
        Frames in front of the first key frame that no decoder can show; the take begins after them.
    """

    path: Path
    stream: int
    codec: str
    keys: npt.NDArray[np.int64]
    container: str = ""
    timecode: str | None = None
    hidden: int = 0
    open_gops: bool = False
    undecodable: int = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """What all frames of a take have in common.

    Colour names are libav's; what a file leaves unspecified stands here as what it counts as: limited
    range, bt709, left-sited.

    Attributes
    ----------
    width, height : int
        Luma pixels as coded, before rotation.
    bit_depth : int
        8 to 12.
    chroma : str
        ``4:2:0``, ``4:2:2``, ``4:4:4`` or ``4:4:0``, as coded.
    range : str
        ``limited`` or ``full``.
    siting : str
        Where the coded chroma samples lie: ``left``, ``center`` or ``topleft``.
    fields : str
        ``progressive``, or which field of a frame comes first, ``top first`` or ``bottom first``.
    aspect : str
        A coded pixel's width by its height: ``1/1``.
    """

    width: int
    height: int
    bit_depth: int
    chroma: str
    range: str
    matrix: str
    primaries: str
    transfer: str
    siting: str
    fields: str = "progressive"
    aspect: str = "1/1"

    @property
    def subsampling(self) -> tuple[int, int]:
        """Luma pixels per chroma sample, across and down, as coded."""
        return SUBSAMPLING[self.chroma]

    def upright_aspect(self, rotate: int) -> Fraction:
        """An upright pixel's width by its height after turning by `rotate` degrees."""
        aspect = Fraction(self.aspect)
        return aspect if rotate % 180 == 0 else 1 / aspect

    def upright_size(self, rotate: int) -> tuple[int, int]:
        """Width and height in luma pixels after turning by `rotate` degrees."""
        return (self.width, self.height) if rotate % 180 == 0 else (self.height, self.width)


@dataclass(frozen=True, slots=True)
class TrackFile:
    """The sound of a further file of a take, which continues the take's track.

    `start` is the time of its first sample in seconds from the take's first frame.
    """

    path: Path
    stream: int
    start: Fraction


@dataclass(frozen=True, slots=True)
class Track:
    """One actor's microphone: one channel of a stream of a recorder's or a camera's file.

    Attributes
    ----------
    stream, channel : int
        Index of the audio stream in the container, and of the channel within that stream.
    bits : int
        What its FLAC files hold: 16, or 24 (also for float and lossy sound).
    own_audio : bool
        Whether this is the take's own sound, recorded by the camera with the picture.
    start : Fraction
        Own sound only, else zero: time of the first sample in seconds from the take's first frame.
    later : tuple of TrackFile
        Own sound only: the sound of the take's further files.
    time_reference : int or None
        Of a broadcast WAV: samples from midnight to the first one, by the recorder's clock.  For people;
        sync does not trust it.
    """

    path: Path
    stream: int
    channel: int
    sample_rate: int
    bits: int
    codec: str
    lossless: bool
    own_audio: bool
    start: Fraction
    later: tuple[TrackFile, ...] = ()
    time_reference: int | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Take(Picture):
    """One camera's footage of one actor; what its pictures have in common are fields of its own.

    Attributes
    ----------
    rotate : int
        Degrees clockwise that bring the coded picture upright: 0, 90, 180 or 270.
    mirrored : bool
        Whether, after turning, left and right have to change places.
    crop : Crop
        What the composite shows of it, in upright luma pixels.
    lut : Path or None
        A 3-D table that brings its colours to Rec. 709.
    alpha : bool
        Whether its frames have transparency, which is ignored.
    rate : Fraction
        Frames per second; of a variable rate the standard rate nearest to its median interval.
    missing : int
        Frames that a constant rate would have between its first and its last, but the take lacks.
    sound : Track or None
        The take's own sound, whether or not the side's track is another microphone.
    """

    files: tuple[TakeFile, ...]
    frames: TakeFrames
    rotate: int
    crop: Crop
    rate: Fraction
    variable: bool
    mirrored: bool = False
    lut: Path | None = None
    alpha: bool = False
    missing: int = 0
    sound: Track | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A session and what its media are; `takes` and `tracks` are keyed by side.

    `rate` is the composite's frame rate: ``--fps``, or the left take's.
    """

    session: Session
    takes: dict[str, Take]
    tracks: dict[str, Track]
    rate: Fraction
