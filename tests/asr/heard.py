"""Synthetic Mandarin with exact times, and what the tiny Whisper hears in it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel, decode_audio
from faster_whisper.audio import pad_or_trim
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import merge_punctuations

from emomedia.asr.guard import letters
from emomedia.asr.types import Word
from emomedia.voice.activity import bridged, runs, without_short

RATE = 16_000
FRAME = RATE // 100

_DATA = Path(__file__).parents[1] / "data"

_AROUND = 0.3
"""Seconds of a recording kept before and after an utterance."""

_BEFORE, _AFTER = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、"


@dataclass(frozen=True, eq=False)
class Said:
    """One utterance, float32[n] at 16 kHz with a little silence around, and when its characters are said."""

    sound: np.ndarray
    text: str
    characters: tuple[tuple[str, float, float], ...]

    @property
    def activity(self) -> list[tuple[float, float]]:
        """When the voice is within 29 dB of its loud parts, by 10 ms, as the speech stage has it."""
        blocks = self.sound[: len(self.sound) // FRAME * FRAME].reshape(-1, FRAME)
        level = 10 * np.log10(np.mean(blocks**2, axis=1) + 1e-12)
        active = level > np.percentile(level[level > -60], 90) - 29
        return [(first / 100, end / 100) for first, end in runs(without_short(bridged(active, 20), 8))]

    def heard_as(self, sound: np.ndarray) -> Said:
        """The same said, under other conditions."""
        return replace(self, sound=sound.astype(np.float32))


@cache
def held_out() -> tuple[Said, ...]:
    """The utterances that the tiny model was not trained on."""
    with (_DATA / "mandarin" / "utterances.tsv").open(encoding="utf-8") as file:
        return tuple(map(_cut, csv.DictReader(file, delimiter="\t")))


def _cut(row: dict[str, str]) -> Said:
    sound = decode_audio(str(_DATA / "mandarin" / row["file"]), sampling_rate=RATE)
    first = max(0, round((float(row["start"]) - _AROUND) * RATE))
    characters = []
    for written in row["chars"].split(" "):
        character, times = written.rsplit(":", 1)
        start, end = (float(time) - first / RATE for time in times.split("-"))
        characters.append((character, start, end))
    return Said(
        sound[first : round((float(row["end"]) + _AROUND) * RATE)].copy(), row["text"], tuple(characters)
    )


@cache
def recogniser() -> WhisperModel:
    return WhisperModel(
        str(_DATA / "tiny-whisper-zh-synth"), device="cpu", compute_type="int8", cpu_threads=1
    )


def own_words(sound: np.ndarray) -> list[Word]:
    """What faster-whisper gives by itself."""
    segments, _ = recogniser().transcribe(
        sound, language="zh", word_timestamps=True, condition_on_previous_text=False
    )
    return [Word(w.word, w.start, w.end, w.probability) for part in segments for w in part.words or ()]


def aligned_words(sound: np.ndarray, stretch: tuple[float, float], around: float = 0.1) -> list[Word]:
    """Words with the times of Whisper's attention alone, from a stretch of seconds and a little around it."""
    model = recogniser()
    tokenizer = Tokenizer(model.hf_tokenizer, True, task="transcribe", language="zh")
    first = max(0, round((stretch[0] - around) * RATE))
    features = model.feature_extractor(sound[first : round((stretch[1] + around) * RATE)])
    encoded = model.encode(pad_or_trim(features))
    heard = model.model.generate(encoded, [tokenizer.sot_sequence], beam_size=5)[0].sequences_ids[0]
    tokens = [token for token in heard if token < tokenizer.eot]
    timed = model.find_alignment(tokenizer, [tokens], encoded, features.shape[-1])[0]
    merge_punctuations(timed, _BEFORE, _AFTER)
    begin = first / RATE
    return [
        Word(word["word"], begin + word["start"], begin + word["end"], float(word["probability"]))
        for word in timed
        if word["word"]
    ]


def edge_errors(said: Said, words: Sequence[Word]) -> np.ndarray:
    """Seconds between true and given edges, starts and ends, of the characters that were heard right."""
    heard = [(character, word) for word in words for character in letters(word.text)]
    match = SequenceMatcher(None, [c for c, _, _ in said.characters], [c for c, _ in heard], autojunk=False)
    errors = []
    for block in match.get_matching_blocks():
        for n in range(block.size):
            _, start, end = said.characters[block.a + n]
            word = heard[block.b + n][1]
            if len(letters(word.text)) == 1:
                errors += [word.start - start, word.end - end]
    return np.array(errors)
