"""The bars of ``benchmarks.words`` in short, as far as they can be told within seconds."""

from __future__ import annotations

import time

from benchmarks.words import BATCHED, CONTENDERS, OURS, foreign_words

from ..spoken import laid, mandarin


def test_it_is_faster_than_the_peer_on_given_segments_and_hears_nobody_else(tmp_path):
    spoken = laid(mandarin()[:6], seed=3)
    seconds, heard = {}, {}
    for name in (OURS, BATCHED):
        folder = tmp_path / name
        folder.mkdir()
        work = CONTENDERS[name](spoken, folder)
        work()
        begin = time.perf_counter()
        heard[name] = work()
        seconds[name] = time.perf_counter() - begin
    assert foreign_words(heard[OURS], spoken) == 0
    assert sum(len(segment["words"]) for side in ("left", "right") for segment in heard[OURS][side]) > 40
    assert seconds[BATCHED] >= 1.2 * seconds[OURS]
