"""The stages in their order (probe, sync, speech, turns, plan, cut, check) and what each depends on.

A stage reads the files of the stages before it and writes one of its own; :mod:`emomedia.stages` decides
whether that file is fresh.  Asking for a stage first brings everything before it up to date.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from . import _core, stages
from .cutting import CutResult, cut
from .dataset.audit import Row
from .descriptions import description_error, stretch_text
from .encoder import Encoder, choose
from .options import Options
from .plan import Plan, make_plan
from .plan_file import check_plan
from .plan_file import from_body as plan_from_body
from .plan_file import to_body as plan_to_body
from .probe import Probe, probe_session
from .probe import from_body as probe_from_body
from .probe import to_body as probe_to_body
from .session import SIDES, Session, SideName
from .sides import side_pictures
from .sources import Sources
from .stage_runner import Body, StageRunner
from .sync import clocks as clocks_of
from .sync import sync_session
from .timeline import Clock, footage, sample_at
from .turns import TurnsFile, check_turns, parse_turns
from .turns import to_body as turns_to_body
from .work import Work

if TYPE_CHECKING:
    from .asr.sound import Cut
    from .asr.stage import Recognition
    from .quality.measure import Tools
    from .quality.profile import Rule
    from .voice.cameras import CameraSound
    from .voice.clean import Cleaning, CleanTrack

STAGES = ("probe", "sync", "speech", "turns", "plan", "cut", "check")
FILE_OF = {"probe": "session", "sync": "sync", "speech": "speech", "turns": "turns", "plan": "plan"}
"""The stage file that each stage writes; cut and check write the audit instead."""


@dataclass
class Pipeline(StageRunner):
    """One session's stages; each is a cached property, made or read when first asked for."""

    files: ClassVar = FILE_OF
    _clean_sound: dict[SideName, CleanTrack] | None = field(default=None, init=False, repr=False)

    def set_options(self, options: Options) -> None:
        """Continue with options that differ only in what never shows in the output: workers, the device."""
        self.options = options
        self.__dict__.pop("recognition", None)  # made again, with these

    @cached_property
    def sources(self) -> Sources:
        """The session's media, as they were when this run first looked."""
        return Sources(self.session)

    @cached_property
    def probe(self) -> Probe:
        fps, interlaced = self.options.fps, self.options.interlaced
        found: list[Probe] = []

        def make() -> Body:
            found.append(probe_session(self.session, fps, interlaced))
            body = probe_to_body(found[0])
            self._note_other_footage(stages.as_read(body))
            return body

        inputs = [self.sources.read, _core.library_versions()]  # libav decides which frames there are
        body = self._stage("probe", inputs, [str(fps), interlaced], make)
        return found[0] if found else probe_from_body(body, self.session, self.folder.stage("session"))

    def _note_other_footage(self, body: Body) -> None:
        """Note that clips of both takes are replaced: they may be of another session with the same id."""
        path = self.folder.stage("session")
        if self.folder.audit.exists() and path.exists():
            before = stages.read(path)
            if not any(_filmed(body, side) == _filmed(before, side) for side in SIDES):
                self.observer.note(
                    f"{self.folder.path}: made from other takes, so its clips are replaced. If this is "
                    "another session, give it another id"
                )

    @cached_property
    def sync(self) -> dict[str, dict[str, Clock]]:
        """Per side the clocks of ``take`` and ``track``."""
        probe, scratch = self.probe, self.folder.sound if self.writes else None
        inputs = [self._content("probe"), self.sources.heard]
        body = self._stage("sync", inputs, None, lambda: sync_session(probe, scratch))
        return clocks_of(body, self.folder.stage("sync"))

    @cached_property
    def footage(self) -> tuple[int, int]:
        """The composite frames that both takes cover, half-open.

        Raises
        ------
        DescriptionError
            There are none.
        """
        takes = [(self.probe.takes[side].frames, self.sync[side]["take"]) for side in SIDES]
        first, end = footage(takes, self.probe.rate)
        if first < end:
            return first, end
        found = (
            stretch_text(clock.to_session(Fraction(0)), clock.to_session(take.end)) for take, clock in takes
        )
        raise description_error(
            self.session.path,
            "right",
            expected="a take that shares some time with the left one",
            found="left {}, right {}".format(*found),
            remedy="correct its offset, or name the takes of one session",
        )

    @cached_property
    def sound(self) -> dict[str, Any]:
        """Per side the track on the session clock, as long as the footage reaches."""
        from .audio.conform import conform

        samples = sample_at(self.footage[1], self.probe.rate)
        return {
            side: conform(self.probe.tracks[side], self.sync[side]["track"], samples, self.folder.sound, side)
            for side in SIDES
        }

    @cached_property
    def speech(self) -> Body:
        from .schema.tables import SpeechTable
        from .schema.validation import validate

        inputs = [self._content("probe"), self._content("sync"), self.sources.heard[0]]
        recognition = self.recognition
        clean = self.options.clean

        def make() -> Body:
            body = self._activity(stages.made_from("activity", inputs, clean))
            if recognition is None:
                self._note_lost_words()
                return body
            return body | {"transcript": self._transcript(recognition, body)}

        choices = clean if recognition is None else [clean, recognition.cache_key()]
        body = self._stage("speech", inputs, choices, make)
        if self.writes and recognition is not None:
            recognition.kept(body, self.folder.asr).prune()
        elif self.writes:
            shutil.rmtree(self.folder.asr, ignore_errors=True)
        validate(SpeechTable, body, self.folder.stage("speech"))
        return body

    def _note_lost_words(self) -> None:
        """Words take long to find, so a run that drops them says so."""
        path = self.folder.stage("speech")
        if path.exists() and "transcript" in stages.read(path):
            self.observer.note(
                "the words that an earlier run found are dropped: --asr-model applies only to its own run"
            )

    @cached_property
    def recognition(self) -> Recognition | None:
        """How the words are found; None without a model."""
        if self.options.asr_model is None:
            return None
        from .asr.stage import recognition

        return recognition(self.session, self.options)

    def _activity(self, found_from: str) -> Body:
        """Who speaks when: from the present speech.json, if only the words have to be found again."""
        path = self.folder.stage("speech")
        state, body = stages.found(path, "")
        if state is stages.State.STALE and body.get("activity_from") == found_from:
            return {key: value for key, value in body.items() if key not in ("made_from", "transcript")}
        from .speech import speech_session
        from .voice.remarks import remarks

        body = speech_session(self.session.id, self.sound, self._cameras()) | {"activity_from": found_from}
        for remark in remarks(body):
            self.observer.note(remark)
        if self.options.clean != "off":
            self._clean_sound, body["cleaned"] = self._clean(body)
        return body

    def _transcript(self, recognition: Recognition, speech: Body) -> Body:
        """What is said, recognised in the clean tracks if there are any."""

        def tracks() -> Mapping[SideName, Cut]:
            if self.options.clean != "off":
                return self._clean_tracks(speech)
            return {side: self.sound[side] for side in SIDES}

        kept = self.folder.asr if self.writes else None
        return recognition.transcript(
            speech,
            tracks,
            kept,
            lambda done, total: self.observer.progress("speech", done, total),
            self.options.worker_count,
        )

    def _cameras(self) -> dict[SideName, CameraSound] | None:
        """What the cameras hear by side, if that is not the tracks themselves."""
        from .voice.cameras import camera_sound

        sounds = {side: self.probe.takes[side].sound for side in SIDES}
        heard = {
            side: camera_sound(sound, self.sync[side]["take"])
            for side, sound in sounds.items()
            if sound is not None and not self.probe.tracks[side].own_audio
        }
        return heard if len(heard) == len(SIDES) else None

    def _clean(self, speech: Body) -> tuple[dict[SideName, CleanTrack], list[Body]]:
        """The clean tracks by side, and what speech.json says of them."""
        from .voice.clean import clean_tracks, masks

        silences = self.options.clean == "all"
        return clean_tracks(self.sound, masks(speech), self.folder.sound, silences=silences)

    @cached_property
    def cleaning(self) -> Cleaning | None:
        """What of the tracks is cleaned; None for nothing."""
        if self.options.clean == "off":
            return None
        from .voice.clean import COLUMN, Cleaning, masks, overlaps

        speech = self.speech
        activity = [speech[side]["activity"] for side in SIDES]
        runs = [(first * COLUMN, end * COLUMN) for first, end in overlaps(masks(speech))]

        everywhere = self.options.clean == "all"
        key = stages.content_digest({"clean": self.options.clean, "activity": activity})
        return Cleaning(key, None if everywhere else tuple(runs), lambda: self._clean_tracks(speech))

    def _clean_tracks(self, speech: Body) -> dict[SideName, CleanTrack]:
        """The clean tracks by side, made when they are first asked for."""
        if self._clean_sound is None:
            self._clean_sound, _ = self._clean(speech)
        return self._clean_sound

    @cached_property
    def turns(self) -> TurnsFile:
        given = self.options.turns
        description = self.session.canonical()
        if given is None:
            inputs = ["found", stages.content_digest(self.speech), list(self.footage)]
        else:
            inputs = ["given", stages.content_digest(self._given_turns)]
        described = [description["dialogue"], description["exclude"], str(self.probe.rate), self._scripts()]
        body = self._stage("turns", inputs, described, self._make_turns, given=given is not None)
        path = self.folder.stage("turns")
        turns = parse_turns(body, path, self.session)
        check_turns(turns, self.session, self._footage_seconds(), path)
        return turns

    def _scripts(self) -> list[Any]:
        """The scripts' names, digests of their content, and the actors that they may name."""
        from .scripts import script_files

        files = script_files(self.session)
        if not files:
            return []
        actors = [self.session.side(side).actor for side in SIDES]
        named = self.session.canonical()["script"]
        return [named, [stages.media_fingerprint(path) for path in files], actors]

    @cached_property
    def _given_turns(self) -> Body:
        """The content of the file of ``--turns``."""
        from .interchange import read_body

        assert self.options.turns is not None
        return read_body(self.options.turns, self.session)

    def _make_turns(self) -> Body:
        from .scripts import by_script, match_summary, with_script

        given = self.options.turns
        if given is not None:
            turns = parse_turns(self._given_turns, given, self.session)
            check_turns(turns, self.session, self._footage_seconds(), given)
            turns = with_script(self.session, turns)
        else:
            from .turn_taking import find_turns

            if stages.was_given(self.folder.stage("turns")):
                self.observer.note(
                    "turns found from the sound replace those that --turns gave to an earlier run: it "
                    "applies only to its own run; docs/session.md explains how to keep them"
                )

            footage, directed = self._footage_seconds(), not self.session.dialogues

            def find(session: Session) -> TurnsFile:
                return find_turns(session, self.speech, footage, directed=directed)

            turns = by_script(self.session, find, footage)
        if turns.unmatched is not None:
            self.observer.note(match_summary(turns))
        return turns_to_body(turns)

    def _footage_seconds(self) -> tuple[Fraction, Fraction]:
        """The footage as turns see it: it begins with the later take, which may be within a frame."""
        first, end = self.footage
        begin = max(self.sync[side]["take"].to_session(Fraction(0)) for side in SIDES)
        return min(begin, first / self.probe.rate), end / self.probe.rate

    @cached_property
    def plan(self) -> Plan:
        turns, pad, rate = self.turns, self.options.pad, self.probe.rate
        gop = self.options.gop_frames(rate)
        inputs = [self._content("probe"), self._content("sync"), self._content("turns")]

        def make() -> Body:
            return plan_to_body(make_plan(turns, self.session.excluded, rate, self.footage, pad, gop))

        body = self._stage("plan", inputs, [str(pad), gop, self.session.canonical()["exclude"]], make)
        path = self.folder.stage("plan")
        plan = plan_from_body(body, path)
        check_plan(plan, self.session.id, rate, self.footage, path)
        return plan

    @cached_property
    def cut(self) -> CutResult:
        from .quality.seen import observer_of

        plan = self.plan
        takes, tracks = self.probe.takes, self.sync
        work = Work(
            plan=plan,
            takes=takes,
            clocks={side: tracks[side]["take"] for side in SIDES},
            find_sound=lambda: self.sound,
            media=stages.digest(self.sources.read, self._content("probe"), self._content("sync")),
            options=self.options,
            sides=side_pictures(self.probe, self.options.sides, self.options.side_size),
            cleaning=self.cleaning,
            actors={side: self.session.side(side).actor for side in SIDES},
            models=self._models(),
            observer=observer_of(takes),
            encoder=self.encoder,
        )
        with self._timed("cut") as outcome:
            check_media, begins = self.sources.refuse_changes, lambda: self.before_making("cut")
            result = cut(work, self.turns, self.folder, self.observer, check_media, begins)
            outcome.append("made" if result.made else "fresh")
        self.hashes["cut"] = stages.digest([row["provenance"]["key"] for row in result.rows])
        return result

    def _models(self) -> dict[str, str]:
        """Name → SHA-256 of the models that the clips' words come from."""
        model = (self.speech.get("transcript") or {}).get("model")
        if model is None or self.options.turns is not None:
            return {}
        return {f"asr {model['name']}": model["sha256"]}

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder of the clips; its card is looked for when there are clips to make."""
        return choose(self.options, self.folder.out)

    def require_turns(self) -> None:
        """Refuse now, not after the sound was listened to, a file of --turns that has none."""
        if self.options.turns is not None:
            parse_turns(self._given_turns, self.options.turns, self.session)

    def require_encoder(self) -> None:
        """Refuse now, not after hours of work, a session whose clips cannot be encoded here."""
        encoder = self.encoder
        if not self.folder.audit.exists():
            _ = encoder.card

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The rules by which clips are judged."""
        from .quality.profile import read_profile

        return read_profile(self.options.profile)

    @cached_property
    def tools(self) -> Tools:
        """Measuring tools that not every installation has."""
        from .quality.measure import Tools

        return Tools.found(self.options.face_model, self.options.person_model)

    def refuse_wrong_files(self) -> None:
        """Refuse now, not when the clips are made, a profile that is none, or a model.

        What else measures is loaded when it is wanted: beside the engine it would be in the way.
        """
        _ = self.rules
        if self.options.face_model is not None or self.options.person_model is not None:
            _ = self.tools

    @cached_property
    def check(self) -> tuple[Row, ...]:
        """The audit's rows with their measures and verdicts."""
        from .quality.stage import check_session, verdicts

        rules, _ = self.rules, self.cut
        with self._timed("check") as outcome:
            result = check_session(
                self.folder,
                rules,
                self.tools,
                self.options.worker_count,
                lambda done, total: self.observer.progress("check", done, total),
                self._declared_ms,
                lambda: self.before_making("check"),
            )
            for note in result.notes:
                self.observer.note(note)
            outcome.append("made" if result.measured else "fresh")
        self.hashes["check"] = verdicts(result.rows)
        return result.rows

    def _declared_ms(self) -> dict[str, float]:
        from .quality.declared import declared_ms

        body = stages.read(self.folder.stage("sync"))
        return declared_ms(self.probe, self.sync, body, self.folder.sound)


def _filmed(body: Body, side: SideName) -> Any:
    """What session.json says of a take's files, except their names."""
    try:
        return [file | {"path": None} for file in body[side]["take"]["files"]]
    except (KeyError, TypeError):
        return None
