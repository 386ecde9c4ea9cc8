"""What an application may answer."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge_providers.base import (
    Action,
    CollectDigits,
    HangUp,
    Say,
    SendDtmf,
    SetLanguage,
    Transfer,
    Usage,
)
from exobridge_providers.dialogue.webhook_answer import action, ends, reader
from exobridge_providers.errors import ProviderProtocolError

SAYS = [{"say": "Hello."}, {"hang_up": True}]
KINDS = {
    "application/json; charset=utf-8": msgspec.json.encode({"actions": SAYS}),
    "application/x-ndjson": b'{"say": "Hello."}\n\n{"hang_up": true}',
    "application/jsonl": b'{"say": "Hello."}\r\n{"hang_up": true}\n',
    "Text/Event-Stream": b'data: {"say": "Hello."}\n\ndata: {"hang_up": true}\n\ndata: [DONE]\n\n',
    "": msgspec.json.encode({"actions": SAYS}),
}


def read(content_type: str, body: bytes, size: int = 1_000_000) -> list[Action]:
    """The actions of a body that comes in pieces of this size."""
    found = reader(content_type, "webhook")
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return [*(each for piece in pieces for each in found.feed(piece)), *found.end()]


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({"say": "Hello."}, Say("Hello.")),
        ({"say": {"text": "Hel", "more": True}}, Say("Hel", more=True)),
        ({"say": {"text": "Listen.", "interruptible": False}}, Say("Listen.", interruptible=False)),
        ({"transfer": "sales"}, Transfer("sales")),
        ({"transfer": True}, Transfer()),
        ({"transfer": {"target": "sales", "summary": "a cake"}}, Transfer("sales", "a cake")),
        ({"hang_up": "done"}, HangUp("done")),
        ({"hang_up": True}, HangUp()),
        ({"send_dtmf": "12#"}, SendDtmf("12#")),
        ({"collect_digits": True}, CollectDigits()),
        (
            {"collect_digits": {"max_digits": 4, "terminator": "", "timeout_seconds": 8}},
            CollectDigits(4, "", 8),
        ),
        ({"set_language": "hi-IN"}, SetLanguage("hi-IN")),
        ({"usage": {"input_tokens": 7}}, Usage(7, 0)),
    ],
)
def test_an_action_is_an_object_with_one_key(given: dict[str, Any], made: Action) -> None:
    """In short, or with all it may hold."""
    assert action(given) == made
    assert ends(made) is isinstance(made, HangUp | Transfer)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "one key"),
        ({"say": "a", "hang_up": True}, "one key"),
        ("say", "one key"),
        ({"shout": "a"}, "no such action; known: collect_digits"),
        ({"say": 7}, "say: "),
        ({"say": True}, "say: "),
        ({"say": {"text": "a", "loud": True}}, "say: loud: "),
        ({"send_dtmf": "4711 x"}, "send_dtmf: digits: "),
        ({"collect_digits": {"max_digits": 65}}, "collect_digits: max_digits: "),
        ({"set_language": "in Hindi"}, "set_language: language: "),
        ({"usage": {"input_tokens": -1}}, "usage: input_tokens: "),
    ],
)
def test_what_is_no_action_is_told_without_its_words(given: Any, why: str) -> None:
    """The application's developer finds it by its name and place."""
    with pytest.raises(ValueError, match=why) as caught:
        action(given)
    assert "4711" not in str(caught.value)


@pytest.mark.parametrize("content_type", KINDS)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_an_answer_comes_whole_or_as_a_stream(content_type: str, size: int) -> None:
    """It is the same, however the bytes were cut."""
    assert read(content_type, KINDS[content_type], size) == [Say("Hello."), HangUp()]


def test_a_stream_is_read_as_it_comes() -> None:
    """The first action does not wait for the second."""
    found = reader("application/x-ndjson", "webhook")
    assert list(found.feed(b'{"say": "Hello."}\n{"hang')) == [Say("Hello.")]


@pytest.mark.parametrize("content_type", KINDS)
def test_nothing_may_be_answered(content_type: str) -> None:
    """The bot then says nothing."""
    assert read(content_type, b"") == []


@pytest.mark.parametrize(
    ("content_type", "body", "why"),
    [
        ("application/json", b"Hello.", "it is no JSON"),
        ("application/json", b"[]", 'no object with a list "actions"'),
        ("application/json", b'{"actions": {}}', 'no object with a list "actions"'),
        ("application/json", b'{"actions": [{"say": "a"}, {"shout": "b"}]}', "action 2: there is"),
        ("application/x-ndjson", b'{"say": "a"}\nsecret words\n', "action 2 is no JSON"),
        ("text/event-stream", b"data: secret words\n\n", "action 1 is no JSON"),
        ("text/event-stream", b"data: \xff\n\n", "not UTF-8"),
        ("application/x-ndjson", b"x" * 300_000, "longer than"),
    ],
)
def test_a_wrong_answer_is_told_by_its_place(content_type: str, body: bytes, why: str) -> None:
    """And not by its words."""
    with pytest.raises(ProviderProtocolError, match=why) as caught:
        read(content_type, body)
    assert "secret" not in str(caught.value)


@given(st.sampled_from(list(KINDS)), st.binary(max_size=60))
def test_no_answer_crashes_it(content_type: str, body: bytes) -> None:
    """Actions, or an error of the provider's."""
    try:
        read(content_type, body)
    except ProviderProtocolError:
        return
