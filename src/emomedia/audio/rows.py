"""Files that are a row of packets and nothing else (ADTS, MP3): whether the row is whole.

Such files hold no times, so libav counts them; anything that it skips because it finds no packet there has
no length, and everything after it would come too early, without an error.  Here the row is walked by its
packets' own lengths (ISO/IEC 13818-7, 6.2; ISO/IEC 11172-3, 2.4).
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

_TAGS = (b"TAG", b"APETAGEX", b"ID3", b"LYRICSBEGIN")
_BIT_RATES = {  # kbit/s by index; version 1 and the later, layers II and III
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8000)}


def break_in_row(path: Path, kind: str) -> int | None:
    """The byte at which a packet should begin and none does; None for a whole row.

    Tags before and after the packets, zeros after them and a cut last packet are no break.

    Parameters
    ----------
    kind : {"aac", "mp3"}
        As libav names the container.
    """
    length_of = _adts_length if kind == "aac" else _mp3_length
    with path.open("rb") as file:
        place = _after_tag(file.read(10))
        while len(head := _read_at(file, place, 7)) == 7:
            length = length_of(head)
            if length is None:
                rest = _read_at(file, place, 1 << 16)
                return None if rest.startswith(_TAGS) or not rest.strip(b"\0") else place
            if length == 0:  # of a free bit rate: not told
                return None
            place += length
    return None


def _read_at(file: BinaryIO, place: int, count: int) -> bytes:
    """Read, not mapped: a mapped file that gets shorter meanwhile would end the process."""
    file.seek(place)
    return file.read(count)


def _after_tag(head: bytes) -> int:
    """Where the packets begin: after an ID3v2 tag, if the file's `head` is one's."""
    if len(head) < 10 or head[:3] != b"ID3":
        return 0
    size = 0
    for byte in head[6:]:
        size = size << 7 | byte & 0x7F
    return 10 + size + (10 if head[5] & 0x10 else 0)


def _adts_length(head: bytes) -> int | None:
    if head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return None
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return length if length >= 7 else None


def _mp3_length(head: bytes) -> int | None:
    version, layer, index = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3), head[2] >> 4
    rate_index = head[2] >> 2 & 3
    if head[0] != 0xFF or head[1] & 0xE0 != 0xE0 or version == 1 or layer not in (2, 3):
        return None
    if index == 15 or rate_index == 3:
        return None
    bit_rate = _BIT_RATES[1 if version == 3 else 2, layer][index] * 1000
    slots = 72 if layer == 3 and version != 3 else 144
    padding = head[2] >> 1 & 1
    return slots * bit_rate // _RATES[version][rate_index] + padding if bit_rate else 0
