"""Options that every vendor's plugin has."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, model_validator

from exobridge_providers.base import Options, wrong_option
from exobridge_providers.endpoint import checked_url, variable
from exobridge_providers.errors import ProviderConfigError


class VendorOptions(Options):
    """Where the vendor is, and with which key.

    Class attributes:
        scheme: Of ``url``: ``ws`` or ``http``.

    Attributes:
        url: The endpoint, without its query. Each plugin has its vendor's as the default.
        api_key_env: The environment variable with the key.
        connect_seconds: Longest wait for a connection that is ready to work.
        allow_http: An unencrypted connection to other machines is allowed.
        extra: Further parameters of the vendor's, sent as they are: of the query, or of the message
            that begins a session or an utterance, as the plugin's page says. One that the plugin
            sends itself is replaced.
    """

    scheme: ClassVar[str] = "ws"

    url: str
    api_key_env: str = Field(min_length=1)
    connect_seconds: float = Field(default=5, ge=0.1, le=30)
    allow_http: bool = False
    extra: dict[str, Any] = Field(default_factory=dict[str, Any])

    @model_validator(mode="after")
    def _url_may_be_asked(self) -> VendorOptions:
        try:
            checked_url(self.url, allow_http=self.allow_http, scheme=self.scheme)
        except ValueError as error:
            raise wrong_option(str(error), "url") from None
        return self

    def key(self, provider: str) -> str:
        """The vendor's key.

        Raises:
            ProviderConfigError: It is not in the environment.
        """
        try:
            return variable(self.api_key_env, "api_key_env", provider)
        except ProviderConfigError as error:
            raise ProviderConfigError(
                f"{error}. Put the key of {provider} there (the environment, or .env)",
                provider=provider,
            ) from None


class VendorSttOptions(VendorOptions):
    """Those of speech-to-text.

    Attributes:
        chunk_ms: Audio of one message, in milliseconds: less is quicker, more is cheaper.
    """

    chunk_ms: int = Field(default=40, ge=20, le=200, multiple_of=20)


class VendorTtsOptions(VendorOptions):
    """Those of text-to-speech. The voice is ``tts.voice`` of the template."""
