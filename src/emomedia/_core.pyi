"""The compiled core: probing, filter tables, the engine."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

DEMUXERS: str
DECODERS: str
MAX_ALLOCATION: int

def probe(path: str) -> dict[str, Any]: ...
def scan(path: str, stream: int) -> dict[str, Any]: ...
def frame_times(path: str, stream: int) -> npt.NDArray[np.int64]: ...
def library_versions() -> list[str]: ...
def return_large_buffers() -> None: ...
def compose_kernel() -> str: ...
def compose_kernels() -> tuple[str, ...]: ...
def compose_filters(
    width: int,
    height: int,
    sub_x: int,
    sub_y: int,
    siting: str,
    rotate: int,
    mirrored: bool,
    crop: tuple[int, int, int, int],
    out_width: int,
    out_height: int,
    full_chroma: bool = False,
) -> tuple[
    tuple[npt.NDArray[np.int32], npt.NDArray[np.int16], npt.NDArray[np.int32], npt.NDArray[np.int16]], ...
]: ...

class TakeFile:
    def __init__(
        self, path: str, stream: int, pts: npt.NDArray[np.int64], key: npt.NDArray[np.uint8]
    ) -> None: ...

class ColorMap:
    def __init__(
        self,
        *,
        to_output: Sequence[Sequence[int]],
        to_cube: Sequence[Sequence[int]] | None = None,
        cube: npt.NDArray[np.int16] | None = None,
    ) -> None: ...

class Take:
    def __init__(
        self,
        *,
        files: Sequence[TakeFile],
        width: int,
        height: int,
        bit_depth: int,
        sub_x: int,
        sub_y: int,
        siting: str,
        fields: str = "progressive",
        rotate: int,
        mirrored: bool = False,
        crop: tuple[int, int, int, int],
        color: ColorMap | None = None,
    ) -> None: ...

class PcmSource:
    def __init__(self, path: str, bits: int) -> None: ...

class VideoSettings:
    def __init__(
        self,
        *,
        width: int = 1920,
        height: int = 1080,
        depth: int = 8,
        rate: tuple[int, int],
        tags: tuple[str, str, str, str],
        preset: str,
        crf: str,
        gop: int,
        encoder: str = "libx264",
    ) -> None: ...

class SidePicture:
    def __init__(self, *, side: int, width: int, height: int, crop: tuple[int, int, int, int]) -> None: ...

class Chunk:
    def __init__(
        self,
        *,
        first_frame: int,
        spans: Sequence[int],
        left: npt.NDArray[np.int64],
        right: npt.NDArray[np.int64],
        spools: Sequence[str],
    ) -> None: ...

class Clip:
    def __init__(
        self,
        *,
        paths: Sequence[str],
        first_frame: int,
        frame_count: int,
        first_sample: int,
        sample_count: int,
        chunks: Sequence[int],
    ) -> None: ...

class Observer:
    def __init__(self, *, address: int, measures: int, context: int = 0) -> None: ...

class DecodeLimits:
    codec: str
    chroma: int
    depth: int
    engines: int
    max_width: int
    max_height: int
    max_macroblocks: int

class GpuInfo:
    index: int
    name: str
    memory: int
    free_memory: int
    compute_major: int
    compute_minor: int
    decodes: list[DecodeLimits]

class FoundGpus:
    gpus: list[GpuInfo]
    refused: dict[int, str]
    reason: str
    driver: int
    runtime: int

class GpuUsage:
    bytes_to_host: int
    bytes_to_device: int
    peak_memory: int

class Gpu: ...

def find_gpus() -> FoundGpus: ...
def open_gpu(index: int) -> Gpu: ...
def try_encoder(settings: VideoSettings, gpu: Gpu) -> None: ...

class DeviceArray:
    shape: tuple[int, ...]
    __cuda_array_interface__: dict[str, Any]
    def part(self, first: int, shape: Sequence[int]) -> DeviceArray: ...
    def __dlpack__(self, **request: Any) -> Any: ...
    def __dlpack_device__(self) -> tuple[int, int]: ...

class Job:
    def __init__(
        self,
        *,
        left: Take,
        right: Take,
        left_sound: PcmSource,
        right_sound: PcmSource,
        video: VideoSettings,
        sides: Sequence[SidePicture] = (),
        audio_bit_rate: int,
        chunks: Sequence[Chunk],
        clips: Sequence[Clip],
        workers: int,
        gpus: Sequence[Gpu] = (),
        gpu_of: Sequence[int] = (),
        on_gpu: tuple[bool, bool] = (False, False),
        encoder_gpus: Sequence[Gpu] = (),
        observer: Observer | None = None,
        stall_seconds: float = 300.0,
    ) -> None: ...

class Progress:
    frames_done: int
    frames_total: int
    clips_done: int
    clips_total: int

class StageTime:
    stage: str
    seconds: float
    cpu_seconds: float

class Report:
    damaged_frames: list[list[int]]
    stages: list[StageTime]
    measured_frames: npt.NDArray[np.int64]
    measures: npt.NDArray[np.float32]
    wall_seconds: float
    workers: int
    shown_frames: int
    lead_in_frames: int
    surplus_frames: int
    composed_frames: int
    resumed_frames: int
    gpus: list[GpuUsage]
    left_gpu: list[str]

class Engine:
    def __init__(self, job: Job) -> None: ...
    def start(self) -> None: ...
    def wait(self, seconds: float) -> bool: ...
    def progress(self) -> Progress: ...
    def cancel(self) -> None: ...
    def finish(self) -> Report: ...

class Composites:
    def __init__(
        self, left: Take, right: Take, width: int = 1920, height: int = 1080, depth: int = 8
    ) -> None: ...
    def render(
        self, left: int, right: int
    ) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], int]: ...

class FrameStream:
    def __init__(
        self,
        left: Take,
        right: Take,
        stretches: Sequence[tuple[int, npt.NDArray[np.int64], npt.NDArray[np.int64]]],
        *,
        width: int = 1920,
        height: int = 1080,
        depth: int = 8,
        ahead: int = 8,
        stall_seconds: float = 300.0,
        gpu: Gpu | None = None,
        on_gpu: tuple[bool, bool] = (False, False),
    ) -> None: ...
    def next(self) -> tuple[int, Any, int] | None: ...
    def close(self) -> None: ...
