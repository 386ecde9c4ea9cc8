"""A language model behind any OpenAI-compatible chat-completions endpoint.

    [dialogue]
    provider = "openai"
    [dialogue.options]
    model = "gpt-4.1-mini"
    system = "You answer the phone of {company}, a bakery in Pune. It is {date}, {time}."

The key stands in the environment. ``base_url`` may be another vendor's, or your own server's.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from zoneinfo import ZoneInfo

import httpx

from exobridge_providers import wire
from exobridge_providers.base import CallContext, DialogueProvider, DialogueSession, Options
from exobridge_providers.dialogue.openai_options import OpenAiOptions
from exobridge_providers.dialogue.openai_request import call_values
from exobridge_providers.dialogue.openai_session import NAME, OpenAiSession
from exobridge_providers.dialogue.tools import Toolbox
from exobridge_providers.endpoint import is_loopback, variable, with_variables
from exobridge_providers.errors import (
    ProviderAuthError,
    ProviderConfigError,
    ProviderError,
    ProviderUnavailableError,
)

CHECK_SECONDS = 10.0
"""Longest wait for the endpoint at the start."""


class OpenAiDialogue(DialogueProvider):
    """Answers by a language model. See the module."""

    options_type = OpenAiOptions
    speculative: ClassVar[bool] = True

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        assert isinstance(options, OpenAiOptions)
        self._options = options
        self.offline = is_loopback(httpx.URL(options.base_url).host)
        self._headers: dict[str, str] = {}
        self._tool_headers: dict[str, dict[str, str]] = {}
        self._client: httpx.AsyncClient | None = None

    async def start(self) -> None:
        """Read the keys, and ask the endpoint whether it takes them."""
        options = self._options
        self._headers = {
            "content-type": "application/json",
            **self._key(),
            **with_variables(options.headers, "headers", NAME),
        }
        self._tool_headers = {
            tool.name: with_variables(tool.headers, f"the headers of tool {tool.name}", NAME)
            for tool in options.tools
        }
        client = wire.new_client(options.connect_seconds)
        try:
            await self._check(client)
        except BaseException:
            await client.aclose()
            raise
        self._client = client

    def _key(self) -> dict[str, str]:
        name = self._options.api_key_env
        if not name:
            return {}
        try:
            key = variable(name, "api_key_env", NAME)
        except ProviderConfigError as error:
            raise ProviderConfigError(
                f"{error}. Put the key there (the environment, or .env), or set api_key_env = "
                '"" in the template if the endpoint wants none',
                provider=NAME,
            ) from None
        return {"authorization": f"Bearer {key}"}

    async def _check(self, client: httpx.AsyncClient) -> None:
        """Only what would make each answer fail counts: not every endpoint lists its models."""
        url = f"{self._options.base_url.rstrip('/')}/models"
        try:
            response = await wire.answered(
                client,
                lambda: client.build_request("GET", url, headers=self._headers),
                wire.Deadline(CHECK_SECONDS),
                retried=(),
                provider=NAME,
            )
            await response.aclose()
        except ProviderAuthError as error:
            cure = f"Look at the key in {self._options.api_key_env or 'headers'}, and at base_url"
            raise ProviderAuthError(
                f"{error}. {cure}", provider=NAME, status_code=error.status_code
            ) from error
        except ProviderUnavailableError as error:
            if error.status_code is None:
                cure = "Look at base_url, at whether the endpoint runs, and at the network"
                raise ProviderUnavailableError(f"{error}. {cure}", provider=NAME) from error
        except ProviderError:
            return

    async def open(self, context: CallContext) -> DialogueSession:
        """As :meth:`exobridge_providers.base.DialogueProvider.open`."""
        assert self._client is not None, "start() comes first"
        options = self._options
        values = call_values(context, datetime.now(ZoneInfo(options.timezone)))
        toolbox = Toolbox(
            options.actions,
            options.tools,
            self._tool_headers,
            self._client,
            values=values,
            transfer_targets=options.transfer_targets,
            languages=options.languages,
            can_speak=context.can_speak,
        )
        return OpenAiSession(options, self._client, self._headers, context, values, toolbox)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
