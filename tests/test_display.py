"""What people are shown is what was said, letter by letter: none of it is taken for markup."""

from __future__ import annotations

import contextlib
import json
import time

import pytest

from emomedia.batch.progress import Failed, Figures
from emomedia.cli.batch_display import JsonBatch, PeopleBatch
from emomedia.cli.display import JsonDisplay, PeopleDisplay

TEXTS = ["pip install 'emomedia[quality]'", "/in/[/day one]/left.mp4: expected [left] \\[x], found [bold]"]


@pytest.mark.parametrize("text", TEXTS)
def test_brackets_stay_in_notes_summaries_and_errors(text, capsys):
    for display in (PeopleDisplay(), PeopleBatch()):
        display.note(text)
        display.result({}, [text])
    PeopleBatch().session_ends("a", Failed("a", "cut", "MediaError", text))
    assert capsys.readouterr().out.count(text) == 5


def test_where_there_is_no_terminal_the_figures_are_a_line_now_and_then(capsys, monkeypatch):
    now = 1000.0
    monkeypatch.setattr("emomedia.cli.batch_display.monotonic", lambda: now)
    figures = Figures(400, 123, (), 498.25, 150.5, 1.234, 93_600.0, (("s", "cut", 0.5),), "cut", "running")
    with PeopleBatch() as display:
        for now in (1000.0, 1299.0, 1300.0):  # noqa: B007
            display.progress(figures)
    told = "  running 123 of 400 done, 0 failed; 150.50 of 498.25 h, 1.23 h/h, 1 d 2 h left"
    assert capsys.readouterr().out.splitlines() == [told] * 2


@pytest.mark.parametrize("kind", [JsonBatch, PeopleBatch])
def test_a_log_on_a_full_disk_ends_no_batch(kind, monkeypatch):
    with open("/dev/full", "w") as full:  # noqa: PTH123
        monkeypatch.setattr("sys.stdout", full)
        display = kind()
        display.note("paused")
        display.session_ends("a", None)
        with pytest.raises(OSError, match="No space left"):
            display.result({}, ["done"])
        monkeypatch.undo()
        with contextlib.suppress(OSError):
            full.close()


@pytest.mark.parametrize("kind", [JsonDisplay, PeopleDisplay])
def test_progress_of_many_small_things_costs_little_and_ends_with_the_last(kind, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # a terminal, for rich
    begin = time.process_time()
    with kind() as display:
        for done in range(20_000):
            display.progress("export", done + 1, 20_000)
    assert time.process_time() - begin < 2
    said = capsys.readouterr().out
    assert "20000/20000" in said or kind is JsonDisplay
    if kind is JsonDisplay:
        lines = said.splitlines()
        assert json.loads(lines[-1])["done"] == 20_000
        assert len(lines) < 100


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_shows_which_stage_runs_before_it_tells_how_far_it_is(terminal, capsys, monkeypatch):
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    with PeopleDisplay() as display:
        display.stage_begins("sync")
        assert ("one clock" in capsys.readouterr().out) is terminal
        display.stage_ends("sync", "made", 5.0)
        assert "made" in capsys.readouterr().out
        display.stage_begins("cut")
        display.progress("cut", 3, 7)
        assert ("3/7" in capsys.readouterr().out) is terminal
