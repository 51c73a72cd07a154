"""The whole way from two tracks to words, with a model that knows the Mandarin it hears."""

from __future__ import annotations

import json
import shutil
from functools import partial
from itertools import pairwise

import numpy as np
import pytest

from emomedia.asr import decode, passages, recognise
from emomedia.asr.decode import prompt_tokens
from emomedia.asr.features import features
from emomedia.asr.folder import model_folder
from emomedia.asr.guard import RETRY
from emomedia.asr.kept import Heard, Kept
from emomedia.asr.model import Placed, load, placed
from emomedia.asr.passages import LONGEST, Batch, Passage, Window
from emomedia.asr.sound import Tracks
from emomedia.asr.transcript import Hints, to_body
from emomedia.asr.transcript import transcribe as recognised
from emomedia.errors import DeviceError
from emomedia.session import SIDES
from emomedia.speech import speech_session
from emomedia.voice.clean import masks

from ..spoken import MODEL, bare, error_rate, heard_text, laid, mandarin


def transcribe(folder, where, tracks, **choices):
    return to_body(recognised(folder, where, tracks, **choices), folder)


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
        transcribed(kept=Kept(tmp_path, ""), advance=stop)
    kept = len(list(tmp_path.glob("*.json")))
    assert kept >= 2
    decoded = []
    decode = recognise.decode
    monkeypatch.setattr(recognise, "decode", lambda *given: decoded.append(1) or decode(*given))
    assert json.dumps(transcribed(kept=Kept(tmp_path, ""))) == json.dumps(short_transcript)
    batches = len(list(tmp_path.glob("*.json")))
    assert batches > kept and len(decoded) == batches - kept


def test_a_kept_batch_of_another_prompt_is_not_taken(tmp_path, transcribed, monkeypatch):
    transcribed(kept=Kept(tmp_path, ""))
    batches = len(list(tmp_path.glob("*.json")))
    transcribed(kept=Kept(tmp_path, ""), hints=Hints("你好"))
    assert len(list(tmp_path.glob("*.json"))) == 2 * batches
    monkeypatch.setattr(recognise, "decode", None)
    elsewhere = Hints("你好", ((1000.0, 1001.0, "再见"),))  # another dialogue's prompt changes nothing
    assert transcribed(kept=Kept(tmp_path, ""), hints=elsewhere)["settings"]["prompts"] == ["你好", "再见"]


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


def test_passages_of_a_window_with_too_much_text_are_heard_one_by_one(
    tmp_path, short, short_transcript, monkeypatch
):
    shutil.copytree(MODEL, tmp_path / "model")
    (tmp_path / "model/emomedia.json").unlink()
    monkeypatch.setattr(decode, "TOKENS_PER_SECOND", 0)
    monkeypatch.setattr(decode, "TOKENS_MORE", 30)
    tracks = _tracks(short, tmp_path)
    found = transcribe(model_folder(tmp_path / "model"), placed("cpu"), tracks, language="zh")
    for side in SIDES:
        assert [one["start"] for one in found[side]] == [one["start"] for one in short_transcript[side]]
    exact = [bare(heard_text(found, one)) == bare(one.utterance.text) for one in short.said]
    assert sum(exact) >= 6


def test_what_no_window_of_its_own_has_room_for_is_flagged(transcribed, monkeypatch):
    monkeypatch.setattr(decode, "TOKENS_PER_SECOND", 0)
    monkeypatch.setattr(decode, "TOKENS_MORE", 3)
    found = transcribed()
    assert all("unfinished" in segment["flags"] for side in SIDES for segment in found[side])


def test_without_speech_there_is_nothing_to_hear(tmp_path, short):
    pcm = short.tracks(tmp_path)
    silent = {side: np.zeros(100, bool) for side in SIDES}
    found = transcribe(model_folder(MODEL), placed("cpu"), Tracks(pcm, silent))
    assert found["left"] == found["right"] == [] and found["language"] is None


def test_doubtful_text_is_heard_again_with_other_settings_and_no_prompt(transcribed, monkeypatch):
    hints = []
    decode = recognise.decode
    monkeypatch.setattr(recognise, "decode", lambda *given: hints.append(given[4:]) or decode(*given))
    monkeypatch.setattr(recognise, "flags_of", lambda *_: ("no_speech",))
    found = transcribed(hints=Hints("你好"))
    assert hints[0] == ("你好", {})
    assert hints[1][0] == "" and hints[1][1]["beam_size"] == RETRY.beam_size
    assert len(hints) % 2 == 0
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


def test_a_gpu_that_fails_is_reported(transcribed, monkeypatch):
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


def test_text_may_be_as_long_as_is_said(tracks, monkeypatch):
    """CTranslate2 takes its limit for prompt and text, and of it no more than half for the text."""
    monkeypatch.setattr(decode, "TOKENS_PER_SECOND", 0)
    monkeypatch.setattr(decode, "TOKENS_MORE", 6)
    network = load(model_folder(MODEL), placed("cpu"), 1)
    (passage, *_) = passages.passages(tracks.active["left"], "left")
    sound = tracks.sound(passage)
    heard = features([sound], network.mels, 600)
    for prompt in ("", "你好"):
        (found,) = decode.decode(network, network.tokenizer("zh"), heard, [passage.columns], prompt)
        assert 6 <= sum(len(word.logs) for word in found.words) <= 7 and found.unfinished
    monkeypatch.setattr(decode, "TOKENS_MORE", 60)
    (found,) = decode.decode(network, network.tokenizer("zh"), heard, [passage.columns], "")
    assert not found.unfinished
    monkeypatch.setattr(decode, "TOKENS_MORE", 620)
    tokenizer = network.tokenizer("zh")
    endless = {"beam_size": 1, "suppress_tokens": list(range(tokenizer.eot, 2566))}
    for prompt, most in (("", 443), ("你" * 300, 221)):  # with the prompt all positions that there are
        (found,) = decode.decode(network, tokenizer, heard, [passage.columns], prompt, endless)
        assert found.unfinished and sum(len(word.logs) for word in found.words) == most


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ([" 用", " machine", " learning", " 来", "做"], "用machine learning来做"),
        (["OK,", " let's", " go。", " 好"], "OK, let's go。好"),
        ([" Py", "thon", "3"], "Python3"),
    ],
)
def test_words_of_another_language_keep_their_spaces(words, written):
    assert "".join(decode._without_spaces(words)) == written


def test_what_is_heard_again_is_no_more_at_a_time(monkeypatch):
    """A window of 30 s may hold a dozen doubtful passages, and each is then in a window of its own."""
    alone = [Passage("left", at, at + 90, at, at + 90) for at in range(0, 700, 100)]
    batch = Batch(
        (Window(tuple(alone[:4]), (0, 140, 280, 420)), Window(tuple(alone[4:]), (0, 140, 280))), 3000
    )
    at_a_time = []

    def hear(_network, _settings, part, sounds, _tracks, retry):
        assert retry == RETRY and part.columns == 3000 and len(sounds) == len(part.windows)
        at_a_time.append([window.passages for window in part.windows])
        return [
            recognise._Heard(passage, None, passage) for window in part.windows for passage in window.passages
        ]

    monkeypatch.setattr(recognise, "_heard", hear)
    doubtful = [recognise._Heard(passage, None, None) for passage in alone]
    again = recognise._heard_again(None, None, batch, doubtful, None)
    assert again == {passage: passage for passage in alone}
    assert [len(part) for part in at_a_time] == [2, 2, 2, 1]


@pytest.mark.parametrize("text", ["[{}]", "[1]", '{"a": 1}', "[", '[{"words": [{"a": 1}]}]'])
def test_a_kept_result_that_is_none_is_done_again(tmp_path, text):
    kept = Kept(tmp_path, "key")
    kept.keep("x", [])
    kept.finish(Heard("zh", {}, ()))
    assert kept.whole() == Heard("zh", {}, ()) and Kept(tmp_path, "another").whole() is None
    (tmp_path / "y.json").write_text("[]")
    kept.prune()
    assert {file.name for file in tmp_path.iterdir()} == {"transcript.json", "x.json"}
    (tmp_path / "x.json").write_text(text)
    assert kept.batch("x") is None and kept.whole() is None
    (tmp_path / "transcript.json").write_text(text)
    assert kept.whole() is None
    kept.prune()
    assert not tmp_path.exists()
