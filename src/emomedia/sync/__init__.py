"""The sync stage: every take and every track of a session on one clock.

The left take is the clock.  What session.toml declares is used as it is; what a camera recorded is where
its container puts it; everything else is found from the sound (:mod:`emomedia.audio.align`), or, where a
camera recorded none, from timecode, or refused.  The conventions are in docs/sound-sync.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SyncError
from ..probe.track import first_sample_time
from ..probe.types import TrackFile
from ..session import SIDES, SideName
from ..timeline import Clock
from . import timecode
from .recordings import Heard, Recordings
from .table import Entry, clocks, decimal, entry

if TYPE_CHECKING:
    from ..audio.align import Match
    from ..audio.bridge import Bridge
    from ..audio.steps import Step
    from ..probe.types import Probe, Take, Track

__all__ = ["SPEED_OF_SOUND", "clocks", "sync_session"]

SPEED_OF_SOUND = 343
"""Metres per second, at 20 °C: the camera hears a mouth later than the microphone does."""

MAX_DRIFT_PPM = 500
"""What is believed when found: crystals are within 100 ppm, two of them within 200."""

PULLED_PPM, MAX_PULLED_PPM = 1000, 200
"""By how much one is off that is set for film at 24/1.001 frames, and what is believed around that."""

MAX_RESIDUAL_MS = 20.0
"""Milliseconds, half a frame at 25 fps, by which a take may lie off the line found for it."""

ONE_RECORDER_MS = 10.0
"""Milliseconds by which two channels of one file may be found apart and still be brought together: the
voices' ways to two cameras differ by less than three metres."""

_MOST_SHOWN = 5

TIMECODE_CONFIDENCE = 0.5
"""Nothing in the recordings confirms timecode."""


def sync_session(probe: Probe, folder: Path | None = None) -> dict[str, Any]:
    """Find the clock of every take and track.

    Parameters
    ----------
    folder : Path, optional
        Where scratch files may lie: 58 MB for each recording and hour, gone when this returns.

    Returns
    -------
    dict
        The content of sync.json: offsets in seconds, what was found to 1e-7.

    Raises
    ------
    SyncError
        If a recording's place is neither declared nor to be found with confidence.
    MediaError, MediaNotFoundError, UnsupportedMediaError
        If the sound cannot be read.
    OutputError
        If there is no room for the scratch files.
    """
    with Recordings(folder) as recordings:
        left = entry(Clock(), "reference")
        right_clock, right = _right_take(probe, recordings)
        take_clocks: dict[SideName, Clock] = {"left": Clock(), "right": right_clock}
        tracks = _tracks(probe, take_clocks, recordings)
    return {
        "session": probe.session.id,
        "left": {"take": left, "track": tracks["left"][1]},
        "right": {"take": right, "track": tracks["right"][1]},
    }


def _right_take(probe: Probe, recordings: Recordings) -> tuple[Clock, Entry]:
    """The right take's clock, and what sync.json says of it."""
    declared = probe.session.right.offset
    if declared is not None:
        return Clock(declared), entry(Clock(declared), "declared")
    remedy = "give the right take's 'offset' in session.toml"
    sounds = [probe.takes[side].sound for side in SIDES]
    left, right = sounds
    if left is None or right is None or any(recordings.silent(sound) for sound in (left, right)):
        return _by_timecode(probe) or _no_sound(probe, recordings, remedy)
    return _through_tracks(probe, recordings, left, right) or _directly(recordings, left, right, remedy)


def _through_tracks(
    probe: Probe, recordings: Recordings, left: Track, right: Track
) -> tuple[Clock, Entry] | None:
    """By what both cameras hear of each actor's own microphone, if there are two and they are heard."""
    from ..audio.align import THRESHOLD
    from ..audio.bridge import bridged

    mics = [probe.tracks[side] for side in SIDES if probe.session.side(side).mic_offset is None]
    if len(mics) < len(SIDES) or any(mic.own_audio for mic in mics):
        return None
    found = recordings.aligned([(camera, mic) for mic in mics for camera in (left, right)])
    matches = [match for match in found if match and match.confidence >= THRESHOLD]
    if len(matches) < len(found):
        return None
    pairs = list(zip(matches[::2], matches[1::2], strict=True))
    bridge = bridged(pairs)
    drift_ppm = (bridge.speed - 1) * 1e6
    if bridge.residual_ms > MAX_RESIDUAL_MS or not _believed(drift_ppm):
        steps = max((match.steps for match in matches), key=len)
        remedy = "give the right take's 'offset' in session.toml"
        raise _unsteady(left, right, drift_ppm, bridge.residual_ms, remedy, steps)
    clock = _from_sound(Clock(left.start), bridge.offset, drift_ppm, right.start)
    made = entry(clock, "sound", min(match.confidence for match in matches), _seen(pairs, bridge, right))
    way = decimal(bridge.apart_ms / 2, 3)
    return clock, made | {"through": "tracks", "paths_ms": [-way, way]}


def _seen(pairs: Sequence[tuple[Match, Match]], bridge: Bridge, right: Track) -> Match:
    """The microphones' windows in the right camera's sound, in the right take's own time."""
    from ..audio.bridge import heard_at

    windows = sorted(
        (
            replace(window, time=time + float(right.start))
            for _, match in pairs
            for window, time in zip(match.windows, heard_at(match), strict=True)
        ),
        key=lambda window: window.time,
    )
    residual = max(match.residual_ms for _, match in pairs)
    first = pairs[0][1]
    return replace(
        first, offset=bridge.offset, residual_ms=residual, windows=tuple(windows), steps=(), pieces=()
    )


def _directly(recordings: Recordings, left: Track, right: Track, remedy: str) -> tuple[Clock, Entry]:
    """By what the cameras hear of both actors."""
    from ..audio.bridge import straightened

    match = straightened(_found(recordings, left, right, remedy, between=True))
    if match.residual_ms > MAX_RESIDUAL_MS:
        raise _unsteady(left, right, match.drift_ppm, match.residual_ms, remedy, match.steps)
    clock = _from_sound(Clock(left.start), match.offset, match.drift_ppm, right.start)
    return clock, entry(clock, "sound", match.confidence, match)


def _by_timecode(probe: Probe) -> tuple[Clock, Entry] | None:
    """By both cameras' timecode, if they have it: right to a frame if they were set alike."""
    left, right = (_take_timecode(probe.takes[side]) for side in SIDES)
    if left is None or right is None:
        return None
    (left_began, day), (right_began, _) = left, right
    clock = Clock(timecode.shortest(right_began - left_began, day))
    interval = max(1 / probe.takes[side].rate for side in SIDES)
    return clock, _timecode_entry(clock, interval)


def _take_timecode(take: Take) -> tuple[Fraction, Fraction] | None:
    """When a take begins by its timecode, and how long that one's day is; None if it has none."""
    found = take.files[0].timecode
    began = None if found is None else timecode.seconds_of(found, take.rate)
    return None if found is None or began is None else (began, timecode.day(found, take.rate))


def _timecode_entry(clock: Clock, interval: Fraction) -> Entry:
    """A frame's length is what timecode leaves open."""
    made = entry(clock, "timecode", TIMECODE_CONFIDENCE)
    return made | {"uncertainty_ms": decimal(1000 * interval, 3)}


def _tracks(
    probe: Probe, take_clocks: dict[SideName, Clock], recordings: Recordings
) -> dict[SideName, tuple[Clock, Entry]]:
    """Both tracks' clocks, and what sync.json says of them; two channels of one file have one clock."""
    known = {side: _known_place(probe, side, take_clocks) for side in SIDES}
    matches = _track_matches(probe, [side for side in SIDES if known[side] is None], recordings)
    if len(matches) == len(SIDES) and _one_file(probe):
        matches = recordings.located_together(matches)
    tracks = {
        side: known[side] or _track(probe, side, take_clocks, matches.get(side), recordings) for side in SIDES
    }
    return _one_clock(tracks) if len(matches) == len(SIDES) and _one_file(probe) else tracks


def _known_place(probe: Probe, side: SideName, takes: dict[SideName, Clock]) -> tuple[Clock, Entry] | None:
    """A track's clock if session.toml declares it, or the container that a camera recorded it in."""
    declared = probe.session.side(side).mic_offset
    if declared is not None:
        return Clock(declared), entry(Clock(declared), "declared")
    for camera in (side, *SIDES):
        start = _start_in(probe.takes[camera], probe.tracks[side])
        if start is not None:
            own = Clock(takes[camera].to_session(start), takes[camera].drift_ppm)
            return own, entry(own, "reference")
    return None


def _start_in(take: Take, track: Track) -> Fraction | None:
    """When a track that one of the take's files holds begins, in seconds from the take's first frame."""
    sound = take.sound
    for file in () if sound is None else (TrackFile(sound.path, sound.stream, sound.start), *sound.later):
        if file.path.resolve() == track.path.resolve():
            if file.stream == track.stream:
                return file.start
            begin = first_sample_time(file.path, file.stream)
            return file.start + first_sample_time(track.path, track.stream) - begin
    return None


def _track_matches(probe: Probe, sides: Sequence[SideName], recordings: Recordings) -> dict[SideName, Heard]:
    """Each microphone's place in its own camera's sound, where that decides it, for these `sides`."""
    sought: dict[SideName, tuple[Track, Track]] = {}
    for side in sides:
        track, sound = probe.tracks[side], probe.takes[side].sound
        if sound is not None and not recordings.silent(sound):
            sought[side] = sound, track
    recordings.aligned(list(sought.values()))
    return {side: Heard(*pair, _found(recordings, *pair, _mic_remedy(side))) for side, pair in sought.items()}


def _mic_remedy(side: str) -> str:
    return f"give the {side} track's 'mic_offset' in session.toml"


def _one_file(probe: Probe) -> bool:
    """Whether both tracks are channels of one stream, which has one clock."""
    left, right = (probe.tracks[side] for side in SIDES)
    return (left.path, left.stream) == (right.path, right.stream)


def _track(
    probe: Probe,
    side: SideName,
    take_clocks: dict[SideName, Clock],
    heard: Heard | None,
    recordings: Recordings,
) -> tuple[Clock, Entry]:
    """The clock of a track whose place has to be found, and what sync.json says of it."""
    if heard is None:
        by_timecode = _track_by_timecode(probe, side, take_clocks)
        return by_timecode or _no_sound(probe, recordings, _mic_remedy(side), side)
    take_clock = take_clocks[side]
    sound_clock = Clock(take_clock.to_session(heard.camera.start), take_clock.drift_ppm)
    late = probe.session.side(side).camera_distance / SPEED_OF_SOUND
    clock = _moved(_track_clock(sound_clock, heard.match), -late)
    return clock, entry(clock, "sound", heard.match.confidence, heard.match)


def _track_by_timecode(
    probe: Probe, side: SideName, take_clocks: dict[SideName, Clock]
) -> tuple[Clock, Entry] | None:
    """By a broadcast WAV's time and a take's timecode."""
    track = probe.tracks[side]
    for each in (side, *SIDES):
        take_time = _take_timecode(probe.takes[each])
        if take_time is not None and track.time_reference is not None:
            began = Fraction(track.time_reference, track.sample_rate)
            take_began, day = take_time
            clock = Clock(take_clocks[each].to_session(timecode.shortest(began - take_began, day)))
            return clock, _timecode_entry(clock, 1 / probe.takes[each].rate)
    return None


def _from_sound(reference: Clock, offset: float, drift_ppm: float, start: Fraction) -> Clock:
    """The clock of a take whose sound, `start` after its first frame, lies so on the clock of `reference`."""
    line = _composed(reference, offset, drift_ppm)
    return _rounded(Clock(line.offset - start * line.speed, line.drift_ppm))


def _track_clock(reference: Clock, match: Match) -> Clock:
    """The session clock of a recording that `match` places on the clock of `reference`."""
    first = _composed(reference, match.offset, match.drift_ppm)
    later = tuple(
        (Fraction(round(piece.start, 4)), _rounded(_composed(reference, piece.offset, piece.drift_ppm)))
        for piece in match.pieces[1:]
    )
    return Clock(first.offset, first.drift_ppm, later)


def _composed(reference: Clock, offset: float, drift_ppm: float) -> Clock:
    speed = (1 + Fraction(drift_ppm) / 1_000_000) * reference.speed
    return Clock(reference.to_session(Fraction(offset)), (speed - 1) * 1_000_000)


def _moved(clock: Clock, seconds: Fraction) -> Clock:
    """The clock `seconds` later."""
    later = tuple((start, Clock(line.offset + seconds, line.drift_ppm)) for start, line in clock.later)
    return Clock(clock.offset + seconds, clock.drift_ppm, later)


def _rounded(clock: Clock) -> Clock:
    """A clock rounded as in sync.json, so that later results also follow from the file."""
    return Clock(round(clock.offset, 7), round(clock.drift_ppm, 4))


def _one_clock(tracks: dict[SideName, tuple[Clock, Entry]]) -> dict[SideName, tuple[Clock, Entry]]:
    """The mean of what was found for either channel of a file.

    They are left apart where they lie too far apart to be: then a declared offset is wrong.
    """
    both = [tracks[side] for side in SIDES]
    (one, _), (other, _) = both
    if len(one.later) != len(other.later):
        return tracks
    middle = _middle(both)
    apart = [
        abs(a.to_session(middle) - b.to_session(middle))
        for (_, a), (_, b) in zip(one.pieces, other.pieces, strict=True)
    ]
    if max(apart) * 1000 > ONE_RECORDER_MS:
        return tracks
    joined = _mean(one, other)
    apart_ms = decimal(1000 * max(apart), 3)
    return {
        side: (joined, made | _place(joined) | {"apart_ms": apart_ms}) for side, (_, made) in tracks.items()
    }


def _middle(both: Sequence[tuple[Clock, Entry]]) -> Fraction:
    """A local time about the middle of what was measured."""
    clock, made = both[0]
    at = made.get("windows", {}).get("at") or [float(clock.offset)]
    return clock.to_local(Fraction(sum(at) / len(at)))


def _mean(one: Clock, other: Clock) -> Clock:
    """The clock midway between two of as many lines."""

    def between(a: Clock, b: Clock) -> Clock:
        return Clock((a.offset + b.offset) / 2, (a.drift_ppm + b.drift_ppm) / 2)

    later = tuple(
        ((start + end) / 2, between(a, b))
        for (start, a), (end, b) in zip(one.later, other.later, strict=True)
    )
    first = between(one, other)
    return Clock(first.offset, first.drift_ppm, later)


def _place(clock: Clock) -> Entry:
    """What an entry says of a clock that was found."""
    made = entry(clock, "sound")
    return {key: made[key] for key in ("offset", "drift_ppm", "later") if key in made}


def _found(
    recordings: Recordings, reference: Track, other: Track, remedy: str, *, between: bool = False
) -> Match:
    """The place of `other` on the clock of `reference`, or a refusal."""
    from ..audio.align import THRESHOLD

    (match,) = recordings.aligned([(reference, other)], between=between)
    if match is None:
        found = "only silence"
    elif match.confidence < THRESHOLD and match.repeats:
        found = f"sound that repeats itself, and fits {match.repeats:+.2f} s away as well"
    elif match.confidence < THRESHOLD:
        found = f"nothing alike (confidence {match.confidence:.2f}, {THRESHOLD} needed)"
    elif match.residual_ms > MAX_RESIDUAL_MS or not _believed(match.drift_ppm):
        raise _unsteady(reference, other, match.drift_ppm, match.residual_ms, remedy)
    else:
        return match
    raise SyncError(
        other.path,
        expected=f"an unbroken recording of what {reference.path.name} also holds",
        found=found,
        remedy=f"name the right recording, or {remedy}",
    )


def _believed(drift_ppm: float) -> bool:
    return abs(drift_ppm) <= MAX_DRIFT_PPM or abs(abs(drift_ppm) - PULLED_PPM) <= MAX_PULLED_PPM


def _unsteady(
    reference: Track,
    other: Track,
    drift_ppm: float,
    residual_ms: float,
    remedy: str,
    steps: Sequence[Step] = (),
) -> SyncError:
    """The error for a recording to which no line comes near enough."""
    shown = "".join(f"; a step of {step.seconds:+.3f} s at {step.time:.1f} s" for step in steps[:_MOST_SHOWN])
    return SyncError(
        other.path,
        expected=f"an unbroken recording of what {reference.path.name} also holds",
        found=f"no steady clock ({drift_ppm:.0f} ppm, {residual_ms:.0f} ms off that{shown})",
        remedy=f"name the right recording, or {remedy}",
    )


def _no_sound(probe: Probe, recordings: Recordings, remedy: str, side: SideName | None = None) -> Any:
    """Refuse a recording that neither sound nor timecode nor the user places."""
    sides = SIDES if side is None else (side,)
    for each in sides:
        take = probe.takes[each]
        if take.sound is None or recordings.silent(take.sound):
            raise SyncError(
                take.files[0].path,
                expected="the camera's own sound to find its place by",
                found="none" if take.sound is None else "only silence",
                remedy=remedy,
            )
    raise AssertionError("only asked where a take has no sound")
