"""Recognition as a part of the speech stage: what the options and the session say of it, and doing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from fractions import Fraction
from importlib.metadata import version
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..options import Options
from ..session import Dialogue, Session, SideName
from ..voice.clean import masks
from .guard import settled
from .model import ModelFolder, check_language, model_folder, placed
from .normal import Spelling, check_spelling, spelled
from .passages import COLUMNS, Mask
from .sound import Cut, Tracks
from .transcript import Told, transcribe

if TYPE_CHECKING:
    from ..scripts import Script


@dataclass(frozen=True, slots=True)
class Recognition:
    """How a session's words are found."""

    folder: ModelFolder
    options: Options
    told: Told
    excluded: tuple[tuple[Fraction, Fraction], ...]

    def meaning(self) -> list[Any]:
        """All that the words depend on besides the tracks and the activity.

        Where it is worked out is not among it: what a GPU found is kept on a machine without one.
        """
        told = [self.told.everywhere, [list(stretch) for stretch in self.told.within]]
        excluded = [[str(start), str(end)] for start, end in self.excluded]
        written = [self.options.doubtful, astuple(self.spelling)]
        model = [self.folder.sha256, version("ctranslate2")]
        return [model, self.options.language, told, excluded, written]

    @property
    def spelling(self) -> Spelling:
        return _spelling(self.options)

    def transcript(
        self,
        speech: Mapping[str, Any],
        tracks: Mapping[SideName, Cut],
        kept: Path | None,
        advance: Callable[[int, int], None],
        workers: int,
    ) -> dict[str, Any]:
        """What speech.json has under ``transcript``.

        Parameters
        ----------
        speech : mapping
            The rest of speech.json.
        tracks : mapping by side
            The tracks, or clean ones.
        kept : Path or None
            Folder for what is done, until all is.
        workers : int
            Batches at a time; a batch of sessions may have other ones for each stage.
        """
        spoken = masks(speech)
        hidden = _marked(self.excluded, max(map(len, spoken.values())))
        active = {side: mask & ~hidden[: len(mask)] for side, mask in spoken.items()}
        return transcribe(
            self.folder,
            placed(self.options.device),
            Tracks(tracks, active, hidden),
            language=self.options.language,
            told=self.told,
            finish=lambda segment: settled(spelled(segment, self.spelling), self.options.doubtful),
            kept=kept,
            workers=workers,
            advance=advance,
        )


def recognition(session: Session, options: Options) -> Recognition | None:
    """What `options` ask for; None if they name no model.

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
    return Recognition(folder, options, Told(options.prompt, within), session.excluded)


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
    if options.language is not None:
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
        told = [dialogue.topic] if dialogue.topic else []
        if dialogue.script is not None and scripts:
            told += [line.text for line in scripts[dialogue.script].only(dialogue.id).lines]
        yield dialogue, " ".join(told)


def _marked(stretches: tuple[tuple[Fraction, Fraction], ...], columns: int) -> Mask:
    """Which of so many columns touch one of the stretches, in seconds."""
    mask = np.zeros(columns, np.bool_)
    for start, end in stretches:
        mask[int(start * COLUMNS) : ceil(end * COLUMNS)] = True
    return mask
