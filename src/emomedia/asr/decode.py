"""CTranslate2's Whisper in batches: from the sound of windows to tokens, from tokens to words with times."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Any

import numpy as np

from .features import Features
from .folder import nameless
from .model import Network

if TYPE_CHECKING:
    from faster_whisper.tokenizer import Tokenizer

BEAM = 5
"""Hypotheses that are followed at a time: the default of Whisper's authors."""

MOST_TOKENS = 448
"""Of a prompt and what follows: the decoder has no more positions."""

TOKENS_PER_SECOND, TOKENS_MORE = 20, 20
"""What speech can need at most, in tokens.  A loop ends there, and does not hold up its batch."""

TOKEN_SECONDS = 0.02
"""Seconds between two times that the decoder can attend to."""

_PREPENDED, _APPENDED = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、"
_SPACELESS = {"zh", "ja", "th", "lo", "my", "yue"}


@dataclass(frozen=True, slots=True)
class Spoken:
    """A word in a window: seconds from the window's beginning; `logs` are its tokens' log probabilities."""

    text: str
    start: float
    end: float
    probability: float
    logs: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Decoded:
    """What was heard in one window; the probabilities are as Whisper's authors define them.

    If it is `unfinished`, the decoder was at its limit, and what was said after that is not there.
    """

    words: tuple[Spoken, ...]
    mean_log_probability: float
    no_speech_probability: float
    unfinished: bool


def prompt_tokens(tokenizer: Tokenizer, text: str) -> list[int]:
    """The decoder's prompt: `text` as if it had been said before; nothing if empty.

    Of a long text the last part counts, and it leaves half of the decoder's positions.  Signs that steer the
    decoder are left out of it.
    """
    said = tokenizer.encode(" " + text.strip()) if text.strip() else []
    said = [token for token in said if token < tokenizer.eot][-(MOST_TOKENS // 2 - 1) :]
    before = [tokenizer.sot_prev, *said] if said else []
    return [*before, *tokenizer.sot_sequence, tokenizer.no_timestamps]


def decode(
    network: Network,
    tokenizer: Tokenizer,
    heard: Features,
    frames: Sequence[int],
    prompt: str,
    choices: Mapping[str, Any] | None = None,
) -> list[Decoded]:
    """What is said in the windows of a batch.

    Parameters
    ----------
    heard : float32[windows, mels, frames]
    frames : sequence of int
        How many frames of each window hold sound.
    choices : mapping
        Other arguments of CTranslate2's ``generate``, instead of the usual ones.
    """
    import ctranslate2

    encoded = network.whisper.encode(ctranslate2.StorageView.from_array(np.ascontiguousarray(heard)))
    prefix = prompt_tokens(tokenizer, prompt)
    wanted = TOKENS_MORE + max(frames) * TOKENS_PER_SECOND // 100
    signs = len(tokenizer.sot_sequence) + 2  # those around the text, where it is aligned
    most = min(wanted, MOST_TOKENS + 1 - len(prefix), MOST_TOKENS - signs)
    length = max(2 * most, len(prefix) + most - 1)  # of prompt and text: CTranslate2 makes `most` of it again
    usual = {
        "beam_size": BEAM,
        "max_length": length,
        "suppress_tokens": _suppressed(tokenizer),
        "return_scores": True,
        "return_no_speech_prob": True,
    }
    results = network.whisper.generate(encoded, [prefix] * len(heard), **(usual | dict(choices or {})))
    texts = [[token for token in result.sequences_ids[0] if token < tokenizer.eot] for result in results]
    # An odd number of frames is half a step of the encoder: it counts as sound.
    aligned = network.whisper.align(encoded, tokenizer.sot_sequence, texts, [n + n % 2 for n in frames])
    return [
        Decoded(
            _words(tokenizer, text, alignment),
            _mean_log(result),
            float(result.no_speech_prob),
            len(result.sequences_ids[0]) >= most,
        )
        for text, alignment, result in zip(texts, aligned, results, strict=True)
    ]


def _suppressed(tokenizer: Tokenizer) -> list[int]:
    """What is never written: signs of non-speech, and the tokens that steer the decoder."""
    steering = tokenizer.transcribe, tokenizer.translate, tokenizer.sot, tokenizer.sot_prev
    known = {token for token in (*steering, tokenizer.sot_lm, tokenizer.no_speech) if token is not None}
    return sorted(known | set(tokenizer.non_speech_tokens))


def _mean_log(result: Any) -> float:
    """Of a result's tokens and the one that ends them; its score is their sum by their number."""
    tokens = len(result.sequences_ids[0])
    return float(result.scores[0] * tokens / (tokens + 1))


def _words(tokenizer: Tokenizer, tokens: list[int], alignment: Any) -> tuple[Spoken, ...]:
    """The words of `tokens`, punctuation with the word that it stands at."""
    from faster_whisper.transcribe import merge_punctuations

    texts, groups = tokenizer.split_to_word_tokens([*tokens, tokenizer.eot])
    if len(groups) <= 1:
        return ()
    pairs = np.array(alignment.alignments)
    times = pairs[np.diff(pairs[:, 0], prepend=-1) > 0, 1] * TOKEN_SECONDS
    probabilities = alignment.text_token_probs
    words, place = [], 0
    for text, group in zip(texts[:-1], groups[:-1], strict=True):
        until = place + len(group)
        logs = [log(max(value, 1e-10)) for value in probabilities[place:until]]
        words.append({"word": text, "tokens": logs, "start": times[place], "end": times[until],
                      "probability": np.mean(probabilities[place:until])})  # fmt: skip
        place = until
    merge_punctuations(words, _PREPENDED, _APPENDED)
    words = [word for word in words if word["word"].strip()]
    written = [word["word"] for word in words]
    if tokenizer.language_code in _SPACELESS:
        written = _without_spaces(written)
    return tuple(
        Spoken(
            text, float(word["start"]), float(word["end"]), float(word["probability"]), tuple(word["tokens"])
        )
        for text, word in zip(written, words, strict=True)
    )


def _without_spaces(words: Sequence[str]) -> list[str]:
    """Words of a language without spaces, which stay between words of another: ``用 machine learning``."""
    found: list[str] = []
    for word, before in zip(words, ["", *words], strict=False):
        spaced = before[-1:].isspace() or word[0].isspace()
        foreign = before.strip()[-1:].isascii() and word.strip()[0].isascii()
        found.append(" " * (bool(before) and spaced and foreign) + word.strip())
    return found


def language_of(network: Network, heard: Features) -> str:
    """The likeliest language over all windows of a batch.

    Raises
    ------
    ModelError
        The tokens by which the model says to tell languages are none of languages.
    """
    import ctranslate2
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    if not network.multilingual:
        return "en"
    results = network.whisper.detect_language(ctranslate2.StorageView.from_array(heard))
    total: defaultdict[str, float] = defaultdict(float)
    for window in results:
        for token, probability in window:
            total[token.strip("<|>")] += probability
    known = [code for code in total if code in _LANGUAGE_CODES]  # converters may list other signs, too
    if not known:
        raise nameless(network.folder.path)
    return min(known, key=lambda code: (-total[code], code))
