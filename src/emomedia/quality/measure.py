"""All measures of one clip: what the engine saw of it, a few key frames, the voices, the stage files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import local
from typing import Any

import numpy as np
import numpy.typing as npt

from ..layout import SessionFolder
from ..session import SIDES
from ..stages import digest
from ..sync.table import WINDOW_COLUMNS
from ..timeline import SAMPLE_RATE
from . import media, people
from .dnsmos import NAMES as RATINGS
from .dnsmos import Dnsmos
from .models import FaceModel, PersonModel
from .people import Finder, opencv_name, people_measures
from .picture import picture_measures
from .sound import COLUMN, Voice, other_voice_share, sound_measures, unheard_voice
from .views import View, Views

VERSION = "5"
"""To be counted up with whatever changes the measures of the same clip."""

MOST_FACES, MOST_PERSONS = 4, 1
"""Key frames of a clip in which faces are looked for, and the person's outline."""

FACE_SECONDS = 2.0
"""Of a clip, for each key frame after the first: where turns overlap there are more, close together."""

ENOUGH_WINDOWS, AGREE_MS = 3, 10.0
"""Windows off the session's clock that put a clip elsewhere if they lie so near to each other."""

MORE_FACES = 2
"""Other pictures of a short clip whose only key frame shows no face: who looks aside for a moment has one."""

MOST_WINDOWS = 2
"""Stretches of 9 s of a voice that DNSMOS rates."""

ENOUGH_RATED = 450
"""Columns, 4.5 s, of speech that DNSMOS rates at least: it always hears nine seconds, repeated where there
are less, and for shorter turns would cost more than all other measures together."""

AROUND = 20
"""Columns beyond both ends of a clip in which it is looked who speaks on."""

_AROUND_S = AROUND * COLUMN / SAMPLE_RATE

TOOLS = {"face": "faces (OpenCV 4)", "person": "persons (OpenCV 4)", "dnsmos": "DNSMOS (speechmos)"}
"""What is measured by something that has to be installed, in words."""

Row = dict[str, Any]
Ranges = npt.NDArray[np.float64]
"""Begin and end of stretches in seconds on the session clock, float64[stretches, 2]."""

Windows = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Tools:
    """What is installed for the measures that need more than emomedia does.

    `keeps`: what anything else has measured stays, unless a model is named for it.
    `views`: what they looked at last.
    """

    opencv: str | None = None
    dnsmos: Dnsmos | None = None
    face_model: FaceModel | None = None
    person_model: PersonModel | None = None
    keeps: bool = False
    views: Views = field(default_factory=Views)
    _of_thread: local = field(default_factory=local)

    @classmethod
    def found(cls, face_model: Path | None = None, person_model: Path | None = None) -> Tools:
        """What is installed, and the models in those files.

        Raises
        ------
        MissingToolError, UnsupportedMediaError
            A model cannot be run, or is none.
        """
        return cls(
            opencv_name(),
            Dnsmos.found(),
            None if face_model is None else FaceModel(face_model),
            None if person_model is None else PersonModel(person_model),
        )

    @property
    def names(self) -> dict[str, str | None]:
        """What measures what, as the audit records it."""
        face = None if self.opencv is None else f"{people.CASCADE}, {self.opencv}"
        person = None if self.opencv is None else f"backdrop and GrabCut, {self.opencv}"
        return {
            "face": face if self.face_model is None else self.face_model.name,
            "person": person if self.person_model is None else self.person_model.name,
            "dnsmos": None if self.dnsmos is None else self.dnsmos.name,
        }

    def names_beside(self, measured: Mapping[str, str | None]) -> dict[str, str | None]:
        """What the measures may be by that a clip has already, by `measured`, and need not be taken again.

        A tool that is not here undoes nothing that it has measured elsewhere.
        """
        named = {"face": self.face_model, "person": self.person_model}
        found = {}
        for what, mine in self.names.items():
            theirs = measured.get(what)
            found[what] = theirs if mine is None or (self.keeps and theirs and not named.get(what)) else mine
        return found

    @property
    def finder(self) -> Finder:
        """This thread's own."""
        if not hasattr(self._of_thread, "finder"):
            self._of_thread.finder = Finder(self.opencv is not None, self.face_model, self.person_model)
        found: Finder = self._of_thread.finder
        return found


@dataclass(frozen=True)
class SessionFacts:
    """What the stage files say that a clip's measures need.

    Attributes
    ----------
    speech, sync : mapping
        The contents of speech.json and sync.json, empty where there are none.
    turns : list of mapping
        The turns of turns.json.
    """

    speech: Mapping[str, Any]
    sync: Mapping[str, Any]
    turns: Sequence[Mapping[str, Any]]

    @cached_property
    def _turns_of(self) -> dict[str, list[Mapping[str, Any]]]:
        """The turns of each clip by its id: a turn's own, a dialogue's all."""
        found = defaultdict(list)
        for turn in self.turns:
            for clip in {turn["id"], turn["dialogue"]} - {None}:
                found[clip].append(turn)
        return found

    @cached_property
    def _activity(self) -> dict[str, Ranges]:
        return {side: _ranges(table["activity"]) for side, table in self.speech.items() if side in SIDES}

    @cached_property
    def _recordings(self) -> dict[str, list[tuple[Windows, float | None]]]:
        """By side what sync.json says of take and track: their windows, and the residual of all."""
        entries = {side: self.sync.get(side, {}).values() for side in SIDES}
        return {
            side: [
                (_windows(entry), _real(entry.get("residual_ms")))
                for entry in mine
                if isinstance(entry, dict)
            ]
            for side, mine in entries.items()
        }

    def of(self, row: Row) -> dict[str, Any]:
        """What of it concerns a clip: plain values, in seconds on the session clock."""
        begin, end = row["start"], row["end"]
        mine = self._turns_of.get(row["id"], [])
        facts: dict[str, Any] = {"flags": sorted({flag for turn in mine for flag in turn.get("flags", [])})}
        for side in SIDES:
            table = self.speech.get(side)
            facts[side] = {
                "turns": [
                    [float(turn["start"]), float(turn["end"])] for turn in mine if turn["speaker"] == side
                ],
                "residual_ms": self._residual(side, begin, end),
            }
            if table is not None:
                facts[side] |= {
                    "activity": _within(self._activity[side], begin - _AROUND_S, end + _AROUND_S),
                    "noise_db": _real(table.get("noise_db")),
                    "snr_db": _real(table.get("snr_db")),
                    "swapped": "swapped" in table.get("flags", []),
                }
        return facts

    def _residual(self, side: str, begin: float, end: float) -> float | None:
        """How far take and track are off their clock within the clip, or, if that is not known, at all."""
        found = []
        for windows, whole in self._recordings[side]:
            local = _agreed(windows[:, (begin <= windows[0]) & (windows[0] < end)])
            found.append(whole if local is None else local)
        known = [residual for residual in found if residual is not None]
        return max(known) if known else None


def _windows(entry: Mapping[str, Any]) -> Windows:
    """Where sync.json's windows are, how far off, and whether they lie on the clock, float64[3, windows]."""
    windows = entry.get("windows", {})
    columns = [windows.get(name, []) for name in WINDOW_COLUMNS]
    return np.array(list(zip(*columns, strict=False)), np.float64).reshape(-1, 3).T


def _agreed(windows: Windows) -> float | None:
    """What a clip's windows say: those that lie on the clock, or several that agree on another place."""
    _, residuals, counts = windows
    on_it = residuals[counts > 0]
    if len(on_it):
        return float(np.median(np.abs(on_it)))
    if len(residuals) < ENOUGH_WINDOWS or residuals.max() - residuals.min() > AGREE_MS:
        return None
    return float(abs(np.median(residuals)))


def key_of(row: Row, facts: Mapping[str, Any], names: Mapping[str, str | None]) -> str:
    """Digest of all that a clip's measures depend on; `names` are those of the tools."""
    return digest("quality", VERSION, row["provenance"]["key"], row["speaker"], facts, names)


def measured(
    row: Row,
    folder: SessionFolder,
    facts: Mapping[str, Any],
    tools: Tools,
    declared: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """A clip's `quality`: what the cut left in its row of the pictures, and all the rest.

    Parameters
    ----------
    declared : mapping, optional
        Side → milliseconds by which what is declared of it is off (:mod:`emomedia.quality.declared`);
        None where it was not looked for.

    Raises
    ------
    MediaError
        A file of the clip does not decode.
    """
    path = folder.out / row["path"]
    pictures, seen_by = _pictures(row, path)
    shown = _people(path, row["end"] - row["start"], tools)
    sounds = {voice["side"]: media.voice(folder.out / voice["path"]) for voice in row["audio"]}
    heard = voices_of(sounds, row["start"], facts, tools, row["speaker"])
    sides: dict[str, Any] = {side: pictures[side] | shown[side] | heard[side] for side in SIDES}
    residuals = [facts[side]["residual_ms"] for side in SIDES if facts[side]["residual_ms"] is not None]
    residuals += (declared or {}).values()
    return {
        **sides,
        "sync_residual_ms": round(max(residuals), 3) if residuals else None,
        "transcript_flags": facts["flags"],
        "measured": {
            "key": key_of(row, facts, tools.names),
            "picture": seen_by,
            **tools.names,
            "declared_ms": None if declared is None else dict(declared),
        },
    }


def _pictures(row: Row, path: Path) -> tuple[dict[str, dict[str, Any]], str]:
    """The measures of all frames, and where they were seen: in the engine, or in the clip as it is."""
    known, names = row["quality"], ENGINE_MEASURES
    if all(set(names) <= set(known.get(side, {})) for side in SIDES):
        seen_by = known.get("measured", {}).get("picture", "engine")
        return {side: {name: known[side][name] for name in names} for side in SIDES}, seen_by
    values, pixels, tagged = media.clip_values(path)
    found = picture_measures(values, pixels, tagged)
    return {side: found[side] | {"dropped_frames": None} for side in SIDES}, "clip"


ENGINE_MEASURES = (
    "sharpness", "exposure", "shadows_share", "highlights_share", "centre_highlights_share", "flicker",
    "frozen_frames", "black_frames", "duplicate_frames", "dropped_frames",
)  # fmt: skip
"""What the cut leaves in a clip's row."""


def _people(path: Path, seconds: float, tools: Tools) -> dict[str, dict[str, Any]]:
    if tools.names["face"] is None and tools.names["person"] is None:
        return people_of([], tools)
    views = media.key_views(path, min(MOST_FACES, 1 + int(seconds / FACE_SECONDS)), tools.views)
    found = people_of(views, tools)
    if len(views) > 1 or all(found[side]["face_share"] != 0 for side in SIDES):
        return found
    return people_of(views + media.later_views(path, MORE_FACES), tools)


def people_of(views: Sequence[View], tools: Tools) -> dict[str, dict[str, Any]]:
    """Both sides' measures of the people in a clip's sampled pictures."""
    outlined = set(media.spread(len(views), MOST_PERSONS))
    black, white = views[0].levels if views else (0.0, 1.0)
    found: dict[str, dict[str, Any]] = {}
    for number, side in enumerate(SIDES):
        seen = [view.seen(number, tools.finder, person=place in outlined) for place, view in enumerate(views)]
        found[side] = people_measures(seen, black, white, faces=tools.names["face"] is not None)
    return found


def voices_of(
    sounds: Mapping[str, npt.NDArray[np.float32]],
    begin: float,
    facts: Mapping[str, Any],
    tools: Tools,
    speaker: str | None = None,
) -> dict[str, dict[str, Any]]:
    """Both sides' measures of the sound of a clip that begins at `begin` seconds of the session.

    DNSMOS is asked of the `speaker` alone, where it is a turn's clip: the other one listens.
    """
    columns = min(len(sound) for sound in sounds.values()) // COLUMN
    wide = {side: _marked_around(facts[side].get("activity", []), begin, columns) for side in SIDES}
    active = {side: _marked(facts[side].get("activity", []), begin, columns) for side in SIDES}
    found: dict[str, dict[str, Any]] = {}
    for side, other in zip(SIDES, reversed(SIDES), strict=True):
        known = facts[side]
        turn = _marked(known["turns"], begin, columns)
        voice = Voice(
            sound=sounds[side],
            other_sound=sounds[other],
            own=active[side],
            other=active[other],
            turn=turn,
            noise_db=known.get("noise_db"),
            level_db=_level(known),
            other_level_db=_level(facts[other]),
        )
        turns = _marked_around(known["turns"], begin, columns)
        own = wide[side].copy()
        own[AROUND : AROUND + columns] |= unheard_voice(voice)
        # whoever the turns name, an exchanged track is the other actor's
        wrong = 1.0 if known.get("swapped") else other_voice_share(own, wide[other], turns)
        rated = active[side] | turn if speaker in (None, side) else np.zeros_like(turn)
        found[side] = (
            sound_measures(voice) | {"other_voice_share": wrong} | _rated(sounds[side], rated, tools)
        )
    return found


def _level(known: Mapping[str, Any]) -> float | None:
    """The actor's level in the own track, in dB of full scale."""
    noise, snr = known.get("noise_db"), known.get("snr_db")
    return None if noise is None or snr is None else float(noise + snr)


def _rated(sound: npt.NDArray[np.float32], active: npt.NDArray[np.bool_], tools: Tools) -> dict[str, Any]:
    """DNSMOS of a side that says enough."""
    if tools.dnsmos is None or active.sum() < ENOUGH_RATED:
        return dict.fromkeys(RATINGS)
    return dict(tools.dnsmos(sound, MOST_WINDOWS))


def _ranges(pairs: Sequence[Sequence[Any]]) -> Ranges:
    return np.array(pairs, np.float64).reshape(-1, 2)


def _within(ranges: Ranges, begin: float, end: float) -> list[list[float]]:
    """The parts of ranges, in seconds, from `begin` to `end`."""
    parts = np.clip(ranges[(ranges[:, 0] < end) & (ranges[:, 1] > begin)], begin, end)
    found: list[list[float]] = parts[parts[:, 0] < parts[:, 1]].tolist()
    return found


def _marked(ranges: Sequence[Sequence[float]], begin: float, columns: int) -> npt.NDArray[np.bool_]:
    """Ranges of seconds on the session clock as one truth value for each 10 ms of a clip."""
    mask = np.zeros(columns, np.bool_)
    rate = SAMPLE_RATE // COLUMN
    for first, last in ranges:
        mask[max(0, round((first - begin) * rate)) : max(0, round((last - begin) * rate))] = True
    return mask


def _marked_around(ranges: Sequence[Sequence[float]], begin: float, columns: int) -> npt.NDArray[np.bool_]:
    """The same with :data:`AROUND` columns more before and behind the clip."""
    return _marked(ranges, begin - _AROUND_S, columns + 2 * AROUND)


def _real(value: Any) -> float | None:
    return None if value is None else float(value)
