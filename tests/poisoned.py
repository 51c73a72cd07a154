"""Options that do harm to the worker that is given them; workers find this module beside the tests."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from emomedia.options import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Poisoned(Options):
    """`harm` is a signal's name, or ``hang``; a file `once` is made before, and spares the next one."""

    harm: str = "SIGSEGV"
    once: str = ""

    def __reduce__(self) -> tuple[Any, ...]:
        return _harm, (self.harm, self.once, asdict(self))


def _harm(harm: str, once: str, choices: dict[str, Any]) -> Options:
    if once and Path(once).exists():
        return Options(**{name: value for name, value in choices.items() if name not in ("harm", "once")})
    if once:
        Path(once).touch()
    if harm == "hang":
        time.sleep(600)
    os.kill(os.getpid(), signal.Signals[harm])
    raise AssertionError("it lives")
