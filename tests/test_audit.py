"""clips.jsonl: what is written is read back, what else is there is refused."""

from __future__ import annotations

import pytest

from emomedia.dataset.audit import read_rows, write_rows
from emomedia.errors import StageError


def test_text_may_hold_whatever_unicode_calls_the_end_of_a_line(tmp_path):
    rows = [
        {"id": str(number), "kind": "turn", "first_frame": number, "text": f"one{end}two"}
        for number, end in enumerate("\n\r\x0b\x0c\x1c\x85\u2028\u2029")
    ]
    write_rows(tmp_path / "clips.jsonl", rows)
    assert read_rows(tmp_path / "clips.jsonl") == rows


@pytest.mark.parametrize(
    "line", [b"{", b"[1]", b"null", b'{"id": "\xd0"}', b'{"id": "\\ud800"}', b"[" * 10**5]
)
def test_a_line_that_is_no_row_is_refused_with_its_number(tmp_path, line):
    path = tmp_path / "clips.jsonl"
    path.write_bytes(b"{}\n" + line + b"\n")
    with pytest.raises(StageError, match="on line 2"):
        read_rows(path)
