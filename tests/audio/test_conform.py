"""Conforming puts every sample where the clock says, and leaves it as it is where it can."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emomedia.audio import conform as module
from emomedia.audio._pcm import quantise
from emomedia.audio.conform import UNCORRECTED, Pcm, conform, needs_correction
from emomedia.audio.decode import BLOCK
from emomedia.audio.flac import write_flac
from emomedia.audio.track import blocks
from emomedia.errors import OutputError, SyncError
from emomedia.probe.track import first_sample_time
from emomedia.timeline import Clock

from .sounds import noise, shared, track, write_wav

SECOND = 48_000


def expected(samples: np.ndarray, begin: int, length: int) -> np.ndarray:
    target = np.zeros(length, samples.dtype)
    for place in range(max(0, begin), min(length, begin + len(samples))):
        target[place] = samples[place - begin]
    return target


@pytest.mark.parametrize("offset", ["0", "0.25", "-0.25", "0.1000130", "-0.0000105", "0.7"])
@pytest.mark.parametrize(("kind", "bits"), [("s16", 16), ("s24", 24), ("f32", 24)])
def test_untouched_samples(tmp_path, kind, bits, offset):
    samples = noise(40_000, bits, 2)
    stored = (samples / 2**23).astype(np.float32) if kind == "f32" else samples
    path = write_wav(tmp_path / "a.wav", stored, kind)
    clock = Clock(Fraction(offset))
    pcm = conform(track(path, bits=bits, channel=1), clock, SECOND, tmp_path / "sound", "left")
    begin = round(Fraction(offset) * SECOND)
    assert (pcm.bits, pcm.samples, pcm.first_sample, pcm.corrected) == (bits, SECOND, -begin, False)
    assert pcm.covered == (max(0, begin), min(SECOND, begin + 40_000))
    assert pcm.array.dtype == (np.dtype("<i2") if bits == 16 else np.dtype("<i4"))
    np.testing.assert_array_equal(pcm.array, expected(samples[:, 1], begin, SECOND))
    assert not pcm.array.flags.writeable
    assert pcm.path.stat().st_size == SECOND * (2 if bits == 16 else 4)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(begin=st.integers(-3000, 6000), length=st.integers(1, 6000), first=st.integers(-50, 6000))
def test_any_cut_of_any_place(tmp_path, begin, length, first):
    samples = noise(3001, 16)[:, 0].astype(np.int16)
    path = write_wav(tmp_path / "a.wav", samples, "s16")
    of, clock = track(path, bits=16), Clock(Fraction(begin, SECOND))
    if begin >= length or begin + 3001 <= 0:
        with pytest.raises(SyncError):
            conform(of, clock, length, tmp_path, "left")
        return
    pcm = conform(of, clock, length, tmp_path, "left")
    whole = expected(samples, begin, length)
    np.testing.assert_array_equal(pcm.array, whole)
    # What the audit says: session sample n is the track's sample n + first_sample.
    for place in range(*pcm.covered, 97):
        assert whole[place] == samples[place + pcm.first_sample]
    clip = pcm.cut(first, first + 500)
    np.testing.assert_array_equal(clip, expected(whole, -first, 500))


def test_a_track_outside_the_session_is_refused_and_leaves_nothing(tmp_path):
    path = write_wav(tmp_path / "a.wav", noise(1000, 16), "s16")
    for offset in (Fraction(-1), Fraction(1)):
        with pytest.raises(SyncError, match=r"a\.wav: expected sound between 0 and 1\.000 s.*mic_offset"):
            conform(track(path, bits=16), Clock(offset), SECOND, tmp_path / "sound", "left")
    assert list((tmp_path / "sound").iterdir()) == []


def test_a_file_that_cannot_be_written(tmp_path):
    path = write_wav(tmp_path / "a.wav", noise(1000, 16), "s16")
    with pytest.raises(OutputError, match="expected a writable folder with room"):
        conform(track(path, bits=16), Clock(), SECOND, path, "left")


def test_drift_is_left_alone_below_the_stated_shift():
    hour = 3600 * SECOND
    limit = UNCORRECTED / 3600 * 1_000_000  # ppm
    assert not needs_correction(SECOND, Clock(drift_ppm=limit * Fraction(99, 100)), hour)
    assert needs_correction(SECOND, Clock(drift_ppm=limit * Fraction(101, 100)), hour)
    assert needs_correction(SECOND, Clock(drift_ppm=-limit), hour)
    # A recorder that ran for an hour before has drifted for that hour, too.
    assert needs_correction(SECOND, Clock(Fraction(-3610), limit / 2), hour)
    assert needs_correction(44_100, Clock(), hour)
    assert Fraction(1, 240) > UNCORRECTED  # half a frame at 120 fps


def sine(frequency: float, seconds: float, rate: int, start: float = 0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * frequency * (start + np.arange(round(seconds * rate)) / rate))


@pytest.mark.parametrize(
    ("rate", "drift"), [(44_100, 0), (96_000, 0), (192_000, 0), (48_000, 41.7), (48_000, -145), (44_100, 30)]
)
def test_resampling_puts_every_sample_at_its_time(tmp_path, rate, drift):
    # 60 s of 997 Hz: a phase off by a hundredth of a sample at 48 kHz would be an error of 6e-4.
    s24 = np.rint(sine(997, 60, rate) * 2**23).astype(np.int64)
    path = write_wav(tmp_path / "a.wav", s24, "s24", rate)
    clock = Clock(Fraction(1), Fraction(str(drift)))
    pcm = conform(track(path, rate=rate), clock, 62 * SECOND, tmp_path, "left")
    assert pcm.corrected and pcm.bits == 24 and pcm.first_sample == -SECOND
    speed = float(clock.speed)
    assert pcm.covered == (SECOND, pytest.approx(SECOND + 60 * SECOND * speed, abs=2))
    local = np.arange(60 * SECOND) / SECOND / speed
    error = pcm.array[SECOND : 61 * SECOND] / 2**23 - 0.5 * np.sin(2 * np.pi * 997 * local)
    assert np.abs(error[2000:-2000]).max() < 2e-5
    assert not pcm.array[:SECOND].any() and not pcm.array[61 * SECOND + 9000 :].any()


def test_a_resampled_16_bit_track_stays_16_bit_and_gets_dither(tmp_path):
    s16 = np.rint(sine(997, 10, 44_100) * 32768).astype(np.int16)
    path = write_wav(tmp_path / "a.wav", s16, "s16", 44_100)
    pcm = conform(track(path, rate=44_100, bits=16), Clock(), 10 * SECOND, tmp_path, "left")
    assert pcm.bits == 16
    error = pcm.array / 32768 - sine(997, 10, SECOND)
    # Rounding of the source (1/12 step²), dither and rounding (3/12): 4/12 of a step squared.
    assert np.sqrt((error[2000:-2000] ** 2).mean()) * 32768 == pytest.approx(np.sqrt(1 / 3), rel=0.05)


def test_dither_does_not_repeat_from_block_to_block(tmp_path):
    path = write_wav(tmp_path / "a.wav", np.zeros(4 * 44_100), "s16", 44_100)
    pcm = conform(track(path, rate=44_100, bits=16), Clock(), 4 * SECOND, tmp_path, "left")
    np.testing.assert_array_equal(pcm.array, quantise(np.zeros(4 * SECOND), 16))


def test_resampling_keeps_what_48_khz_holds_and_nothing_else(tmp_path):
    for frequency, kept in ((20_000, 0.5), (28_000, 0.0)):  # the second would come out as 20 kHz
        s24 = np.rint(sine(frequency, 3, 96_000) * 2**23).astype(np.int64)
        path = write_wav(tmp_path / "a.wav", s24, "s24", 96_000)
        found = conform(track(path, rate=96_000), Clock(), 3 * SECOND, tmp_path, "left").array / 2**23
        error = found - kept / 0.5 * sine(frequency, 3, SECOND)
        assert np.abs(error[2000:-2000]).max() < 3e-7  # -130 dB


def test_what_comes_after_the_session_is_not_read(tmp_path):
    path = write_wav(tmp_path / "a.wav", noise(20 * SECOND, 16), "s16")
    read = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "blocks", lambda *of: (read.append(len(b)) or b for b in blocks(*of)))
        conform(track(path, bits=16), Clock(), SECOND, tmp_path, "left")
    assert sum(read) < 2 * SECOND


@pytest.mark.parametrize("bits", [16, 24])
def test_the_same_bytes_however_the_container_splits_the_sound(tmp_path, bits):
    samples = noise(100_000, bits)
    wav = write_wav(tmp_path / "a.wav", samples, f"s{bits}", 44_100)
    with av.open(str(tmp_path / "a.flac"), "w") as container:
        kind = "s16" if bits == 16 else "s32"
        stream = container.add_stream("flac", rate=44_100, layout="mono", format=kind)
        wide = (samples << (8 if bits == 24 else 0)).astype(np.int16 if bits == 16 else np.int32)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(wide.T), kind, "mono")
        frame.sample_rate = 44_100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    made = [
        conform(track(path, rate=44_100, bits=bits), Clock(), 3 * SECOND, tmp_path, path.stem + name).path
        for path in (wav, tmp_path / "a.flac")
        for name in "12"
    ]
    assert len({path.read_bytes() for path in made}) == 1


@pytest.mark.parametrize("rate", [48_000, 44_100])
def test_memory_does_not_grow_with_length(tmp_path, rate):
    def peak(seconds: int) -> int:
        path = write_wav(tmp_path / f"{seconds}.wav", noise(seconds * rate, 16, 2), "s16", rate)
        tracemalloc.start()
        conform(track(path, rate=rate, bits=16), Clock(), seconds * SECOND, tmp_path, "left")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(1)
    assert peak(40) < peak(10) + 500_000  # 30 s more of 16-bit mono are 2.9 MB


def camera_file(path: Path, sound: np.ndarray, delay: Fraction, rate: int) -> Path:
    """A video file with AAC sound whose first sample comes `delay` seconds after the first frame."""
    with av.open(str(path), "w", options={"movie_timescale": str(rate)}) as container:
        video = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 32, 64, "yuv420p"
        audio = container.add_stream("aac", rate=rate, layout="mono")
        audio.bit_rate = 192_000
        for n in range(round(len(sound) / rate * 25)):
            picture = av.VideoFrame.from_ndarray(np.full((96, 32), 100, np.uint8), "yuv420p")
            picture.pts, picture.time_base = n, Fraction(1, 25)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        frame = av.AudioFrame.from_ndarray(sound.astype(np.float32)[None], "fltp", "mono")
        frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
        frame.pts = round(delay * rate)
        container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    return path


@pytest.mark.parametrize("rate", [48_000, 44_100])
@pytest.mark.parametrize("delay", [Fraction(0), Fraction(1, 10)])
def test_a_takes_own_aac_keeps_its_place_beside_the_video(tmp_path, rate, delay):
    clicks = np.zeros(rate * 3)
    clicks[[rate // 2, rate, 2 * rate]] = 0.9
    path = camera_file(tmp_path / "a.mp4", clicks, delay, rate)
    start = first_sample_time(path, 1)
    of = track(path, rate=rate, stream=1, own_audio=True, start=start, lossless=False, codec="aac")
    pcm = conform(of, Clock(start), 4 * SECOND, tmp_path, "left")
    for place in (0.5, 1, 2):
        click = round((Fraction(place) + delay) * SECOND)
        around = np.abs(pcm.array[click - 400 : click + 400].astype(np.int64))
        assert abs(int(np.argmax(around)) - 400) <= 1


def test_a_real_cameras_own_sound():
    path = shared("faces/azure_avatar/B_Status0_Speaking.mp4")
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(stream)])
        place, rate = stream.index, stream.rate
    of = track(path, rate=rate, stream=place, lossless=False, codec="aac")
    np.testing.assert_array_equal(np.concatenate(list(blocks(of))), np.rint(sound * 2.0**23))


def test_an_empty_session_has_no_samples(tmp_path):
    assert len(Pcm(tmp_path / "none", 16, 0, 0, (0, 0)).array) == 0


HOURS = """
import resource, sys
from fractions import Fraction
from pathlib import Path
from emomedia.audio.conform import conform
from emomedia.probe.types import Track
from emomedia.timeline import Clock
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
folder, path, rate = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
track = Track(path, 0, 0, rate, 24, "pcm_s24le", True, False, Fraction(0))
conform(track, Clock(), 48_000, folder, "first")
before = peak()
pcm = conform(track, Clock(Fraction(-7199)), 48_000, folder, "last")
assert pcm.array[-1] == 1234, pcm.array[-1]
print(peak() - before)
"""


def test_two_hours_take_no_more_memory_than_a_second(tmp_path):
    """A sparse file: nothing but its header and its last sample is on disk."""
    path, size = tmp_path / "a.wav", 7200 * SECOND * 3
    write_wav(path, np.zeros(1), "s24")
    with path.open("r+b") as file:
        for place, value in ((4, size + 36), (40, size)):
            file.seek(place)
            file.write(value.to_bytes(4, "little"))
        file.seek(44 + size - 3)
        file.write((1234).to_bytes(3, "little"))
    command = [sys.executable, "-c", HOURS, tmp_path, path, str(SECOND)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 16  # MiB, of 989 that the samples have


def test_a_long_stretch_is_written_and_counted_without_being_in_memory(tmp_path):
    samples = 50 * BLOCK
    (tmp_path / "a.pcm").touch()
    os.truncate(tmp_path / "a.pcm", 4 * samples)
    pcm = Pcm(tmp_path / "a.pcm", 24, samples, 0, (0, samples))
    write_flac(tmp_path / "warm.flac", pcm.blocks(0, 10), 24)
    tracemalloc.start()
    write_flac(tmp_path / "a.flac", pcm.blocks(-5, samples + 5), 24)
    pcm.clipped_samples(-5, samples + 5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 4 * BLOCK
    assert av.open(str(tmp_path / "a.flac")).duration * 48 == (samples + 10) * 1000


def test_blocks_are_the_cut_in_parts(tmp_path):
    samples = noise(3 * BLOCK, 24, 1)[:, 0].astype("<i4")
    samples.tofile(tmp_path / "a.pcm")
    pcm = Pcm(tmp_path / "a.pcm", 24, len(samples), 0, (0, len(samples)))
    for first, end in ((-7, 3 * BLOCK + 7), (5, BLOCK + 5), (BLOCK, 2 * BLOCK), (9, 10)):
        np.testing.assert_array_equal(np.concatenate(list(pcm.blocks(first, end))), pcm.cut(first, end))
