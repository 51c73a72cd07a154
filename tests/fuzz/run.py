"""Runs the fuzzers one after another and tells what they covered: ``make fuzz`` calls it.

Every entry starts from the seeds, the regressions and the corpus that earlier runs left in
``build/fuzz/corpus``.  The time is shared out in each group, native and Python, unless one entry is named.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build" / "fuzz"

NATIVE = {"media": 4, "compose": 1, "spool": 1}
"""The entries of csrc/fuzz and their shares of the group's time."""

PYTHON = {
    "session": 2,
    "turns": 2,
    "plan": 1,
    "probe": 2,
    "sync": 1,
    "speech": 1,
    "profile": 1,
    "sound": 2,
    "clips": 1,
    "cube": 1,
    "textgrid": 1,
    "eaf": 2,
    "script": 1,
}
"""The entries of entries.py and theirs."""

LIMITS = ["-timeout=20", "-rss_limit_mb=2560", "-malloc_limit_mb=1100"]
"""A picture of the largest size that a take may have, 16384 squared, 4:2:2 in 10 bit, takes 1024 MiB."""
MAX_BYTES = {"media": 1 << 16, "compose": 1 << 9}


@dataclass(frozen=True, slots=True)
class Result:
    """What one entry's run came to; `edges` are the branches of our own code that its inputs take."""

    entry: str
    executions: int
    edges: int
    inputs: int
    finding: str | None

    def __str__(self) -> str:
        text = f"{self.entry:8}{self.executions:10} executions{self.edges:7} edges{self.inputs:7} inputs"
        return text if self.finding is None else f"{text}   FOUND: {self.finding}"


def command(entry: str) -> list[str]:
    """The program of an entry, without libFuzzer's arguments."""
    if entry in NATIVE:
        return [str(BUILD / "native" / "fuzz" / f"fuzz_{entry}")]
    return [sys.executable, "-m", "fuzz.driver", entry]


def folders(entry: str) -> list[Path]:
    """The corpus that grows, then what is only read."""
    corpus = BUILD / "corpus" / entry
    corpus.mkdir(parents=True, exist_ok=True)
    given = [BUILD / "seeds" / entry, HERE / "regressions" / entry]
    return [corpus, *(folder for folder in given if folder.is_dir())]


def arguments(entry: str, seconds: int) -> list[str]:
    """libFuzzer's arguments."""
    dictionary = HERE / f"{entry}.dict"
    findings = BUILD / "findings"
    findings.mkdir(parents=True, exist_ok=True)
    return [
        *map(str, folders(entry)),
        f"-max_total_time={seconds}",
        f"-max_len={MAX_BYTES.get(entry, 1 << 13)}",
        f"-artifact_prefix={findings}/{entry}-",
        *LIMITS,
        *([f"-dict={dictionary}"] if dictionary.exists() else []),
    ]


def fuzz(entry: str, seconds: int) -> Result:
    """Run one entry; its whole output stays in ``build/fuzz/<entry>.log``."""
    log = BUILD / f"{entry}.log"
    with log.open("wb") as file:
        program = [*command(entry), *arguments(entry, seconds)]
        done = subprocess.run(program, stdout=file, stderr=file, env=environment(), check=False)
    text = log.read_text(errors="replace")
    written = re.findall(r"Test unit written to (\S+)", text)
    finding = written[-1] if written else f"status {done.returncode}, see {log}"
    return Result(entry, *numbers(text), None if done.returncode == 0 else finding)


def numbers(log: str) -> tuple[int, int, int]:
    """Executions, edges and inputs, as libFuzzer told them last."""
    lines = re.findall(r"^#(\d+)\s.*cov: (\d+) .*corp: (\d+)/", log, re.MULTILINE)
    executions, edges, inputs = lines[-1] if lines else (0, 0, 0)
    return int(executions), int(edges), int(inputs)


def environment() -> dict[str, str]:
    """Stacks in the reports, and the packages from the source tree."""
    paths = f"{ROOT / 'src'}:{ROOT / 'tests'}"
    return os.environ | {"UBSAN_OPTIONS": "print_stacktrace=1", "PYTHONPATH": paths}


def shares(entries: dict[str, int], seconds: int) -> Iterator[tuple[str, int]]:
    """Each entry's part of `seconds`, at least two."""
    total = sum(entries.values())
    return ((entry, max(2, seconds * share // total)) for entry, share in entries.items())


def available() -> list[dict[str, int]]:
    """The groups that can run here; one line tells what cannot."""
    groups = []
    if Path(command("media")[0]).exists():
        groups.append(NATIVE)
    else:
        print("skipped: the native entries, for want of clang")
    if importlib.util.find_spec("atheris"):
        groups.append(PYTHON)
    else:
        print("skipped: the Python entries, for want of atheris")
    return groups


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each group, or for the one entry")
    parser.add_argument("--entry", choices=[*NATIVE, *PYTHON], help="run this one alone")
    given = parser.parse_args()
    groups = available()
    if given.entry:
        groups = [{given.entry: 1} for group in groups if given.entry in group]
    seeds = [sys.executable, "-m", "fuzz.seeds", str(BUILD / "seeds")]
    subprocess.run(seeds, env=environment(), check=True)
    found = False
    for group in groups:
        for entry, seconds in shares(group, given.seconds):
            result = fuzz(entry, seconds)
            print(result, flush=True)
            found |= result.finding is not None
    return int(found)


if __name__ == "__main__":
    sys.exit(main())
