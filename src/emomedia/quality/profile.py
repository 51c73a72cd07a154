"""Which clips are kept: rules from a TOML profile, applied to measures.  Pure except for reading the file."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from pydantic import ConfigDict

from ..dataset.index import CLIP_MEASURES, FLAGS, MEASURES
from ..descriptions import show
from ..errors import DescriptionError
from ..files import error_text, read_small
from ..schema.tables import Table
from ..schema.validation import validate
from ..schema.values import Label
from ..session import SIDES

_MAX_BYTES = 1 << 20

USUAL = 75.0
"""Percentile of a session's clips that is usual: half of them may have the fault."""

SEEN_SHARE = 0.1
"""Share of a session's sampled pictures of a side in which faces have to be found, so that clips are judged
by theirs: somebody whom the cascade never finds wears a mask, or is no person."""


class Rule(Table):
    """One fault: the measure that shows it and its bounds.

    Attributes
    ----------
    of : {"sides", "speaker", "clip"}
        Judged on both sides; on the one that speaks (of a dialogue both); or a measure of the whole clip.
    max_share : float or None
        Bound of a count of frames, as a share of the clip's.
    min_of_usual : float or None
        Lower bound, as a share of what is usual on that side in the session (:func:`usual_of`).
    none_of : list of str or None
        Flags that a clip may not have.
    needs_face : bool
        Judged only where faces are found on that side in the session.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    fault: Label
    measure: str
    of: Literal["sides", "speaker", "clip"] = "sides"
    min: float | None = None
    max: float | None = None
    max_share: float | None = None
    min_of_usual: float | None = None
    none_of: list[str] | None = None
    needs_face: bool = False

    @property
    def of_the_clip_alone(self) -> bool:
        """Whether it judges a clip by nothing else of the session."""
        return self.min_of_usual is None and not self.needs_face


_BOUNDS = ("min", "max", "max_share", "min_of_usual", "none_of")


class ProfileTable(Table):
    """A profile's file."""

    rule: list[Rule]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a clip is kept, and if not, why."""

    keep: bool
    reasons: tuple[str, ...]


def read_profile(path: Path | None = None) -> tuple[Rule, ...]:
    """The rules of the file at `path`, or emomedia's own.

    Raises
    ------
    DescriptionError
        The file is no profile, or a rule is of no measure that there is, or has no bound for it that some
        clips break and others do not.
    """
    source = "profile.toml" if path is None else str(path)
    own = files("emomedia.quality").joinpath("profile.toml")
    try:
        data = own.read_bytes() if path is None else read_small(path, _MAX_BYTES)
        table = tomllib.loads(data.decode())
    except (OSError, ValueError, RecursionError) as error:
        raise DescriptionError(
            source,
            expected="a profile in TOML",
            found=error_text(error),
            remedy=f"correct --profile, or leave it out; {own} is the one to copy",
        ) from error
    rules = validate(ProfileTable, table, source).rule
    for number, rule in enumerate(rules):
        _refuse_without_effect(rule, f"{source}: rule[{number}]")
        _refuse_impossible(rule, f"{source}: rule[{number}]")
    return tuple(rules)


def _refuse_without_effect(rule: Rule, place: str) -> None:
    """Refuse a rule that no clip could break: of a measure that there is not, or without a bound for it."""
    known = CLIP_MEASURES if rule.of == "clip" else MEASURES
    if rule.measure not in known:
        near = get_close_matches(rule.measure, (*MEASURES, *CLIP_MEASURES), n=1, cutoff=0)[0]
        where = ' of = "clip",' if near in CLIP_MEASURES else " of a side,"
        raise DescriptionError(
            f"{place}.measure",
            expected=f"a measure of a {'clip' if rule.of == 'clip' else 'side'}: {', '.join(known)}",
            found=show(rule.measure),
            remedy=f"the nearest is {show(near)},{where} docs/quality.md describes each",
        )
    flags = rule.measure == FLAGS
    decibels = rule.measure.endswith(("_db", "_lufs"))  # a share of which is nothing
    numbers = ["min", "max"] + ["max_share"] * rule.measure.endswith("_frames")
    numbers += ["min_of_usual"] * (rule.of != "clip" and not decibels)
    given = [name for name in _BOUNDS if getattr(rule, name) is not None]
    wanted = ["none_of"] if flags else numbers
    if not given or set(given) - set(wanted):
        raise DescriptionError(
            place,
            expected=f"a bound of {rule.measure}: {', '.join(wanted)}",
            found=", ".join(given) or "no bound",
            remedy="correct it, or remove the rule",
        )


def _refuse_impossible(rule: Rule, place: str) -> None:
    """Refuse bounds that every clip breaks, or none: a percentage for a share, a min above the max."""
    shares = ["max_share", "min_of_usual"] + ["min", "max"] * rule.measure.endswith("_share")
    for name in shares:
        bound = getattr(rule, name)
        if bound is not None and not 0 <= bound <= 1:
            raise DescriptionError(
                f"{place}.{name}",
                expected="a share, 0 to 1",
                found=show(bound),
                remedy="write 0.15 for 15 %",
            )
    if rule.min is not None and rule.max is not None and rule.min > rule.max:
        raise DescriptionError(
            place,
            expected="a min no higher than the max",
            found=f"min {rule.min:g}, max {rule.max:g}",
            remedy="correct them",
        )
    if rule.needs_face and rule.of == "clip":
        raise DescriptionError(
            f"{place}.needs_face",
            expected="a measure of a side",
            found='of = "clip"',
            remedy="remove needs_face: faces are found on a side",
        )


def judge(
    row: Mapping[str, Any],
    rules: tuple[Rule, ...],
    faces_seen: Mapping[str, bool],
    usual: Mapping[str, Mapping[str, float]] = MappingProxyType({}),
) -> Verdict:
    """What the rules say of a clip.

    Parameters
    ----------
    row : mapping
        A line of clips.jsonl with its measures.
    faces_seen : mapping
        Side → whether faces are found there in the session.
    usual : mapping
        Side → measure → what is usual there in the session; without it rules of that kind judge nothing.
    """
    reasons = [reason for rule in rules for reason in _reasons(row, rule, faces_seen, usual)]
    return Verdict(not reasons, tuple(reasons))


def faces_seen(rows: list[dict[str, Any]]) -> dict[str, bool]:
    """By side, whether clips can be judged by the faces in them."""
    seen: dict[str, bool] = {}
    for side in SIDES:
        shares = [row["quality"].get(side, {}).get("face_share") for row in rows]
        known = [share for share in shares if share is not None]
        seen[side] = bool(known) and sum(known) / len(known) >= SEEN_SHARE
    return seen


def usual_of(rows: list[dict[str, Any]], rules: tuple[Rule, ...]) -> dict[str, dict[str, float]]:
    """By side and measure what is usual in a session, of those measures that rules compare with it."""
    measures = {rule.measure for rule in rules if rule.min_of_usual is not None}
    found: dict[str, dict[str, float]] = {side: {} for side in SIDES}
    for side in SIDES:
        for measure in measures:
            values = [row["quality"].get(side, {}).get(measure) for row in rows]
            known = [value for value in values if value is not None]
            if known:
                found[side][measure] = float(np.percentile(known, USUAL))
    return found


def _reasons(
    row: Mapping[str, Any],
    rule: Rule,
    seen: Mapping[str, bool],
    usual: Mapping[str, Mapping[str, float]],
) -> Iterator[str]:
    quality = row["quality"]
    if rule.of == "clip":
        found = _found(rule, quality.get(rule.measure), row["frame_count"])
        if found:
            yield f"{rule.fault} ({found})"
        return
    for side in SIDES:
        others = rule.of == "speaker" and row["speaker"] not in (None, side)
        if others or (rule.needs_face and not seen[side]):
            continue
        expected = usual.get(side, {}).get(rule.measure)
        found = _found(rule, quality.get(side, {}).get(rule.measure), row["frame_count"], expected)
        if found:
            yield f"{side}: {rule.fault} ({found})"


def _found(rule: Rule, value: Any, frames: int, usual: float | None = None) -> str | None:
    """What of a measure breaks the rule; None if nothing does, or if it could not be measured."""
    if value is None:
        return None
    if rule.none_of is not None:
        flags = [flag for flag in value if flag in rule.none_of]
        return f"{rule.measure} {', '.join(flags)}" if flags else None
    if rule.min is not None and value < rule.min:
        return f"{rule.measure} {value:g} < {rule.min:g}"
    if rule.max is not None and value > rule.max:
        return f"{rule.measure} {value:g} > {rule.max:g}"
    if rule.max_share is not None and value > rule.max_share * frames:
        return f"{rule.measure} {value:g} of {frames} > {100 * rule.max_share:g} %"
    if rule.min_of_usual is not None and usual is not None and value < rule.min_of_usual * usual:
        return f"{rule.measure} {value:g} < {100 * rule.min_of_usual:g} % of the session's usual {usual:g}"
    return None
