"""Turns and lines aligned: the arithmetic against all ways spelled out, and what actors do to a script."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import exp, inf, isclose, log
from random import Random

import numpy as np
import pytest

from benchmarks.improvised import played, written_script
from benchmarks.scripts import BARS, score
from emomedia.errors import DescriptionError
from emomedia.scripts import Line, Scene, Script, apply, match
from emomedia.scripts import matching as m
from emomedia.session import Dialogue
from emomedia.turns import Turn, TurnsFile


def script(*scenes: str) -> Script:
    """Scenes of ``A: text / B: text``; ids are counted through."""
    made, count = [], 0
    for number, text in enumerate(scenes):
        lines = []
        for part in text.split(" / "):
            speaker, _, said = part.partition(": ")
            lines.append(Line(str(count), speaker, said, emotion=("Joy", "Anger")[number % 2]))
            count += 1
        made.append(Scene(f"scene{number}", f"topic{number}", tuple(lines)))
    return Script(tuple(made))


def turns(text: str) -> list[Turn]:
    """``l: text / r: text``; ``(l)`` is a backchannel."""
    made = []
    for number, part in enumerate(text.split(" / ")):
        side, _, said = part.partition(": ")
        speaker = "left" if "l" in side else "right"
        made.append(
            Turn(
                f"t{number}",
                None,
                speaker,
                Fraction(number),
                Fraction(number + 1),
                said,
                backchannel="(" in side,
            )
        )
    return made


WEATHER = script(
    "A: 今天天气真不错 / B: 是啊我们出去走走吧 / A: 好的等我换双鞋 / B: 外面有点凉多穿一件 / A: 知道了妈妈"
)


def test_what_is_said_as_written_is_matched_with_confidence():
    said = "l: 今天天气真不错！ / r: 是啊，我们出去走走吧。 / l: 好的，等我换双鞋 / r: 外面有点凉，多穿一件"
    found = match(turns(f"{said} / l: 知道了，妈妈"), WEATHER)
    assert found.lines == ((0,), (1,), (2,), (3,), (4,))
    assert min(found.confidence) > 0.99
    assert found.sides == ({"A": "left", "B": "right"},)


def test_homophones_are_nearly_the_same():
    said = "r: 金添田器珍部措 / l: 试阿我门初去走走八 / r: 号的登我环双写 / l: 歪面有点良多传一建"
    found = match(turns(f"{said} / r: 之到了马马"), WEATHER)
    assert found.lines == ((0,), (1,), (2,), (3,), (4,))
    assert found.sides == ({"A": "right", "B": "left"},)


def test_lines_split_joined_swapped_left_out_and_put_in():
    said = (
        "l: 今天天气 / (r): 嗯 / l: 真不错 / r: 是啊我们出去走走吧 / r: 昨天看的电影你觉得怎么样 / "
        "r: 外面有点凉多穿一件 / l: 好的等我换双鞋"
    )
    found = match(turns(said), WEATHER)
    assert found.lines == ((0,), (), (0,), (1,), (), (3,), (2,))
    assert found.unmatched(5) == [4]
    joined = match(turns("l: 今天天气真不错好的等我换双鞋 / r: 外面有点凉多穿一件"), WEATHER)
    assert joined.lines == ((0, 2), (3,))
    assert joined.unmatched(5) == [1, 4]


def test_a_turn_may_say_more_than_its_line():
    said = (
        "l: 哎呀你看外面今天天气真不错我在家都待了一个星期了 / r: 是啊我们出去走走吧 / "
        "l: 好的等我换双鞋对了昨天你妈打电话来问你什么时候回去"
    )
    found = match(turns(said), WEATHER)
    assert found.lines == ((0,), (1,), (2,))
    assert min(found.confidence) > 0.9


def test_a_short_line_goes_by_its_place():
    lines = script("A: 你昨天到底去哪里了 / B: 医院 / A: 怎么不早点告诉我呢 / B: 怕你担心")
    found = match(turns("l: 你昨天到底去哪里了 / r: 衣缘 / l: 怎么不早点告诉我呢 / r: 怕你担心"), lines)
    assert found.lines == ((0,), (1,), (2,), (3,))


def test_a_backchannel_that_is_written_is_matched():
    lines = script("A: 你昨天到底去哪里了 / B: 嗯 / A: 怎么不早点告诉我呢")
    assert match(turns("l: 你昨天到底去哪里了 / (r): 嗯 / l: 怎么不早点告诉我呢"), lines).lines == (
        (0,),
        (1,),
        (2,),
    )


@pytest.mark.parametrize(("side", "said"), [("(r)", ()), ("r", (1,))])
def test_a_backchannel_in_place_of_a_line_is_not_that_line(side, said):
    lines = script("A: 你昨天到底去哪里了 / B: 医院 / A: 怎么不早点告诉我呢")
    found = match(turns(f"l: 你昨天到底去哪里了 / {side}: 嗯 / l: 怎么不早点告诉我呢"), lines)
    assert found.lines == ((0,), said, (2,))


def test_the_casting_may_change_with_the_scene():
    lines = script(WEATHER_TEXT, "A: 你的小狗找到了吗 / B: 找到了在邻居家的院子里 / A: 那可真是太好了")
    said = (
        "l: 今天天气真不错 / r: 是啊我们出去走走吧 / l: 好的等我换双鞋 / "
        "r: 你的小狗找到了吗 / l: 找到了在邻居家的院子里 / r: 那可真是太好了"
    )
    found = match(turns(said), lines)
    assert found.lines == ((0,), (1,), (2,), (3,), (4,), (5,))
    assert found.sides == ({"A": "left", "B": "right"}, {"A": "right", "B": "left"})


WEATHER_TEXT = "A: 今天天气真不错 / B: 是啊我们出去走走吧 / A: 好的等我换双鞋"


def test_actors_who_are_named_in_the_script_keep_their_sides():
    lines = script("X: 你好 / Y: 你好 / X: 再见 / Y: 再见")
    said = turns("r: 你好 / l: 你好 / r: 再见 / l: 再见")
    assert match(said, lines, {"X": "right", "Y": "left"}).lines == ((0,), (1,), (2,), (3,))
    assert match(said, lines, {"X": "left", "Y": "right"}).lines != ((0,), (1,), (2,), (3,))


def test_nothing_is_matched_by_chance():
    said = "l: 这个包子多少钱一个 / r: 两块五 / l: 给我来三个再要一碗豆浆 / r: 好嘞您稍等"
    found = match(turns(said), WEATHER)
    assert found.lines == ((), (), (), ())
    assert found.unmatched(5) == [0, 1, 2, 3, 4]


def test_what_might_be_either_line_has_no_confidence():
    lines = script("A: 对不起 / A: 没有关系我一点都不生气 / A: 对不起")
    found = match(turns("l: 对不起"), lines)
    assert found.lines == ((),) or found.confidence[0] < 0.6


@pytest.mark.parametrize("said", ["", None, "……"])
def test_turns_without_words_say_no_line(said):
    silent = [Turn("t", None, "left", Fraction(0), Fraction(1), said)]
    assert match(silent, WEATHER).lines == ((),)
    assert match([], WEATHER).unmatched(5) == [0, 1, 2, 3, 4]
    assert match(silent, Script(())).lines == ((),)


def test_other_languages_go_by_their_letters():
    lines = script("A: Where have you been? / B: At the doctor's, of course! / A: Oh no.")
    found = match(turns("r: where've you been / l: at the doctors of course / r: oh no"), lines)
    assert found.lines == ((0,), (1,), (2,))


def test_too_much_to_compare_is_refused(monkeypatch):
    monkeypatch.setattr(m, "MAX_PAIRS", 4)
    with pytest.raises(DescriptionError, match=r"at most 4 pairs.*its own script"):
        match(turns("l: 你好"), WEATHER)


def test_what_the_script_says_is_carried_over():
    said = turns("l: 今天天气真不错 / r: 没有的事 / l: 好的等我换双鞋")
    own = [
        Turn(**{name: getattr(turn, name) for name in Turn.__slots__} | {"dialogue": "d"}) for turn in said
    ]
    own[2] = Turn(**{name: getattr(own[2], name) for name in Turn.__slots__} | {"emotion": "Fear"})
    file = TurnsFile("s", tuple(own), (Dialogue("d", Fraction(0), Fraction(9), topic="Mine"),))
    found = apply(file, WEATHER, match(own, WEATHER), own)
    assert [turn.script and turn.script.utterance_id for turn in found.turns] == ["0", None, "2"]
    assert [turn.emotion for turn in found.turns] == ["Joy", None, "Fear"]
    assert [turn.topic for turn in found.turns] == ["topic0", None, "topic0"]
    assert (found.dialogues[0].topic, found.dialogues[0].emotion) == ("Mine", "Joy")
    assert found.unmatched == ("1", "3", "4")


def all_ways(problem, i=0, j=0, cast=None):
    """Every way through turns and lines: its odds, and the pairs that it says."""
    count, lines = problem.pair.shape
    if cast is None:
        for first in (0, 1):
            yield from ((log(0.5) + odds, pairs) for odds, pairs in all_ways(problem, i, j, first))
        return
    if (i, j) == (count, lines):
        yield 0.0, frozenset()
        return
    steps = [(problem.skip_turn[i], (), i + 1, j, cast)] if i < count else []
    castings = [(cast, 0.0)]
    if 0 < j < lines and problem.first[j]:
        castings.append((1 - cast, problem.moves[0]))
    for casting, change in castings:
        if j < lines:
            steps.append((change + problem.skip_line[j], (), i, j + 1, casting))
        steps += [(change + odds, *rest, casting) for odds, *rest in said(problem, i, j, casting)]
    for odds, pairs, to_i, to_j, casting in steps:
        for more, further in all_ways(problem, to_i, to_j, casting):
            yield odds + more, further | set(pairs)


def said(problem, i, j, cast):
    """The moves 3 to 6 from a place: odds, pairs, where to."""
    count, lines = problem.pair.shape
    fits = problem.fits[cast]
    if i < count and j < lines:
        yield problem.pair[i, j] + fits[j, problem.side[i]] + problem.moves[3], [(i, j)], i + 1, j + 1
    for k in range(i + 1, count):
        if j < lines and problem.turn_before[k] == i:
            odds = problem.two_turns[k, j] + fits[j, problem.side[k]] + problem.moves[4]
            yield odds + problem.skip_turn[i + 1 : k].sum(), [(i, j), (k, j)], k + 1, j + 1
    for k in range(j + 1, lines):
        if i < count and problem.line_before[k] == j:
            odds = problem.two_lines[i, k] + fits[k, problem.side[i]] + problem.moves[5]
            yield odds + problem.skip_line[j + 1 : k].sum(), [(i, j), (i, k)], i + 1, k + 1
    if i + 1 < count and j + 1 < lines and not problem.first[j + 1]:
        odds = problem.pair[i, j + 1] + problem.pair[i + 1, j] + problem.moves[6]
        odds += fits[j + 1, problem.side[i]] + fits[j, problem.side[i + 1]]
        yield odds, [(i, j + 1), (i + 1, j)], i + 2, j + 2


@pytest.mark.parametrize("seed", range(3))
def test_probabilities_are_those_of_all_ways(seed):
    random = Random(seed)
    whole = written_script(random, 2, 2)
    lines = Script(tuple(replace(scene, lines=scene.lines[:2]) for scene in whole.scenes))
    play = played(random, lines, 0.5)
    problem = m._problem(play.turns[:4], lines, {})
    noise = np.random.default_rng(seed)
    problem = problem._replace(
        **{
            name: noise.normal(0, 2, problem.pair.shape).astype(np.float32)
            for name in ("pair", "two_turns", "two_lines")
        }
    )
    ways = [(odds, pairs) for odds, pairs in all_ways(problem) if odds > -inf]
    total = sum(exp(odds) for odds, _ in ways)
    expected = np.zeros(problem.pair.shape)
    for odds, pairs in ways:
        for pair in pairs:
            expected[pair] += exp(odds) / total
    np.testing.assert_allclose(m._probability(problem), expected, rtol=1e-5, atol=1e-9)
    best_odds, best_pairs = max(ways, key=lambda way: way[0])
    found, _ = m._best(problem)
    assert {(turn, line) for turn, own in enumerate(found) for line in own} == best_pairs
    reached, _, _ = m._ways(problem, best=True)
    assert isclose(reached[:, -1, -1].max(), best_odds, rel_tol=1e-6)


@pytest.mark.parametrize("share", BARS)
def test_the_bars(share):
    found = score(share, sessions=6, seed=77)
    assert found.said > 150
    assert found.share >= BARS[share]
    assert found.own_right / found.own > 0.9
    assert found.dropped_right / found.dropped > 0.9
