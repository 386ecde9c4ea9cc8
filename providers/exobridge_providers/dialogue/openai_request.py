"""What a chat-completions endpoint is asked. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from exobridge_providers.base import CallContext, Resumption
from exobridge_providers.dialogue.history import Exchange, History
from exobridge_providers.dialogue.openai_options import OpenAiOptions

OPENING = "(The call begins.)"
"""Stands for a caller's first words: some models want a conversation to begin with the user."""

LANGUAGE_NOW = "The caller is now heard, and you are spoken, in the language {}."
"""Ends the prompt of a call that may have left the language it began in."""

RESUMED: Mapping[str, str] = {
    "transfer-failed": "You handed the caller to a human ({target}), and nobody took the call. The "
    "caller is back with you, and has been told so.",
    "after-transfer": "A human ({target}) has spoken with the caller. The caller is back with you.",
    "dropped": "The call was cut off in the middle. The caller is back with you.",
}
"""Ends the prompt of a call that goes on in another stream."""

_PLACE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.-]*)\}")


def call_values(context: CallContext, now: datetime) -> dict[str, str]:
    """The variables of a call, for the prompt and the tools' headers.

    Args:
        now: In the template's time zone.
    """
    return {
        "date": f"{now:%A}, {now.day} {now:%B %Y}",
        "time": f"{now:%H:%M}",
        "caller": context.caller,
        "called": context.called,
        "direction": context.direction,
        "language": context.language,
        "call_sid": context.call_sid,
        **context.variables,
    }


def prompt(
    text: str, values: Mapping[str, str], language: str, resumed: Resumption | None = None
) -> str:
    """What the model is told first.

    Args:
        resumed: Why the call goes on.
        language: That of the call now, if it may be another than at the beginning; else empty.
    """
    now = LANGUAGE_NOW.format(language) if language else ""
    why = _why(resumed) if resumed else ""
    return "\n\n".join(part for part in (filled(text, values), now, why) if part)


def _why(resumed: Resumption) -> str:
    return filled(RESUMED[resumed.why], {"target": resumed.target or "the default target"})


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with ``{name}`` replaced where it is a variable; other braces stay."""
    return _PLACE.sub(lambda place: values.get(place[1], place[0]), text)


def body(
    options: OpenAiOptions,
    system: str,
    history: History,
    tools: list[dict[str, Any]],
    *,
    may_call: bool,
) -> dict[str, Any]:
    """The request's JSON.

    Args:
        may_call: The model may still call tools in this turn.
    """
    found: dict[str, Any] = {
        **options.extra_body,
        "model": options.model,
        "messages": messages(system, history),
        "stream": True,
    }
    if options.include_usage:
        found["stream_options"] = {"include_usage": True}
    if options.temperature is not None:
        found["temperature"] = options.temperature
    if options.max_tokens is not None:
        found["max_tokens"] = options.max_tokens
    if tools:
        found["tools"] = tools
        if not may_call:
            found["tool_choice"] = "none"
    return found


def messages(system: str, history: History) -> list[dict[str, Any]]:
    """The conversation as the model reads it: user and assistant take turns, a tool's call and its
    result stand together."""
    found: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []
    for exchange in history:
        _join(found, "user", exchange.user if exchange.turn else OPENING)
        _add_answer(found, exchange)
    return found


def _add_answer(found: list[dict[str, Any]], exchange: Exchange) -> None:
    for step in exchange.steps:
        if not step.calls:
            _join(found, "assistant", step.text)
            continue
        calls = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments or "{}"},
            }
            for call in step.calls
        ]
        found.append({"role": "assistant", "content": step.text or None, "tool_calls": calls})
        found += [
            {"role": "tool", "tool_call_id": call.id, "content": call.result} for call in step.calls
        ]


def _join(found: list[dict[str, Any]], role: str, text: str) -> None:
    """A message, joined to the one before if that is of the same role."""
    last = found[-1] if found else {}
    if not text:
        return
    if last.get("role") == role and "tool_calls" not in last:
        last["content"] += f"\n{text}"
    else:
        found.append({"role": role, "content": text})
