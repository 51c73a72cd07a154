"""Others' plain decode loops on NVDEC: ``python -m benchmarks.gpu_peers NAME FILE SESSIONS SECONDS``.

As emomedia_gpu_bench measures libav's: so many decoders at a time, frames counted for some seconds from the
moment on at which each has given some, none of them looked at.  One JSON line, or one that says why not:
neither library is needed by emomedia, and they may be missing.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

Session = Callable[[], Iterator[int]]
"""Decodes the file from its beginning on; how many frames came at a time."""

FIRST_FRAMES = 10
SEQUENCE = 8
"""Frames that DALI gives at a time."""


def pynvvideocodec(file: Path) -> Session:
    """NVIDIA's bindings of its video codec SDK: demuxer and decoder, frames left in the card's memory."""
    import PyNvVideoCodec as nvc

    def frames() -> Iterator[int]:
        packets = nvc.CreateDemuxer(filename=str(file))
        decoder = nvc.CreateDecoder(gpuid=0, codec=packets.GetNvCodecId(), usedevicememory=True)
        for packet in packets:
            yield len(decoder.Decode(packet))

    return frames


def dali(file: Path) -> Session:
    """NVIDIA's loader for training.  Its reader makes 4:4:4 of what NVDEC gives; there is no other."""
    from nvidia.dali import fn, pipeline_def, types

    @pipeline_def(batch_size=1, num_threads=1, device_id=0, prefetch_queue_depth=1)
    def sequences():  # type: ignore[no-untyped-def]
        return fn.readers.video(
            device="gpu", filenames=[str(file)], sequence_length=SEQUENCE, image_type=types.YCbCr
        )

    def frames() -> Iterator[int]:
        pipeline = sequences()
        pipeline.build()
        while True:
            pipeline.run()
            yield SEQUENCE

    return frames


PEERS: dict[str, Callable[[Path], Session]] = {"PyNvVideoCodec": pynvvideocodec, "DALI": dali}


class Window:
    """When frames count: for `seconds` from the moment on at which all sessions have given some."""

    def __init__(self, sessions: int, seconds: float) -> None:
        self.begins = threading.Barrier(sessions, self._open)
        self._seconds = seconds
        self._end = 0.0

    def _open(self) -> None:
        self._end = time.monotonic() + self._seconds

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._end


def counted(session: Session, window: Window) -> int:
    """Frames of one session within the window.  Those that come while it waits for others don't count."""
    first = count = 0
    for frames in session():
        if first < FIRST_FRAMES:
            first += frames
            if first >= FIRST_FRAMES:
                window.begins.wait()
        elif window.is_over:
            return count
        else:
            count += frames
    raise EOFError("the file ends before the window does")


def together(sessions: int, work: Callable[[], int], window: Window) -> int:
    """The sum of what `work` returns on so many threads; the first error of any."""
    counts: list[int] = []
    errors: list[BaseException] = []

    def one() -> None:
        try:
            counts.append(work())
        except BaseException as error:  # a thread's is lost otherwise
            errors.append(error)
            window.begins.abort()

    threads = [threading.Thread(target=one) for _ in range(sessions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise next(
            (error for error in errors if not isinstance(error, threading.BrokenBarrierError)), errors[0]
        )
    return sum(counts)


def main() -> None:
    name, file, sessions, seconds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    result: dict[str, object] = {"what": name, "sessions": sessions}
    try:
        session = PEERS[name](file)
        window = Window(sessions, seconds)
        count = together(sessions, lambda: counted(session, window), window)
        result |= {"frames": count, "frames_s": round(count / seconds, 1)}
    except Exception as error:
        result["skipped"] = (
            f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"
        )
    print(json.dumps(result))


if __name__ == "__main__":
    main()
