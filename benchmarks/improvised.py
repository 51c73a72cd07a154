"""Scripts made up from a small grammar of everyday Mandarin, and actors who improvise over them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from random import Random

from emomedia.scripts import Line, Scene, Script
from emomedia.session import SIDES, SideName
from emomedia.turns import Turn


def _words(text: str) -> list[str]:
    return text.split()


WHO = _words(
    "我 你 他 她 我们 他们 我妈 我爸 老王 小李 我同事 我邻居 那个医生 楼下老板 我姐姐 你弟弟 那位客人"
)
WHEN = _words("昨天 今天早上 下个星期 刚才 周末 去年夏天 半夜 明天下午 上个月 吃饭的时候 下班以后 过年那会儿")
HOW = _words("已经 根本没 一直在 差点儿 终于 又 偷偷地 高高兴兴地 非要 不想 只好 正打算 从来不 居然")
DID = _words(
    """
    买了一辆自行车 修那台旧电脑 去医院看牙 学做红烧肉 搬到郊区 丢了钱包 参加唱歌比赛 养两只猫
    写毕业论文 赶最后一班地铁 跟老板吵架 找新工作 给妈妈打电话 去机场接人 种几盆花 看那场足球赛
    借钱给朋友 考驾照 收拾房间 退掉那双鞋 排队买电影票 忘了带钥匙 喝了三杯咖啡 去海边散步
    准备生日礼物 被老师表扬 坐错了车 听见奇怪的声音 换一个手机号码 装修厨房
    """
)
WHY = _words(
    """
    因为下大雨 所以睡不着 可是太贵了 结果谁都没来 真让人生气 我都快急哭了 想起来就好笑
    你说奇怪不奇怪 听说挺有意思的
    """
)
SHORT = _words(
    """
    好吧 真的吗 为什么呀 那怎么办 我不信 太好了 别难过 你说呢 对不起 没关系 谁说的 什么时候 算了吧
    恭喜你 行不行
    """
)
ASIDES = _words("嗯 对 啊 哦 是吗 哈哈 嗯嗯")
EMOTIONS = _words("Joy Sadness Anger Fear Surprise Neutral")
TOPICS = _words("Work Pets Health Home Travel Food Friendship School")
COMMON = (
    "的一是了我不人在他有这个上们来到时大地为子中你说生国年着就那和要她出也得里后自以会家可下而过"
    "天去能对小多然于心学么之都好看起发当没成只如事把还用第样道想作种开美总从无情己面最女但现前些"
    "所同日手又行意动方期它头经长儿回位分爱老因很给名法间斯知世什两次使身者被高已亲其进此话常与活"
    "正感见明问力理尔点文几定本公特做外孩相西果走将月十实向声车全信重三机工物气每并别真打太新比才"
    "便夫再书部水像眼等体却加电主界门利海受听表德少克代员许先口由死安写性马光白或住难望教命花结乐"
    "色更拉东神记处让母父应直字场平报友关放至张认接告入笑内英军候民岁往何度山觉路带万男边风解叫任"
    "金快原吃妈变通师立象数四失满战远格士音轻目条呢病始达深完今提求清王化空业思切怎非找片罗钱吗语"
    "元喜曾离飞科言干流欢约各即指合反题必该论交终林请医晚制球决传画保读运及则房早院量苦火布品近坐"
    "产答星精视五连司巴奇管类未朋且婚台夜青北队久乎越观落尽形影红爸百令周吧识步希亚术留市半热送兴"
    "造谈容极随演收"
)
"""Common characters, what a recogniser puts for others."""

HOMOPHONES = 0.5
"""Share of the changed characters that become homophones, where they have some."""

ADDED, DROPPED = 0.1, 0.1
"""How often the actors put in a turn of their own, and leave a line out."""

SPLIT, JOINED, SWAPPED, ASIDE, EXTENDED = 0.05, 0.3, 0.03, 0.06, 0.05
"""How often a line is said in two turns; two lines in one, if the one between them is left out; one before
its predecessor; how often there is a backchannel after a line; how often a turn says more."""


@dataclass(frozen=True)
class Played:
    """What the actors made of a script: turns, and for each the lines that it says."""

    turns: list[Turn]
    truth: list[tuple[int, ...]]
    dropped: set[int]


def written_line(random: Random) -> str:
    """One line, 2 to 25 characters."""
    if random.random() < 0.2:
        return random.choice(SHORT) + random.choice("。？！")
    parts = [random.choice(WHEN)] if random.random() < 0.5 else []
    parts += [random.choice(WHO), random.choice(HOW) if random.random() < 0.7 else "", random.choice(DID)]
    if random.random() < 0.5:
        parts += ["，", random.choice(WHY)]
    return "".join(parts) + random.choice("。？！")


def written_script(random: Random, scenes: int, lines: int) -> Script:
    """Scenes of about so many lines; mostly the speakers take turns."""
    made = []
    for number in range(scenes):
        speaker, own = random.randrange(2), []
        for place in range(random.randint(max(2, lines - 4), lines + 4)):
            line_id = f"{number}-{place}"
            own.append(Line(line_id, "AB"[speaker], written_line(random), random.choice(EMOTIONS)))
            speaker = speaker if random.random() < 0.15 else 1 - speaker
        made.append(Scene(f"scene{number}", random.choice(TOPICS), tuple(own)))
    return Script(tuple(made))


@cache
def _homophones() -> dict[str, list[str]]:
    from pypinyin import lazy_pinyin

    by_sound = defaultdict(list)
    for letter in dict.fromkeys(COMMON + "".join(WHO + WHEN + HOW + DID + WHY + SHORT)):
        by_sound[lazy_pinyin(letter)[0]].append(letter)
    return {
        letter: [other for other in same if other != letter] for same in by_sound.values() for letter in same
    }


def changed(random: Random, text: str, share: float) -> str:
    """`text` with so many of its characters replaced, half of them by homophones where there are some."""
    letters = list(text)
    places = [n for n, letter in enumerate(letters) if letter.isalnum()]
    count = int(len(places) * share + random.random())
    for n in random.sample(places, min(count, len(places))):
        same = _homophones().get(letters[n], [])
        use = same if same and random.random() < HOMOPHONES else COMMON
        letters[n] = random.choice([letter for letter in use if letter != letters[n]])
    return "".join(letters)


def played(random: Random, script: Script, share: float) -> Played:
    """Actors play the script; the casting of a scene differs from the one before now and then."""
    said: list[tuple[SideName, str, tuple[int, ...], bool]] = []
    cast, first = random.randrange(2), 0
    dropped: set[int] = set()
    for scene in script.scenes:
        cast = 1 - cast if random.random() < 0.2 else cast
        said += _played_scene(random, scene, first, cast, share, dropped)
        first += len(scene.lines)
    turns, at = [], Fraction(0)
    for number, (side, text, _, aside) in enumerate(said):
        length = Fraction(len(text) + 1, 5)
        turns.append(Turn(f"t{number}", None, side, at, at + length, text, backchannel=aside))
        at += length + Fraction(random.randint(1, 12), 10)
    return Played(turns, [lines for _, _, lines, _ in said], dropped)


def _played_scene(
    random: Random, scene: Scene, first: int, cast: int, share: float, dropped: set[int]
) -> list[tuple[SideName, str, tuple[int, ...], bool]]:
    said: list[tuple[SideName, str, tuple[int, ...], bool]] = []
    sides = {"A": SIDES[cast], "B": SIDES[1 - cast]}
    for place, line in enumerate(scene.lines):
        number, side = first + place, sides[line.speaker]
        other = sides["B" if line.speaker == "A" else "A"]
        text = changed(random, line.text, share)
        if random.random() < DROPPED:
            dropped.add(number)
            continue
        before = said[-1] if said and said[-1][2] else None
        if len(text) > 8 and random.random() < SPLIT:
            middle = random.randint(3, len(text) - 4)
            said += [(side, text[:middle], (number,), False), (other, random.choice(ASIDES), (), True)]
            said.append((side, text[middle:], (number,), False))
        elif before and before[0] == side and len(before[2]) == 1 and random.random() < JOINED:
            if number - before[2][0] <= 2:
                said[-1] = (side, before[1] + text, (*before[2], number), False)
            else:
                said.append((side, text, (number,), False))
        else:
            if random.random() < EXTENDED:
                text += changed(random, written_line(random), share)
            said.append((side, text, (number,), False))
            if before and before[0] == other and random.random() < SWAPPED:
                said[-2:] = said[:-3:-1]
        if random.random() < ASIDE:
            said.append((other, random.choice(ASIDES), (), True))
        if random.random() < ADDED:
            said.append((random.choice(SIDES), changed(random, written_line(random), share), (), False))
    return said
