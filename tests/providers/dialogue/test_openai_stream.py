"""A streamed answer, put together."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge_providers.base import Usage
from exobridge_providers.dialogue.openai_stream import ChatStream, Thoughts
from exobridge_providers.errors import ProviderError, ProviderProtocolError


def chunk(delta: dict[str, Any] | None = None, **rest: Any) -> str:
    """An event's data."""
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return msgspec.json.encode({"choices": [choice], **rest}).decode()


def calls(*pieces: dict[str, Any]) -> ChatStream:
    """A stream with these pieces of tool calls, each in an event of its own."""
    stream = ChatStream("openai")
    for piece in pieces:
        stream.take(chunk({"tool_calls": [piece]}))
    return stream


def piece(arguments: str, **rest: Any) -> dict[str, Any]:
    """A piece of a tool call."""
    return {**rest, "function": {"arguments": arguments}}


def first(name: str, call_id: str, **rest: Any) -> dict[str, Any]:
    """The first piece of a tool call."""
    return {**rest, "id": call_id, "function": {"name": name, "arguments": ""}}


def test_words_come_as_they_are() -> None:
    """White space waits for its word, and none stands at the beginning."""
    stream = ChatStream("openai")
    pieces = ["", "\n", " Hel", "lo", " ", "\n", "there", ".", " "]
    said = [stream.take(chunk({"content": each})) for each in pieces]
    assert said == ["", "", "Hel", "lo", "", "", " \nthere", ".", ""]


A0, A1 = first("a", "1", index=0), piece("{}", index=0)
B0, B1 = first("b", "2", index=1), piece("[]", index=1)


@pytest.mark.parametrize(
    "pieces",
    [
        (A0, A1, B0, B1),
        (A0, B0, A1, B1),
        (A0, A1, first("b", "2", index=0), piece("[]", index=0)),
        (first("a", "1"), piece("{}"), first("b", "2"), piece("[]")),
        (A0, {**A1, "id": "1"}, B0, {**B1, "id": ""}),
    ],
    ids=["in turn", "mixed", "one index for all", "no index", "id again"],
)
def test_tool_calls_are_put_together(pieces: tuple[dict[str, Any], ...]) -> None:
    """By index and id, as servers give them."""
    found = [(call.id, call.name, call.arguments) for call in calls(*pieces).calls]
    assert found == [("1", "a", "{}"), ("2", "b", "[]")]


def test_a_call_without_an_id_gets_one() -> None:
    """Its result has to name it."""
    (call,) = calls({"function": {"name": "a", "arguments": "{}"}}).calls
    assert (call.id, call.name) == ("call_0", "a")


def test_calls_are_bounded() -> None:
    """In number and in length."""
    with pytest.raises(ProviderProtocolError, match="beyond all measure"):
        calls(*(first("a", str(number)) for number in range(17)))
    with pytest.raises(ProviderProtocolError, match="beyond all measure"):
        calls(first("a", "1"), *[piece("x" * 10_000)] * 7)


@pytest.mark.parametrize(
    "data",
    [
        "{}",
        '{"choices": null}',
        '{"choices": [{"delta": null}]}',
        '{"choices": [{"delta": {}}]}',
        '{"choices": [{"delta": {"content": null, "role": "assistant", "x": 1}}]}',
    ],
)
def test_what_brings_nothing_is_no_progress(data: str) -> None:
    """A stream of it is stuck."""
    stream = ChatStream("openai")
    stream.take(chunk({"content": "Hello"}))
    assert stream.progressed
    assert stream.take(data) == ""
    assert not stream.progressed


def test_tokens_are_counted() -> None:
    """Where the endpoint says how many."""
    stream = ChatStream("openai")
    stream.take('{"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": null}}')
    stream.take('{"choices": [], "usage": null}')
    assert stream.usage == Usage(7, 0)


@pytest.mark.parametrize(
    "data", ["[DONE]", '{"choices": [{"delta": {}, "finish_reason": "length"}]}']
)
def test_an_answer_says_that_it_ends(data: str) -> None:
    """By a reason or by a last event; without either it broke off."""
    stream = ChatStream("openai")
    stream.take(chunk({"content": "Hello"}))
    assert not stream.ended
    stream.take(data)
    assert stream.ended


@pytest.mark.parametrize(
    "data", ["nonsense", "[]", '{"choices": 7}', '{"choices": [{"delta": 1}]}']
)
def test_nonsense_is_refused_without_its_words(data: str) -> None:
    """It may be anything, so it stands in no message."""
    with pytest.raises(ProviderProtocolError) as caught:
        ChatStream("openai").take(data)
    assert data not in str(caught.value)


def test_an_error_in_the_middle_is_one() -> None:
    """Some servers answer 200 and then fail."""
    with pytest.raises(ProviderError, match="in the middle") as caught:
        ChatStream("openai").take('{"error": {"message": "secret words", "code": 502}}')
    assert caught.value.retryable
    assert "secret" not in str(caught.value)


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_no_data_crashes_it(data: str) -> None:
    """Words, or an error of the provider's."""
    with suppress(ProviderError):
        ChatStream("openai").take(data)


@given(
    st.sampled_from(["", " \n"]),
    st.text("<>/think x", max_size=20),
    st.sampled_from(["Hello <think>.", "", "a"]),
    st.integers(1, 9),
)
def test_thoughts_are_not_said(space: str, thought: str, answer: str, size: int) -> None:
    """However the text was cut; an answer that only mentions the tag is left alone."""
    told = f"{space}<think>{thought.replace('</think>', '')}</think>{answer}"
    for text, expected in ((told, answer), (f"{space}{answer}", f"{space}{answer}")):
        filtered = Thoughts()
        said = [filtered.take(text[at : at + size]) for at in range(0, len(text), size)]
        assert "".join(said) == expected or not expected.strip()
