"""A browser, and the page about a finished dataset."""

from __future__ import annotations

import pytest

from emomedia.report import write_report

from .browser import Browser, find_chromium

ACTORS = "id,gender,age,region\nA1,female,26,华北\nA2,male,30,华东\nA3,female,22,华北\n"


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    if find_chromium() is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def page(finished):
    """report.html of the finished dataset, with a table of actors."""
    (finished / "actors.csv").write_text(ACTORS, "utf-8")
    return write_report(finished)
