"""Pieces of the page as HTML.  Pure; all text from outside is escaped here and in the sections.

A figure that counts clips is a link to them: it carries their number, and the list behind it has as many.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any
from urllib.parse import urlencode

_FIRST = 12
"""Rows of a long table that are shown at once."""


def anchor(text: str, count: int, **wanted: str | Sequence[str]) -> str:
    """A figure that leads to the `count` clips that it is of."""
    address = escape("#" + (urlencode(wanted, doseq=True) or "all"))
    return f'<a href="{address}" data-count="{count}">{escape(text)}</a>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are HTML already; the first of a row is its heading."""
    heads = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    lines = []
    for first, *others in rows:
        cells = "".join(f"<td>{cell}</td>" for cell in others)
        lines.append(f'<tr><th scope="row">{first}</th>{cells}</tr>')
    return scroll(f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table>")


def long_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The first rows of a table, and all of it when that is asked for: what is not shown costs no layout."""
    if len(rows) <= _FIRST:
        return table(head, rows)
    return table(head, rows[:_FIRST]) + details(f"All {len(rows):,}", table(head, rows))


def scroll(content: str) -> str:
    """A box that scrolls where its content is too wide or high; the keyboard can get into it."""
    return f'<div class="scroll" tabindex="0" role="group" aria-label="Table">{content}</div>'


def details(summary: str, content: str) -> str:
    """What is shown only when it is asked for."""
    return f"<details><summary>{escape(summary)}</summary>{content}</details>"


def section(name: str, title: str, content: str) -> str:
    """A part of the page with its heading."""
    heading = f'<h2 id="{name}-title" tabindex="-1">{escape(title)}</h2>'
    return f'<section aria-labelledby="{name}-title">{heading}{content}</section>'


def to_section(name: str, text: str) -> str:
    """A link to a part of the page; following it leaves the list of clips as it is."""
    return f'<a class="place" href="#{name}-title">{escape(text)}</a>'


def tiles(entries: Iterable[tuple[str, str, str]]) -> str:
    """Names, figures (HTML already) and a note on each."""
    made = (
        f"<div><dt>{escape(name)}</dt><dd>{value}<small>{escape(note)}</small></dd></div>"
        for name, value, note in entries
    )
    return f'<dl class="tiles">{"".join(made)}</dl>'


def decimal(value: Any, digits: int) -> str:
    """A number with so many digits behind the point; a dash for what is none."""
    return f"{value:.{digits}f}" if isinstance(value, int | float) else "–"


def hours(value: float) -> str:
    """Hours with two digits behind the point; less than one with two digits that count."""
    return f"{value:,.2f}" if value >= 1 or value == 0 else f"{value:.2g}"


def percent(value: Any) -> str:
    """A share as a whole percentage; a dash for what is none."""
    return f"{value:.0%}" if isinstance(value, int | float) else "–"
