"""The tables of applets: what stands in ``[applet.NAME]``, by its ``type``."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from exobridge.simulator.flows.fields import (
    NeededUrl,
    Next,
    Number,
    OneKey,
    Seconds,
    StreamUrl,
    Url,
)
from exobridge.simulator.scripts.model import PhoneKeys
from exobridge.templates.table import Table
from exobridge.validation import wrong


def _one_of(table: Table, one: str, other: str) -> None:
    """Refuse both of two keys, and none of them."""
    if getattr(table, one) and getattr(table, other):
        raise wrong(f"does not go with {one}", "Keep one of the two.", other)
    if not getattr(table, one) and not getattr(table, other):
        raise wrong(f"has neither {one} nor {other}", f"Add {one} or {other}.")


class Passthru(Table):
    """Asks the server what to do (``sync``), or tells it what happened (``async``)."""

    type: Literal["passthru"]
    url: NeededUrl
    mode: Literal["sync", "async"] = "sync"
    method: Literal["GET", "POST"] = "GET"
    ok: Next = ""
    other: Next = ""
    bodies: dict[str, Next] = Field(default_factory=dict[str, str])
    on_timeout: Next = ""
    on_error: Next = ""
    timeout_seconds: float = Field(default=15, gt=0, le=60)

    @model_validator(mode="after")
    def _has_branches_if_it_waits(self) -> Self:
        for key in ("other", "bodies", "on_timeout", "on_error"):
            if self.mode == "async" and getattr(self, key):
                raise wrong(
                    "is never taken: an async Passthru goes on at once",
                    'Remove it, or set mode = "sync".',
                    key,
                )
        return self


class Voicebot(Table):
    """Opens a stream in both directions, to a static or a dynamic URL."""

    type: Literal["voicebot"]
    url: StreamUrl
    next: Next = ""
    on_error: Next | None = None
    """``None``: as ``next``."""


class Stream(Table):
    """Sends the caller's audio to a server, which is not heard; the flow goes on at once."""

    type: Literal["stream"]
    url: StreamUrl
    action: Literal["start", "stop"] = "start"
    next: Next = ""


class Greeting(Table):
    """Speaks a text, or the text that a URL answers."""

    type: Literal["greeting"]
    text: str = Field(default="", max_length=2000)
    url: Url = ""
    timeout_seconds: float = Field(default=10, gt=0, le=60)
    next: Next = ""
    on_error: Next | None = None

    @model_validator(mode="after")
    def _speaks_one_thing(self) -> Self:
        _one_of(self, "text", "url")
        if self.text and self.on_error:
            raise wrong("is never taken: the text is there", "Remove it.", "on_error")
        return self


class Gather(Table):
    """Asks for keys: Exotel's Gather, and an IVR menu where ``branches`` has entries."""

    type: Literal["gather"]
    text: str = Field(default="", max_length=2000)
    url: Url = ""
    max_digits: int = Field(default=1, ge=1, le=20)
    finish_key: OneKey | None = None
    timeout_seconds: float = Field(default=5, gt=0, le=60)
    branches: dict[PhoneKeys, Next] = Field(default_factory=dict[str, str])
    next: Next = ""
    on_timeout: Next = ""

    @model_validator(mode="after")
    def _can_take_its_branches(self) -> Self:
        if self.text and self.url:
            raise wrong("does not go with text", "Keep one of the two.", "url")
        for keys in self.branches:
            if len(keys) > self.max_digits:
                raise wrong(
                    f"has more keys than max_digits = {self.max_digits}",
                    "Raise max_digits.",
                    *("branches", keys),
                )
            if self.finish_key is not None and self.finish_key in keys:
                raise wrong("holds finish_key", "Leave it out: it is not kept.", "branches", keys)
        return self


class Connect(Table):
    """Dials agents: fixed numbers, or those that the server names."""

    type: Literal["connect"]
    url: Url = ""
    fallback_url: Url = ""
    contract: Literal["json", "text", "either"] = "json"
    """``either``: asked as a programmable one, and read as what the answer says it is."""
    numbers: list[Number] = Field(default_factory=list[str])
    fetch_after_attempt: bool = True
    """Of the text contract."""
    after_conversation: Next = ""
    nobody_answers: Next = ""
    not_dialled: Next = ""

    @model_validator(mode="after")
    def _knows_whom_to_dial(self) -> Self:
        _one_of(self, "url", "numbers")
        of_url = {"fallback_url", "contract", "fetch_after_attempt"}
        if self.numbers and (unused := sorted(of_url & self.model_fields_set)):
            raise wrong("does not go with numbers", "Remove it.", unused[0])
        if "fetch_after_attempt" in self.model_fields_set and self.contract != "text":
            raise wrong(
                "belongs to the text contract",
                'Remove it: the answer says it; or set contract = "text".',
                "fetch_after_attempt",
            )
        return self


class Voicemail(Table):
    """Records the caller."""

    type: Literal["voicemail"]
    max_seconds: float = Field(default=60, gt=0, le=600)
    seconds: Seconds = 1
    """How long the caller speaks."""
    next: Next = ""


class Hangup(Table):
    """Ends the call."""

    type: Literal["hangup"]


Applet = Annotated[
    Passthru | Voicebot | Stream | Greeting | Gather | Connect | Voicemail | Hangup,
    Field(discriminator="type"),
]
