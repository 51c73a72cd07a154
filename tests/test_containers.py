"""Media of strangers: nothing but a regular file of a known container is opened, and it leads nowhere."""

from __future__ import annotations

import ctypes
import os
import re
import stat
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import emomedia
from emomedia import _core, containers
from emomedia.audio.decode import decode
from emomedia.errors import MediaError, MediaNotFoundError
from emomedia.intake.scan import scan
from emomedia.simulate.voices import recorded
from emomedia.stages import media_fingerprint

from .audio.sounds import noise, write_wav

TRICKS = {
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.wav\n#EXT-X-ENDLIST\n",
    "m3u8 of a url": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
    "ffconcat": "ffconcat version 1.0\nfile secret.wav\n",
    "mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
    'mediaPresentationDuration="PT1S"><Period><AdaptationSet mimeType="audio/wav"><Representation id="1" '
    'bandwidth="1"><BaseURL>secret.wav</BaseURL></Representation></AdaptationSet></Period></MPD>',
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    "ffmetadata": ";FFMETADATA1\ntitle=secret\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=1\n",
    "subtitles": "1\n00:00:00,000 --> 00:00:09,000\nsecret\n",
}


@pytest.mark.parametrize("name", ["a.wav", "a.mp4"])
@pytest.mark.parametrize("trick", TRICKS)
def test_a_playlist_is_refused_whatever_it_is_called(tmp_path, monkeypatch, trick, name):
    write_wav(tmp_path / "secret.wav", noise(4800, 16), "s16")
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    path.write_text(TRICKS[trick])
    with pytest.raises(MediaError, match=r"a\.(wav|mp4): expected readable sound"):
        next(decode(path, 0, 48_000))
    with pytest.raises(
        Exception, match=rf"{name}: expected to open as one of the known media containers"
    ) as no:
        _core.probe(str(path))
    assert "secret" not in str(no.value)
    with pytest.raises(av.FFmpegError), containers.opened(path):
        pass
    _, troubles = scan(tmp_path)
    assert [line for line in troubles if name in line]


def special(kind: str, folder: Path) -> Path:
    """Something that is no regular file."""
    path = folder / "a.wav"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "link to a pipe":
        os.mkfifo(folder / "b")
        path.symlink_to("b")
    else:
        return Path("/dev/zero")
    return path


@pytest.mark.parametrize("kind", ["pipe", "folder", "link to a pipe", "device"])
def test_what_is_no_file_is_refused_without_opening_it(tmp_path, kind):
    path = special(kind, tmp_path)
    words = {"folder": "a directory", "device": "a device"}.get(kind, "a named pipe")
    for look in (
        containers.regular_file,
        media_fingerprint,
        lambda path: next(decode(path, 0, 48_000)),
        lambda path: recorded(((path,), (path,)))("left", ""),
    ):
        with pytest.raises(MediaNotFoundError, match=f"expected a regular file, found {words}"):
            look(path)


@contextmanager
def without_rights():
    """As a user who may not read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_that_may_not_be_read(tmp_path):
    path = write_wav(tmp_path / "a.wav", noise(4800, 16), "s16")
    for folder in (tmp_path, *tmp_path.parents[:3]):
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | stat.S_IXOTH)
    path.chmod(0)
    with without_rights():
        for look in (media_fingerprint, lambda path: next(decode(path, 0, 48_000))):
            with pytest.raises(
                MediaNotFoundError, match=r"a\.wav: expected a readable file, found permission denied"
            ):
                look(path)


def test_files_open_against_a_clock_with_nothing_but_files_on_one_thread(tmp_path, monkeypatch):
    path = write_wav(tmp_path / "a.wav", noise(4800, 16), "s16")
    given, original = [], av.open

    def noted(name, **options):
        given.append(options)
        return original(name, **options)

    monkeypatch.setattr(av, "open", noted)
    with containers.opened(path) as container:
        context = container.streams.audio[0].codec_context
        assert (context.thread_count, str(context.thread_type).rpartition(".")[2]) == (1, "NONE")
    (options,) = given
    assert options["options"]["protocol_whitelist"] == "file"
    assert set(options["options"]["format_whitelist"].split(",")).isdisjoint({"hls", "concat", "dash", "sdp"})
    assert options["timeout"] == containers.TIMEOUT_SECONDS


def test_pyav_s_libav_allocates_no_more_in_one_piece_than_the_core_s(tmp_path):
    with containers.opened(write_wav(tmp_path / "a.wav", noise(4800, 16), "s16")):
        allocate = ctypes.CDLL(av._core.__file__).av_malloc
    allocate.argtypes, allocate.restype = [ctypes.c_size_t], ctypes.c_void_p
    assert allocate(_core.MAX_ALLOCATION + 1) is None


def test_a_name_is_not_a_protocol(tmp_path, monkeypatch):
    samples = noise(4800, 16)
    write_wav(tmp_path / "concat:a.wav", samples, "s16")
    monkeypatch.chdir(tmp_path)
    np.testing.assert_array_equal(np.concatenate(list(decode(Path("concat:a.wav"), 0, 48_000))), samples)


def test_no_other_module_opens_media_for_reading():
    source = Path(emomedia.__file__).parent
    opens = [
        (path.relative_to(source).as_posix(), line.strip())
        for path in source.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"\bav\.open\(", line) and '"w"' not in line
    ]
    assert [path for path, _ in opens] == ["containers.py"]


def test_who_wants_the_sound_alone_has_no_picture_decoded(simulated):
    take = simulated(size=(270, 480), seconds=Fraction(4)).parent / "left.mp4"
    with containers.opened(take) as container:
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"
        (sound,) = container.streams.audio
    with containers.opened(take, only=sound.index) as container:
        assert container.streams.video[0].codec_context.pix_fmt is None
        assert next(container.decode(audio=0)).samples > 0
