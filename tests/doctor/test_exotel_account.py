"""Exotel's API, as a server on this machine plays it."""

from __future__ import annotations

import base64
import json
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from exobridge.doctor.case import Case, Scope
from exobridge.doctor.exotel_account import look
from exobridge.doctor.finding import Finding, Level
from exobridge.settings import Settings
from tests.doctor.looking import NUMBER, answering, levels, of, one

KEY, TOKEN, SID = "key-of-the-test", "token-of-the-test", "acme1"


async def looked(status: int, body: Any, **variables: str) -> tuple[list[Finding], list[str]]:
    """The findings, and the requests as ``path credentials``."""
    asked: list[str] = []

    def respond(request: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], bytes]:
        scheme, _, encoded = request.headers["Authorization"].partition(" ")
        asked.append(f"{request.path} {scheme} {base64.b64decode(encoded).decode()}")
        return status, {"Content-Type": "application/json"}, json.dumps(body).encode()

    account = {"EXOTEL_API_KEY": KEY, "EXOTEL_API_TOKEN": TOKEN, "EXOTEL_SID": SID}
    with answering(respond) as url:
        scope = Scope(online=True, exotel_url=url)
        return await look(Case(Settings.read({**account, **variables}), scope=scope)), asked


def exophones(*numbers: str, page_size: int = 50) -> dict[str, Any]:
    """A page of them, as Exotel lists them."""
    listed = [{"sid": str(at), "phone_number": number} for at, number in enumerate(numbers)]
    return {"page": 0, "page_size": page_size, "incoming_phone_numbers": listed}


async def test_good_credentials_list_the_numbers() -> None:
    """Asked once, with key and token, below the account's SID; however a number is written."""
    findings, asked = await looked(
        200, exophones("0" + NUMBER[3:]), EXOTEL_NUMBERS=f"{NUMBER}=default"
    )
    assert levels(findings) == {"exotel.account": Level.OK, "exotel.numbers": Level.OK}
    assert asked == [f"/v2_beta/Accounts/{SID}/IncomingPhoneNumbers Basic {KEY}:{TOKEN}"]


async def test_a_number_of_another_account_is_told_masked() -> None:
    """As far as the page goes: where there may be more, it is only worth knowing."""
    for size, level in ((50, Level.WARNING), (1, Level.INFO)):
        page = exophones("+919845099999", page_size=size)
        findings, _ = await looked(200, page, EXOTEL_NUMBERS=f"{NUMBER}=default")
        missing, unused = of(findings, "exotel.numbers")
        assert missing.level is level
        assert "not in EXOTEL_NUMBERS" in unused.found
        assert NUMBER[3:] not in missing.found + unused.found


@pytest.mark.parametrize(
    ("status", "level", "says"),
    [
        (401, Level.ERROR, "key or the token is wrong"),
        (403, Level.ERROR, "may not"),
        (404, Level.ERROR, "no such account"),
        (429, Level.WARNING, "429"),
        (500, Level.WARNING, "500"),
        (418, Level.ERROR, "418"),
    ],
)
async def test_a_refusal_is_explained(status: int, level: Level, says: str) -> None:
    """By its status, without a credential in it."""
    findings, _ = await looked(status, {"RestException": {"Status": status}})
    refused = one(findings, "exotel.account")
    assert (refused.level, says in refused.found) == (level, True)
    assert refused.cure
    assert TOKEN not in refused.found + refused.cure


@pytest.mark.parametrize("body", [[], {"incoming_phone_numbers": "none"}, "text", None])
async def test_an_answer_that_is_none_is_told(body: Any) -> None:
    """Whatever it is, nothing breaks."""
    findings, _ = await looked(200, body)
    assert one(findings, "exotel.numbers").level is Level.INFO


async def test_without_credentials_or_without_being_asked_nobody_is_asked() -> None:
    """The one is an error, the other nothing."""
    assert await look(Case(Settings.read({}))) == []
    findings = await look(Case(Settings.read({}), scope=Scope(online=True)))
    assert one(findings, "exotel.account").level is Level.ERROR
