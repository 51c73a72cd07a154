"""What people are shown is what was said, letter by letter: none of it is taken for markup."""

from __future__ import annotations

import pytest

from emomedia.batch.progress import Failed
from emomedia.cli.batch_display import PeopleBatch
from emomedia.cli.display import PeopleDisplay

TEXTS = ["pip install 'emomedia[quality]'", "/in/[/day one]/left.mp4: expected [left] \\[x], found [bold]"]


@pytest.mark.parametrize("text", TEXTS)
def test_brackets_stay_in_notes_summaries_and_errors(text, capsys):
    for display in (PeopleDisplay(), PeopleBatch()):
        display.says(text)
        display.ends({}, [text])
    PeopleBatch().session_ended("a", Failed("a", "cut", "MediaError", text))
    assert capsys.readouterr().out.count(text) == 5
