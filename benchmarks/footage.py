"""Sessions to measure on: 4K takes at a camera's bit rate, with grain, a minute long; made once and kept.

A few seconds of pictures are unique: coding them is slow. They end on a closed GOP and are repeated by
copying packets, which costs a decoder what unique ones would. The sound is unique throughout.

``python -m benchmarks.footage [NAME ...]`` makes them ahead, below BENCH_FOOTAGE or build/bench/footage. With
``--pictures FOLDER`` only the unique pictures are made, there; where BENCH_PICTURES names such a folder,
sessions are made from what is in it: a bare or scarce machine need not code pictures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np

from emomedia.files import atomic, write_bytes
from emomedia.session import SIDES, SideName
from emomedia.simulate import SimulateOptions, simulate
from emomedia.simulate.camera import Camera
from emomedia.simulate.picture import Moment, Painter

ROOT = Path(os.environ.get("BENCH_FOOTAGE", Path(__file__).parent.parent / "build/bench/footage"))
PICTURES = Path(os.environ.get("BENCH_PICTURES", ROOT / "pictures"))
RATE = 25
MAKING = 1
"""To be counted up with whatever changes what is made from the same Footage."""


@dataclass(frozen=True)
class Footage:
    """What a session's takes are like.

    Attributes
    ----------
    seconds, unique_seconds : int
        Of the whole takes, and of the pictures in them that are repeated; a multiple of the GOP.
    dialogue_seconds, turn_seconds : int
        Of the one dialogue, which begins with the takes, and of the turns in it, each of which overlaps the
        one before by a fifth.
    megabits : int
        Bits per second of a take's pictures, in millions.
    """

    name: str
    codec: str = "h264"
    depth: int = 8
    size: tuple[int, int] = (2160, 3840)
    crop: tuple[int, int, int, int] = (0, 704, 2160, 2430)
    seconds: int = 62
    dialogue_seconds: int = 60
    turn_seconds: int = 4
    unique_seconds: int = 8
    megabits: int = 80
    gop: int = 50

    @property
    def folder(self) -> Path:
        """Named by all that the files depend on, so that none is taken for another."""
        key = hashlib.sha256(json.dumps([MAKING, asdict(self)]).encode()).hexdigest()
        return ROOT / f"{self.name}-{key[:12]}"

    def pictures_file(self, side: SideName) -> str:
        """Name of the file with a take's unique pictures, by all that they depend on."""
        on = [self.codec, self.depth, self.size, self.unique_seconds, self.megabits, self.gop]
        key = hashlib.sha256(json.dumps([MAKING, on]).encode()).hexdigest()
        return f"{self.codec}-{self.depth}-{key[:12]}.{side}.mp4"

    @property
    def period(self) -> int:
        """Frames after which the pictures repeat."""
        return self.unique_seconds * RATE

    @property
    def frames(self) -> int:
        """Of the dialogue."""
        return self.dialogue_seconds * RATE

    @property
    def clips(self) -> list[tuple[str, int, int]]:
        """Id, first frame and one past the last of every clip, dialogue first."""
        turns = [(first, first + self.turn_seconds * RATE) for first in self._turn_starts()]
        named = [(f"bench_000_{number:03}", *frames) for number, frames in enumerate(turns)]
        return [("bench_000", 0, self.frames), *named]

    def _turn_starts(self) -> range:
        step = self.turn_seconds * RATE * 4 // 5
        return range(0, self.frames - self.turn_seconds * RATE + 1, step)

    @property
    def key_frames(self) -> list[int]:
        """Where emomedia has IDR pictures: at every cut point, and two seconds apart from each on."""
        cuts = sorted({edge for _, first, end in self.clips for edge in (first, end)})
        return [
            frame
            for first, end in pairwise(cuts)
            for frame in range(first, end, 2 * RATE)
            if frame == first or frame != end - 1
        ]


FOOTAGE = {
    "h264-8": Footage("h264-8"),
    "hevc-10": Footage("hevc-10", codec="hevc", depth=10, unique_seconds=4, megabits=50),
    "smoke": Footage(
        "smoke", size=(270, 480), crop=(0, 88, 270, 304), seconds=6, dialogue_seconds=2, turn_seconds=1,
        unique_seconds=2, megabits=2,
    ),
    "long": Footage("long", seconds=602, dialogue_seconds=600),
    "gpu-h264-8": Footage("gpu-h264-8", unique_seconds=1, megabits=50, gop=25),
    "gpu-hevc-10": Footage("gpu-hevc-10", codec="hevc", depth=10, unique_seconds=1, megabits=36, gop=25),
    "gpu-h264-8-long": Footage(
        "gpu-h264-8-long", unique_seconds=1, megabits=50, gop=25, seconds=542, dialogue_seconds=540,
    ),
    "gpu-hevc-10-long": Footage(
        "gpu-hevc-10-long", codec="hevc", depth=10, unique_seconds=1, megabits=36, gop=25, seconds=542,
        dialogue_seconds=540,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Session:
    """A session on the disk."""

    footage: Footage
    description: Path
    turns: Path
    takes: dict[str, Path]
    recorder: Path
    megabits: dict[str, float]

    @classmethod
    def read(cls, footage: Footage) -> Session:
        folder = footage.folder
        made = json.loads((folder / "footage.json").read_text())
        takes = {side: folder / f"{side}.mp4" for side in SIDES}
        recorder = folder / made["recorder"]
        return cls(
            footage, folder / "session.toml", folder / "bench.turns.json", takes, recorder, made["megabits"]
        )


def make(footage: Footage) -> Session:
    """The session, made unless it is there."""
    if not (footage.folder / "footage.json").exists():
        _make(footage)
    return Session.read(footage)


def _make(footage: Footage) -> None:
    folder = footage.folder
    shutil.rmtree(folder, ignore_errors=True)
    sound = folder / "sound"
    described = simulate(
        sound,
        SimulateOptions.of(
            size=(180, 320),  # of pictures that are thrown away
            fps=Fraction(5),
            seconds=Fraction(footage.seconds),
            dialogues=1,
            session="bench",
        ),
    )
    megabits = {}
    for side in SIDES:
        ready = _ready(footage, side)
        pictures = ready or make_pictures(footage, side, folder)
        take = folder / f"{side}.mp4"  # not synced: gigabytes, of which only footage.json tells
        megabits[side] = _join(pictures, sound / f"{side}.mp4", take, footage)
        if pictures != ready:
            pictures.unlink()
    recorder = next(path for path in sound.iterdir() if path.suffix in (".wav", ".flac"))
    shutil.move(recorder, folder / recorder.name)
    write_bytes(folder / "session.toml", _description(described.read_text(), footage).encode())
    write_bytes(folder / "bench.turns.json", json.dumps(_turns(footage), indent=1).encode())
    shutil.rmtree(sound)
    body = {"footage": asdict(footage), "megabits": megabits, "recorder": recorder.name}
    write_bytes(folder / "footage.json", json.dumps(body, indent=1).encode())


def _ready(footage: Footage, side: SideName) -> Path | None:
    """Pictures that were made ahead: the side's own, or the left's, which then stand for both."""
    files = [PICTURES / footage.pictures_file(each) for each in (side, SIDES[0])]
    return next((file for file in files if file.exists()), None)


def _description(simulated: str, footage: Footage) -> str:
    """The simulated session.toml with the dialogue and the crops that are measured."""
    before = simulated.split("[[dialogue]]")[0]
    crop = "crop = {{ x = {}, y = {}, width = {}, height = {} }}".format(*footage.crop)
    for side in SIDES:
        before = before.replace(f"[{side}]", f"[{side}]\n{crop}")
    return f'{before}\n[[dialogue]]\nid = "bench_000"\nstart = 0\nend = {footage.dialogue_seconds}\n'


def _turns(footage: Footage) -> dict[str, object]:
    turns = [
        {
            "id": name,
            "dialogue": "bench_000",
            "speaker": SIDES[number % 2],
            "start": float(Fraction(first, RATE)),
            "end": float(Fraction(end, RATE)),
        }
        for number, (name, first, end) in enumerate(footage.clips[1:])
    ]
    return {"session": "bench", "turns": turns}


def make_pictures(footage: Footage, side: SideName, folder: Path) -> Path:
    """The unique pictures of a side's take, without sound, in a file of its own."""
    path = folder / footage.pictures_file(side)
    with atomic(path) as part, av.open(str(part), "w", format="mp4") as container:
        stream = container.add_stream(_ENCODERS[footage.codec], rate=RATE, options=_settings(footage))
        stream.width, stream.height = footage.size
        stream.pix_fmt = "yuv420p" if footage.depth == 8 else "yuv420p10le"
        stream.bit_rate = footage.megabits * 1_000_000
        context = stream.codec_context
        context.color_range, context.colorspace, context.color_primaries, context.color_trc = 1, 1, 1, 1
        if footage.codec == "hevc":
            context.codec_tag = "hvc1"
        for number, frame in enumerate(_pictures(footage, side)):
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


_ENCODERS = {"h264": "libx264", "hevc": "libx265"}


def _settings(footage: Footage) -> dict[str, str]:
    """Closed GOPs, B-frames, CABAC, deblocking: what cameras write, and decoders find hard."""
    kilobits = footage.megabits * 1000
    common = f"keyint={footage.gop}:min-keyint={footage.gop}:scenecut=0:open-gop=0:bframes=2"
    common += f":vbv-maxrate={kilobits * 5 // 4}:vbv-bufsize={kilobits}"
    if footage.codec == "hevc":
        return {"preset": "superfast", "x265-params": common + ":sao=1:log-level=error"}
    return {"preset": "veryfast", "x264-params": common}


_GRAIN_SIGMA = 3.0
_GRAIN_MARGIN = 64


def _pictures(footage: Footage, side: SideName) -> Iterator[av.VideoFrame]:
    """The simulated camera's pictures, each with its mark, under grain as fine as a lens draws."""
    camera = Camera(size=footage.size, codec=footage.codec, depth=footage.depth)
    moments = [Moment(number / RATE, number // 3 % 5) for number in range(footage.period)]
    painter = Painter(camera, side, moments, seed=0)
    random = np.random.default_rng([1, SIDES.index(side)])
    width, height = footage.size
    tile = _grain((height + _GRAIN_MARGIN, width + _GRAIN_MARGIN), random) * (1 << (footage.depth - 8))
    tile = np.rint(tile).astype(np.int16)
    top, kind = (1 << footage.depth) - 1, np.uint8 if footage.depth == 8 else np.uint16
    for number in range(footage.period):
        frame = painter.paint(number)
        x, y = random.integers(0, _GRAIN_MARGIN, 2)
        luma = np.frombuffer(frame.planes[0], dtype=kind).reshape(height, -1)[:, :width]
        grainy = luma.astype(np.int16) + tile[y : y + height, x : x + width]
        luma[...] = np.clip(grainy, 0, top)
        yield frame


def _grain(shape: tuple[int, int], random: np.random.Generator) -> np.ndarray:
    """Noise of a sensor after demosaicing: neighbours share some of it; float, 8-bit units."""
    noise = random.normal(0, 1, (shape[0] + 1, shape[1] + 1))
    blurred = noise[1:, 1:] + 0.6 * (noise[:-1, 1:] + noise[1:, :-1]) + 0.36 * noise[:-1, :-1]
    return _GRAIN_SIGMA * blurred / blurred.std()


def _join(pictures: Path, sound: Path, take: Path, footage: Footage) -> float:
    """The pictures over and over, and the sound, by copying packets; megabits a second of the pictures."""
    total = footage.seconds * RATE
    with av.open(str(pictures)) as video, av.open(str(sound)) as audio, av.open(str(take), "w", "mp4") as out:
        source = video.streams.video[0]
        packets = [packet for packet in video.demux(source) if packet.size]
        ticks = Fraction(1, RATE) / source.time_base
        data = [(bytes(p), p.pts, p.dts, p.is_keyframe) for p in packets]
        to, heard = out.add_stream_from_template(source), out.add_stream_from_template(audio.streams.audio[0])
        voices = (packet for packet in audio.demux(audio.streams.audio[0]) if packet.size)
        size = 0
        for number in range(total):
            turn, at = divmod(number, footage.period)
            content, pts, dts, key = data[at]
            packet = av.Packet(content)
            packet.stream, packet.time_base, packet.is_keyframe = to, source.time_base, key
            shift = int(turn * footage.period * ticks)
            packet.pts, packet.dts, packet.duration = pts + shift, dts + shift, int(ticks)
            size += packet.size
            out.mux(packet)
            for voice in _before(voices, Fraction(number + 1, RATE)):
                voice.stream = heard
                out.mux(voice)
    return size * 8 / footage.seconds / 1e6


def _before(packets: Iterator[av.Packet], seconds: Fraction) -> Iterator[av.Packet]:
    for packet in packets:
        yield packet
        if packet.pts * packet.time_base >= seconds:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description="Make footage to measure on ahead.")
    names = ", ".join(FOOTAGE)
    parser.add_argument("names", nargs="*", metavar="NAME", default=["h264-8", "hevc-10"], help=names)
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="make the left unique pictures alone")
    arguments = parser.parse_args()
    for footage in (FOOTAGE[name] for name in arguments.names):
        if arguments.pictures:
            arguments.pictures.mkdir(parents=True, exist_ok=True)
            path = make_pictures(footage, SIDES[0], arguments.pictures)
            print(path, f"{path.stat().st_size / 1e6:.1f} MB")
        else:
            made = make(footage)
            print(made.description, made.megabits)


if __name__ == "__main__":
    main()
