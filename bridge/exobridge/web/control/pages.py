"""What tells of the API: the OpenAPI document, and a page to read. Both need no key, since they
hold nothing of anybody's."""

from __future__ import annotations

import base64
import functools
import hashlib
import html
import json
import re
from collections.abc import Callable, Iterable, Sequence
from importlib.resources import files
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from exobridge.web.control.keys import KeyGuard
from exobridge.web.control.openapi import openapi
from exobridge.web.control.operation import PREFIX, Operation
from exobridge.web.control.problems import NOT_ALLOWED, UNSTORED, ProblemError, problem_response
from exobridge.web.control.sheets import Field, ModelSheet, Sheet, model_sheets, sheets

DOCUMENT = PREFIX + "/openapi.json"
DOCS = PREFIX + "/docs"


def pages(operations: Sequence[Operation], guard: KeyGuard) -> list[Route]:
    """Their routes. Both are made when they are first asked for."""
    document = functools.cache(lambda: openapi(operations))

    @functools.cache
    def as_json() -> Response:
        return Response(json.dumps(document()), headers=UNSTORED, media_type="application/json")

    @functools.cache
    def as_page() -> Response:
        text, style = page(document())
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'"
        policy += "; form-action 'none'; frame-ancestors 'none'"
        headers = {**UNSTORED, "content-security-policy": policy, "referrer-policy": "no-referrer"}
        return Response(text, headers=headers, media_type="text/html")

    return [
        Route(DOCUMENT, _Open(as_json, guard)),
        Route(DOCS, _Open(as_page, guard)),
    ]


class _Open:
    """The ASGI application behind one of them."""

    def __init__(self, make: Callable[[], Response], guard: KeyGuard) -> None:
        self._make = make
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        await self._answer(Request(scope))(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        try:
            self._guard.let_by(request)
            if request.method not in ("GET", "HEAD"):
                allow = {"allow": "GET, HEAD"}
                raise ProblemError(NOT_ALLOWED, "It knows GET, HEAD.", headers=allow)
        except ProblemError as error:
            return problem_response(error)
        return self._make()


def page(document: dict[str, Any]) -> tuple[str, str]:
    """The page as HTML, and the style that stands in it."""
    style = files("exobridge.web.control").joinpath("page.css").read_text("utf-8")
    told = sheets(document)
    tags = list(dict.fromkeys(each.tag for each in told))
    parts = [
        "<h1>exobridge: the control API</h1>",
        _prose(document["info"]["description"]),
        f'<p><a href="{DOCUMENT}">The OpenAPI document</a></p>',
        *_index(told),
    ]
    for tag in tags:
        parts.append(f"<h2>{_text(tag)}</h2>")
        parts += (part for each in told if each.tag == tag for part in _operation(each))
    parts.append("<h2>Objects</h2>")
    parts += (part for model in model_sheets(document) for part in _model(model))
    head = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>exobridge: the control API</title><style>{style}</style></head>"
    )
    return f"{head}<body>{''.join(parts)}</body></html>\n", style


def _index(told: Sequence[Sheet]) -> Iterable[str]:
    yield '<ul class="index">'
    for each in told:
        yield f'<li>{_title(each)} <a href="#{each.name}">{_text(each.summary)}</a></li>'
    yield "</ul>"


def _title(sheet: Sheet) -> str:
    return f'<span class="method">{sheet.method}</span> <code>{_text(sheet.path)}</code>'


def _operation(sheet: Sheet) -> Iterable[str]:
    yield f'<section id="{sheet.name}"><h3>{_text(sheet.summary)}</h3><p>{_title(sheet)}</p>'
    yield _prose(sheet.text)
    if sheet.fields:
        yield from _fields(sheet.fields)
    if sheet.body:
        media, model = sheet.body
        yield f"<p>The body is <code>{_text(media)}</code> {_link(model)}</p>"
    rows = [
        [f"<b>{status}</b>", f"{_code(words)} {_link(model)}"]
        for status, words, model in sheet.answers
    ]
    yield from _table(["Status", "When"], rows)
    yield "</section>"


def _model(sheet: ModelSheet) -> Iterable[str]:
    yield f'<section id="{sheet.name}"><h3>{_text(sheet.name)}</h3>{_prose(sheet.text)}'
    yield from _fields(sheet.fields)
    yield "</section>"


def _fields(fields: Sequence[Field]) -> Iterable[str]:
    rows: list[list[str]] = []
    for each in fields:
        notes = ", ".join(filter(None, [each.where, "needed" if each.needed else "", each.bounds]))
        kind = _text(each.kind)
        if each.model:
            kind = kind.replace(each.model, _link(each.model))
        name = f"<code>{_text(each.name)}</code>"
        rows.append([name, kind, f"{_code(each.text)} <small>{_text(notes)}</small>"])
    yield from _table(["Name", "Type", "What it is"], rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    yield '<div class="scroll"><table><tr>'
    yield "".join(f"<th>{each}</th>" for each in head) + "</tr>"
    for row in rows:
        yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>"
    yield "</table></div>"


def _link(model: str) -> str:
    return f'<a href="#{model}">{_text(model)}</a>' if model else ""


def _prose(text: str) -> str:
    blocks = (block for block in text.split("\n\n") if block.strip())
    return "".join(f"<p>{_code(block)}</p>" for block in blocks)


def _code(text: str) -> str:
    """What stands between back-ticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", _text(text))


def _text(text: str) -> str:
    return html.escape(text)
