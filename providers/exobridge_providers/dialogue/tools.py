"""The tools of a language model: what it may do with the call, and the user's own.

An action of the call is carried out by the host, in the answer's place. The user's own tools run
side by side, and go on when the answer is closed early: half a booking helps nobody. The next turn
waits for them, so that the model knows what they did.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
import msgspec

from exobridge_providers.base import Action, CollectDigits, SendDtmf, Transfer, TransferFailure
from exobridge_providers.dialogue.actions import ACTIONS, ActionName, made
from exobridge_providers.dialogue.history import ToolCall
from exobridge_providers.dialogue.openai_request import filled
from exobridge_providers.dialogue.tools_http import HttpTool, ask

NOT_DONE = '{"error": "not done: the caller spoke first"}'
UNKNOWN = '{"error": "the caller spoke first; nobody knows whether it was done"}'
DONE = '{"ok": true}'
NOT_TRANSFERRED: Mapping[TransferFailure, str] = {
    "closed": '{"error": "not done: nobody is there at this time"}',
    "unknown": '{"error": "not done: nobody can be reached by this target"}',
}

Schema = dict[str, Any]


def described(
    actions: Sequence[ActionName],
    tools: Sequence[HttpTool],
    transfer_targets: Sequence[str] = (),
    languages: Sequence[str] = (),
) -> list[Schema]:
    """The tools as a chat-completions request lists them."""
    choices = {"target": list(transfer_targets), "language": list(languages)}
    own = [_function(tool.name, tool.description, tool.described()) for tool in tools]
    return [*(_action(name, choices) for name in actions), *own]


def _action(name: ActionName, choices: Mapping[str, list[str]]) -> Schema:
    model = ACTIONS[name]
    schema = model.model_json_schema()
    properties: dict[str, Schema] = {
        key: {what: value for what, value in each.items() if what != "title"}
        for key, each in schema["properties"].items()
    }
    for key, allowed in choices.items():
        if key in properties and allowed:
            properties[key] |= {"enum": allowed}
    if not choices["target"]:
        properties.pop("target", None)
    parameters = {"type": "object", "properties": properties}
    if required := schema.get("required"):
        parameters["required"] = required
    return _function(name, " ".join((model.__doc__ or "").split()), parameters)


def _function(name: str, description: str, parameters: Schema) -> Schema:
    about = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": about}


class Toolbox:
    """The tools of one call.

    Args:
        actions: Those that are offered.
        tools: The user's own.
        headers: Of each of these, by its name.
        client: Asks them.
        values: The variables of the call, for the headers; as they are when a tool is asked.
        can_speak: Whether the call could go on in a language.
    """

    def __init__(
        self,
        actions: Sequence[ActionName],
        tools: Sequence[HttpTool],
        headers: Mapping[str, Mapping[str, str]],
        client: httpx.AsyncClient,
        *,
        values: Mapping[str, str],
        transfer_targets: Sequence[str] = (),
        languages: Sequence[str] = (),
        can_speak: Callable[[str], bool] = lambda language: True,
    ) -> None:
        self._actions = frozenset[str](actions)
        self._tools = {tool.name: tool for tool in tools}
        self._headers = headers
        self._client = client
        self._values = values
        self._targets = frozenset(transfer_targets)
        self._languages = frozenset(languages)
        self._can_speak = can_speak
        self._working: asyncio.Task[None] | None = None

    async def idle(self) -> bool:
        """Wait for tools that an answer which was closed early has left at work; whether there
        were any."""
        if self._working is None or self._working.done():
            return False
        await asyncio.wait([self._working])
        return True

    def asks(self, calls: Sequence[ToolCall]) -> bool:
        """Whether any of them is one of the user's own, which takes its time."""
        return any(call.name in self._tools for call in calls)

    async def run(self, calls: Sequence[ToolCall]) -> list[tuple[ToolCall, Action]]:
        """Run the user's own among the calls, to their end even if this is cancelled.

        Returns:
            The actions that are left for the host, in order; each call's result is :data:`DONE`
            once the caller of this has given it out.
        """
        actions: list[tuple[ToolCall, Action]] = []
        asked: list[tuple[ToolCall, HttpTool, dict[str, Any]]] = []
        for call in calls:
            try:
                arguments = _arguments(call)
                if tool := self._tools.get(call.name):
                    call.result, call.done = UNKNOWN, True
                    asked.append((call, tool, arguments))
                else:
                    actions.append((call, self._action(call.name, arguments)))
                    call.result = NOT_DONE
            except ValueError as error:
                call.result = _error(str(error))
        if asked:
            self._working = asyncio.create_task(self._ask_all(asked))
            await asyncio.shield(self._working)
        return actions

    async def _ask_all(self, asked: Sequence[tuple[ToolCall, HttpTool, dict[str, Any]]]) -> None:
        async with asyncio.TaskGroup() as side_by_side:
            for each in asked:
                side_by_side.create_task(self._ask(*each))

    async def _ask(self, call: ToolCall, tool: HttpTool, arguments: dict[str, Any]) -> None:
        headers = {
            name: _header(filled(value, self._values))
            for name, value in self._headers[tool.name].items()
        }
        call.result = await ask(self._client, tool, arguments, headers)

    def _action(self, name: str, arguments: dict[str, Any]) -> Action:
        if name not in self._actions:
            raise ValueError("there is no such tool")
        action = made(ACTIONS[name], arguments)
        if isinstance(action, Transfer) and action.target and action.target not in self._targets:
            raise ValueError("nobody can be reached by this target")
        language = getattr(action, "language", None)
        if language and self._languages and language not in self._languages:
            raise ValueError("this language is not offered")
        if language and not self._can_speak(language):
            raise ValueError("the call cannot go on in this language")
        return action

    async def aclose(self) -> None:
        """Stop what is still at work."""
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait([self._working])


def goes_on(
    calls: Sequence[ToolCall], actions: Sequence[tuple[ToolCall, Action]], *, said: bool
) -> bool:
    """Whether the model is asked once more: it is to use a result, or has said nothing yet.

    After keys were sent, or are awaited, it is the other side's turn.
    """
    waits = sum(
        isinstance(action, SendDtmf) or (isinstance(action, CollectDigits) and said)
        for _, action in actions
    )
    return waits < len(calls)


def transfer_failed(calls: Sequence[ToolCall], why: TransferFailure) -> None:
    """The host could not do what it was given out to do."""
    for call in calls:
        if call.name == "transfer" and call.result == DONE:
            call.result = NOT_TRANSFERRED[why]


def _arguments(call: ToolCall) -> dict[str, Any]:
    try:
        return msgspec.json.decode(call.arguments or "{}", type=dict[str, Any])
    except msgspec.MsgspecError:
        raise ValueError("the arguments are no JSON object") from None


def _header(value: str) -> str:
    """What a header can hold: a variable of the call may be anything."""
    return "".join(char for char in value if char.isascii() and char.isprintable())


def _error(why: str) -> str:
    return msgspec.json.encode({"error": why}).decode()
