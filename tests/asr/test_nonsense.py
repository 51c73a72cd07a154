"""The first guard: what is not an actor's own speech is not sent to the recogniser."""

from __future__ import annotations

import pytest

from emomedia.speech import speech_session

from ..rooms import tracks
from .nonsense import KNOWN, recorded

pytest.importorskip("pyroomacoustics", reason="needs the package that simulates a room's acoustics")


@pytest.mark.parametrize("kind", ["noise", "music", "bleed"])
def test_nothing_is_sent_where_an_actor_does_not_speak(kind, tmp_path):
    """Twelve seconds of each; ten minutes are ``python -m benchmarks.invented_words``."""
    found = speech_session("s", tracks(tmp_path, recorded({kind}, 12, seed=4)))
    silent = ("left",) if kind == "bleed" else ("left", "right")
    for side in silent:
        assert found[side]["activity"] and found[side]["activity"][-1][1] <= KNOWN
