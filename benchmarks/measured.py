"""A measured value beside its bar, in one line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bar:
    """What was measured, and what it may be at the most, or at the least."""

    name: str
    value: float
    bar: float
    unit: str = ""
    is_least: bool = False

    @property
    def met(self) -> bool:
        return bool(self.value >= self.bar if self.is_least else self.value <= self.bar)

    def __str__(self) -> str:
        sign = "≥" if self.is_least else "≤"
        verdict = "met" if self.met else "NOT MET"
        return f"{self.name:44} {self.value:9.3f} {self.unit:4} {sign} {self.bar:g}: {verdict}"
