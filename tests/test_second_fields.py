"""H.264 whose frames are coded as two fields each, as camcorders of 1080i do: two packets make one frame."""

from __future__ import annotations

import json
import wave
from fractions import Fraction

import av
import numpy as np
import pytest

import emomedia
from emomedia import _core
from emomedia.options import Options
from emomedia.run import run

SIZE = 64
FRAMES = 12


class Bits:
    """What a header says, bit by bit (H.264 7.2)."""

    def __init__(self, *values: tuple[int, int] | int):
        self.text = ""
        for value in values:
            self.add(value)

    def add(self, value: tuple[int, int] | int) -> None:
        """A pair of a number and its bits, or a number as ue(v)."""
        number, count = value if isinstance(value, tuple) else (value + 1, 2 * (value + 1).bit_length() - 1)
        self.text += format(number, f"0{count}b")

    def packed(self, end: str = "") -> bytes:
        """The bits and `end`, filled up to whole bytes."""
        text = self.text + end
        text += "0" * (-len(text) % 8)
        return bytes(int(text[at : at + 8], 2) for at in range(0, len(text), 8))


def unit(kind: int, payload: bytes) -> bytes:
    """A NAL unit; no sample is below 4, so that headers alone need their zeros kept apart."""
    return b"\0\0\0\1" + bytes([0x60 | kind]) + payload


def parameters() -> bytes:
    across, down = SIZE // 16 - 1, SIZE // 32 - 1
    sequence = Bits(
        (77, 8), (0, 8), (30, 8), 0, 0, 0, 4, 1, (0, 1), across, down, (0, 1), (0, 1), (1, 1), (0, 1), (0, 1)
    )
    picture = Bits(0, 0, (0, 1), (0, 1), 0, 0, 0, (0, 1), (0, 2), 0, 0, 0, (0, 1), (0, 1), (0, 1))
    return unit(7, sequence.packed("1")) + unit(8, picture.packed("1"))


def field(number: int, bottom: int, level: int) -> bytes:
    """One field of frame `number`, flat: a slice of I_PCM macroblocks; the first of all is an IDR one."""
    idr = number == bottom == 0
    slice_header = Bits(0, 7, 0, (number, 4), (1, 1), (bottom, 1), *([0] if idr else []))
    slice_header.add((2 * number + bottom, 8))
    slice_header.add((0, 2) if idr else (0, 1))
    slice_header.add(0)
    payload = b""
    for macroblock in range(SIZE // 16 * SIZE // 32):
        bits = Bits() if macroblock else slice_header
        bits.add(25)
        payload += bits.packed() + bytes([level]) * 256 + bytes([128]) * 128
    return unit(9, b"\x10") + (parameters() if idr else b"") + unit(5 if idr else 1, payload + b"\x80")


def packets(joined: bool) -> list[bytes]:
    fields = [field(n, bottom, 30 + 15 * n) for n in range(FRAMES) for bottom in (0, 1)]
    return [top + bottom for top, bottom in zip(fields[::2], fields[1::2], strict=True)] if joined else fields


def write(path, joined: bool, lost: int | None = None) -> None:
    """A take at 25 frames a second, with both fields of a frame in one packet, or each in its own.

    The packet `lost` is left out.
    """
    raw = path.with_suffix(".h264")
    raw.write_bytes(b"".join(packets(joined)))
    with av.open(raw) as source, av.open(path, "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for number, data in enumerate(packets(joined)):
            if number == lost:
                continue
            packet = av.Packet(data)
            packet.stream, packet.is_keyframe = stream, joined or number % 2 == 0
            packet.time_base = Fraction(1, 25 if joined else 50)
            packet.pts = packet.dts = number
            packet.duration = 1
            target.mux(packet)


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("suffix", ["ts", "mp4"])
def test_two_packets_of_one_field_each_are_one_frame(tmp_path, suffix, joined):
    path = tmp_path / f"take.{suffix}"
    write(path, joined)
    found = _core.scan(str(path), 0)
    times = np.asarray(found["pts"]) * float(Fraction(*_core.probe(str(path))["streams"][0]["time_base"]))
    assert np.diff(times) == pytest.approx([1 / 25] * (FRAMES - 1))
    assert found["decoded"]["field_order"] == "tt"


def test_after_a_lost_field_pairs_are_found_again(tmp_path):
    write(tmp_path / "take.mp4", joined=False, lost=8)
    found = _core.scan(str(tmp_path / "take.mp4"), 0)
    steps = np.diff(found["pts"])
    assert (2 * steps / steps[0]).tolist() == [2, 2, 2, 3, 1] + [2] * (FRAMES - 6)


def test_frames_of_two_packets_are_shown_in_any_order(tmp_path):
    description = 'id = "s"\n'
    with wave.open(str(tmp_path / "track.wav"), "wb") as track:
        track.setparams((2, 2, 48_000, 0, "NONE", ""))
        track.writeframes(bytes(4 * 48_000))
    for channel, side in enumerate(("left", "right")):
        write(tmp_path / f"{side}.ts", joined=False)
        description += f'[{side}]\nactor = "A"\nvideo = "{side}.ts"\noffset = 0\nmic_offset = 0\n'
        description += f'mic = {{ file = "track.wav", channel = {channel} }}\n'
    (tmp_path / "session.toml").write_text(description)
    with emomedia.frames(tmp_path / "session.toml", stretches=[(0, FRAMES), (7, 2), (3, 1)]) as frames:
        shown = [(frame.number, int(frame.y[540, 480]), set(frame.damaged)) for frame in frames]
    assert shown == [(number, 30 + 15 * number, set()) for number in (*range(FRAMES), 7, 8, 3)]
    turn = {"id": "a", "dialogue": None, "speaker": "left", "start": 0, "end": FRAMES / 25}
    (tmp_path / "turns.json").write_text(json.dumps({"session": "s", "turns": [turn]}))
    options = Options(turns=tmp_path / "turns.json", preset="ultrafast")
    run(tmp_path / "session.toml", tmp_path / "OUT", options, through="cut")
    engine = json.loads((tmp_path / "OUT/s/run.json").read_text())["engine"]
    assert engine["decoded_frames"] == engine["shown_frames"] == 2 * FRAMES, "packets are not frames"
