"""The page in a browser: figures lead to clips, which play; texts stay texts; by keyboard, on a phone."""

from __future__ import annotations

import shutil

import pytest

from audits import write_sessions
from emomedia.dataset.audit import read_rows, write_rows
from emomedia.dataset.index import read_index, write_index
from emomedia.report import write_report

READY = "document.documentElement.dataset.ready === 'yes'"

# For every figure that is a link: how many clips it says, and how many the page finds for it.
COUNT = """
  [...document.querySelectorAll("a[data-count]")].map((figure) => {
    const address = figure.getAttribute("href");
    const found = page.clips.filter(new URLSearchParams(address.slice(1)));
    return [address, Number(figure.dataset.count), found.length];
  })
"""

# The same for some of the figures, followed as a reader would.
FOLLOW = """
(async () => {
  const changed = () => new Promise((resolve) => {
    addEventListener("hashchange", () => setTimeout(resolve), { once: true });
  });
  const figures = [...document.querySelectorAll("a[data-count]")], found = [];
  for (let n = 0; n < figures.length; n += Math.ceil(figures.length / 15)) {
    location.hash = "#nothing";
    await changed();
    figures[n].dispatchEvent(new MouseEvent("click", { bubbles: true }));
    await changed();
    found.push([figures[n].getAttribute("href"), Number(figures[n].dataset.count),
      Number(document.getElementById("summary").dataset.count)]);
  }
  return found;
})()
"""

# The contrast of every text with what is behind it, by WCAG 2: the least for large and for other text.
CONTRAST = """
(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const linear = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const [x, y, z] = [r, g, b].map((v) => linear(v / 255));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = rgba(getComputedStyle(each).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255];
  };
  let least = [99, ""];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.disabled) continue;
    if (["SCRIPT", "STYLE", "OPTION"].includes(element.tagName)) continue;
    const style = getComputedStyle(element);
    const ink = rgba(element instanceof SVGElement ? style.fill : style.color);
    const [one, other] = [light(ink), light(behind(element))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    if (ratio < least[0]) least = [ratio, `${element.outerHTML} in ${ink}`];
  }
  return least;
})()
"""


@pytest.fixture
def opened(browser, page):
    browser.open(page.as_uri())
    browser.wait(READY)
    return browser


def test_every_figure_leads_to_as_many_clips_as_it_says(opened):
    counted, followed = opened.run(COUNT), opened.run(FOLLOW)
    assert len(counted) > 500
    assert len(followed) > 10
    assert [each for each in [*counted, *followed] if each[1] != each[2]] == []
    assert len({int(count) for _, count, _ in followed}) > 2


def test_a_part_of_the_page_is_gone_to_without_asking_for_other_clips(opened):
    opened.run("location.hash = '#kind=turn'")
    opened.wait("page.wanted.has('kind')")
    for name in opened.run("[...document.querySelectorAll('a.place')].map((each) => each.hash.slice(1))"):
        opened.run(f"document.querySelector('a.place[href=\"#{name}\"]').click()")
        assert opened.run("[document.activeElement.id, location.hash]") == [name, "#kind=turn"]


def test_a_figure_that_is_followed_again_leads_there_again(opened):
    click = "document.querySelector('dl.tiles a').click(); new Promise((resolve) => setTimeout(resolve, 50))"
    for _ in range(2):
        opened.run(click)
        assert opened.run("document.activeElement.id") == "clips-title"
        opened.run("document.activeElement.blur(); scrollTo(0, 0)")


def test_the_first_clip_of_a_figure_plays_when_it_is_clicked(opened):
    opened.run("document.querySelector('svg.plot a').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    opened.wait("Number(document.getElementById('summary').dataset.count) > 0 && location.hash.length > 1")
    opened.run("document.querySelector('#list button').click()")
    opened.wait("document.getElementById('video').currentTime > 0.1")
    assert opened.run("document.getElementById('player-trouble').hidden")
    assert opened.run("document.getElementById('video').videoWidth") == 1920
    assert opened.troubles() == []


def test_a_rejected_clip_tells_its_reason_and_figure(opened):
    opened.run("location.hash = '#keep=no&session=s2'")
    opened.wait("document.querySelectorAll('#list button').length === 1")
    assert opened.run("document.querySelector('#list .rejected').textContent") == "rejected: left: blurred"
    opened.run("document.querySelector('#list button').click()")
    told = opened.run("document.querySelector('#player-facts dd').textContent")
    assert told == "rejected: left: blurred (sharpness 12 < 40)"


def test_the_list_is_the_index(opened, finished):
    rows = read_index(finished).to_pylist()
    told = []
    for kind in ("dialogue", "turn"):
        of_kind = [row["end"] - row["start"] for row in rows if row["kind"] == kind]
        told.append(f"{len(of_kind)} {kind}s of {sum(of_kind) / 3600:.2g} hours")
    text = f"{len(rows)} of {len(rows)} clips: {', '.join(told)}"
    assert opened.run("document.getElementById('summary').textContent") == text
    ids = []
    for number in range(-(-len(rows) // 24)):
        opened.run(f"location.hash = '#page={number + 1}'")
        opened.wait(f"document.getElementById('where').textContent.startsWith('Page {number + 1} ')")
        ids += opened.run("[...document.querySelectorAll('#list strong')].map((each) => each.textContent)")
    assert ids == [row["id"] for row in rows]
    said = opened.run("[...document.querySelectorAll('#list .text')].map((each) => each.textContent)")
    assert said[-1] == [row["text"] for row in rows if row["text"]][-1]


def test_filters_and_order(opened, finished):
    rows = read_index(finished).to_pylist()

    def told(fragment: str) -> int:
        opened.run(f"location.hash = '#nothing'; location.hash = '{fragment}'")
        opened.wait(f"decodeURIComponent(location.hash) === '#{fragment}'")
        opened.run("new Promise((resolve) => setTimeout(resolve, 30))")
        return int(opened.run("document.getElementById('summary').dataset.count"))

    word = rows[1]["text"][:2]
    assert told(f"q={word}") == sum(word in (row["text"] or "") for row in rows)
    assert told("actor=A1") == sum("A1" in row["actors"].values() for row in rows)
    assert told("session=s2&kind=turn") == sum(
        row["session"] == "s2" and row["kind"] == "turn" for row in rows
    )
    assert told("emotion=Nobody") == 0
    assert told("sort=length-down") == len(rows)
    longest = opened.run("document.querySelector('#list strong').textContent")
    assert longest in {row["id"] for row in rows if row["kind"] == "dialogue"}


def test_thumbnails_are_the_clips_first_pictures(opened):
    opened.run("document.getElementById('list').scrollIntoView()")
    opened.wait("[...document.querySelectorAll('#list video')].some((each) => each.readyState >= 2)")


def test_nothing_is_fetched_but_clips_beside_the_page(opened, finished):
    opened.run("document.getElementById('list').scrollIntoView()")
    opened.wait("[...document.querySelectorAll('#list video')].some((each) => each.readyState >= 2)")
    beside = (finished.as_uri() + "/", "data:image/svg+xml", "about:blank")
    assert [address for address in opened.requested() if not address.startswith(beside)] == []
    assert opened.troubles() == []


def test_by_keyboard_alone_a_clip_is_found_played_and_left(opened):
    def focused(what: str) -> str:
        return opened.run(f"document.activeElement.{what}")

    opened.press("Tab")
    assert focused("classList.contains('skip')")
    opened.press("Enter")
    opened.run("document.getElementById('q').focus()")
    opened.type("s3_")
    opened.wait(
        "document.getElementById('summary').textContent.includes(' of ') && location.hash.includes('s3_')"
    )
    for _ in range(20):
        opened.press("Tab")
        if focused("closest('#list') !== null"):
            break
    assert focused("textContent").startswith("s3_")
    opened.press("Enter")
    opened.wait("document.getElementById('player').open")
    opened.wait("document.getElementById('video').currentTime > 0")
    opened.press("Escape")
    opened.wait(
        "!document.getElementById('player').open && document.activeElement.textContent.startsWith('s3_')"
    )


def test_everything_that_can_be_clicked_has_a_name(opened):
    nameless = """
      [...document.querySelectorAll("a, button, input, select, summary, [role=img]")].filter((each) => !(
        each.textContent.trim() || each.getAttribute("aria-label") || each.labels?.[0]?.textContent
      )).length
    """
    assert opened.run(nameless) == 0
    assert opened.run("document.querySelectorAll('svg.plot, svg.heat').length") == opened.run(
        "document.querySelectorAll('figure details table').length"
    )


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1200])
def test_it_fits_and_can_be_read(browser, page, width, dark):
    browser.open(page.as_uri(), width=width, height=800, dark=dark)
    browser.wait(READY)
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run("getComputedStyle(document.body).backgroundColor") != (
        "rgb(255, 255, 255)" if dark else "rgb(20, 23, 27)"
    )
    browser.run("for (const each of document.querySelectorAll('details')) each.open = true")
    assert browser.run("document.documentElement.scrollWidth") <= width
    least, where = browser.run(CONTRAST)
    assert least >= 4.5, where


EVIL = '</script><script>document.title="owned"</script><img src=x onerror=\'document.title="owned"\'>&amp;"'


def test_texts_and_names_stay_what_they_are(browser, tmp_path):
    write_sessions(tmp_path, {"a": (f"A1{EVIL}", "A2")})
    audit = tmp_path / "a/clips.jsonl"
    rows = [
        row | {"text": EVIL, "emotion": EVIL, "topic": EVIL, "keep": False, "reasons": [EVIL]}
        for row in read_rows(audit)
    ]
    write_rows(audit, [*rows[:-1], rows[-1] | {"keep": True, "reasons": []}])
    write_index(tmp_path)
    folder = tmp_path / "b\"><img src=x onerror='document.title=1'>"
    folder.mkdir()
    (folder / "session.json").write_text("{")
    (tmp_path / "actors.toml").write_text(
        f"[[actor]]\nid = '''A1{EVIL}'''\ngender = '''{EVIL}'''\nregion = '''{EVIL}'''"
    )
    browser.open(write_report(tmp_path).as_uri())
    browser.wait(READY)
    found = browser.run(COUNT)
    assert [each for each in found if each[1] != each[2]] == []
    browser.run("location.hash = ''; document.querySelector('#list button').click()")
    browser.wait("document.getElementById('player').open")
    assert browser.run("document.getElementById('player-text').textContent") == EVIL
    assert "owned" not in browser.run("document.title")
    assert browser.run("document.querySelectorAll('img:not(.sync)').length") == 0
    assert not [trouble for trouble in browser.troubles() if "ERR_FILE_NOT_FOUND" not in trouble]
    browser.run("""{
      const script = document.createElement("script");
      script.textContent = "document.title = 'owned'";
      document.body.append(script);
      document.body.insertAdjacentHTML("beforeend", "<img src=x: onerror=\\"document.title = 'owned'\\">");
    }""")
    assert "owned" not in browser.run("document.title")  # the policy would refuse what came through


def test_times_are_shown_to_the_hundredth(browser, page):
    browser.open(page.as_uri())
    browser.wait(READY)
    told = browser.run("[4.5, 2.9996, 59.996, 61.25, 3600].map(clock)")
    assert told == ["0:04.50", "0:03.00", "1:00.00", "1:01.25", "60:00.00"]


def test_all_of_a_dialogue_is_of_its_session_and_can_be_left_again(browser, page):
    browser.open(page.as_uri())
    browser.wait(READY)
    browser.run("document.querySelector('#list button').click(); document.getElementById('scene').click()")
    assert browser.run("[...page.wanted.keys()]") == ["session", "dialogue"]
    (chip,) = browser.run("[...document.querySelectorAll('#chips button')].map((each) => each.textContent)")
    assert chip.startswith("dialogue: ")
    browser.run("document.querySelector('#chips button').click()")
    assert browser.run("[...page.wanted.keys()]") == ["session"]


def test_a_page_without_its_clips_says_so(browser, page, tmp_path):
    shutil.copyfile(page, tmp_path / "report.html")
    browser.open((tmp_path / "report.html").as_uri())
    browser.wait(READY)
    browser.run("document.querySelector('#list button').click()")
    browser.wait("!document.getElementById('player-trouble').hidden")
