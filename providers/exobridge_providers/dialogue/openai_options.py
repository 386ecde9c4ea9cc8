"""The options of the ``openai`` dialogue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from exobridge_providers.base import Options, wrong_option
from exobridge_providers.dialogue.actions import ACTIONS, ActionName
from exobridge_providers.dialogue.tools_http import HttpTool
from exobridge_providers.endpoint import checked_url

OURS = frozenset({"messages", "model", "stream", "stream_options", "tools", "tool_choice"})
"""Keys of the request that are not for ``extra_body``."""


class OpenAiOptions(Options):
    """The ``[dialogue.options]`` table.

    Attributes:
        model: Its name at the endpoint.
        base_url: The endpoint, up to ``/chat/completions``.
        api_key_env: The environment variable with the key; empty: the endpoint wants none.
        system: What the model is told first. ``{name}`` is replaced where it is a variable of the
            call; other braces stay.
        timezone: Of the variables ``date`` and ``time``.
        temperature, max_tokens: As the endpoint takes them; ``None``: not sent.
        extra_body: Further keys of the request.
        headers: Further headers; ``${NAME}`` is an environment variable.
        include_usage: Ask for the number of tokens. Some endpoints do not know the question.
        actions: What the model may do with the call.
        transfer_targets: Whom it may hand the caller to; without any, the template's default.
        languages: BCP-47 tags it may switch to; without any, every one.
        tools: The user's own.
        max_tool_rounds: How often in one turn the model may call tools and go on.
        max_history_chars: Characters of the conversation that are sent, of the newest.
        connect_seconds: Longest wait for a connection.
        first_token_seconds: From the question to the first word or tool call.
        token_seconds: Between words.
        allow_http: ``http`` to other machines is allowed.
    """

    model: str = Field(min_length=1)
    base_url: str = "https://api.openai.com/v1"
    api_key_env: str = "OPENAI_API_KEY"
    system: str = Field(
        default="You are on a phone call. Answer in one or two short spoken sentences.",
        max_length=100_000,
    )
    timezone: str = "Asia/Kolkata"
    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: int | None = Field(default=None, ge=1, le=100_000)
    extra_body: dict[str, Any] = Field(default_factory=dict[str, Any])
    headers: dict[str, str] = Field(default_factory=dict[str, str])
    include_usage: bool = True
    actions: tuple[ActionName, ...] = ("transfer", "hang_up")
    transfer_targets: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    languages: tuple[Annotated[str, Field(min_length=2)], ...] = ()
    tools: tuple[HttpTool, ...] = Field(default=(), max_length=64)
    max_tool_rounds: int = Field(default=4, ge=1, le=10)
    max_history_chars: int = Field(default=24_000, ge=1000, le=1_000_000)
    connect_seconds: float = Field(default=3, ge=0.1, le=10)
    first_token_seconds: float = Field(default=8, ge=0.1, le=14)
    token_seconds: float = Field(default=5, ge=0.1, le=14)
    allow_http: bool = False

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("is no IANA time zone, such as Asia/Kolkata") from None
        return name

    @field_validator("extra_body")
    @classmethod
    def _not_ours(cls, body: dict[str, Any]) -> dict[str, Any]:
        if taken := sorted(OURS & body.keys()):
            raise ValueError(f"{taken[0]} is set by exobridge itself")
        return body

    @model_validator(mode="after")
    def _check(self) -> OpenAiOptions:
        try:
            checked_url(self.base_url, allow_http=self.allow_http)
        except ValueError as error:
            raise wrong_option(str(error), "base_url") from None
        if twice := _repeated([*ACTIONS, *(tool.name for tool in self.tools)]):
            problem = f"two tools are named {twice!r}, or one as an action of exobridge"
            raise wrong_option(problem, "tools")
        return self


def _repeated(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
