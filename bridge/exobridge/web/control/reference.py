"""The reference of the API in Markdown: ``docs/reference/api.md``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from exobridge.web.control.sheets import Field, ModelSheet, Sheet, model_sheets, sheets

_HEAD = """# The control API

Made by `make api-page` from the operations themselves; a running server shows the same as a page
at `/api/v1/docs`, and as an OpenAPI document at `/api/v1/openapi.json`. Both are open to all: they
hold nothing of yours.
"""


def markdown(document: dict[str, Any]) -> str:
    """The whole document."""
    told = sheets(document)
    lines = [_HEAD, document["info"]["description"], "| Operation | Path | Role | What it does |"]
    lines.append("|---|---|---|---|")
    lines += [
        f"| {each.method} | `{each.path}` | {_role(each)} | {each.summary} |" for each in told
    ]
    for tag in dict.fromkeys(each.tag for each in told):
        lines += ["", f"## {tag}"]
        for each in told:
            if each.tag == tag:
                lines += ["", *_operation(each)]
    lines += ["", "## Objects"]
    for model in model_sheets(document):
        lines += ["", *_model(model)]
    return "\n".join(lines) + "\n"


def _role(sheet: Sheet) -> str:
    return sheet.text.rpartition("Role: ")[2].rstrip(".").strip("`")


def _operation(sheet: Sheet) -> Iterable[str]:
    yield f"### {sheet.summary}"
    yield ""
    yield f"`{sheet.method} {sheet.path}`"
    yield ""
    yield sheet.text
    if sheet.fields:
        yield ""
        yield from _fields(sheet.fields)
    if sheet.body:
        media, model = sheet.body
        yield ""
        yield f"The body is `{media}`" + (f": {_link(model)}." if model else ".")
    yield ""
    yield "| Status | When |"
    yield "|---|---|"
    for status, words, model in sheet.answers:
        yield f"| {status} | {words}{': ' + _link(model) if model else ''} |"


def _model(sheet: ModelSheet) -> Iterable[str]:
    yield f"### {sheet.name}"
    yield ""
    if sheet.text:
        yield _flat(sheet.text)
        yield ""
    yield from _fields(sheet.fields)


def _fields(fields: Sequence[Field]) -> Iterable[str]:
    yield "| Name | Type | What it is |"
    yield "|---|---|---|"
    for each in fields:
        kind = each.kind.replace("|", "\\|")
        if each.model:
            kind = kind.replace(each.model, _link(each.model))
        notes = ", ".join(filter(None, [each.where, "needed" if each.needed else "", each.bounds]))
        what = _flat(each.text).replace("|", "\\|")
        yield f"| `{each.name}` | {kind} | {what}{f' ({notes})' if notes else ''} |"


def _link(model: str) -> str:
    return f"[{model}](#{model.lower()})"


def _flat(text: str) -> str:
    return " ".join(text.split())
