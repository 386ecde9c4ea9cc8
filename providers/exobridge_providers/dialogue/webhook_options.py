"""The options of the ``webhook`` dialogue."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from exobridge_providers.base import Options, wrong_option
from exobridge_providers.endpoint import checked_url


class WebhookOptions(Options):
    """The ``[dialogue.options]`` table.

    Attributes:
        url: Where turns are posted.
        secret_env: The environment variable with the secret that signs the requests. It may be
            missing where ``url`` is on this machine: they are not signed then.
        events: What is told beside the turns.
        connect_seconds: Longest wait for a connection.
        first_seconds: From a turn to the first action, or to the end of an answer in one piece.
        next_seconds: Between the actions of a stream.
        max_bytes: Of an answer.
        allow_http: ``http`` to other machines is allowed.
    """

    url: str
    secret_env: str = Field(default="WEBHOOK_SECRET", min_length=1)
    events: tuple[Literal["check", "start", "end"], ...] = ("check", "start", "end")
    connect_seconds: float = Field(default=3, ge=0.1, le=10)
    first_seconds: float = Field(default=8, ge=0.1, le=14)
    next_seconds: float = Field(default=8, ge=0.1, le=14)
    max_bytes: int = Field(default=1_048_576, ge=1024, le=16_777_216)
    allow_http: bool = False

    @model_validator(mode="after")
    def _check(self) -> WebhookOptions:
        try:
            checked_url(self.url, allow_http=self.allow_http)
        except ValueError as error:
            raise wrong_option(str(error), "url") from None
        return self
