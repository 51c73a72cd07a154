"""What the simulated actors say: short scenes in everyday Mandarin, each with a topic and an emotion.

But for the backchannels they are sentences that the tests' tiny recogniser understands.
"""

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
        你为什么这么高兴？
        我找到新工作了！
        <听到这个消息，我很高兴。
        妈妈告诉我，明天不用上班。
        ~嗯。
        工资高不高？
        不高，但是离家近。
        <今天晚上我们去饭店吧。
        太好了，我带水果。
        """,
    ),
    _script(
        "Pets",
        "Sadness",
        """
        你哭什么？
        妈妈告诉我，我的狗不见了。
        ~啊？
        别难过，我们一起去找。
        <我已经三天没睡好了。
        你再仔细找找。
        找到了，在树后面！
        <我太喜欢了！
        """,
    ),
    _script(
        "Friendship",
        "Anger",
        """
        你为什么生气？
        听到这个消息，我非常生气。
        <对不起，我来晚了。
        你每次都这样。
        我真的不是故意的。
        ~哼。
        你听我说完好不好？
        <你相信我吗？
        当然，我们永远是朋友。
        """,
    ),
    _script(
        "General Entertainment",
        "Joy",
        """
        周末我们去电影院吧。
        <看什么电影？
        听说那个新电影很有意思。
        ~嗯。
        几点的票？
        晚上七点半。
        <太好了，我带水果。
        那我们下午见。
        """,
    ),
    _script(
        "Home",
        "Fear",
        """
        你为什么这么害怕？
        好像有人在唱歌。
        <灯怎么不亮了？
        我的手机不见了。
        我好怕黑。
        <别害怕了，我陪你去超市。
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
        我已经两天没睡好了。
        ~嗯。
        <有没有发烧？
        三十八度五。
        多喝水，好好休息。
        ~好。
        谢谢医生，我知道了。
        """,
    ),
    _script(
        "Celebration",
        "Surprise",
        """
        这里的蛋糕真好吃！
        <我太喜欢了！
        我给您买了一件毛衣。
        你为什么这么激动？
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
        我会想你的。
        <去多久？
        大概两年吧。
        我舍不得你走。
        ~嗯。
        到了给我打电话。
        <不管怎么样，我都支持你。
        一个人要照顾好自己。
        """,
    ),
)

_OPENER, _OTHER = Line(0, ""), Line(1, "")
RECORDED = Script("Recorded Speech", "Neutral", (_OPENER, _OTHER, _OPENER, Line(1, "", "interrupts")))
"""The order in which recordings are played, whose words need not be known."""
