"""Instructions by valgrind's callgrind: the same on a busy machine as on a quiet one.

valgrind runs no AVX-512, so kernels are counted as scalar and as AVX2.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path

from emomedia.simulate import SimulateOptions, simulate

from .native_peers import LIBRARY

COUNTER = LIBRARY.with_name("emomedia_count")
KERNELS = ("scalar", "avx2")
PICTURES = {
    "upright 8 bit": (8, 0),
    "upright 10 bit": (10, 0),
    "rotated 8 bit": (8, 90),
    "rotated 10 bit": (10, 90),
}
_SECONDS = Fraction(4)
"""The shortest session that holds an utterance; a tenth of it is cut."""

_TURNS = (("guard_a", "left", 0.0, 0.32), ("guard_b", "right", 0.16, 0.48))
_FRAMES = 12

PARTS = {
    "core": r"emomedia/_core\.",
    "libav": r"lib(avcodec|avformat|avutil|avfilter|swresample)\.so",
    "x264": r"libx264\.so",
}
"""Parts of a run, by what the object files' paths match; libav is the core's, not PyAV's own."""


def counts() -> dict[str, int]:
    """Of the kernels and of a run."""
    return {**kernel_counts(), **run_counts()}


def kernel_counts(kernels: Iterable[str] = KERNELS, pictures: Iterable[str] = PICTURES) -> dict[str, int]:
    """Instructions a picture by "compose, <pictures>, <kernels>"; kernels that this build lacks are left out.

    The difference of one picture and two, so that neither start nor tables count.
    """
    found = {}
    for kernel in kernels:
        for picture in pictures:
            one, two = (_count(kernel, picture, frames) for frames in (1, 2))
            if one is not None and two is not None:
                found[f"compose, {picture}, {kernel}"] = two - one
    return found


def _count(kernel: str, picture: str, frames: int) -> int | None:
    """Of the whole process; None where it does not run those kernels."""
    depth, rotate = PICTURES[picture]
    command = [str(COUNTER), str(depth), str(rotate), str(frames)]
    environment = {**os.environ, "EMOMEDIA_CPU": kernel}
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder) / "callgrind"
        done = _callgrind(command, counts, environment)
        if done.returncode != 0 or done.stdout.strip() != f"emomedia {kernel}":
            return None
        return sum(by_object(counts.read_text()).values())


def run_counts() -> dict[str, int]:
    """Instructions a composite of a short cut by one worker, by "run, <part>"."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        environment = {
            **os.environ, "EMOMEDIA_CPU": "avx2", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
            "PYTHONHASHSEED": "0", "NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "",
        }  # fmt: skip
        cut = _prepared_cut(root, environment)
        counts = root / "callgrind"
        done = _callgrind(cut, counts, environment)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(cut)}: {done.stderr[-2000:]}")
        _require_whole(root / "out")
        objects = by_object(counts.read_text())
    return {f"run, {name}": _matching(objects, pattern) // _FRAMES for name, pattern in PARTS.items()}


def _prepared_cut(root: Path, environment: dict[str, str]) -> list[str]:
    """The command that is counted, what goes before it made already: stages, and numba's functions.

    Under valgrind, whose processor is another, compiling them takes minutes.
    """
    options = SimulateOptions.of(size=(270, 480), seconds=_SECONDS, dialogues=1, session="guard")
    description = simulate(root / "session", options)
    description.write_text(description.read_text().split("[[dialogue]]")[0])
    turns = [
        {"id": name, "dialogue": None, "speaker": speaker, "start": start, "end": end}
        for name, speaker, start, end in _TURNS
    ]
    (root / "turns.json").write_text(json.dumps({"session": "guard", "turns": turns}))
    out = ["--turns", str(root / "turns.json"), "--pad", "0", "--out", str(root / "out")]
    emomedia = [sys.executable, "-m", "emomedia"]
    subprocess.run(
        [*emomedia, "speech", str(description), "--out", str(root / "out")], check=True, capture_output=True
    )
    subprocess.run([*emomedia, "plan", str(description), *out], check=True, capture_output=True)
    cut = [*emomedia, "cut", str(description), "--workers", "1", "--json", *out]
    subprocess.run([*cut[:-1], str(root / "compiled")], check=True, capture_output=True, env=environment)
    return cut


def _require_whole(out: Path) -> None:
    from emomedia.dataset.verify import verify

    findings = [str(finding) for checked in verify(out) for finding in checked.findings]
    if findings:
        raise RuntimeError(f"what was counted is wrong: {findings}")


def _callgrind(
    command: list[str], counts: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """`counts` is the file to write.  Children are not followed."""
    valgrind = ["valgrind", "--tool=callgrind", "--quiet", f"--callgrind-out-file={counts}"]
    return subprocess.run([*valgrind, *command], capture_output=True, text=True, env=dict(environment))


def _matching(objects: Mapping[str, int], pattern: str) -> int:
    return sum(count for path, count in objects.items() if re.search(pattern, path))


_NAMED = re.compile(r"(ob|cob)=(?:\((\d+)\))?\s*(.*)")
_COST = re.compile(r"[+\-*\d]")


def by_object(text: str) -> Counter[str]:
    """A callgrind file's own costs by object file.

    Names are given once and then by number; the line after ``calls=`` is what a call cost inclusively,
    which the callee's own lines hold already.
    """
    names: dict[str, str] = {}
    counts: Counter[str] = Counter()
    current, inclusive = "", False
    for line in text.splitlines():
        named = _NAMED.match(line)
        if named:
            kind, number, name = named.groups()
            if name:
                names[number] = name
            if kind == "ob":
                current = names[number]
        elif line.startswith("calls="):
            inclusive = True
        elif _COST.match(line):
            fields = line.split()
            if not inclusive and len(fields) > 1:
                counts[current] += int(fields[1])
            inclusive = False
    return counts
