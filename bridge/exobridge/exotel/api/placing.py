"""A call to be placed, as ``POST Calls/connect`` is asked for it, and what it is answered. Pure.

Source: Exotel's pages "Outgoing call to connect a number to a call flow" and "Connect Voice AI".
"""

from __future__ import annotations

from dataclasses import dataclass, field

from exobridge.exotel.api.answer import Node, UnreadableAnswerError
from exobridge.exotel.flows import flow_url
from exobridge.exotel.words import read_status

MAX_CUSTOM_FIELD = 128
"""Characters of a ``CustomField``."""
MAX_STREAM_URL = 599
"""Characters of a ``StreamUrl``: "less than 600"."""
MAX_STREAM_NAME = 32
MAX_RING_SECONDS = 60
MAX_CALL_SECONDS = 14_400
MAX_SID = 128
"""Characters of a CallSid that is read."""


@dataclass(frozen=True, slots=True)
class CallOrder:
    """A call that Exotel shall place.

    Attributes:
        number: Whom to call, E.164.
        caller_id: The ExoPhone that it is made from.
        app_id: The flow it takes; empty: it goes straight to ``stream_url``.
        stream_url: Of the bot, at most 599 characters; empty where there is an ``app_id``.
        stream_name: At most 32 characters.
        custom_field: Comes back in the call's webhooks; at most 128 characters.
        ring_seconds: How long it rings, 1 to 60.
        limit_seconds: When Exotel ends it, 1 to 14400.
        status_callback: Where its end is told; empty: nowhere. It may hold a secret.
        record: Whether Exotel records it.

    Raises:
        ValueError: It is out of Exotel's bounds. The text holds no value.
    """

    number: str = field(repr=False)
    caller_id: str = field(repr=False)
    app_id: str = ""
    stream_url: str = field(default="", repr=False)
    stream_name: str = ""
    custom_field: str = ""
    ring_seconds: int = 30
    limit_seconds: int = MAX_CALL_SECONDS
    status_callback: str = field(default="", repr=False)
    record: bool = False

    def __post_init__(self) -> None:
        if bool(self.app_id) == bool(self.stream_url):
            raise ValueError("a call takes a flow or goes to a stream, one of both")
        if len(self.stream_url) > MAX_STREAM_URL:
            raise ValueError(f"the stream's URL has more than {MAX_STREAM_URL} characters")
        if len(self.stream_name) > MAX_STREAM_NAME:
            raise ValueError(f"the stream's name has more than {MAX_STREAM_NAME} characters")
        if len(self.custom_field) > MAX_CUSTOM_FIELD:
            raise ValueError(f"the CustomField has more than {MAX_CUSTOM_FIELD} characters")
        if not 1 <= self.ring_seconds <= MAX_RING_SECONDS:
            raise ValueError(f"a call rings for 1 to {MAX_RING_SECONDS} seconds")
        if not 1 <= self.limit_seconds <= MAX_CALL_SECONDS:
            raise ValueError(f"a call lasts for 1 to {MAX_CALL_SECONDS} seconds")

    def form(self, sid: str) -> dict[str, str]:
        """The parameters, for the account ``sid``."""
        told = {
            "From": self.number,
            "CallerId": self.caller_id,
            "CallType": "trans",
            "TimeLimit": str(self.limit_seconds),
            "TimeOut": str(self.ring_seconds),
            "CustomField": self.custom_field,
            "Record": "true" if self.record else "false",
        }
        if self.app_id:
            told["Url"] = flow_url(sid, self.app_id)
        else:
            told |= {"StreamUrl": self.stream_url, "StreamType": "bidirectional"}
            told["StreamName"] = self.stream_name
        if self.status_callback:
            told |= {
                "StatusCallback": self.status_callback,
                "StatusCallbackEvents[0]": "terminal",
                "StatusCallbackEvents[1]": "answered",
                "StatusCallbackContentType": "application/json",
            }
        return {name: value for name, value in told.items() if value}


@dataclass(frozen=True, slots=True)
class PlacedAnswer:
    """What Exotel says of a call that it places.

    Attributes:
        call_sid: The call's id from now on.
        status: As :func:`~exobridge.exotel.words.read_status` spells it.
    """

    call_sid: str
    status: str = ""


def read_placed(answer: Node) -> PlacedAnswer:
    """The answer to a request for a call.

    Raises:
        UnreadableAnswerError: There is no call in it.
    """
    call = answer.node("Call") if "Call" in answer else answer
    call_sid = call.text("Sid")[:MAX_SID]
    if not call_sid:
        raise UnreadableAnswerError("no call in it")
    return PlacedAnswer(call_sid, read_status(call.text("Status")))
