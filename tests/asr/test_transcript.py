"""The whole way from two tracks to words, with a model that knows the Mandarin it hears."""

from __future__ import annotations

import json
import shutil
from functools import partial
from itertools import pairwise

import numpy as np
import pytest

from emomedia.asr import passages, recognise
from emomedia.asr.decode import prompt_tokens
from emomedia.asr.guard import RETRY
from emomedia.asr.model import Placed, load, model_folder, placed
from emomedia.asr.passages import LONGEST
from emomedia.asr.sound import Tracks
from emomedia.asr.transcript import Told, transcribe
from emomedia.errors import DeviceError
from emomedia.session import SIDES
from emomedia.speech import speech_session
from emomedia.voice.clean import masks

from ..spoken import MODEL, bare, error_rate, heard_text, laid, mandarin


@pytest.fixture(scope="module")
def conversation():
    return laid(mandarin(), seed=3)


@pytest.fixture(scope="module")
def tracks(conversation, tmp_path_factory):
    return _tracks(conversation, tmp_path_factory.mktemp("tracks"))


def _tracks(conversation, folder):
    pcm = conversation.tracks(folder)
    return Tracks(pcm, masks(speech_session("s", pcm)))


@pytest.fixture(scope="module")
def transcript(tracks):
    return transcribe(model_folder(MODEL), placed("cpu"), tracks, language="zh", workers=2)


@pytest.fixture(scope="module")
def short():
    return laid(mandarin()[:8], seed=3)


@pytest.fixture(scope="module")
def transcribed(short, tmp_path_factory):
    """Transcribes a few utterances in batches so small that there are several."""
    tracks = _tracks(short, tmp_path_factory.mktemp("short"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passages, "BATCH_WINDOWS", 2)
        yield partial(transcribe, model_folder(MODEL), placed("cpu"), tracks, language="zh")


@pytest.fixture(scope="module")
def short_transcript(transcribed):
    return transcribed()


CLEAN = 0.0724
"""Share of characters that faster-whisper gets wrong in the clean files, by ``benchmarks.words``, which
measures it in the same run; here its nine seconds are too many."""


def test_as_much_is_understood_as_of_the_clean_files(conversation, transcript):
    texts = [(one.utterance.text, heard_text(transcript, one)) for one in conversation.said]
    assert error_rate(texts) <= CLEAN + 0.01


def test_every_word_is_within_its_actors_own_speech(tracks, transcript):
    for side in SIDES:
        words = [word for segment in transcript[side] for word in segment["words"]]
        assert words
        assert all(before["end"] <= after["start"] for before, after in pairwise(words))
        for word in words:
            first, end = round(word["start"] * 100), round(word["end"] * 100)
            assert tracks.active[side][first : max(end, first + 1)].all(), word
            assert 0 <= word["probability"] <= 1


def test_nothing_is_heard_of_the_other_actor(tmp_path, short):
    """The left actor never speaks: her microphone hears the right one 18 dB lower."""
    mute = short.voices | {"left": np.zeros_like(short.voices["left"])}
    heard = _tracks(type(short)(mute, short.said), tmp_path)
    found = transcribe(model_folder(MODEL), placed("cpu"), heard, language="zh")
    assert found["left"] == [] and found["right"]


def test_the_number_of_workers_shows_nowhere(transcribed, short_transcript):
    assert json.dumps(transcribed(workers=3)) == json.dumps(short_transcript)


def test_an_interrupted_transcript_goes_on_and_ends_the_same(
    tmp_path, transcribed, short_transcript, monkeypatch
):
    class StoppedError(Exception):
        pass

    def stop(done, _total):
        if done == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        transcribed(kept=tmp_path, advance=stop)
    kept = len(list(tmp_path.glob("*.json")))
    assert kept >= 2
    decoded = []
    decode = recognise.decode
    monkeypatch.setattr(recognise, "decode", lambda *given: decoded.append(1) or decode(*given))
    assert json.dumps(transcribed(kept=tmp_path)) == json.dumps(short_transcript)
    batches = len(list(tmp_path.glob("*.json")))
    assert batches > kept and len(decoded) == batches - kept


def test_a_kept_batch_of_another_language_or_prompt_is_not_taken(tmp_path, transcribed):
    transcribed(kept=tmp_path)
    batches = len(list(tmp_path.glob("*.json")))
    transcribed(kept=tmp_path, told=Told("你好"))
    assert len(list(tmp_path.glob("*.json"))) == 2 * batches


def test_the_language_is_found_from_the_sound(transcribed):
    found = transcribed(language=None)
    assert found["language"] == "zh"


def test_full_windows_hold_several_passages_and_each_gets_its_words(tmp_path, short):
    """Without its own word for it the model is taken for one that wants 30 s; it knows one utterance best."""
    shutil.copytree(MODEL, tmp_path / "model")
    (tmp_path / "model/emomedia.json").unlink()
    tracks = _tracks(short, tmp_path)
    found = transcribe(model_folder(tmp_path / "model"), placed("cpu"), tracks, language="zh")
    assert found["settings"]["windows"] == "full"
    exact = [bare(heard_text(found, one)) == bare(one.utterance.text) for one in short.said]
    assert sum(exact) >= 3
    for side in SIDES:
        for segment in found[side]:
            assert segment["end"] - segment["start"] < LONGEST / 100 / 2
            assert all(segment["start"] <= word["start"] for word in segment["words"])


def test_without_speech_there_is_nothing_to_hear(tmp_path, short):
    pcm = short.tracks(tmp_path)
    silent = {side: np.zeros(100, bool) for side in SIDES}
    found = transcribe(model_folder(MODEL), placed("cpu"), Tracks(pcm, silent))
    assert found["left"] == found["right"] == [] and found["language"] is None


def test_doubtful_text_is_heard_again_with_other_settings_and_no_prompt(transcribed, monkeypatch):
    told = []
    decode = recognise.decode
    monkeypatch.setattr(recognise, "decode", lambda *given: told.append(given[4:]) or decode(*given))
    monkeypatch.setattr(recognise, "flags_of", lambda *_: ("no_speech",))
    found = transcribed(told=Told("你好"))
    assert told[0] == ("你好", {})
    assert told[1][0] == "" and told[1][1]["beam_size"] == RETRY.beam_size
    assert len(told) % 2 == 0
    assert all(segment["flags"] == ("no_speech",) for side in SIDES for segment in found[side])


def test_of_two_hearings_the_better_one_stays(transcribed, short_transcript, monkeypatch):
    """The first time everything is doubtful, the second time nothing is."""
    given_flags = iter(range(10_000))
    count = sum(len(short_transcript[side]) for side in SIDES)
    monkeypatch.setattr(passages, "BATCH_WINDOWS", 100)
    monkeypatch.setattr(passages, "FILLED", 100)
    monkeypatch.setattr(recognise, "flags_of", lambda *_: ("no_speech",) * (next(given_flags) < count))
    found = transcribed()
    assert next(given_flags) == 2 * count
    assert not any(segment["flags"] for side in SIDES for segment in found[side])


def test_a_gpu_that_fails_is_told(transcribed, monkeypatch):
    network = load(model_folder(MODEL), placed("cpu"), 1)
    monkeypatch.setattr("emomedia.asr.transcript.load", lambda *_: network)

    def fail(*_):
        raise RuntimeError("CUDA failed with error out of memory")

    monkeypatch.setattr("emomedia.asr.transcript.recognise", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        transcribed()
    on_gpu = partial(transcribed.func, transcribed.args[0], Placed("cuda", "float16"), transcribed.args[2])
    with pytest.raises(DeviceError, match="smaller model"):
        on_gpu(language="zh")


def test_prompts_are_text_alone_and_leave_room_for_what_is_said():
    tokenizer = load(model_folder(MODEL), placed("cpu"), 1).tokenizer("zh")
    bare_prompt = prompt_tokens(tokenizer, " ")
    assert bare_prompt == [*tokenizer.sot_sequence, tokenizer.no_timestamps]
    steering = prompt_tokens(tokenizer, "<|startoftranscript|>你好<|endoftext|>")
    assert steering[0] == tokenizer.sot_prev and steering[-4:] == bare_prompt
    assert [token for token in steering if token >= tokenizer.eot] == [tokenizer.sot_prev, *bare_prompt]
    long = prompt_tokens(tokenizer, "你好吗我很高兴" * 100 + "再见")
    assert len(long) <= 224 + len(bare_prompt) and tokenizer.decode(long[:-4]).endswith("再见")
