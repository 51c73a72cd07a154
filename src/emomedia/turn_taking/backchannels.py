"""Listening signs and questions, by their words.

Listeners show that they listen: "uh-huh", 嗯, 对 (back channels: Yngve 1970).  Among such *reactive tokens*
Clancy et al. (1996) count backchannels proper, which are sounds, and reactive expressions, which are words
or assessments (真的, 这样啊, 太好了).  They repeat themselves (对对对).  The same word after a question is
its answer.
"""

from __future__ import annotations

import re
import unicodedata

_SOUNDS = "嗯哼 嗯 恩 唔 噢 哦 喔 啊 诶 欸 哎呀 哎 唉 哇塞 哇 哈 呵 嘿 嚯"
_AGREEMENT = "没错 沒錯 对 對 是 好 行 确实 確實 当然 當然 明白 了解 懂 知道 我知道 我明白 我懂"
_NEWS = "真的 真是 这样子 這樣子 这样 這樣 原来如此 原來如此 原来是这样 原來是這樣 天哪 天啊 怎么会 怎麼會"
_ASSESSMENTS = "太好 太棒 真棒 真好 不错 不錯 厉害 厲害 有道理 有意思 不会吧 不會吧 还真是 還真是"
_PARTICLES = "啊呀哇吧呢嘛的了吗嗎呗唄哪哦喔"
_ENGLISH = (
    "mhm mmhm mhmm mmhmm hmm hm mm mmm uhhuh uhuh huh yeah yea yep yup yes right okay ok sure oh ah aha wow "
    "really isee exactly gotit ofcourse"
)
"""All without spaces and hyphens: "uh-huh" is "uhhuh", "I see" is "isee"."""


def alternatives(*words: str) -> str:
    """Of all the words in these lists, a pattern that prefers the longest."""
    return "|".join(sorted(" ".join(words).split(), key=lambda word: (-len(word), word)))


_SIGN = re.compile(
    rf"(?:(?:{alternatives(_SOUNDS, _AGREEMENT, _NEWS, _ASSESSMENTS)})[{_PARTICLES}]*"
    rf"|{alternatives(_ENGLISH)})+"
)

_ASKS = re.compile(
    r"[?？؟]\s*$"  # as Whisper writes it
    r"|(?:[吗嗎吧]|(?<![什怎这那多甚這])[么麼])\W*$"  # final particles that ask for yes or no
    r"|(\w)[不没沒]\1\w{0,8}\W*$"  # A-not-A: 好不好, 有没有去过
)


def is_listening_sign(text: str) -> bool:
    """Whether `text` has nothing but signs of listening, one or several: 嗯。 对对对 "Yeah, right."."""
    return _SIGN.fullmatch(letters(text)) is not None


def asks(text: str) -> bool:
    """Whether `text` ends with a question that a word can answer, by its mark, its particle or its form."""
    return _ASKS.search(text) is not None


def letters(text: str) -> str:
    """Letters and digits alone, in lower case: neither spaces nor punctuation."""
    return "".join(one for one in text.lower() if unicodedata.category(one)[0] in "LN")
