"""Damaged tracks: what does not decode is silence at its place, told to the sample; lies are refused."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from emomedia.audio.conform import conform
from emomedia.audio.decode import decode, first_time
from emomedia.audio.track import blocks
from emomedia.errors import EmomediaError, MediaError, UnsupportedMediaError
from emomedia.probe.types import TrackFile
from emomedia.timeline import Clock

from .odd_files import UNKNOWN, chunk, encode, form, found_track, packed24, rf64, riff
from .sounds import noise, track, write_wav

SECOND = 48_000
LENGTH = 2 * SECOND + 1

BREAKABLE = {
    "a.flac": ("flac", "s16", 16),
    "b.flac": ("flac", "s32", 24),
    "d.mka": ("flac", "s32", 24),
    "e.m4a": ("alac", "s16p", 16),
    "f.m4a": ("aac", "fltp", 24),
    "g.mkv": ("aac", "fltp", 24),
    "h.aac": ("aac", "fltp", 24),
    "i.mp3": ("libmp3lame", "fltp", 24),
}


def made(path: Path, codec: str, sample_format: str, bits: int) -> Path:
    if sample_format == "fltp":
        chords = np.outer(np.arange(LENGTH) / SECOND, [220, 331, 497]) * 2 * np.pi
        samples = np.repeat(0.2 * np.sin(chords).sum(axis=1, keepdims=True), 2, axis=1).astype(np.float32)
    else:
        samples = noise(LENGTH, bits, 2)
        samples = (samples << 8).astype(np.int32) if bits == 24 else samples.astype(np.int16)
    return encode(path, codec, sample_format, samples)


HEADERS = {".aac": 7, ".mp3": 4, ".flac": 40}
"""Bytes at a packet's head by which its end is found, where the container does not tell it."""


def break_packets(path: Path, numbers: range) -> None:
    """Overwrite what is in some of the file's packets."""
    kept = HEADERS.get(path.suffix, 0)
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(audio=0) if packet.size]
    data = bytearray(path.read_bytes())
    for number in numbers:
        begin, size = data.index(packets[number]), len(packets[number])
        data[begin + kept : begin + size] = b"\xff" * (size - kept)
    path.write_bytes(data)


def whole(path: Path, first: int = 0) -> tuple[np.ndarray, list[tuple[int, int]]]:
    lost: list[tuple[int, int]] = []
    found = np.concatenate(list(decode(path, 0, SECOND, first, lambda *run: lost.append(run))))
    return found, lost


@pytest.mark.parametrize("broken", [range(8, 9), range(9, 12), range(1, 2), range(-1, 0)], ids=str)
@pytest.mark.parametrize("name", BREAKABLE)
def test_broken_packets_are_silence_at_their_place(tmp_path, name, broken):
    path = made(tmp_path / name, *BREAKABLE[name])
    good, none = whole(path)
    assert none == []
    break_packets(path, broken)
    found, lost = whole(path)
    exact = BREAKABLE[name][0] in ("flac", "alac")
    common = min(len(good), len(found))
    assert max(len(good), len(found)) - common <= (4608 if broken.start < 0 else 0)
    sure = np.ones(common, bool)
    for first, end in lost:
        assert not found[first:end].any()
        assert end - first <= 8 * 4608
        sure[first : end + (0 if exact else 2304)] = False  # lossy frames reach into the next ones
    assert 0 < (~sure).sum() < LENGTH / 2
    error = np.abs(found[:common][sure].astype(np.float64) - good[:common][sure])
    assert error.max() < (1 if exact else 2e-5)  # AAC fills bands with noise that goes on from frame to frame


def test_a_broken_packet_in_a_later_stretch_is_reported_there(tmp_path):
    path = made(tmp_path / "a.flac", *BREAKABLE["a.flac"])
    good, _ = whole(path)
    break_packets(path, range(12, 13))
    _, lost = whole(path)
    found, later = whole(path, 40_000)
    assert later == lost and len(lost) == 1
    found[lost[0][0] - 40_000 : lost[0][1] - 40_000] = good[slice(*lost[0])]
    np.testing.assert_array_equal(found, good[40_000:])


@pytest.mark.parametrize("place", [0.2, 0.4])
@pytest.mark.parametrize("codec", ["flac", "libopus"])
def test_a_damaged_ogg_is_refused_because_its_times_are_not_to_be_trusted(tmp_path, codec, place):
    path = made(tmp_path / "a.ogg", *(BREAKABLE["a.flac"] if codec == "flac" else ("libopus", "s16", 16)))
    data = bytearray(path.read_bytes())
    begin = int(place * len(data))
    data[begin : begin + 16] = bytes(byte ^ 0x5A for byte in data[begin : begin + 16])
    path.write_bytes(data)
    with pytest.raises(
        MediaError, match=r"a\.ogg: expected (times that continue|sound in which every sample)"
    ):
        whole(path)


@pytest.mark.parametrize("name", ["h.aac", "i.mp3"])
def test_a_row_of_packets_with_a_hole_has_no_sure_places(tmp_path, name):
    path = made(tmp_path / name, *BREAKABLE[name])
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(audio=0) if packet.size]
    data = path.read_bytes()
    begin = data.index(packets[20])
    path.write_bytes(data[:begin] + bytes(len(packets[20])) + data[begin + len(packets[20]) :])
    with pytest.raises(MediaError, match=r"definite time, found no packet at byte"):
        whole(path)


def test_a_file_of_which_nothing_decodes(tmp_path):
    path = made(tmp_path / "a.m4a", *BREAKABLE["f.m4a"])
    with av.open(str(path)) as container:
        count = sum(1 for packet in container.demux(audio=0) if packet.size)
    break_packets(path, range(count))
    with pytest.raises(MediaError, match=r"a\.m4a: expected sound, found none \("):
        whole(path)


@pytest.mark.parametrize("rates", [(48_000, 44_100), (48_000, 48_000)])
def test_a_stream_that_changes_its_format_is_refused(tmp_path, rates):
    parts = []
    for number, rate in enumerate(rates):
        layout = ("mono", "stereo")[number]
        samples = np.zeros((9600, number + 1), np.float32)
        parts.append(
            encode(tmp_path / f"{number}.aac", "aac", "fltp", samples, rate, layout=layout).read_bytes()
        )
    path = tmp_path / "a.aac"
    path.write_bytes(b"".join(parts))
    with pytest.raises(
        UnsupportedMediaError, match=r"a\.aac: expected sound of 48000 Hz in 1 channels throughout"
    ):
        whole(path)


def packets_at(path: Path, places: list[int]) -> Path:
    """PCM packets of 100 ms each, at the given samples."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=SECOND, layout="mono")
        container.start_encoding()
        for number, place in enumerate(places):
            packet = av.Packet(np.full(4800, number + 1, "<i2").tobytes())
            packet.stream, packet.time_base = stream, Fraction(1, SECOND)
            packet.pts = packet.dts = place
            packet.duration = 4800
            container.mux(packet)
    return path


def test_times_that_leap_back_are_refused(tmp_path):
    path = packets_at(tmp_path / "b.mka", [240_000, 244_800, 249_600])
    whole(path)
    data = bytearray(path.read_bytes())
    *_, last = _simple_blocks(data)
    struct.pack_into(">h", data, last, -3000)  # a block's time, relative to its cluster's
    path.write_bytes(data)
    with pytest.raises(MediaError, match=r"b\.mka: expected times that continue from packet to packet"):
        whole(path)


def _simple_blocks(data: bytearray) -> Iterator[int]:
    """Where the 16-bit times of a Matroska file's blocks of 9600 bytes lie."""
    place = 0
    while (place := data.find(b"\xa3", place)) >= 0:
        head = data[place + 1 : place + 9]
        for length in (2, 3, 4, 8):
            size = int.from_bytes(head[:length], "big") & ((1 << (7 * length)) - 1)
            if size == 9600 + 4 and data[place + 1 + length] == 0x81:
                yield place + 1 + length + 1
        place += 1


def test_a_gap_is_reported(tmp_path):
    _, lost = whole(packets_at(tmp_path / "a.mka", [0, 4800, 38_400, 43_200]))
    assert lost == [(9600, 38_400)]


def test_a_gap_between_two_files_is_reported_as_of_the_track(tmp_path):
    paths = [write_wav(tmp_path / f"{n}.wav", noise(1000, 16, seed=n), "s16") for n in range(2)]
    of = track(paths[0], bits=16, own_audio=True, later=(TrackFile(paths[1], 0, Fraction(1500, SECOND)),))
    lost: list[tuple[int, int]] = []
    assert sum(len(block) for block in blocks(of, -100, lambda *run: lost.append(run))) == 2600
    assert lost == [(1000, 1500)]


@pytest.mark.parametrize(("rate", "scale"), [(48_000, 1), (96_000, 2)])
def test_conforming_keeps_what_is_lost_on_the_session_clock(tmp_path, rate, scale):
    samples = noise(4 * rate, 24, 1)
    path = encode(tmp_path / "a.flac", "flac", "s32", (samples << 8).astype(np.int32), rate, layout="mono")
    break_packets(path, range(20, 22))
    lost: list[tuple[int, int]] = []
    list(decode(path, 0, rate, 0, lambda *run: lost.append(run)))
    run = lost[0][0], lost[-1][1]
    pcm = conform(found_track(path), Clock(Fraction(1, 4)), 3 * SECOND, tmp_path, "left")
    expected = tuple(12_000 + edge // scale for edge in run)
    assert pcm.damaged == (expected,)
    quiet = slice(expected[0] + 2000 * (scale - 1), expected[1] - 2000 * (scale - 1))
    assert not pcm.array[quiet].any()
    assert pcm.damaged_samples(0, expected[0] + 10) == 10
    assert pcm.damaged_samples(expected[1] - 5, 3 * SECOND) == 5
    assert pcm.damaged_samples(*expected) == expected[1] - expected[0]
    assert (pcm.filled_samples(0, 12_010), pcm.filled_samples(11_990, 12_010)) == (12_000, 10)


def test_full_scale_is_counted(tmp_path):
    samples = np.zeros(1000, np.float32)
    samples[[10, 20, 30]] = 1.5, -2, 0.999
    pcm = conform(found_track(write_wav(tmp_path / "a.wav", samples, "f32")), Clock(), 1000, tmp_path, "left")
    assert (pcm.clipped_samples(0, 1000), pcm.clipped_samples(-50, 15), pcm.clipped_samples(21, 2000)) == (
        2,
        1,
        0,
    )


FORM = chunk(b"fmt ", form())
LIES = {
    "a RIFF size of zero": lambda data: riff(FORM, chunk(b"data", data), size=0),
    "a RIFF size of all ones": lambda data: riff(FORM, chunk(b"data", data), size=UNKNOWN),
    "a data size of all ones": lambda data: riff(FORM, chunk(b"data", data, UNKNOWN), size=UNKNOWN),
    "a data size of zero": lambda data: riff(FORM, chunk(b"data", data, 0), size=0),
    "a data size three times as large": lambda data: riff(FORM, chunk(b"data", data, 3 * len(data))),
    "a ds64 of exabytes": lambda data: rf64(_samples(data)).replace(
        struct.pack("<Q", len(data)), struct.pack("<Q", 1 << 62)
    ),
    "a wrong byte rate": lambda data: riff(
        chunk(b"fmt ", FORM[8:16] + struct.pack("<I", 7) + FORM[20:]), chunk(b"data", data)
    ),
}


def _samples(data: bytes) -> np.ndarray:
    packed = np.frombuffer(data, np.uint8).reshape(-1, 3)
    return np.pad(packed, ((0, 0), (1, 0))).view("<i4")[:, 0] >> 8


@pytest.mark.parametrize("lie", LIES)
def test_lies_about_lengths_do_no_harm(tmp_path, lie):
    samples = noise(50_001, 24)[:, 0]
    path = tmp_path / "a.wav"
    path.write_bytes(LIES[lie](packed24(samples)))
    np.testing.assert_array_equal(np.concatenate(list(blocks(found_track(path)))), samples)


@pytest.mark.parametrize("odd", [0, 1, 2])
def test_a_cut_file_is_filled_with_zeros_and_counted(tmp_path, odd):
    samples = noise(SECOND, 24)[:, 0]
    path = tmp_path / "a.wav"
    path.write_bytes(riff(FORM, chunk(b"data", packed24(samples)))[: 44 + 3 * 30_000 + odd])
    pcm = conform(found_track(path), Clock(), SECOND, tmp_path, "left")
    np.testing.assert_array_equal(pcm.array[:30_000], samples[:30_000])
    assert not pcm.array[30_000:].any()
    assert (pcm.covered, pcm.filled_samples(0, SECOND), pcm.damaged) == ((0, 30_000), 18_000, ())


HOPELESS = {
    "nothing": b"",
    "four bytes": b"RIFF",
    "text": b"This is a list of takes, not a take.\n" * 3000,
    "a web page": b"<html><body>404 not found</body></html>" * 300,
    "zeros": bytes(100_000),
    "noise": np.random.default_rng(3).bytes(300_000),
    "no format": riff(chunk(b"data", bytes(3000))),
    "no data": riff(FORM),
    "no samples": riff(FORM, chunk(b"data", b"")),
    "65535 channels": riff(chunk(b"fmt ", form(channels=65_535)), chunk(b"data", bytes(300_000))),
    "65 channels": riff(chunk(b"fmt ", form(channels=65)), chunk(b"data", bytes(300_000))),
    "no channel": riff(chunk(b"fmt ", form(channels=0)), chunk(b"data", bytes(300_000))),
    "a rate of zero": riff(chunk(b"fmt ", form(rate=0)), chunk(b"data", bytes(300_000))),
    "a rate of one": riff(chunk(b"fmt ", form(rate=1)), chunk(b"data", bytes(300_000))),
    "a rate of 768001": riff(chunk(b"fmt ", form(rate=768_001)), chunk(b"data", bytes(300_000))),
    "a rate of four billion": riff(chunk(b"fmt ", form(rate=4_000_000_000)), chunk(b"data", bytes(300_000))),
    "an unknown codec": riff(chunk(b"fmt ", form(tag=0x99)), chunk(b"data", bytes(300_000))),
    "a block size of zero": riff(chunk(b"fmt ", form(align=0)), chunk(b"data", bytes(300_000))),
    "a block size of one": riff(chunk(b"fmt ", form(align=1)), chunk(b"data", bytes(300_000))),
    "a block size of four": riff(chunk(b"fmt ", form(align=4)), chunk(b"data", bytes(300_000))),
    "a block size of 65534": riff(chunk(b"fmt ", form(align=65_534)), chunk(b"data", bytes(300_000))),
}


@pytest.mark.parametrize("kind", HOPELESS)
def test_what_is_no_track_is_refused_in_one_line(tmp_path, kind):
    path = tmp_path / "a.wav"
    path.write_bytes(HOPELESS[kind])
    with pytest.raises(EmomediaError) as refused:
        list(blocks(found_track(path)))
    line = str(refused.value)
    assert line.startswith(f"{path}: expected ") and "\n" not in line and len(line) < 400
    assert isinstance(refused.value, MediaError | UnsupportedMediaError)


def test_a_video_without_sound_is_no_track(tmp_path):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width = video.height = 32
        container.mux(video.encode(av.VideoFrame(32, 32, "yuv420p")))
        container.mux(video.encode(None))
    with pytest.raises(UnsupportedMediaError, match=r"a\.mp4: expected sound .*, found video"):
        found_track(path)


def test_a_file_that_vanishes_or_shrinks_while_it_is_read(tmp_path):
    path = write_wav(tmp_path / "a.wav", noise(40 * SECOND, 16), "s16")
    of = found_track(path)
    reading = blocks(of)
    seen = len(next(reading))
    path.write_bytes(path.read_bytes()[: 44 + 2 * SECOND])
    assert seen + sum(len(block) for block in reading) < 20 * SECOND
    path.unlink()
    with pytest.raises(EmomediaError, match=r"a\.wav: expected a readable file, found no such file"):
        next(blocks(of))


@pytest.mark.parametrize("name", ["a.flac", "e.m4a", "f.m4a", "g.mkv"])
@pytest.mark.parametrize("count", [1, 2])
def test_sample_zero_of_a_file_whose_first_packets_are_broken(tmp_path, name, count):
    path = made(tmp_path / name, *BREAKABLE[name])
    good, _ = whole(path)
    break_packets(path, range(count))
    found, lost = whole(path)
    assert first_time(path, 0) == 0
    assert [run[0] for run in lost[:1]] == [0] * len(lost[:1])
    sure = (lost[-1][1] if lost else 0) + 2304
    assert np.abs(found[sure:].astype(np.float64) - good[sure:]).max() < 2e-5


def test_one_flipped_bit_of_a_flac_is_found_by_its_checksum(tmp_path):
    path = made(tmp_path / "a.flac", *BREAKABLE["a.flac"])
    good, _ = whole(path)
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(audio=0) if packet.size]
    data = bytearray(path.read_bytes())
    data[data.index(packets[5]) + len(packets[5]) // 2] ^= 0x10
    path.write_bytes(data)
    found, lost = whole(path)
    assert lost == [(5 * 4608, 6 * 4608)]
    good[slice(*lost[0])] = 0
    np.testing.assert_array_equal(found, good)
