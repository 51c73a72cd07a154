"""Recognition as a part of the speech stage: how options and session set it up, and running it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from fractions import Fraction
from importlib.metadata import version
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import __version__
from ..options import Options
from ..session import Dialogue, Session, SideName
from ..stages import as_read, content_digest, digest
from ..voice.clean import masks
from .folder import ModelFolder, check_language, model_folder
from .guard import settled
from .kept import Heard, Kept
from .model import placed
from .normal import Spelling, check_spelling, spelled
from .passages import COLUMNS, Mask
from .sound import Cut, Tracks
from .transcript import Hints, to_body, transcribe

if TYPE_CHECKING:
    from ..scripts import Script


@dataclass(frozen=True, slots=True)
class Recognition:
    """How a session's words are found."""

    folder: ModelFolder
    options: Options
    hints: Hints
    excluded: tuple[tuple[Fraction, Fraction], ...]

    def cache_key(self) -> list[Any]:
        """All that the words depend on besides the tracks and the activity.

        The device is not part of it: what a GPU found is kept on a machine without one.
        """
        written = [self.folder.name, self.options.doubtful, astuple(self.spelling)]
        return [*self._recognition_key(), written]

    def _recognition_key(self) -> list[Any]:
        """The cache key of recognition itself, without how the words are written."""
        hints = [self.hints.everywhere, [list(stretch) for stretch in self.hints.within]]
        excluded = [[str(start), str(end)] for start, end in self.excluded]
        model = [self.folder.sha256, version("ctranslate2")]
        return [model, self.options.language, hints, excluded]

    @property
    def spelling(self) -> Spelling:
        return _spelling(self.options)

    def transcript(
        self,
        speech: Mapping[str, Any],
        tracks: Callable[[], Mapping[SideName, Cut]],
        kept: Path | None,
        advance: Callable[[int, int], None],
        workers: int,
    ) -> dict[str, Any]:
        """What speech.json has under ``transcript``.

        Parameters
        ----------
        speech : mapping
            The rest of speech.json.
        tracks : callable
            Gives the tracks by side, or clean ones, if something has to be heard.
        kept : Path or None
            Folder for what was heard.
        workers : int
            Batches at a time; a batch of sessions may have other ones for each stage.
        """
        results = None if kept is None else self.kept(speech, kept)
        heard = None if results is None else results.whole()
        if heard is None:
            heard = self._heard(speech, tracks(), results, advance, workers)
            if results is not None:
                results.finish(heard)
        doubtful, spelling = self.options.doubtful, self.spelling
        return to_body(heard, self.folder, lambda segment: settled(spelled(segment, spelling), doubtful))

    def kept(self, speech: Mapping[str, Any], folder: Path) -> Kept:
        """The recognised batches of `speech` that are kept in a folder."""
        found = {key: value for key, value in speech.items() if key not in ("made_from", "transcript")}
        return Kept(
            folder, digest("heard", __version__, self._recognition_key(), content_digest(as_read(found)))
        )

    def _heard(
        self,
        speech: Mapping[str, Any],
        tracks: Mapping[SideName, Cut],
        kept: Kept | None,
        advance: Callable[[int, int], None],
        workers: int,
    ) -> Heard:
        spoken = masks(speech)
        hidden = _marked(self.excluded, max(map(len, spoken.values())))
        return transcribe(
            self.folder,
            placed(self.options.device),
            Tracks(tracks, spoken, hidden),
            language=self.options.language,
            hints=self.hints,
            kept=kept,
            workers=workers,
            advance=advance,
        )


def recognition(session: Session, options: Options) -> Recognition | None:
    """The recognition that `options` request; None without a model.

    Raises
    ------
    ModelError, MissingToolError
        As :func:`asked_model`.
    """
    folder = asked_model(options)
    if folder is None:
        return None
    within = tuple(  # the prompt is last, because of a text that is too long the beginning is not told
        (float(dialogue.start), float(dialogue.end), f"{hint} {options.prompt}".strip())
        for dialogue, hint in _hints(session.dialogues, options)
        if hint
    )
    return Recognition(folder, options, Hints(options.prompt, within), session.excluded)


def asked_model(options: Options) -> ModelFolder | None:
    """The model that `options` name, if it can do what they ask for.

    Raises
    ------
    ModelError
        The folder that they name holds no model, or one that has no sign for the language.
    MissingToolError
        OpenCC is needed and not installed.
    """
    if options.asr_model is None:
        return None
    folder = model_folder(options.asr_model)
    check_language(folder, options.language)
    check_spelling(_spelling(options))
    return folder


def _spelling(options: Options) -> Spelling:
    return Spelling(characters=options.characters, punctuation=options.punctuation)


def _hints(dialogues: Sequence[Dialogue], options: Options) -> Iterator[tuple[Dialogue, str]]:
    """The dialogues' topics and the lines of their scripts, as far as they are asked for."""
    scripts: Mapping[Path, Script] = {}
    if options.hints == "script":
        from ..scripts import read_scripts

        scripts = read_scripts([dialogue.script for dialogue in dialogues if dialogue.script is not None])
    for dialogue in dialogues if options.hints != "none" else ():
        texts = [dialogue.topic] if dialogue.topic else []
        if dialogue.script is not None and scripts:
            texts += [line.text for line in scripts[dialogue.script].only(dialogue.id).lines]
        yield dialogue, " ".join(texts)


def _marked(stretches: tuple[tuple[Fraction, Fraction], ...], columns: int) -> Mask:
    """Which of so many columns touch one of the stretches, in seconds."""
    mask = np.zeros(columns, np.bool_)
    for start, end in stretches:
        mask[int(start * COLUMNS) : ceil(end * COLUMNS)] = True
    return mask
