"""The command line in a forked child: everything is imported once, each run is limited and watched.

Only for processes that have not run emomedia themselves: thread pools do not survive a fork.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import faster_whisper.vad
import onnxruntime
import pyarrow.parquet
import soxr

import emomedia.cli.app
import emomedia.intake
import emomedia.run
import emomedia.schema.audit
import emomedia.schema.validation
import emomedia.speech
from emomedia.cli import main

IMPORTED = (av, faster_whisper, onnxruntime, pyarrow, soxr, emomedia)
"""What a run would import, so that no child has to."""


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Attributes
    ----------
    status : int or None
        Exit status; None if a signal ended it.
    signal : int
        That signal, or 0.
    peak : int
        Bytes of memory that the process had at most.
    leaked : int
        Descriptors open at its end that were not open at its beginning.
    """

    status: int | None
    signal: int
    said: str
    errors: str
    seconds: float
    peak: int
    leaked: int

    @property
    def is_one_line(self) -> bool:
        """Status 1, and one line on standard error that is emomedia's."""
        return self.status == 1 and self.errors.startswith("emomedia: ") and self.errors.count("\n") == 1


@dataclass(frozen=True)
class Limits:
    """What a run may take: seconds, bytes of address space beyond what is there already, open files."""

    seconds: int = 30
    memory: int | None = 3 << 30
    files: int | None = None

    def impose(self) -> None:
        """Limit this process; the alarm ends it like a crash."""
        signal.alarm(self.seconds)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if self.memory is not None:
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            most = pages * os.sysconf("SC_PAGE_SIZE") + self.memory
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
        if self.files is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (self.files, self.files))


def emomedia_run(
    *arguments: object, limits: Limits = Limits(), watch: Callable[[int], None] | None = None
) -> Ended:
    """Run ``emomedia ARGUMENTS`` in a child; `watch` is called with its process id meanwhile."""
    streams = [os.memfd_create(name) for name in ("said", "errors", "leaked")]
    begin = time.monotonic()
    child = os.fork()
    if child == 0:
        _be_the_command([str(argument) for argument in arguments], streams, limits)
    if watch is not None:
        watch(child)
    _, state, used = os.wait4(child, 0)
    said, errors, leaked = (_text(stream) for stream in streams)
    return Ended(
        status=os.WEXITSTATUS(state) if os.WIFEXITED(state) else None,
        signal=os.WTERMSIG(state) if os.WIFSIGNALED(state) else 0,
        said=said,
        errors=errors,
        seconds=time.monotonic() - begin,
        peak=used.ru_maxrss << 10,
        leaked=int(leaked or 0),
    )


def _be_the_command(arguments: list[str], streams: list[int], limits: Limits) -> None:
    status = 70
    try:
        os.dup2(streams[0], 1)
        os.dup2(streams[1], 2)
        sys.argv = ["emomedia", *arguments]
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
        before = _descriptors()
        limits.impose()
        status = _status_of_main()
        sys.stdout.flush()
        os.write(streams[2], str(len(_descriptors() - before)).encode())
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(status)


def _status_of_main() -> int:
    """What the interpreter would make of the way in which main() ends."""
    try:
        main()
    except SystemExit as ended:
        if isinstance(ended.code, str):
            os.write(2, f"{ended.code}\n".encode(errors="backslashreplace"))
            return 1
        return ended.code or 0
    except BaseException:
        os.write(2, traceback.format_exc().encode(errors="backslashreplace"))
        return 1
    return 0


def _descriptors() -> set[Path]:
    return set(Path("/proc/self/fd").iterdir())


def _text(stream: int) -> str:
    with os.fdopen(stream, "rb") as file:
        file.seek(0)
        return file.read().decode(errors="replace")
