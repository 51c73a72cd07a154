"""What is flagged as invented, what is not, and what becomes of it."""

from __future__ import annotations

import csv
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from emomedia.asr.guard import (
    better,
    flagged,
    flags_of,
    is_loop,
    letters,
    repeated_across,
    settled,
    syllables_of,
)
from emomedia.asr.phrases import PHRASES
from emomedia.asr.types import Segment, Word
from emomedia.flags import (
    FLAGS,
    LOW_PROBABILITY,
    NO_SPEECH,
    OTHER_LANGUAGE,
    REPEATED_TEXT,
    REPETITION,
    SUBTITLES,
    TOO_FAST,
    TOO_SLOW,
)

from ..audio.sounds import shared
from . import heard

SENTENCES = (
    "我昨天晚上等了你很久",
    "你为什么不告诉我",
    "好啊我带水果",
    "这件衣服真的太贵了我不要了",
    "谢谢你一直陪着我",
)


def segment(
    text: str, *, seconds: float = 10.0, probability: float = 0.9, log: float = -0.2, **more
) -> Segment:
    words = tuple(Word(letter, 0.0, 0.1, probability) for letter in letters(text))
    encoded = text.encode()
    ratio = len(encoded) / len(zlib.compress(encoded)) if text else 1.0
    return Segment("left", 0.0, seconds, text, words, "zh", log, 0.1, ratio, **more)


def flags(text: str, speech: float | None = None, language: str | None = None, **more) -> tuple[str, ...]:
    if speech is None:
        speech = len(letters(text)) / 5
    return flags_of(segment(text, **more), speech, language)


@pytest.mark.parametrize("times", [3, 4, 8, 30])
@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_loop_is_flagged_wherever_it_is(sentence, times):
    assert REPETITION in flags(sentence * times)
    assert REPETITION in flags(f"今天天气很好。{'，'.join([sentence] * times)}。我们走吧。")


@pytest.mark.parametrize(
    ("word", "times"), [("去", 8), ("我们", 5), ("不知道", 4), ("okay ", 6), ("I know. ", 5)]
)
def test_a_short_loop_takes_more_repeats(word, times):
    assert REPETITION in flags("好，" + word * times)
    assert REPETITION not in flags("好，" + word * 2)


@pytest.mark.parametrize(
    "text",
    [
        "对对对对",
        "好的好的好的",
        "哈哈哈哈哈哈哈哈哈哈哈哈",
        "Hahahahahaha",
        "不不不不不",
        "等一下等一下",
        "嗯嗯嗯",
        "看看看看",
    ],
)
def test_what_people_do_repeat_is_no_loop(text):
    assert flags(text) == ()


def test_a_compression_ratio_above_whispers_threshold_is_a_loop():
    varied = "".join(f"我要去第{n}个地方，" for n in range(10, 60))
    assert not is_loop(letters(varied))
    assert REPETITION in flags(varied)


@pytest.mark.parametrize(
    "text",
    [
        "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
        "請不吝點贊 訂閱 轉發 打賞支持明鏡與點點欄目",
        "字幕由Amara.org社区提供",
        "Ａｍａｒａ．ｏｒｇ 社群",
        "谢谢观看，我们下期再见！",
        "Thanks for watching!",
        "明镜需要您的支持 欢迎收看订阅明镜",
        "优优独播剧场——YoYo Television Series Exclusive",
        "ご視聴ありがとうございました",
        "中文字幕志愿者 李宗盛",
    ],
)
def test_what_stands_under_videos_is_flagged(text):
    assert SUBTITLES in flags(text)


def test_phrases_are_as_texts_are_when_they_are_compared():
    assert all(letters(phrase) == phrase for phrase in PHRASES)
    assert len(set(PHRASES)) == len(PHRASES)


@pytest.mark.parametrize("text", ["谢谢，我看完了。", "字写得真好。", "我们下次再见。", "他订了一份报纸。"])
def test_what_is_like_them_is_not(text):
    assert flags(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "ありがとうございます",
        "안녕하세요 여러분",
        "Продолжение",
        "So I was going to tell you about it",
        "สวัสดีครับ",
    ],
)
def test_another_language_is_flagged(text):
    assert OTHER_LANGUAGE in flags(text)


def test_a_borrowed_word_is_no_other_language():
    for text in ("OK，我知道了。", "这个APP真好用。", "bye bye", "Hello！", "iPhone 15 Pro"):
        assert flags(text) == ()


def test_what_the_language_is_can_be_said():
    assert flags("See you tomorrow at the station", language="en") == ()
    assert OTHER_LANGUAGE in flags("明天车站见", language="en")
    assert flags("ขอบคุณ", language="th") == ()
    assert flags("二〇二〇年", language="zh") == () and flags("人々が佐々木", language="ja") == ()


def test_text_that_is_longer_than_speech_could_hold_is_flagged():
    text = "如果周末有雾我们就在家看电视"
    assert flags(text, 1.4) == ()
    assert flags(text, 0.9) == (TOO_FAST,)
    assert flags("嗯", 0.08) == () and flags("不知道", 0.25) == ()
    assert flags("不知道", 0.13) == (TOO_FAST,)


def test_a_word_in_long_speech_is_flagged():
    assert flags("好", 6.0) == (TOO_SLOW,)
    assert flags("好", 3.0) == ()


def test_text_without_speech_is_flagged():
    assert NO_SPEECH in flags("好", 0.0)
    assert NO_SPEECH in flags_of(replace(segment("好的", log=-1.2), no_speech_probability=0.7), 1.0)
    assert flags_of(replace(segment("好的"), no_speech_probability=0.7), 1.0) == ()
    assert flags("", 0.0) == () and flags("。", 0.0) == ()


def test_low_probability_is_flagged():
    assert flags("我们走吧", log=-1.01) == (LOW_PROBABILITY,)
    assert flags("我们走吧", probability=0.49) == (LOW_PROBABILITY,)
    assert flags("嗯对", probability=0.3) == ()


def test_one_text_again_and_again_is_flagged_across_segments():
    texts = ["你好啊朋友", "我不知道。", "我不知道", "我不知道！", "对", "对", "对", "对"]
    found = repeated_across([segment(text, flags=("x",)) for text in texts])
    assert [REPEATED_TEXT in one.flags for one in found] == [False, True, True, True] + [False] * 4
    assert all(one.flags[0] == "x" for one in found)
    assert repeated_across([]) == ()


def test_the_second_hearing_counts_where_it_is_better():
    loop = flagged(segment("x", log=-0.1), (REPETITION, TOO_FAST))
    unsure = flagged(segment("y", log=-1.5), (LOW_PROBABILITY,))
    fine = segment("z", log=-0.9)
    assert better(loop, unsure) is unsure and better(unsure, loop) is unsure
    assert better(unsure, fine) is fine
    assert better(fine, segment("w", log=-0.5)).text == "w"
    assert better(fine, segment("v", log=-0.9)) is fine


def test_flagged_text_is_kept_or_blanked():
    loop = flagged(segment("去去去"), (REPETITION, REPETITION))
    assert loop.flags == (REPETITION,)
    assert settled(loop, "keep") is loop
    blank = settled(loop, "blank")
    assert (blank.text, blank.words, blank.flags) == ("", (), (REPETITION,))
    assert settled(segment("好"), "blank").text == "好"


def test_syllables():
    assert syllables_of(letters("我有3个APP")) == 4 + 3 / 2.5
    assert syllables_of(letters("안녕")) == 2 and syllables_of(letters("二〇年")) == 3
    assert syllables_of(letters("გამარჯობა")) == 9 / 2.5  # of which it has four


def real_transcripts() -> list[tuple[str, float]]:
    """Text and seconds of recordings of people."""
    with (shared("MANIFEST.tsv")).open(encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    found = []
    for row in rows:
        if row[0].startswith("speech/aishell1/"):
            found.append((row[-1].strip(), shared(row[0]).stat().st_size / 32_000))
    return found


def test_transcripts_of_people_are_not_flagged():
    real = real_transcripts()
    assert len(real) > 30
    assert [text for text, seconds in real if flags(text, seconds)] == []


def test_synthetic_turns_are_not_flagged():
    for one in heard.held_out():
        assert flags(one.text, sum(end - start for start, end in one.activity)) == ()


def test_every_flag_is_explained():
    page = (Path(__file__).parents[2] / "docs/words-guard.md").read_text()
    table = page[page.index("| flag |") : page.index("\n\n", page.index("| flag |"))]
    assert {line.split("`")[1] for line in table.splitlines()[2:]} == FLAGS
