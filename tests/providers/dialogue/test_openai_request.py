"""What a chat-completions endpoint is asked."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast, get_args, get_type_hints

import pytest

from exobridge_providers.base import CallContext, Resumption, Said, UserTurn
from exobridge_providers.dialogue.history import History, ToolCall
from exobridge_providers.dialogue.openai_options import OpenAiOptions
from exobridge_providers.dialogue.openai_request import (
    LANGUAGE_NOW,
    OPENING,
    RESUMED,
    body,
    call_values,
    filled,
    messages,
    prompt,
)

NOW = datetime(2026, 3, 1, 9, 5)


def test_the_calls_variables() -> None:
    """A variable of the template goes before one of the same name."""
    context = CallContext("call-1", "+919900000001", variables={"company": "Acme"})
    assert call_values(context, NOW) == {
        "date": "Sunday, 1 March 2026",
        "time": "09:05",
        "caller": "+919900000001",
        "called": "",
        "direction": "incoming",
        "language": "en-IN",
        "call_sid": "call-1",
        "company": "Acme",
    }
    assert call_values(CallContext("call-1", variables={"time": "now"}), NOW)["time"] == "now"


def test_only_variables_are_filled_in() -> None:
    """Once: what a caller brings is no text to be filled in again."""
    values = {"name": "{caller}", "caller": "4711"}
    assert (
        filled('{name} {nobody} {"a": {}} {caller', values) == '{caller} {nobody} {"a": {}} {caller'
    )


@pytest.mark.parametrize(
    ("text", "language", "told"),
    [
        ("You are {company}.", "", "You are Acme."),
        ("You are {company}.", "hi-IN", f"You are Acme.\n\n{LANGUAGE_NOW.format('hi-IN')}"),
        ("", "hi-IN", LANGUAGE_NOW.format("hi-IN")),
        ("", "", ""),
    ],
)
def test_the_prompt_ends_with_the_language_now(text: str, language: str, told: str) -> None:
    """Where that is not the one of the beginning."""
    assert prompt(text, {"company": "Acme"}, language) == told


@pytest.mark.parametrize("why", get_args(get_type_hints(Resumption)["why"]))
def test_the_prompt_ends_with_why_the_call_goes_on(why: str) -> None:
    """A target that was not named, or looks like a variable, is no trouble."""
    for target, shown in (("sales", "sales"), ("", "the default target"), ("{caller}", "{caller}")):
        resumed = Resumption(cast(Any, why), target)
        told = prompt("You are Acme.", {"caller": "+919811122233"}, "", resumed)
        assert told == f"You are Acme.\n\n{RESUMED[why].replace('{target}', shown)}"


def said(role: str, content: str) -> dict[str, Any]:
    """A message."""
    return {"role": role, "content": content}


def test_sides_take_turns() -> None:
    """Turns without an answer between them are one message, and so are a bot's lines."""
    history = History(
        CallContext(
            "call-1",
            history=(
                Said("bot", "Welcome."),
                Said("bot", "How can I help?"),
                Said("caller", "my order"),
                Said("caller", "", "42"),
            ),
        ),
        10_000,
    )
    history.begin(UserTurn("hello?")).step()
    assert messages("Be kind.", history) == [
        said("system", "Be kind."),
        said("user", OPENING),
        said("assistant", "Welcome.\nHow can I help?"),
        said("user", "my order\n(I pressed the keys 42)\nhello?"),
    ]


def test_a_tools_call_stands_before_its_result() -> None:
    """Its words with it; what the model says after that is a message of its own."""
    history = History(CallContext("call-1"), 10_000)
    exchange = history.begin(UserTurn("book it"))
    step = exchange.step()
    step.text, step.calls = "One moment.", [ToolCall("1", "book", "", "booked", done=True)]
    exchange.step().text = "It is booked."
    _, asked, result, answer = messages("", history)
    assert asked["content"] == "One moment."
    assert asked["tool_calls"][0]["function"] == {"name": "book", "arguments": "{}"}
    assert result == {"role": "tool", "tool_call_id": "1", "content": "booked"}
    assert answer == said("assistant", "It is booked.")


@pytest.mark.parametrize(
    ("options", "tools", "may_call", "further"),
    [
        ({}, [], True, {"stream_options": {"include_usage": True}}),
        ({"include_usage": False}, [], True, {}),
        (
            {"include_usage": False, "temperature": 0, "max_tokens": 9, "extra_body": {"seed": 1}},
            [],
            True,
            {"temperature": 0, "max_tokens": 9, "seed": 1},
        ),
        ({"include_usage": False}, [{"type": "function"}], True, {"tools": [{"type": "function"}]}),
        (
            {"include_usage": False},
            [{"type": "function"}],
            False,
            {"tools": [{"type": "function"}], "tool_choice": "none"},
        ),
    ],
)
def test_a_question_has_what_the_options_say(
    options: dict[str, Any], tools: list[dict[str, Any]], may_call: bool, further: dict[str, Any]
) -> None:
    """And no more: not every endpoint knows every key."""
    given = OpenAiOptions.model_validate({"model": "m", **options})
    history = History(CallContext("call-1"), 10_000)
    history.begin(UserTurn("hello"))
    assert body(given, "", history, tools, may_call=may_call) == {
        "model": "m",
        "messages": [said("user", "hello")],
        "stream": True,
        **further,
    }
