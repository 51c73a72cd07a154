"""Every kind of recorder's file: the very samples, or the first one that is presented at sample 0."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from emomedia.audio.decode import decode, first_time
from emomedia.audio.track import blocks, stretch

from .odd_files import bext, chunk, encode, form, found_track, packed24, rf64, riff
from .sounds import noise, shared, write_wav

LENGTH = 60_001

LOSSLESS = {
    "a.w64": ("pcm_s24le", "s32", 24),
    "b.aiff": ("pcm_s24be", "s32", 24),
    "c.aif": ("pcm_s16be", "s16", 16),
    "d.caf": ("pcm_s24le", "s32", 24),
    "e.caf": ("alac", "s32p", 24),
    "f.flac": ("flac", "s16", 16),
    "g.flac": ("flac", "s32", 24),
    "h.m4a": ("alac", "s32p", 24),
    "i.m4a": ("alac", "s16p", 16),
    "j.ogg": ("flac", "s16", 16),
    "k.mov": ("pcm_s24le", "s32", 24),
    "l.mov": ("pcm_s16be", "s16", 16),
    "m.mka": ("pcm_s24le", "s32", 24),
    "n.mka": ("flac", "s32", 24),
    "o.avi": ("pcm_s16le", "s16", 16),
}


def whole(track, first: int = 0) -> np.ndarray:
    return np.concatenate(list(blocks(track, first)))


def stored(samples: np.ndarray, sample_format: str) -> np.ndarray:
    """Integers as libav wants them: 24 bits at the top of 32."""
    return (samples << 8).astype(np.int32) if sample_format.startswith("s32") else samples.astype(np.int16)


@pytest.mark.parametrize("rate", [8000, 44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_tracks_are_exact_at_their_depth(tmp_path, name, rate):
    codec, sample_format, bits = LOSSLESS[name]
    samples = noise(LENGTH, bits, 2)
    path = encode(tmp_path / name, codec, sample_format, stored(samples, sample_format), rate)
    track = found_track(path, 1)
    assert (track.bits, track.sample_rate, track.lossless, track.channel) == (bits, rate, True, 1)
    np.testing.assert_array_equal(whole(track), samples[:, 1])
    np.testing.assert_array_equal(whole(track, 40_000), samples[40_000:, 1])


LOSSY = {
    "a.m4a": ("aac", "fltp"),
    "b.mp4": ("aac", "fltp"),
    "c.mkv": ("aac", "fltp"),
    "d.mp3": ("libmp3lame", "fltp"),
    "e.mkv": ("libmp3lame", "fltp"),
    "f.opus": ("libopus", "flt"),
    "g.ogg": ("libopus", "flt"),
    "h.webm": ("libopus", "flt"),
    "i.mp4": ("libopus", "flt"),
    "j.mkv": ("ac3", "fltp"),
    "k.ogg": ("vorbis", "fltp"),
}
CLICKS = (1000, 20_000, 47_000)


@pytest.mark.parametrize("name", LOSSY)
def test_lossy_tracks_begin_with_the_first_sample_that_is_presented(tmp_path, name):
    codec, sample_format = LOSSY[name]
    clicks = np.zeros((LENGTH, 2), np.float32)
    clicks[CLICKS, 0] = 0.9
    try:
        path = encode(tmp_path / name, codec, sample_format, clicks)
    except (ValueError, LookupError) as error:  # an encoder that this libav was built without
        pytest.skip(f"no {codec}: {error}")
    track = found_track(path)
    assert (track.bits, track.lossless) == (24, False)
    for first in (0, 30_000):
        sound = np.abs(whole(track, first).astype(np.int64))
        assert LENGTH - first <= len(sound) < LENGTH - first + 2048
        for click in CLICKS:
            if click > first:
                around = sound[max(0, click - first - 900) : click - first + 900]
                assert int(np.argmax(around)) + max(0, click - first - 900) == click - first


@pytest.mark.parametrize("rate", [8000, 11_025, 44_100, 88_200, 192_000])
@pytest.mark.parametrize(
    ("kind", "bits"), [("u8", 16), ("s16", 16), ("s24", 24), ("s32", 24), ("f32", 24), ("f64", 24)]
)
def test_wav_of_every_kind_and_rate(tmp_path, kind, bits, rate):
    exact = noise(9001, 8 if kind == "u8" else bits, 2)
    given = {
        "u8": exact + 128,
        "s32": exact << 8,
        "f32": (exact / 2**23).astype(np.float32),
        "f64": exact / 2**23,
    }.get(kind, exact)
    track = found_track(write_wav(tmp_path / "a.wav", given, kind, rate, extensible=True), 1)
    assert (track.bits, track.sample_rate) == (bits, rate)
    np.testing.assert_array_equal(whole(track), exact[:, 1] << (8 if kind == "u8" else 0))


BROADCAST = {
    "RF64": lambda x: rf64(x),
    "BW64": lambda x: rf64(x, name=b"BW64"),
    "RF64 with bext": lambda x: rf64(x, bext(48_000 * 3600)),
    "BWF": lambda x: riff(bext(123_456_789), chunk(b"fmt ", form()), chunk(b"data", packed24(x))),
    "chunks before": lambda x: riff(
        chunk(b"JUNK", bytes(4097)),
        chunk(b"iXML", b"<x/>"),
        chunk(b"fmt ", form()),
        chunk(b"data", packed24(x)),
    ),
    "chunks after": lambda x: riff(
        chunk(b"fmt ", form()), chunk(b"data", packed24(x)), chunk(b"LIST", b"INFO" * 99)
    ),
    "20 bits in 24": lambda x: riff(chunk(b"fmt ", form(bits=20, align=3)), chunk(b"data", packed24(x))),
}


@pytest.mark.parametrize("kind", BROADCAST)
def test_broadcast_wav_is_exact(tmp_path, kind):
    samples = noise(LENGTH, 24)[:, 0]
    path = tmp_path / "a.wav"
    path.write_bytes(BROADCAST[kind](samples))
    np.testing.assert_array_equal(whole(found_track(path)), samples)


def test_channels_are_counted_through_all_streams_of_a_file(tmp_path):
    import av

    samples = [noise(4800, 16, seed=n)[:, 0].astype(np.int16) for n in range(3)]
    path = tmp_path / "a.mov"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("pcm_s16le", rate=48_000, layout="mono") for _ in samples]
        container.start_encoding()
        for stream, own in zip(streams, samples, strict=True):
            frame = av.AudioFrame.from_ndarray(own[None], "s16", "mono")
            frame.sample_rate = 48_000
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    for channel, own in enumerate(samples):
        np.testing.assert_array_equal(whole(found_track(path, channel)), own)


def test_sixty_four_channels(tmp_path):
    samples = noise(2000, 16, 64)
    path = write_wav(tmp_path / "a.wav", samples, "s16")
    np.testing.assert_array_equal(whole(found_track(path, 63)), samples[:, 63])


def test_beyond_full_scale_is_clipped(tmp_path):
    loud = np.array([0.5, 1.5, -1.5, 1.0, -1.0, np.inf, -np.inf, np.nan], np.float32)
    top, bottom = 2**23 - 1, -(2**23)
    found = whole(found_track(write_wav(tmp_path / "a.wav", loud, "f32")))
    assert found.tolist() == [2**22, top, bottom, top, bottom, top, bottom, 0]


def test_flac_by_the_name_of_wav(tmp_path):
    samples = noise(LENGTH, 24, 2)
    path = encode(tmp_path / "a.wav", "flac", "s32", stored(samples, "s32"), container_format="flac")
    np.testing.assert_array_equal(whole(found_track(path)), samples[:, 0])


def data_chunk(path) -> bytes:
    """What a real WAV file holds, found by its chunk's name alone."""
    data = path.read_bytes()
    place = data.index(b"data") + 8
    return data[place : place + int.from_bytes(data[place - 4 : place], "little")]


def test_real_wav_files():
    path = shared("odd/ax_sample_wav_format_extensible.wav")
    real = np.frombuffer(data_chunk(path), "<f4").reshape(-1, 6)
    for channel in range(6):
        expected = np.clip(np.rint(real[:, channel] * 2.0**23), -(2**23), 2**23 - 1)
        np.testing.assert_array_equal(whole(found_track(path, channel)), expected)
    path = shared("odd/ax_sample_with_odd_metadata_chunk_size.wav")
    np.testing.assert_array_equal(whole(found_track(path)), np.frombuffer(data_chunk(path), "<i2"))
    path = shared("odd/ax_sine_24le.wav")
    packed = np.frombuffer(data_chunk(path), np.uint8).reshape(-1, 3)
    wide = np.pad(packed, ((0, 0), (1, 0))).view("<i4")[:, 0] >> 8
    np.testing.assert_array_equal(whole(found_track(path)), wide)


def test_a_real_mxf_of_six_channels():
    path = shared("odd/ph_meridian51.mxf")
    together = np.stack([whole(found_track(path, channel)) for channel in range(6)], axis=1)
    assert together.shape == (32_032, 6) and together.any(axis=0).sum() >= 4
    essence = path.read_bytes()
    for begin in range(0, 32_000, 1000):
        assert packed24(together[begin : begin + 200]) in essence


REAL = {  # file: stream, rate, samples, time of the first one
    "ae_example.mp4": (1, 48_000, 2_035_712, Fraction(0)),
    "ax_long_edit_list_audioonly.mp4": (0, 44_100, 68_890, Fraction(0)),
    "ax_sample_edit_list.mp4": (1, 44_100, 112_990, Fraction(0)),
    "ax_sample_fragmented.mp4": (1, 44_100, 47_104, Fraction(0)),
    "ax_sample_mdat_too_long.mp4": (1, 44_100, 45_056, Fraction(247, 3675)),
    "ax_dolbyVision-hdr.MOV": (1, 44_100, 5056, Fraction(0)),
    "ax_sample_with_htc_rotation_track_name.mkv": (1, 44_100, 44_544, Fraction(31, 500)),
    "ae_testsrc_with_attachment.mkv": (1, 44_100, 90_112, Fraction(0)),
    "gp_hero7.mp4": (1, 48_000, 563_200, Fraction(0)),
}


@pytest.mark.parametrize("name", REAL)
def test_real_cameras_sound(name):
    """Every one of them whole, beginning where its edit list says, and the same from its loudest place on."""
    path = shared(f"odd/{name}")
    stream, rate, samples, time = REAL[name]
    track = found_track(path)
    assert (track.stream, track.sample_rate, track.bits) == (stream, rate, 24)
    lost: list[tuple[int, int]] = []
    sound = np.concatenate(list(decode(path, stream, rate, 0, lambda *run: lost.append(run))))
    assert (len(sound), lost, first_time(path, stream)) == (samples, [], time)
    place = min(int(np.argmax(np.abs(sound[:, 0]))), samples - 1500)
    later, around = stretch(track, place, 1000), stretch(track, 0, place + 1002)[place - 2 :]
    errors = [np.abs(later - around[shift : shift + 1000]).max() for shift in range(5)]
    assert np.argmin(errors) == 2
    assert errors[2] < (1e-3 if track.codec == "ac3" else 1e-6)  # AC-3 has noise of its own, anew each time
