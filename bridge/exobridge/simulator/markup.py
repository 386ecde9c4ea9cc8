"""HTML and SVG elements from outside texts, escaped by the standard library."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element, tostring

from exobridge.visible import visible

Inner = str | Element


def element(tag: str, *inner: Inner, **attributes: str | float) -> Element:
    """An element.

    Args:
        tag: Its name.
        inner: Texts and elements, in order. Control characters in texts are shown as escapes.
        attributes: ``class_`` is ``class``, ``aria_label`` is ``aria-label``.
    """
    made = Element(tag)
    for name, value in attributes.items():
        text = visible(value) if isinstance(value, str) else f"{value:.6g}"
        made.set(name.removesuffix("_").replace("_", "-"), text)
    for each in inner:
        if isinstance(each, str):
            _add_text(made, visible(each))
        else:
            made.append(each)
    return made


def listed(items: Iterable[Inner], tag: str = "ul", **attributes: str) -> Element:
    """A list of items."""
    return element(tag, *(element("li", item) for item in items), **attributes)


def table(headings: Sequence[str], rows: Iterable[Sequence[Inner]]) -> Element:
    """A table with a row of headings."""
    head = element("tr", *(element("th", heading, scope="col") for heading in headings))
    body = (element("tr", *(element("td", cell) for cell in row)) for row in rows)
    return element("table", element("thead", head), element("tbody", *body))


def document(*, title: str, style: str, policy: str, body: Element) -> str:
    """A whole page.

    Args:
        title: Of the page.
        style: Our own CSS; it is written as it is.
        policy: Content security policy: what a browser may load.
        body: ``<body>``.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
    )
    sheet = Element("style")
    sheet.text = style  # not through element: its line breaks are no control characters
    head.append(sheet)
    html = element("html", head, body, lang="en")
    return "<!doctype html>\n" + tostring(html, encoding="unicode", method="html") + "\n"


def _add_text(made: Element, text: str) -> None:
    if len(made):
        made[-1].tail = (made[-1].tail or "") + text
    else:
        made.text = (made.text or "") + text
