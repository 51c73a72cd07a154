"""Words from a session's description to speech.json, and what of them is made again when."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from fractions import Fraction

import pytest

from emomedia import speech
from emomedia.asr import normal, passages, recognise, transcript
from emomedia.asr.kept import Heard
from emomedia.asr.stage import recognition
from emomedia.cli.words import NONE, words_summary
from emomedia.errors import MissingToolError, ModelError
from emomedia.observer import Silent
from emomedia.options import Options
from emomedia.run import open_session, run, run_stage
from emomedia.session import SIDES
from emomedia.session_file import load_session

from ..exact import tree
from ..spoken import MODEL, bare

OPTIONS = Options(asr_model=MODEL, language="zh", workers=1)
NOTHING = Heard("zh", {}, ())


@pytest.fixture(scope="module")
def session(simulated):
    return simulated(size=(180, 320), seconds=Fraction(10), dialogues=1)


@pytest.fixture(scope="module")
def made(session, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    run_stage(session, out, OPTIONS, "speech")
    return out


@pytest.fixture
def out(made, tmp_path):
    """A copy of what was made."""
    return shutil.copytree(made, tmp_path / "out")


def said(out) -> dict:
    return json.loads((out / "sim/speech.json").read_text())


def anew(session, out) -> None:
    """Make speech.json without anything that was recognised before."""
    (out / "sim/speech.json").unlink()
    shutil.rmtree(out / "sim/asr")
    run_stage(session, out, OPTIONS, "speech")


def test_speech_json_says_what_was_said_and_by_which_model(made):
    body = said(made)
    found = body["transcript"]
    assert found["model"]["name"] == MODEL.name and len(found["model"]["sha256"]) == 64
    assert found["language"] == "zh" and found["settings"]["beam"] == 5
    segments = [segment for side in SIDES for segment in found[side]]
    assert len(segments) >= 2
    for segment in segments:
        assert segment["text"] == "".join(word["text"] for word in segment["words"]).strip()
        assert {"language", "mean_log_probability", "no_speech_probability", "flags"} <= set(segment)


def test_another_model_or_language_does_not_find_the_voices_again(session, out, monkeypatch):
    monkeypatch.setattr(speech, "speech_session", None)
    before, notes = said(out), []
    heard = Silent()
    heard.note = notes.append  # type: ignore[method-assign]
    run_stage(session, out, Options(), "speech", heard)
    without = said(out)
    assert without["left"] == before["left"] and "transcript" not in without
    assert notes == [
        "the words that an earlier run found are dropped: --asr-model applies only to its own run"
    ]
    run_stage(session, out, OPTIONS, "speech")
    assert said(out) == before


def test_what_is_fresh_is_not_heard_again(session, out, monkeypatch):
    monkeypatch.setattr(transcript, "load", None)
    kept = tree(out / "sim/asr")
    (out / "sim/asr/private.json").write_text("of an interrupted run with other options")
    run_stage(session, out, replace(OPTIONS, workers=2, device="cpu"), "speech")
    assert tree(out / "sim/asr") == kept


def test_a_model_that_was_renamed_has_its_new_name_and_nothing_is_heard_again(
    session, out, tmp_path, monkeypatch
):
    monkeypatch.setattr(transcript, "load", None)
    before = said(out)["transcript"]
    renamed = shutil.copytree(MODEL, tmp_path / "renamed")
    run_stage(session, out, replace(OPTIONS, asr_model=renamed), "speech")
    assert said(out)["transcript"] == before | {"model": before["model"] | {"name": "renamed"}}


def test_an_interrupted_stage_goes_on(session, out):
    """The batches that were done stay until the whole transcript is written."""
    before, kept = (out / "sim/speech.json").read_bytes(), tree(out / "sim/asr")
    (out / "sim/speech.json").unlink()
    shutil.rmtree(out / "sim/asr")

    class Impatient(Silent):
        def progress(self, *_):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_stage(session, out, OPTIONS, "speech", Impatient())
    assert list((out / "sim/asr").glob("*.json")) and not (out / "sim/speech.json").exists()
    run_stage(session, out, OPTIONS, "speech")
    assert (out / "sim/speech.json").read_bytes() == before
    assert tree(out / "sim/asr") == kept


def test_a_folder_without_a_model_is_refused_before_any_work(session, tmp_path):
    with pytest.raises(ModelError):
        run_stage(session, tmp_path, Options(asr_model=tmp_path / "none"), "probe")


def test_clips_have_the_turns_text_and_the_models_digest(session, out):
    result = run(session, out, replace(OPTIONS, preset="ultrafast"))
    digest = said(out)["transcript"]["model"]["sha256"]
    turns = json.loads((out / "sim/turns.json").read_text())["turns"]
    texts = {turn["id"]: turn["text"] for turn in turns}
    assert all(
        text == "".join(word["text"] for word in turn["words"])
        for turn, text in zip(turns, texts.values(), strict=True)
    )
    for row in result.rows:
        own = [texts[row["id"]]] if row["kind"] == "turn" else texts.values()
        assert row["text"] == "\n".join(own) != ""
        assert row["provenance"]["models"] == {f"asr {MODEL.name}": digest}
    again = run(session, out, replace(OPTIONS, preset="ultrafast", asr_model=None))
    assert again.made == 0
    assert all(row["provenance"]["models"] == {} and row["text"] is None for row in again.rows)


def test_a_run_shows_its_first_words_or_says_that_there_are_none(made, tmp_path):
    summary, lines = words_summary(made / "sim/speech.json", given=False)
    first = min((said(made)["transcript"][side][0] for side in SIDES), key=lambda one: one["start"])
    assert summary["words"] > 5 and MODEL.name in lines[0]
    assert first["text"] in lines[1] and f"{first['words'][0]['start']:.2f}" in lines[2]
    (tmp_path / "speech.json").write_text('{"session": "sim"}')
    assert words_summary(tmp_path / "speech.json", given=False) == ({"words": None}, [NONE])
    assert words_summary(tmp_path / "speech.json", given=True) == ({"words": None}, [])


LINE = {"utterance_id": 1, "speaker_id": "A", "emotion_label": "Joy", "text": "我找到新工作了！"}


def test_the_recogniser_is_prompted_with_topics_and_scripts_within_their_dialogues(session, tmp_path):
    script = tmp_path / "script.json"
    described = load_session(session)
    dialogue = described.dialogues[0]
    found = recognition(described, replace(OPTIONS, prompt="名字", hints="topic"))
    assert found.hints.everywhere == "名字"
    assert found.hints.within == ((float(dialogue.start), float(dialogue.end), f"{dialogue.topic} 名字"),)
    assert recognition(described, OPTIONS).hints.within == ()
    script.write_text(
        json.dumps({"dialogue": {"topic_label": "X", "num_utterances": 1, "utterances": [LINE]}})
    )
    scripted = replace(described, dialogues=(replace(dialogue, script=script),))
    found = recognition(scripted, replace(OPTIONS, hints="script"))
    assert found.hints.within[0][2] == f"{dialogue.topic} {LINE['text']}"


def test_excluded_speech_is_not_heard(session, made):
    """Private talk is never cut and never shown: nor is it written down."""
    body = said(made)
    described = load_session(session)
    start, end = (Fraction(str(time)) for time in body["left"]["activity"][0])
    private = replace(described, excluded=((max(Fraction(0), start - 1), end),))
    heard = []
    found = recognition(private, OPTIONS)
    tracks = dict.fromkeys(SIDES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("emomedia.asr.stage.transcribe", lambda *given, **_: heard.append(given[2]) or NOTHING)
        found.transcript(body, lambda: tracks, None, lambda _done, _total: None, 1)
    assert not heard[0].active["left"][: int(end * 100)].any() and heard[0].active["left"].any()
    assert heard[0].hidden[int(start * 100) : int(end * 100)].all() and not heard[0].hidden.all()


def test_what_cannot_be_asked_for_is_refused_before_any_work(session, tmp_path, monkeypatch):
    with pytest.raises(ModelError, match="knows the language 'xx'"):
        run_stage(session, tmp_path, replace(OPTIONS, language="xx"), "probe")
    monkeypatch.setitem(sys.modules, "opencc", None)
    normal._converter.cache_clear()
    with pytest.raises(MissingToolError, match="emomedia\\[chinese\\]"):
        run_stage(session, tmp_path, replace(OPTIONS, characters="simplified"), "probe")
    assert not (tmp_path / "sim/session.json").exists()


def test_in_a_batch_the_recogniser_has_the_cores_of_its_own_stage(session, out, monkeypatch):
    """A session stays open from stage to stage, and each stage is granted other cores."""
    seen = []
    monkeypatch.setattr(
        "emomedia.asr.stage.transcribe", lambda *_, **given: seen.append(given["workers"]) or NOTHING
    )
    shutil.rmtree(out / "sim/asr")
    with open_session(session, out, replace(OPTIONS, workers=1)) as pipeline:
        pipeline.options = replace(OPTIONS, workers=3)
        pipeline._transcript(pipeline.recognition, said(out))
    assert seen == [3]


def test_doubtful_text_is_blanked_and_marks_left_out_where_that_is_asked_for(session, out, monkeypatch):
    def flags(segment, *_):
        return ("too_fast",) if segment.side == "left" else ()

    monkeypatch.setattr(recognise, "flags_of", flags)
    anew(session, out)
    before = said(out)["transcript"]
    monkeypatch.setattr(transcript, "load", None)  # no model is needed
    run_stage(session, out, replace(OPTIONS, doubtful="blank", punctuation="none"), "speech")
    after = said(out)["transcript"]
    left = [(one["text"], one["words"], one["flags"]) for one in after["left"]]
    assert left == [("", [], ["too_fast"])] * len(before["left"])
    _, lines = words_summary(out / "sim/speech.json", given=False)
    first = next(line for line in lines if "left" in line)
    assert first.endswith("no text kept  (too_fast)") and not any(line.isspace() for line in lines)
    assert [one["text"] for one in after["right"]] == [bare(one["text"]) for one in before["right"]]
    assert any(one["text"] != bare(one["text"]) for one in before["right"])


def test_after_another_exclude_what_it_touches_alone_is_heard_again(session, out, tmp_path, monkeypatch):
    """And all is as if it had been there from the beginning."""
    monkeypatch.setattr(passages, "BATCH_WINDOWS", 1)
    anew(session, out)
    batches = len(tree(out / "sim/asr")) - 1
    first, *others = said(out)["transcript"]["left"]
    middle = round((first["start"] + first["end"]) / 2, 2)
    private = session.with_name("private.toml")
    text = session.read_text().split("[[dialogue]]")[0]

    decoded = []
    decode = recognise.decode
    monkeypatch.setattr(recognise, "decode", lambda *given: decoded.append(not given[5]) or decode(*given))
    for start, end, again in ((first["start"] - 1, middle, 1), (first["start"] - 1, first["end"], 0)):
        private.write_text(f"{text}\n[[exclude]]\nstart = {max(0, start):.2f}\nend = {end:.2f}\n")
        decoded.clear()
        run_stage(private, out, OPTIONS, "speech")
        assert sum(decoded) == again
        assert said(out)["transcript"]["left"][-len(others) :] == others
        run_stage(private, tmp_path / f"new{again}", OPTIONS, "speech")
        assert tree(tmp_path / f"new{again}/sim/asr") == tree(out / "sim/asr")
        assert said(tmp_path / f"new{again}") == said(out)
    assert len(tree(out / "sim/asr")) - 1 == batches - 1
