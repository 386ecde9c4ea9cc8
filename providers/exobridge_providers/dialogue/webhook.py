"""A dialogue of your own behind a URL, in any language: each turn is a signed POST.

    [dialogue]
    provider = "webhook"
    [dialogue.options]
    url = "https://bot.example.com/turn"

What is sent and what may be answered stands in ``docs/how-to/webhook.md``.
"""

from __future__ import annotations

import os
import uuid

import httpx

from exobridge_providers.base import CallContext, DialogueProvider, DialogueSession, Options
from exobridge_providers.dialogue.webhook_options import WebhookOptions
from exobridge_providers.dialogue.webhook_session import NAME, Application, WebhookSession
from exobridge_providers.dialogue.webhook_signature import signing_key
from exobridge_providers.endpoint import is_loopback, variable
from exobridge_providers.errors import (
    ProviderAuthError,
    ProviderConfigError,
    ProviderUnavailableError,
)

CHECK_SECONDS = 10.0
"""Longest wait for the answer to ``check``."""


class WebhookDialogue(DialogueProvider):
    """Answers by an application of the user's. See the module."""

    options_type = WebhookOptions

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        assert isinstance(options, WebhookOptions)
        self._options = options
        self.offline = is_loopback(httpx.URL(options.url).host)
        self._application: Application | None = None

    async def start(self) -> None:
        """Read the secret, and ask the application whether it takes it."""
        name = self._options.secret_env
        needed = not self.offline or os.environ.get(name, "").strip()
        key = _signing_key(name) if needed else None
        application = Application(self._options, key)
        try:
            if "check" in self._options.events:
                await _check(application, name)
        except BaseException:
            await application.aclose()
            raise
        self._application = application

    async def open(self, context: CallContext) -> DialogueSession:
        """As :meth:`exobridge_providers.base.DialogueProvider.open`."""
        assert self._application is not None, "start() comes first"
        session = WebhookSession(self._application, context)
        await session.start()
        return session

    async def aclose(self) -> None:
        """Close the connections."""
        if self._application is not None:
            await self._application.aclose()


async def _check(application: Application, secret: str) -> None:
    try:
        await application.tell(f"{uuid.uuid4().hex}-check", {"event": "check"}, CHECK_SECONDS)
    except ProviderAuthError as error:
        cure = f"The application has to have the same secret as {secret}"
        raise ProviderAuthError(
            f"{error}. {cure}", provider=NAME, status_code=error.status_code
        ) from error
    except ProviderUnavailableError as error:
        cure = "Start the application, and look at url"
        raise ProviderUnavailableError(
            f"{error}. {cure}", provider=NAME, status_code=error.status_code
        ) from error


def _signing_key(name: str) -> bytes:
    cure = (
        "Put a secret of your own there (the environment, or .env), for exobridge and for the "
        "application, which checks the signature with it"
    )
    try:
        return signing_key(variable(name, "secret_env", NAME))
    except ProviderConfigError as error:
        raise ProviderConfigError(f"{error}. {cure}", provider=NAME) from None
    except ValueError as error:
        raise ProviderConfigError(
            f"the secret in the environment variable {name} {error}", provider=NAME
        ) from None
