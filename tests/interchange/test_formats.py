"""The formats that are only written, spelled out."""

from __future__ import annotations

from emomedia.interchange import rttm, subtitles
from emomedia.interchange.eaf import Media
from emomedia.interchange.eaf import write as write_eaf
from emomedia.interchange.emodialog import dialogue_body
from emomedia.scripts import read_script
from emomedia.stages import parse

from .test_corrected import TURNS


def test_rttm():
    assert rttm.write(TURNS).splitlines()[:2] == [
        "SPEAKER s 1 1.000 1.000 <NA> <NA> left <NA> <NA>",
        "SPEAKER s 1 1.900 0.400 <NA> <NA> right <NA> <NA>",
    ]


def test_subrip_on_the_session_clock():
    cues = subtitles.srt(TURNS.turns).split("\n\n")
    assert cues[0] == "1\n00:00:01,000 --> 00:00:02,000\nleft: 你好"
    assert cues[3] == "4\n00:00:12,000 --> 00:00:13,000\nright: [no text]\n"


def test_webvtt_of_a_clip_begins_with_it():
    text = subtitles.vtt(TURNS.turns_of["d"], zero=TURNS.turns[1].start)
    head, first, second, _ = text.split("\n\n")
    assert head == "WEBVTT"
    assert first == "d_000\n00:00:00.000 --> 00:00:00.100 position:25% size:48%\n<v left>你好"
    assert second.splitlines()[1:] == ["00:00:00.000 --> 00:00:00.400 position:75% size:48%", "<v right>嗯"]


def test_webvtt_has_no_markup_of_the_actors():
    from dataclasses import replace

    text = subtitles.vtt([replace(TURNS.turns[0], text="a --> <b>\n\nNOTE & c")])
    assert text.endswith("<v left>a --&gt; &lt;b&gt; NOTE &amp; c\n")


def test_emodialogs_json_is_read_as_a_prompt(tmp_path):
    from json import dumps

    body = dialogue_body(TURNS, TURNS.dialogues[0])
    assert body["dialogue"]["num_utterances"] == 3
    first, second, _ = body["dialogue"]["utterances"]
    assert first["words"][0] == {"text": "你", "start": 1.1, "end": 1.4004}
    assert (second["overlap_s"], second["backchannel"], second["flags"]) == (0.1001, True, ["odd"])
    assert body["dialogue"]["utterances"][2] == {
        "utterance_id": 3, "speaker_id": "left", "emotion_label": "Joy", "text": "她说：\"走\"\n",
        "turn_id": "d_002", "start": 3.0, "end": 4.00000001, "words": [], "backchannel": False,
        "overlap_s": 0.0, "gap_s": 0.7, "flags": [], "script_id": "17",
    }  # fmt: skip
    (tmp_path / "d.json").write_text(dumps(body), encoding="utf-8")
    script = read_script([tmp_path / "d.json"])
    assert [line.speaker for line in script.lines] == ["left", "right", "left"]
    assert parse(dumps(body).encode())["dialogue"]["topic_label"] == script.scenes[0].topic == "Weather"


def test_elan_is_told_where_the_takes_are():
    text = write_eaf([], [Media("a/left.mp4", 0), Media("/data/right.mp4", 120)])
    assert 'MEDIA_URL="a/left.mp4" MIME_TYPE="video/mp4" RELATIVE_MEDIA_URL="./left.mp4" />' in text
    assert 'MEDIA_URL="file:///data/right.mp4"' in text
    assert 'TIME_ORIGIN="120"' in text
