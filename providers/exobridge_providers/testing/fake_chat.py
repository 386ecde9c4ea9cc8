"""A chat-completions endpoint by script: :class:`~.fake_http.FakeHttp` with the words of OpenAI."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from exobridge_providers.testing.fake_http import FakeHttp, Received, Reply

COMPLETIONS = "/v1/chat/completions"
MODELS = "/v1/models"
DONE = b"data: [DONE]\n\n"


def event(chunk: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return b"data: " + msgspec.json.encode(chunk) + b"\n\n"


def words(*pieces: str) -> list[bytes | float]:
    """The events that bring these pieces of text."""
    return [event({"choices": [{"index": 0, "delta": {"content": piece}}]}) for piece in pieces]


def call(
    name: str, arguments: str = "{}", *, index: int | None = 0, call_id: str = "call_1"
) -> list[bytes | float]:
    """The events of a tool call, its arguments in two pieces."""
    place = {} if index is None else {"index": index}
    half = len(arguments) // 2
    pieces: list[dict[str, Any]] = [
        {**place, "id": call_id, "type": "function", "function": {"name": name, "arguments": ""}},
        {**place, "function": {"arguments": arguments[:half]}},
        {**place, "function": {"arguments": arguments[half:]}},
    ]
    return [event({"choices": [{"index": 0, "delta": {"tool_calls": [each]}}]}) for each in pieces]


def ending(reason: str = "stop", tokens: tuple[int, int] | None = None) -> list[bytes | float]:
    """The events that end an answer.

    Args:
        tokens: Of the prompt and of the answer.
    """
    end = event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    if tokens is None:
        return [end, DONE]
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
    return [end, event({"choices": [], "usage": usage}), DONE]


def streamed(*parts: bytes | float, **changes: Any) -> Reply:
    """An answer of these events."""
    return Reply(content_type="text/event-stream; charset=utf-8", parts=parts, **changes)


def answer(*pieces: str) -> Reply:
    """A whole answer of words."""
    return streamed(*words(*pieces), *ending())


class FakeChat(FakeHttp):
    """An endpoint. It lists a model, and answers ``Hello there.`` unless it is told otherwise.

    Unrealistic as :class:`FakeHttp` is; and no model is behind it.
    """

    def __init__(self, *replies: Reply) -> None:
        super().__init__()
        self.replies[MODELS] = [Reply(parts=[b'{"data": [{"id": "fake"}]}'])]
        self.script(*(replies or [answer("Hello", " there.")]))

    def script(self, *replies: Reply) -> None:
        """What is answered from now on, in order; the last again and again."""
        self.replies[COMPLETIONS] = list(replies)

    @property
    def asked(self) -> list[Received]:
        """The questions that came."""
        return self.of(COMPLETIONS)

    def messages(self, number: int = -1) -> list[dict[str, Any]]:
        """Those of one question; the last if not said which."""
        found = msgspec.json.decode(self.asked[number].body, type=dict[str, Any])
        return list(found["messages"])

    @property
    def options(self) -> dict[str, Any]:
        """How ``openai`` reaches it."""
        return {"base_url": f"{self.url}/v1", "api_key_env": "", "model": "fake"}


def roles(messages: Sequence[dict[str, Any]]) -> list[str]:
    """Who says what."""
    return [message["role"] for message in messages]
