"""Tracks from what the core says of a file's sound."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from emomedia.errors import DescriptionError, MediaError, UnsupportedMediaError
from emomedia.probe.track import (
    first_sample_time,
    mic_track,
    own_track,
    sound_streams,
    take_track,
    time_reference,
)
from emomedia.session import Mic

from .found import audio, found, session, video

WAV = Path("/shoot/rec.wav")


def mic(channel, *streams):
    return mic_track(session(left={"mic": Mic(WAV, channel)}), "left", streams)


def test_a_recorder_channel():
    track = mic(1, audio(index=0))
    assert (track.path, track.stream, track.channel) == (WAV, 0, 1)
    assert (track.sample_rate, track.bits, track.codec, track.lossless) == (48000, 24, "pcm_s24le", True)
    assert (track.own_audio, track.start, track.later) == (False, 0, ())


def test_channels_are_counted_through_the_streams():
    streams = [video(), audio(index=1, channels=1), audio(index=2, channels=0), audio(index=3, channels=2)]
    assert [(t.stream, t.channel) for t in (mic(n, *streams) for n in range(3))] == [(1, 0), (3, 0), (3, 1)]


@pytest.mark.parametrize(
    ("sound", "bits"),
    [
        ({"sample_fmt": "s16", "codec": "pcm_s16le"}, 16),
        ({"sample_fmt": "u8", "codec": "pcm_u8"}, 16),
        ({"sample_fmt": "s32", "codec": "flac"}, 24),
        ({"sample_fmt": "flt", "codec": "pcm_f32le"}, 24),
        ({"sample_fmt": "fltp", "codec": "aac", "lossless": False}, 24),
        ({"sample_fmt": "s16", "codec": "pcm_mulaw", "lossless": False}, 24),
    ],
)
def test_flac_keeps_the_depth_of_what_is_exact(sound, bits):
    assert mic(0, audio(**sound)).bits == bits


def test_a_channel_that_is_not_there_is_refused():
    with pytest.raises(DescriptionError, match=r"left\.mic\.channel.*from 0 to 2 of rec\.wav, found 3"):
        mic(3, audio(index=1), audio(index=2, channels=1))


@pytest.mark.parametrize(
    "streams", [[], [video()], [audio(sample_fmt="none")], [audio(channels=0)], [audio(sample_rate=10**6)]]
)
def test_a_microphone_without_sound_is_refused(streams):
    assert sound_streams(streams) == []
    with pytest.raises(UnsupportedMediaError, match=r"rec\.wav: expected sound"):
        mic(0, *streams)


def test_own_sound_goes_on_through_the_files():
    aac = audio(codec="aac", sample_fmt="fltp", lossless=False)
    files = [
        (Path("1.mp4"), aac, Fraction(-1, 100)),
        (Path("2.mp4"), None, Fraction(4)),
        (Path("3.mp4"), aac | {"index": 2}, Fraction(8)),
    ]
    track = own_track(files)
    assert (track.path, track.stream, track.channel, track.start) == (Path("1.mp4"), 1, 0, Fraction(-1, 100))
    assert (track.own_audio, track.bits) == (True, 24)
    assert [(file.path.name, file.stream, file.start) for file in track.later] == [("3.mp4", 2, 8)]


def test_own_sound_is_as_deep_as_its_deepest_file():
    shallow, aac = audio(sample_fmt="s16"), audio(codec="aac", sample_fmt="fltp", lossless=False)
    kinds = {"24": [shallow, audio()], "lossy": [shallow, aac], "16": [shallow, shallow]}
    tracks = {
        name: own_track([(Path(f"{n}.mov"), kind, Fraction(4 * n)) for n, kind in enumerate(files)])
        for name, files in kinds.items()
    }
    told = {name: (track.bits, track.lossless) for name, track in tracks.items() if track}
    assert told == {"24": (24, True), "lossy": (24, False), "16": (16, True)}


def test_own_sound_of_two_rates_is_refused():
    files = [(Path("1.mp4"), audio(), Fraction(0)), (Path("2.mp4"), audio(sample_rate=44100), Fraction(4))]
    with pytest.raises(UnsupportedMediaError, match=r"2\.mp4: .*sample rate of 1\.mp4, 48000, found 44100"):
        own_track(files)


def test_a_take_without_sound_needs_a_microphone():
    from emomedia.probe.take import make_take

    silent = make_take(session(), "right", [found()])
    assert own_track([(Path("a.mp4"), None, Fraction(0))]) is None
    with pytest.raises(UnsupportedMediaError, match=r"a\.mp4: expected sound.*`mic` under \[right\]"):
        take_track("right", silent)


def write_aac(path, first_pts):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48000, layout="mono")
        for block in range(10):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts = 48000, first_pts + block * 1024
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(("name", "first"), [("a.mp4", 0), ("a.mkv", 0), ("a.mkv", 4800)])
def test_the_first_sample_is_the_first_after_the_priming(tmp_path, name, first):
    assert first_sample_time(write_aac(tmp_path / name, first), 0) == Fraction(first, 48000)


def test_a_broadcast_wav_tells_when_it_began(tmp_path):
    form = struct.pack("<HHIIHH", 1, 1, 48_000, 96_000, 2, 16)
    began = 19 * 3600 * 192_000 + 5
    bext = bytes(320) + b"2025-04-1819:00:00" + struct.pack("<QH", began, 1) + bytes(254)
    chunks = [(b"bext", bext), (b"fmt ", form), (b"data", bytes(9600))]
    tag = b"\0time_reference\0" + b"9" * 5000
    frame = b"TXXX" + struct.pack(">I", len(tag)) + bytes(2) + tag
    size = bytes((len(frame) >> shift) & 127 for shift in (21, 14, 7, 0))
    endless = (b"ID3 ", b"ID3\3\0\0" + size + frame)
    for name, kept, expected in (
        ("a.wav", chunks, began), ("b.wav", chunks[1:], None), ("c.wav", [*chunks[1:], endless], None),
    ):  # fmt: skip
        body = b"WAVE" + b"".join(kind + struct.pack("<I", len(data)) + data for kind, data in kept)
        (tmp_path / name).write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
        assert time_reference(tmp_path / name) == expected


def test_sound_that_cannot_be_decoded_is_refused(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"RIFF but not really")
    with pytest.raises(MediaError, match=r"a\.wav"):
        first_sample_time(path, 0)
