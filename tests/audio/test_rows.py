"""Rows of packets: whole ones of every version, and the byte where one breaks."""

from __future__ import annotations

import numpy as np
import pytest

from emomedia.audio import rows
from emomedia.audio.rows import break_in_row

from .odd_files import encode

KINDS = [
    ("a.aac", "aac", 8000), ("a.aac", "aac", 44_100), ("a.aac", "aac", 96_000),
    ("a.mp3", "libmp3lame", 8000), ("a.mp3", "libmp3lame", 12_000), ("a.mp3", "libmp3lame", 22_050),
    ("a.mp3", "libmp3lame", 32_000), ("a.mp3", "libmp3lame", 44_100),
    ("a.mp2", "mp2", 48_000), ("a.mp2", "mp2", 24_000),
]  # fmt: skip


@pytest.mark.parametrize(("name", "codec", "rate"), KINDS)
def test_a_whole_row_and_a_broken_one(tmp_path, name, codec, rate):
    sound = np.random.default_rng(0).standard_normal((rate, 1)) * 0.2
    planar = "s16" if codec == "mp2" else "fltp"
    samples = (sound * 32_767).astype(np.int16) if codec == "mp2" else sound.astype(np.float32)
    path = encode(tmp_path / name, codec, planar, samples, rate, layout="mono")
    kind = "aac" if name.endswith("aac") else "mp3"
    data = path.read_bytes()
    assert break_in_row(path, kind) is None
    for harmless in (data + b"TAG" + bytes(125), data + bytes(1000), data[:-20]):
        path.write_bytes(harmless)
        assert break_in_row(path, kind) is None
    half = len(data) // 2
    path.write_bytes(data[:half] + b"\x13" * 9 + data[half:])
    place = break_in_row(path, kind)
    assert place is not None and half <= place <= half + 4000


def test_a_file_that_is_cut_short_while_it_is_read_ends_nothing(tmp_path, monkeypatch):
    """A mapped one would end the process by SIGBUS."""
    sound = np.random.default_rng(0).standard_normal((48_000, 1)).astype(np.float32)
    path = encode(tmp_path / "a.aac", "aac", "fltp", sound, layout="mono")
    length_of = rows._adts_length

    def cutting(head: bytes) -> int | None:
        path.write_bytes(b"")
        return length_of(head)

    monkeypatch.setattr(rows, "_adts_length", cutting)
    assert break_in_row(path, "aac") is None


def test_packets_begin_after_a_tag(tmp_path):
    sound = np.zeros((9600, 1), np.float32)
    path = encode(tmp_path / "a.aac", "aac", "fltp", sound, layout="mono")
    path.write_bytes(b"ID3\4\0\0\0\0\1\2" + b"\xff" * 130 + path.read_bytes())
    assert break_in_row(path, "aac") is None
