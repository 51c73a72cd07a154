"""The regression guard: instruction counts and ratios of in-run peers against benchmarks/baseline.json.

``python -m benchmarks.check`` ends with status 1 when anything is worse than its baseline by more than
its tolerance.  Less is better in all values. A baseline holds for the environment that it was made in;
where there is none for this one, the check says so and passes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emomedia.files import write_bytes

from .measuring import BUILD, HERE

BASELINE = HERE / "baseline.json"
MEASURED = BUILD / "check.json"

Values = Mapping[str, float]
Environment = Mapping[str, str]

TOLERANCES = {"compose": 0.005, "run": 0.01, "ratio": 0.15}
"""By the first word of a value's name: part of the baseline by which it may grow.  docs/benchmarks.md says
how large the noise is and why these."""


@dataclass(frozen=True)
class Finding:
    """How one value compares with its baseline."""

    name: str
    expected: float
    found: float | None
    tolerance: float

    @property
    def change(self) -> float:
        """Part of the baseline; above zero is worse."""
        return 0.0 if self.found is None else self.found / self.expected - 1

    @property
    def worse(self) -> bool:
        return self.found is None or self.change > self.tolerance

    def __str__(self) -> str:
        if self.found is None:
            return f"  WORSE   {self.name}: expected {self.expected:,.6g}, found nothing"
        verdict = "WORSE " if self.worse else "better" if self.change < -self.tolerance else "same  "
        values = f"expected {self.expected:,.6g}, found {self.found:,.6g}"
        return f"  {verdict}  {self.name}: {values} ({self.change:+.2%}, allowed {self.tolerance:+.1%})"


def compare(baseline: Values, found: Values) -> list[Finding]:
    """Every value of the baseline; one that is no longer found is worse."""
    return [
        Finding(name, expected, found.get(name), TOLERANCES[name.split(",")[0]])
        for name, expected in baseline.items()
    ]


Kind = str
"""``counts`` or ``ratios``: each has an environment of its own, on which its values depend."""


def matching(entries: Sequence[Mapping[str, Any]], environment: Environment) -> Values | None:
    """The values of the entry that was made in just this environment."""
    return next((entry["values"] for entry in entries if entry["environment"] == environment), None)


def updated(
    entries: Sequence[Mapping[str, Any]], environment: Environment, values: Values
) -> list[Mapping[str, Any]]:
    """The entries with this environment's replaced or added."""
    others = [entry for entry in entries if entry["environment"] != environment]
    return [*others, {"environment": environment, "values": values}]


def judge(baseline: Mapping[Kind, Any], measured: Mapping[Kind, Any]) -> tuple[list[str], bool]:
    """Lines to print, and whether nothing is worse."""
    lines, good = [], True
    for kind, entry in measured.items():
        expected = matching(baseline.get(kind, []), entry["environment"])
        if expected is None:
            lines.append(f"{kind}: no baseline for this environment, {_text(entry['environment'])}")
            lines += [f"  {name}: {value:,.6g}" for name, value in entry["values"].items()]
            lines.append("  to have one, run with --update here and commit benchmarks/baseline.json")
            continue
        findings = compare(expected, entry["values"])
        lines += [f"{kind}:", *map(str, findings)]
        good = good and not any(finding.worse for finding in findings)
    return lines, good


def _text(environment: Environment) -> str:
    return ", ".join(f"{name} {value}" for name, value in environment.items())


def measure(kinds: Sequence[Kind]) -> dict[Kind, dict[str, Any]]:
    """Values of these kinds, with their environments."""
    from . import instructions, machine, peer_ratios

    sources = {
        "counts": lambda: (machine.count_environment(), instructions.counts()),
        "ratios": lambda: (machine.ratio_environment(), peer_ratios.ratios()),
    }
    found = {}
    for kind in kinds:
        environment, values = sources[kind]()
        found[kind] = {"environment": environment, "values": values}
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """See ``--help``; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.check", description=__doc__)
    parser.add_argument("--counts", action="store_true", help="instruction counts alone, for busy machines")
    parser.add_argument("--update", action="store_true", help="make what is found the baseline here")
    parser.add_argument("--baseline", type=Path, default=BASELINE, metavar="FILE")
    parser.add_argument("--measured", type=Path, metavar="FILE", help="compare what an earlier check found")
    options = parser.parse_args(arguments)
    if options.measured:
        measured = json.loads(options.measured.read_text())
    else:
        measured = measure(["counts"] if options.counts else ["counts", "ratios"])
        MEASURED.parent.mkdir(parents=True, exist_ok=True)
        _write(MEASURED, measured)
    baseline = json.loads(options.baseline.read_text()) if options.baseline.exists() else {}
    lines, good = judge(baseline, measured)
    print("\n".join(lines))
    if options.update:
        changed = {
            kind: updated(baseline.get(kind, []), entry["environment"], entry["values"])
            for kind, entry in measured.items()
        }
        _write(options.baseline, {**baseline, **changed})
        print(f"{options.baseline} is what was found now")
        return 0
    if not good:
        print(
            "worse than the baseline; if that is meant, run with --update and commit benchmarks/baseline.json"
        )
    return 0 if good else 1


def _write(path: Path, body: Any) -> None:
    write_bytes(path, (json.dumps(body, indent=1) + "\n").encode())


if __name__ == "__main__":
    sys.exit(main())
