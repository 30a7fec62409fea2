"""Pieces of the report as HTML: tables, figures, sections, and the page that holds them. Every text is escaped here.

The page needs nothing but itself: pictures are inline SVG, data are links that hold their file, fonts and the script
are embedded. Without JavaScript it can still be read: the script sorts, filters, and lets readers choose.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import NamedTuple

from optical.files import open_text
from optical.report.fonts import page_families, style_sheet

NUMBER = re.compile(r"[+−-]?[\d.,\u202f]+( ?%| ± [\d.]+)?[⁺⁻]?$")
LEAST_SCALE = 0.75  # on a narrower screen a figure scrolls sideways instead of shrinking beyond reading


class Text(NamedTuple):
    """A cell of a table with more than its text.

    `lang` is its language, if that is not English, so that browsers read and shape it correctly, `kind` a class of the
    page's style, and `note` what is below it, smaller.
    """

    text: str
    lang: str = ""
    kind: str = ""
    note: str = ""


class Section(NamedTuple):
    """A chapter of the page; `anchor` is its address, `body` is HTML."""

    anchor: str
    title: str
    body: str


def paragraph(text: str, kind: str = "") -> str:
    """Return a paragraph; `kind` is a class of the page's style."""
    return f"<p{_class(kind)}>{escape(text)}</p>"


def bullets(items: Iterable[str]) -> str:
    """Return a list of texts."""
    return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"


def details(summary: str, body: str) -> str:
    """Return HTML that is shown on request."""
    return f"<details><summary>{escape(summary)}</summary>{body}</details>"


def choice(label: str, options: Iterable[tuple[str, str]]) -> str:
    """Return parts of which the script shows one at a time, beginning with the first; `options` has names and HTML.

    Without the script each opens and closes by itself.
    """
    parts = [
        f'<details data-name="{escape(name)}"{" open" if place == 0 else ""}>'
        f"<summary>{escape(label)} {escape(name)}</summary>{body}</details>"
        for place, (name, body) in enumerate(options)
    ]
    return f'<div class="choice" data-label="{escape(label)}">{"".join(parts)}</div>'


def data_block(anchor: str, data: object) -> str:
    """Return data for the script, as an element of the page that is not shown."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="application/json" id="{anchor}">{text}</script>'


def table(header: Sequence[str], rows: Iterable[Sequence], caption: str, marked: str | None = None) -> str:
    """Return a table whose first column names its rows; a column of numbers only is set to the right.

    The row whose name is `marked` is highlighted. It scrolls sideways where the screen is narrow.
    """
    rows = [list(map(_as_cell, row)) for row in rows]
    kinds = ["number" if place and _only_numbers(row[place] for row in rows) else "" for place in range(len(header))]
    head = "".join(
        f'<th scope="col"{_class(kind)}>{escape(name)}</th>' for name, kind in zip(header, kinds, strict=True)
    )
    body = "".join(_row(row, kinds, row[0].text == marked) for row in rows)
    inner = f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table>"
    return scrolling(inner, f"Table: {caption}")


def scrolling(inner: str, label: str) -> str:
    """Return HTML in a box that scrolls sideways, with the keyboard too."""
    return f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(label)}">{inner}</div>'


def figure(stem: str | Path, alt: str, caption: str) -> str:
    """Return the figure of the files `stem`.svg and .tsv, inline, with its data to take away."""
    stem = Path(stem)
    with open_text(f"{stem}.svg") as file:
        svg = inline_svg(file.read(), alt, prefix=re.sub(r"\W", "-", "-".join(stem.parts[-2:])))
    with open_text(f"{stem}.tsv") as file:
        data = base64.b64encode(file.read().encode()).decode()
    name = f"{stem.name}.tsv"
    link = f'<a download="{escape(name)}" href="data:text/tab-separated-values;charset=utf-8;base64,{data}">'
    return (
        f"<figure>{scrolling(svg, alt)}<figcaption>{escape(caption)} {link}Data of the figure "
        f"({escape(name)})</a></figcaption></figure>"
    )


def inline_svg(svg: str, alt: str, prefix: str) -> str:
    """Return an SVG file of matplotlib as part of a page: named, without ids that another figure has as well.

    >>> inline_svg('<?xml?><svg width="72pt"><path id="a"/><use xlink:href="#a"/></svg>', "A", "p")
    '<svg class="plot" role="img" aria-label="A" style="..."><path id="p-a"/><use xlink:href="#p-a"/></svg>'
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r'(href="|url\()#', rf"\1#{prefix}-", svg)
    start, rest = svg.split(">", 1)
    points = re.search(r'width="([\d.]+)pt"', start)
    own_rem = float(points[1]) / 12 if points else 40.0
    start = re.sub(r' (width|height)="[\d.]+pt"', "", start)
    size = f"min-width: {LEAST_SCALE * own_rem:.0f}rem; max-width: {own_rem:.0f}rem"
    named = f'<svg class="plot" role="img" aria-label="{escape(alt)}" style="{size}"'
    return start.replace("<svg", named, 1) + ">" + rest.strip()


def page(files: Mapping[str, str], title: str, lead: str, sections: Sequence[Section]) -> str:
    """Return the whole page; `files` are the texts of page.html, page.css and page.js, `lead` HTML under the title."""
    contents = "\n".join(f'<li><a href="#{section.anchor}">{escape(section.title)}</a></li>' for section in sections)
    body = "\n".join(
        f'<section aria-labelledby="{section.anchor}">\n<h2 id="{section.anchor}">{escape(section.title)}</h2>\n'
        f"{section.body}\n</section>"
        for section in sections
    )
    digest = base64.b64encode(hashlib.sha256(files["page.js"].encode()).digest()).decode()
    return Template(files["page.html"]).substitute(
        style=Template(files["page.css"]).substitute(families=page_families() or "sans-serif"),
        script=files["page.js"],
        script_hash=f"sha256-{digest}",
        title=escape(title),
        lead=lead,
        contents=contents,
        sections=body,
        fonts=style_sheet(title + lead + body),
    )


def _as_cell(value: object) -> Text:
    return value if isinstance(value, Text) else Text(str(value))


def _only_numbers(cells: Iterable[Text]) -> bool:
    """Return whether all cells that are not empty are numbers; False without any cell."""
    texts = [cell.text for cell in cells]
    return bool(texts) and all(NUMBER.match(text) for text in texts if text)


def _row(cells: Sequence[Text], kinds: Sequence[str], marked: bool) -> str:
    """Return a row of a table; `kinds` are the classes of its columns, the first cell is its head."""
    columns = enumerate(zip(cells, kinds, strict=True))
    row = "".join(_cell(cell, kind, is_head=place == 0) for place, (cell, kind) in columns)
    return f"<tr{_class('marked' if marked else '')}>{row}</tr>\n"


def _cell(cell: Text, kind: str, is_head: bool) -> str:
    tag, scope = ("th", ' scope="row"') if is_head else ("td", "")
    kinds = " ".join(filter(None, [kind, cell.kind]))
    lang = f' dir="auto" lang="{escape(cell.lang)}"' if cell.lang else ""
    note = f"<small>{escape(cell.note)}</small>" if cell.note else ""
    return f"<{tag}{scope}{_class(kinds)}{lang}>{escape(cell.text)}{note}</{tag}>"


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""
