"""What the simulated actors say: short scenes in everyday Mandarin, each with a topic and an emotion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Manner = Literal["answers", "interrupts", "assents"]
"""After a pause; while the other still speaks; or a backchannel in the middle of the other's words."""


@dataclass(frozen=True, slots=True)
class Line:
    """One utterance; `speaker` 0 is who opens the scene, 1 the other."""

    speaker: int
    text: str
    manner: Manner = "answers"


@dataclass(frozen=True, slots=True)
class Script:
    """One scene; its lines are said over and over where there is time."""

    topic: str
    emotion: str
    lines: tuple[Line, ...]


def _script(topic: str, emotion: str, text: str) -> Script:
    """A script of a text with a line for each utterance; the speakers take turns.

    A line that begins with ``<`` interrupts; one with ``~`` is a backchannel to the line before it.
    """
    lines: list[Line] = []
    speaker = 1
    for words in text.split():
        if words.startswith("~"):
            lines.append(Line(1 - speaker, words[1:], "assents"))
            continue
        speaker = 1 - speaker
        lines.append(Line(speaker, words.lstrip("<"), "interrupts" if words.startswith("<") else "answers"))
    return Script(topic, emotion, tuple(lines))


SCRIPTS = (
    _script(
        "Work",
        "Joy",
        """
        你今天怎么这么高兴？
        我找到新工作了！
        <恭喜你！什么时候上班？
        下个星期一就可以开始上班了。
        ~嗯。
        工资高不高？
        不高，但是离家近。
        <那也很好啊，晚上请你吃大餐。
        太好了，走吧！
        """,
    ),
    _script(
        "Pets",
        "Sadness",
        """
        你哭什么？
        我的小狗昨天晚上不见了。
        ~啊？
        别难过，我们一起去找。
        <我找了半天都没找到。
        你再仔细找找。
        找到了，在树后面！
        <你吓死我了！
        """,
    ),
    _script(
        "Friendship",
        "Anger",
        """
        你为什么生气？
        你答应过我的，又忘了。
        <对不起，我来晚了。
        你每次都这样。
        我真的不是故意的。
        ~哼。
        以后不要这样了。
        <我们还是朋友吗？
        当然，我们永远是朋友。
        """,
    ),
    _script(
        "General Entertainment",
        "Joy",
        """
        周末我们去看电影吧。
        <看什么电影？
        听说那个新电影很有意思。
        ~嗯。
        几点的票？
        晚上七点半。
        <太好了，我带水果。
        那我们在门口见。
        """,
    ),
    _script(
        "Home",
        "Fear",
        """
        你听，外面是什么声音？
        好像有人在唱歌。
        <灯怎么不亮了？
        停电了，我去拿手电。
        我好怕黑。
        <别怕，有我在。
        是楼上的孩子在弹琴。
        ~啊。
        弹得真不错。
        """,
    ),
    _script(
        "Health",
        "Neutral",
        """
        医生，我头疼。
        疼了几天了？
        从昨天晚上开始的。
        ~嗯。
        <有没有发烧？
        三十八度五。
        这个药一天吃三次，多喝水。
        ~好。
        谢谢医生，我知道了。
        """,
    ),
    _script(
        "Celebration",
        "Surprise",
        """
        祝你生日快乐！
        <哇，我太喜欢了！
        这是送给你的礼物。
        你怎么知道我想要这个？
        <这是我们的秘密。
        来，吹蜡烛吧。
        许个愿吧。
        我不告诉你我许了什么愿。
        ~哈。
        """,
    ),
    _script(
        "Parting",
        "Sadness",
        """
        听说你要出国了。
        是啊，下个月就走。
        <去多久？
        大概两年吧。
        我舍不得你走。
        ~嗯。
        我会经常给你写信的。
        <不管怎么样，我都支持你。
        谢谢你一直陪着我。
        """,
    ),
)

_OPENER, _OTHER = Line(0, ""), Line(1, "")
RECORDED = Script("Recorded Speech", "Neutral", (_OPENER, _OTHER, _OPENER, Line(1, "", "interrupts")))
"""The order in which recordings are played, whose words need not be known."""
