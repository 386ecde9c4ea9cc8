"""One streamed answer of a chat-completions endpoint, put together. No I/O.

What servers really send is wider than OpenAI's page
(https://platform.openai.com/docs/api-reference/chat-streaming): ``choices`` may be null, a tool
call may lack its ``index`` or share it with another, an error may come in the middle of a stream,
and a model may think aloud before it answers.
"""

from __future__ import annotations

from typing import Any

import msgspec

from exobridge_providers.base import Usage
from exobridge_providers.dialogue.history import ToolCall
from exobridge_providers.errors import ProviderProtocolError, ProviderUnavailableError

DONE = "[DONE]"
MAX_CALLS = 16
"""Tools that one answer may call."""
MAX_ARGUMENTS = 64 * 1024
"""Characters of one call's arguments."""


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _Call(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(msgspec.Struct):
    content: Any = None
    tool_calls: list[_Call] | None = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None


class ChatStream:
    """An answer as it comes.

    Attributes:
        calls: The tools it calls, whole once the stream has ended.
        usage: What it cost, where the endpoint says so.
        progressed: The last chunk brought something: a stream that brings nothing is stuck.
        ended: The endpoint said that this is all.
    """

    def __init__(self, provider: str) -> None:
        self.calls: list[ToolCall] = []
        self.usage = Usage()
        self.progressed = False
        self.ended = False
        self._provider = provider
        self._thoughts = Thoughts()
        self._open: dict[int, ToolCall] = {}
        self._text_begun = False
        self._space = ""

    def take(self, data: str) -> str:
        """The words in one event's data; empty if it brings none.

        Raises:
            ProviderProtocolError: It is no chunk of an answer.
            ProviderUnavailableError: The endpoint reports an error.
        """
        if data.strip() == DONE:
            self.ended = True
            return ""
        try:
            chunk = msgspec.json.decode(data, type=_Chunk)
        except msgspec.MsgspecError as error:
            raise ProviderProtocolError(
                "an event of the answer is no chat.completion.chunk", provider=self._provider
            ) from error
        if chunk.error is not None:
            raise ProviderUnavailableError(
                "the endpoint reports an error in the middle of its answer", provider=self._provider
            )
        if chunk.usage is not None:
            used = (chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
            self.usage = Usage(*(max(0, tokens or 0) for tokens in used))
        text = ""
        self.progressed = False
        for choice in (chunk.choices or [])[:1]:
            text = self._choice(choice)
        self.progressed |= bool(text)
        return text

    def _choice(self, choice: _Choice) -> str:
        self.ended |= choice.finish_reason is not None
        if choice.delta is None:
            return ""
        for call in choice.delta.tool_calls or []:
            self._call(call)
        return self._with_a_word(self._thoughts.take(_text(choice.delta.content)))

    def _with_a_word(self, text: str) -> str:
        """White space waits for the word after it: alone it is nothing to say."""
        text = self._space + text
        if not text.strip():
            self._space = text[-2:] if self._text_begun else ""  # some models send it for ever
            return ""
        self._space = ""
        if not self._text_begun:
            self._text_begun = True
            return text.lstrip()
        return text

    def _call(self, piece: _Call) -> None:
        """A call begins with its id; what has none goes on with the one of its index, or the last
        one. Some servers give every call the index 0, or none."""
        index = piece.index or 0
        call = self._open.get(index) or (self.calls[-1] if self.calls else None)
        if call is None or (piece.id and piece.id != call.id):
            call = ToolCall(piece.id or f"call_{len(self.calls)}", "", "")
            self._open[index] = call
            self.calls.append(call)
        if piece.function is not None:
            call.name = call.name or piece.function.name or ""
            call.arguments += piece.function.arguments or ""
        self.progressed = True
        if len(self.calls) > MAX_CALLS or len(call.arguments) > MAX_ARGUMENTS:
            raise ProviderProtocolError(
                "the model calls tools beyond all measure", provider=self._provider
            )


def _text(content: object) -> str:
    return content if isinstance(content, str) else ""


class Thoughts:
    """Takes out what a model thinks aloud before its answer: ``<think>…</think>``."""

    BEGIN, END = "<think>", "</think>"

    def __init__(self) -> None:
        self._held = ""
        self._thinking: bool | None = None

    def take(self, text: str) -> str:
        """What of the text is the answer."""
        if self._thinking is False:
            return text
        self._held += text
        if self._thinking is None:
            begun = self._held.lstrip()
            if begun.startswith(self.BEGIN):
                self._thinking = True
            elif not self.BEGIN.startswith(begun):
                return self._answer(self._held)
        if self._thinking:
            _, ended, answer = self._held.partition(self.END)
            if ended:
                return self._answer(answer)
            self._held = self._held[-len(self.END) :]
        return ""

    def _answer(self, text: str) -> str:
        self._thinking = False
        self._held = ""
        return text
