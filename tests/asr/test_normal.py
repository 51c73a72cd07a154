"""One spelling: characters, punctuation, width; words stay as many as they were."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emomedia.asr import normal
from emomedia.asr.normal import Spelling, respelled, spelled
from emomedia.asr.types import Segment, Word
from emomedia.errors import MissingToolError

pytest.importorskip("opencc", reason="OpenCC is not installed")

SIMPLIFIED = Spelling(characters="simplified")


def segment(*texts: str, text: str | None = None) -> Segment:
    words = tuple(Word(piece, n / 10, (n + 1) / 10, 0.5) for n, piece in enumerate(texts))
    whole = "".join(texts).strip() if text is None else text
    return Segment("left", 0.0, 3.0, whole, words, "zh", -0.2, 0.0, 1.0)


def test_characters_depend_on_the_words_around_them():
    assert respelled(["后", "来", "皇", "后"], Spelling(characters="traditional")) == ("後", "來", "皇", "后")
    assert respelled(["頭", "髮", "發", "展"], SIMPLIFIED) == ("头", "发", "发", "展")


def test_places_write_differently_but_say_the_same():
    texts = ["鼠标里面"]
    assert respelled(texts, Spelling(characters="taiwan")) == ("鼠標裡面",)
    assert respelled(texts, Spelling(characters="hongkong")) == ("鼠標裏面",)


def test_what_taiwan_writes_otherwise_becomes_simplified_too():
    assert respelled(["別", "著急"], SIMPLIFIED) == ("别", "着急")


def test_simplified_text_stays():
    texts = ("你", "别", "着急", "，", "秋天", "总是", "那么", "富有", "诗意")
    assert respelled(texts, SIMPLIFIED) == texts


class Longer:
    """Writes 软件 as three characters, and other ones as they are."""

    def convert(self, text: str) -> str:
        return text.replace("软件", "應用體")


def test_a_conversion_that_changes_lengths_keeps_the_words(monkeypatch):
    monkeypatch.setattr(normal, "_converter", lambda _configuration: Longer())
    assert respelled(["这", "软件", "好"], SIMPLIFIED) == ("这", "應用體", "好")
    assert respelled(["这", "软", "件", "好"], SIMPLIFIED) == ("这", "應用", "體", "好")


def test_words_and_text_agree():
    found = spelled(
        segment("請", "問，", "你", "好嗎?"), Spelling(characters="simplified", punctuation="full")
    )
    assert found.text == "请问，你好吗？" == "".join(word.text for word in found.words)
    assert [(word.start, word.probability) for word in found.words] == [(n / 10, 0.5) for n in range(4)]


def test_a_text_that_is_not_its_words_is_spelled_by_itself():
    found = spelled(segment("請", "問", text="請問你。"), SIMPLIFIED)
    assert found.text == "请问你。" and [word.text for word in found.words] == ["请", "问"]


@pytest.mark.parametrize(
    ("punctuation", "expected"),
    [
        ("keep", ("好,", "你說:", "“走吧...", "”")),
        ("full", ("好，", "你說：", "“走吧……", "”")),
        ("half", ("好,", "你說:", '"走吧...', '"')),
        ("none", ("好", "你說", "走吧", "")),
    ],
)
def test_punctuation(punctuation, expected):
    assert respelled(["好,", "你說:", "“走吧...", "”"], Spelling(punctuation=punctuation)) == expected


def test_full_becomes_half():
    assert respelled(["好，", "《书》、", "……"], Spelling(punctuation="half")) == ("好,", '"书",', "......")


@pytest.mark.parametrize("punctuation", ["keep", "full", "half", "none"])
def test_marks_within_words_and_numbers_stay(punctuation):
    texts = (" It's", " 3.5", " 1,000", " e-mail")
    assert respelled(texts, Spelling(punctuation=punctuation)) == texts


def test_marks_between_words_are_judged_with_both():
    assert respelled(["3", ".", "5"], Spelling(punctuation="none")) == ("3", ".", "5")
    assert respelled(["三", ".", "五"], Spelling(punctuation="none")) == ("三", "", "五")


def test_no_space_after_a_full_width_mark():
    assert respelled(["OK,", " 好的"], Spelling(punctuation="full")) == ("OK，", "好的")


def test_letters_and_digits_are_half_width_in_any_spelling():
    assert respelled(["ＡＢｃ", "３．５元", "ｶﾞｽ", "\u3000好，"], Spelling()) == (
        "ABc",
        "3.5元",
        "ガス",
        " 好，",
    )


@given(
    st.lists(st.text(st.sampled_from("你好後来發頭,.，。…!？3A' \u3000"), max_size=4), max_size=8),
    st.sampled_from(["keep", "simplified", "taiwan"]),
    st.sampled_from(["keep", "full", "half", "none"]),
)
def test_words_stay_as_many_and_the_spelling_settles(texts, characters, punctuation):
    spelling = Spelling(characters=characters, punctuation=punctuation)
    once = respelled(texts, spelling)
    assert len(once) == len(texts)
    assert respelled(once, spelling) == once or punctuation != "keep"


def test_without_opencc_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "opencc", None)
    normal._converter.cache_clear()
    with pytest.raises(MissingToolError, match=r"emomedia\[chinese\]"):
        respelled(["好"], SIMPLIFIED)
    assert respelled(["好"], Spelling(punctuation="full")) == ("好",)
