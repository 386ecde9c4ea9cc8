"""The log: what it must never show, and how it is written."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
import structlog

from exobridge.log import Redactor, configure

SECRET = "s3cret-0123456789"
NUMBERS = [
    "+918047112233",
    "08047112233",
    "918047112233",
    "0918047112233",
    "8047112233",
    "+91 80471 12233",
    "+91-80471-12233",
    "+14155552671",
]


def clean(text: str, *secrets: str) -> str:
    return Redactor(secrets).text(text)


# ------------------------------------------------------------------ what must not be shown


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "call from {} came",
        "called {}.",
        "to={}&x=1",
        "({},",
        '"{}"',
        "tel:{};a",
        "{}-",
        "From%3D{}%26",
        "%22{}%22",
        "sip:{}@exotel.com",
    ],
)
def test_phone_numbers_are_masked(number: str, around: str) -> None:
    """Only the country code and the last three digits stay, wherever the number stands."""
    shown = clean(around.format(number))
    assert number not in shown
    assert f"*{number[-3:]}" in shown
    assert shown.startswith(around.partition("{}")[0])
    assert shown.endswith(around.partition("{}")[2])


def test_a_number_in_a_query_is_masked() -> None:
    """There the plus is percent-encoded."""
    assert clean("GET /x?From=%2B918047112233&To=1") == "GET /x?From=+91*******233&To=1"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T10:00:00.123456Z",
        "took 0.12345678901 s",
        "1763712345678",
        "call 9f0918047112233ab",
        "v1.918047112233.0",
        "trunk 008047112233",
        "room 101, extension 4711",
    ],
)
def test_what_is_no_phone_number_stays(text: str) -> None:
    """Times, ids and fractions are what a log is read for."""
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("wss://h/exotel/stream/abc.def-1?x=1", "wss://h/exotel/stream/***?x=1"),
        ("GET /exotel/answer/abc HTTP/1.1", "GET /exotel/answer/*** HTTP/1.1"),
        ("/exotel/answer?auth_token=abc&b=2", "/exotel/answer?auth_token=***&b=2"),
        ("https://h/?TOKEN=abc", "https://h/?TOKEN=***"),
        ("https://key:token@api.exotel.com/v1", "https://***@api.exotel.com/v1"),
        ("postgresql://me:p@ss:w@db/x", "postgresql://***@db/x"),
        ("Authorization: Basic a2V5OnRva2VuLXRva2Vu", "Authorization: Basic ***"),
        ("bearer abcdefghijklmnop.qrstuv", "bearer ***"),
        ("token IkMxIg.aRk9Zw.abcdefghijklmnopqrstuvwxyz0 it is", "token *** it is"),
        ("/exotel/dial-up/abc", "/exotel/dial-up/***"),
        ("/exotel/dial-up/json/abc?x=1", "/exotel/dial-up/***?x=1"),
        ("%2Fexotel%2Fdial-up%2Fjson%2Fabc%3Fx", "%2Fexotel%2Fdial-up%2F***%3Fx"),
        ("/exotel/callback/status/abc", "/exotel/callback/status/***"),
        ("/exotel/callback/status-abc", "/exotel/callback/***"),
        ("/exotel/dial-up/passthru/abc?x=1", "/exotel/dial-up/passthru/***?x=1"),
        ("wss%3A%2F%2Fh%2Fexotel%2Fstream%2Fabc%3Fx", "wss%3A%2F%2Fh%2Fexotel%2Fstream%2F***%3Fx"),
        ("wss%3A%2F%2Fu%3Ap%40h%2Fx", "wss%3A%2F%2F***%40h%2Fx"),
        ("/exotel/answer/%61bc?b=2", "/exotel/answer/***?b=2"),
        ("auth_token%3Dabc%26b%3D2", "auth_token%3D***%26b%3D2"),
        ("Stream[StreamUrl]=wss://h/x?y=1&b=2", "Stream[StreamUrl]=***&b=2"),
        ("Stream%5BStreamUrl%5D=wss%3A%2F%2Fh&b=2", "Stream%5BStreamUrl%5D=***&b=2"),
        ('{"StreamUrl": "wss://h/x", "b": 2}', '{"StreamUrl": "***", "b": 2}'),
        ("{'auth_token': 'abc', 'b': 2}", "{'auth_token': '***', 'b': 2}"),
        ("https://h/a.mp3?X-Amz-Signature=abc&b=2", "https://h/a.mp3?X-Amz-Signature=***&b=2"),
        ("Authorization%3A+Basic+a2V5OnRva2VuLXRva2Vu", "Authorization%3A+Basic+***"),
    ],
)
def test_tokens_in_urls_and_headers_are_hidden(text: str, shown: str) -> None:
    """In paths, queries, user parts and credentials."""
    assert clean(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "/exotel/answer",
        "GET /exotel/stream HTTP/1.1",
        "/exotel/dial-up/passthru",
        "/exotel/callback/status",
        "Basic authentication failed",
        "a@b.in",
        "EXOBRIDGE_SECRET: is missing",
        "the token is wrong or has expired",
        "exobridge.web.stream",
    ],
)
def test_what_holds_no_token_stays(text: str) -> None:
    """A bare path has nothing to hide."""
    assert clean(text) == text


def test_known_secrets_are_hidden_anywhere() -> None:
    """The longer one first, where one is part of the other; percent-encoded too."""
    longer = f"{SECRET}-and-more"
    assert clean(f"<{longer}> and <{SECRET}>", SECRET, longer) == "<***> and <***>"
    assert clean("x=p%40ss%2Fword!y", "p@ss/word") == "x=***!y"


def test_a_name_that_tells_of_a_secret_hides_its_value() -> None:
    """Whatever the value looks like, and however deep; without one there is nothing to hide."""
    event = {"event": "asked", "headers": {"Authorization": "abc", "Host": "h"}, "StreamUrl": "w"}
    shown = Redactor()(None, "info", {**event, "token": "", "tokens": 3})
    assert shown["headers"] == {"Authorization": "***", "Host": "h"}
    assert (shown["StreamUrl"], shown["token"], shown["tokens"]) == ("***", "", 3)


def test_short_secrets_are_not_looked_for() -> None:
    """They would blacken ordinary words."""
    assert clean("the cat sat", "cat", "") == "the cat sat"


class Wrapped:
    """Anything that is written by its repr."""

    def __repr__(self) -> str:
        return f"<Wrapped {SECRET} for +918047112233>"


def test_nested_values_are_cleaned() -> None:
    """Mappings with their keys, sequences, exceptions and whatever else has a repr."""
    event: dict[str, Any] = {
        "event": f"got {SECRET}",
        "count": 3,
        "ratio": 0.5,
        "ok": True,
        "nothing": None,
        "deep": {"list": [f"a {SECRET}", ("+918047112233",)], "+918047112233": "reception"},
        "error": ValueError(f"bad {SECRET}"),
        "bytes": SECRET.encode(),
        "set": {SECRET},
        "object": Wrapped(),
    }
    shown = Redactor([SECRET])(None, "info", event)
    assert SECRET not in repr(shown)
    assert "+918047112233" not in repr(shown)
    assert shown["deep"] == {"list": ["a ***", ["+91*******233"]], "+91*******233": "reception"}
    assert (shown["count"], shown["ratio"], shown["ok"], shown["nothing"]) == (3, 0.5, True, None)
    assert shown["error"] == "ValueError('bad ***')"


# ------------------------------------------------------------------ the log of a process


def entries(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_json_lines_are_one_entry_each(capsys: pytest.CaptureFixture[str]) -> None:
    """With level, logger and UTC time; the call's context is in each."""
    configure("json", "INFO")
    log = structlog.stdlib.get_logger("exobridge.test")
    with structlog.contextvars.bound_contextvars(call_sid="c1"):
        log.info("call started", caller="+918047112233", seconds=1.5)
        log.debug("not shown")
    [entry] = entries(capsys)
    assert entry.pop("timestamp").endswith("Z")
    assert entry == {
        "event": "call started",
        "caller": "+91*******233",
        "seconds": 1.5,
        "call_sid": "c1",
        "level": "info",
        "logger": "exobridge.test",
    }


def test_exceptions_are_cleaned_whoever_logs_them(capsys: pytest.CaptureFixture[str]) -> None:
    """Ours and the libraries': message, traceback and arguments."""
    configure("json", "INFO", [SECRET])
    try:
        raise ValueError(f"no {SECRET} for +918047112233")
    except ValueError as error:
        structlog.stdlib.get_logger("exobridge.test").exception("crashed", why=error)
        logging.getLogger("library").exception("crashed with %s", SECRET)
    ours, theirs = entries(capsys)
    assert ours["event"] == "crashed"
    assert ours["why"] == "ValueError('no *** for +91*******233')"
    assert theirs["event"] == "crashed with ***"
    for entry in (ours, theirs):
        assert entry["exception"].endswith("ValueError: no *** for +91*******233")
        assert SECRET not in json.dumps(entry)


def test_the_console_is_cleaned_too(capsys: pytest.CaptureFixture[str]) -> None:
    """What a person reads at the desk."""
    configure("console", "INFO", [SECRET])
    structlog.stdlib.get_logger("exobridge.test").warning("odd", secret=SECRET, to="08047112233")
    shown = capsys.readouterr().err
    assert "odd" in shown
    assert "secret=***" in shown
    assert "+91*******233" in shown


def test_nothing_in_the_log_is_obeyed_by_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """What came from outside clears no screen and writes no line of its own; a traceback keeps its
    lines."""
    configure("console", "INFO")
    log = structlog.stdlib.get_logger("exobridge.test")
    log.warning("odd", call_sid="c\x1b[2J\r\nforged\x9b31m\u202e")
    logging.getLogger("library").error("bad %s", "\x1b]0;title\x07\nforged")
    try:
        raise ValueError("no \x1b[31m")
    except ValueError:
        log.exception("crashed")
    shown = capsys.readouterr().err
    assert not set("\x1b\x9b\x07\r\u202e") & set(shown)
    assert not [line for line in shown.splitlines() if line.startswith("forged")]
    assert r"c\x1b[2J\r\nforged\x9b31m\u202e" in shown.replace("\\\\", "\\")
    assert "Traceback (most recent call last):\n" in shown


def test_auto_is_json_away_from_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """A container's log is read by machines."""
    configure("auto", "INFO")
    structlog.stdlib.get_logger("exobridge.test").info("hello")
    [entry] = entries(capsys)
    assert entry["event"] == "hello"


def test_libraries_that_log_urls_are_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    """uvicorn writes each WebSocket's path at INFO, token included."""
    configure("json", "INFO")
    for name in ("uvicorn.error", "uvicorn.access", "httpx"):
        logging.getLogger(name).info("GET /exotel/stream/abc")
    logging.getLogger("uvicorn.error").warning("port taken")
    [entry] = entries(capsys)
    assert entry["event"] == "port taken"
