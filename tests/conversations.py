"""Conversations of two speakers with known turns, as events: no sound, but the statistics of real talk.

Who speaks when follows what was measured of real conversations: gaps of some 200 ms (Stivers et al. 2009;
Heldner and Edlund 2010), pauses within turns of half a second in the median, and far more competition than
usual, so that a fifth of all speech is overlapped.  Activity is then as wrong as the speech stage makes it,
and words are as wrong as a recogniser makes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from emomedia.session import SIDES

SIGNS = "嗯 嗯 嗯 嗯 嗯嗯 对 对 对 对对对 啊 哦 哦哦 是 是啊 好 好的 真的吗 这样啊 mm-hm yeah"
RARE_SIGNS = "可不是 绝了 好家伙 没想到 还有这事"
"""Signs of listening that are in no list."""
ANSWERS = "对 对 嗯 是 是的 好 没有 不是 不 还没 可以 想"
CONTENT = (
    "我昨天去了上海看见一个老朋友他说最近工作特别忙周末也要加班所以想换到小公司做自己喜欢的事情今年大家都觉得"
)

GAP = 0.2
"""Least seconds between two units of one speaker."""


@dataclass
class Said:
    """A true turn: units in seconds, and for each the words as (text, start, end)."""

    speaker: int
    kind: str  # "turn", "answer", "bid" or "backchannel"
    units: list[tuple[float, float]]
    texts: list[str] = field(default_factory=list)

    @property
    def start(self) -> float:
        return self.units[0][0]

    @property
    def end(self) -> float:
        return self.units[-1][1]

    @property
    def backchannel(self) -> bool:
        return self.kind == "backchannel"


@dataclass(frozen=True)
class Talk:
    """A conversation: its true turns in order of start."""

    turns: list[Said]
    seconds: float

    def activity(self, speaker: int) -> list[tuple[float, float]]:
        return sorted(unit for turn in self.turns if turn.speaker == speaker for unit in turn.units)

    @property
    def overlap_share(self) -> float:
        """Of the time in which somebody speaks, how much has both."""
        masks = np.zeros((2, round(self.seconds * 100) + 100), bool)
        for speaker in range(2):
            for start, end in self.activity(speaker):
                masks[speaker, round(start * 100) : round(end * 100)] = True
        return float(masks.all(axis=0).sum() / masks.any(axis=0).sum())


class _Talker:
    """Makes one conversation, turn after turn."""

    def __init__(self, seconds: float, seed: int) -> None:
        self.rng = np.random.default_rng([seed, 2026])
        self.seconds = seconds
        self.turns: list[Said] = []

    def about(self, median: float, spread: float, least: float, most: float) -> float:
        """Log-normal, from `least` to `most`."""
        return float(np.clip(median * np.exp(spread * self.rng.standard_normal()), least, most))

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def talk(self) -> Talk:
        speaker, asked, last = int(self.rng.integers(2)), False, None
        before = 0.0  # when the speaker's own last turn ended
        while last is None or last.end < self.seconds - 12:
            answers = asked and self.chance(0.45)
            start = 1.0 if last is None else max(before + 0.3, self.onset(last, interrupts=not answers))
            before = 0.0 if last is None else last.end
            if answers:
                end = max(start + self.about(0.4, 0.35, 0.2, 0.8), before + 0.15)
                turn, asked = Said(speaker, "answer", [(start, end)], [self.pick(ANSWERS)]), False
            else:
                asked = self.chance(0.35)
                turn = self.turn(speaker, start, asked, outlasts=before)
            self.turns.append(turn)
            if last is not None:
                self.listening(last, until=turn.start)
            last, speaker = turn, 1 - speaker
        self.listening(last, until=last.end + 1)
        self.turns.sort(key=lambda said: said.start)
        return Talk(self.turns, max(self.seconds, max(said.end for said in self.turns) + 1))

    def onset(self, last: Said, interrupts: bool) -> float:
        """When the next turn begins; it may cut the last one short."""
        start, end = last.units[-1]
        draw = self.rng.random()
        if interrupts and draw < 0.45 and end - start > 1.2:  # an interruption: the other gives in
            begin = start + self.rng.uniform(0.3, end - start - 0.8)
            last.units[-1] = start, min(end, begin + self.about(1.2, 0.4, 0.5, 2.4))
            return float(begin)
        if draw < 0.73:  # a terminal overlap
            return end - min(self.about(0.28, 0.7, 0.03, 0.8), 0.5 * (end - start))
        return end + self.about(0.35, 0.7, 0.03, 3.0)

    def turn(self, speaker: int, start: float, asks: bool, outlasts: float) -> Said:
        units, texts, place = [], [], start
        if self.chance(0.15):
            units.append((place, place + self.about(0.35, 0.3, 0.2, 0.6)))
            texts.append(self.pick(SIGNS))
            place = units[-1][1] + self.about(0.4, 0.3, 0.22, 0.8)
        for _ in range(int(self.rng.geometric(0.45))):
            units.append((place, place + self.about(1.4, 0.6, 0.35, 6.0)))
            texts.append(self.content(units[-1]))
            place = units[-1][1] + self.about(0.5, 0.55, 0.22, 2.5)
        if units[0][1] < outlasts + 0.3:  # whoever takes the floor says something after the other
            units, texts = [(start, max(units[-1][1], outlasts + 0.6))], [texts[-1]]
        texts[-1] = self.question(texts[-1]) if asks else texts[-1] + "。"
        return Said(speaker, "turn", units, texts)

    def listening(self, turn: Said, until: float) -> None:
        """Signs of listening and remarks of the other over `turn`, none after it."""
        for number, (start, end) in enumerate(turn.units):
            more = turn.units[number + 1][0] if number + 1 < len(turn.units) else None
            draw = self.rng.random()
            if draw < 0.30 and more is not None:  # around the unit's end
                at = end + self.rng.normal(0.05, 0.25)
                self.sign(turn, at, min(until, turn.end) - 0.1)
            elif draw < 0.5 and end - start > 0.8:  # anywhere
                self.sign(turn, self.rng.uniform(start + 0.1, end - 0.4), min(until, turn.end) - 0.1)
            elif draw < 0.9 and end - start > 1.4:
                self.bid(turn, self.rng.uniform(start + 0.3, end - 0.9), end)

    def sign(self, turn: Said, at: float, latest: float) -> None:
        text = self.pick(SIGNS if self.chance(0.95) else RARE_SIGNS)
        length = self.about(0.38 if len(text) < 3 else 0.6, 0.3, 0.15, 1.1)
        if at + length < latest:
            self.put(Said(1 - turn.speaker, "backchannel", [(at, at + length)], [text]))

    def bid(self, turn: Said, at: float, latest: float) -> None:
        end = min(at + self.about(1.0, 0.45, 0.4, 2.5), latest - 0.1)
        self.put(Said(1 - turn.speaker, "bid", [(at, end)], [self.content((at, end))]))

    def put(self, said: Said) -> None:
        """Where its speaker is silent around it."""
        far = 1.0 if said.kind == "bid" else GAP + 0.05  # a remark sooner before one's turn is its beginning
        own = (unit for turn in self.turns if turn.speaker == said.speaker for unit in turn.units)
        if all(end + far < said.start or said.end < start - far for start, end in own):
            self.turns.append(said)

    def pick(self, words: str) -> str:
        texts = words.split()
        return texts[int(self.rng.integers(len(texts)))]

    def content(self, unit: tuple[float, float]) -> str:
        count = max(2, round(5 * (unit[1] - unit[0])))
        begin = int(self.rng.integers(len(CONTENT)))
        return (CONTENT * 2)[begin : begin + count] if count < len(CONTENT) else CONTENT

    def question(self, text: str) -> str:
        draw = self.rng.random()
        if draw < 0.4:
            return text + "吗？"
        if draw < 0.65:
            return text + "好不好？"
        return text + ("吧？" if draw < 0.8 else "？")


def simulated(seconds: float, seed: int) -> Talk:
    return _Talker(seconds, seed).talk()


STARTS = [-0.01] * 7 + [0.0, 0.01, 0.02]
ENDS = [-0.03] + [0.0] * 4 + [0.01] * 8 + [0.02] * 4 + [0.03] * 2 + [0.04]
"""Errors of the speech stage's edges in seconds: of 110 units in rooms, bleed -18 dB."""


def speech_of(talk: Talk, seed: int) -> dict[str, Any]:
    """speech.json, with a transcript, as the stages would write it: with their errors."""
    rng = np.random.default_rng([seed, 7])
    body: dict[str, Any] = {}
    transcript: dict[str, Any] = {"language": "zh"}
    for number, side in enumerate(SIDES):
        activity, segments = [], []
        for turn in (turn for turn in talk.turns if turn.speaker == number):
            for unit, text in zip(turn.units, turn.texts, strict=True):
                if rng.random() < (0.06 if turn.backchannel else 0.003):
                    continue  # quiet, or covered by the other voice
                start = round(unit[0] + rng.choice(STARTS), 2)
                end = round(unit[1] + rng.choice(ENDS), 2)
                activity.append([start, max(end, start + 0.1)])
                if rng.random() > (0.15 if turn.backchannel else 0.01):
                    segments.append(_segment(start, activity[-1][1], text, rng))
        body[side] = {"activity": sorted(activity)}
        transcript[side] = sorted(segments, key=lambda segment: segment["start"])
    return body | {"transcript": transcript}


def _segment(start: float, end: float, text: str, rng: np.random.Generator) -> dict[str, Any]:
    """What a recogniser hears: some characters wrong, some question marks left out."""
    heard = "".join(_heard(one, rng) for one in text)
    spoken = [one for one in heard if one.isalnum()] or [heard]
    step = (end - start) / len(spoken)
    words: list[dict[str, Any]] = []
    for one in heard:
        if one.isalnum() or not words:
            at = start + len(words) * step
            words.append({"text": one, "start": round(at, 2), "end": round(at + step, 2), "probability": 0.9})
        else:
            words[-1]["text"] += one
    return {"start": start, "end": end, "text": heard, "language": "zh", "words": words, "flags": []}


def _heard(one: str, rng: np.random.Generator) -> str:
    if one == "？":
        return one if rng.random() < 0.7 else "。"
    return str(rng.choice(list("得在那时还你样点"))) if one.isalnum() and rng.random() < 0.05 else one
