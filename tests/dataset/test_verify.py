"""How verify goes over a folder too large for memory; what it finds is tested where that is made."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from threading import Barrier

from emomedia.dataset.verify import _AHEAD, Checked, Finding, _done, _hash_findings


def test_several_clips_are_looked_at_a_time_a_few_ahead_and_told_in_order():
    taken, together = 0, Barrier(4)

    def look(number):
        if number < 4:
            together.wait(60)
        return Checked({"id": number}, ())

    def looks():
        nonlocal taken
        for taken in range(1000):
            yield partial(look, taken)

    done = _done(looks(), 4)
    assert [next(done).row["id"] for _ in range(20)] == list(range(20))
    assert 20 < taken <= 20 + 4 * _AHEAD
    done.close()
    assert taken < 1000


def test_a_file_that_a_disk_does_not_give_is_one_finding_among_others():
    path = Path("/proc/self/mem")  # its first bytes belong to nobody, and reading them is an error
    assert list(_hash_findings(path, "0" * 64)) == [
        Finding(path, "a file that can be read", "input/output error")
    ]
