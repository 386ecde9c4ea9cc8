"""Actions of a dialogue from JSON: what a model's tool call or a webhook's answer asks for.

One model of arguments each, which checks what comes and describes itself to a language model.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from exobridge_providers.base import (
    Action,
    CollectDigits,
    HangUp,
    SendDtmf,
    SetLanguage,
    Transfer,
)

ActionName = Literal["transfer", "hang_up", "send_dtmf", "collect_digits", "set_language"]
LANGUAGE = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
"""A BCP-47 tag, as far as its form goes."""


class Arguments(BaseModel):
    """Base of an action's arguments."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @abstractmethod
    def action(self) -> Action:
        """What they ask for."""


class TransferArguments(Arguments):
    """Hand the caller over to a human. Say so in the same answer, before."""

    target: str = Field(default="", max_length=128, description="Whom the caller is handed to.")
    summary: str = Field(
        default="",
        max_length=2000,
        description="For the human: who calls, what they want, what is already known.",
    )

    def action(self) -> Transfer:
        """As :meth:`Arguments.action`."""
        return Transfer(self.target, self.summary)


class HangUpArguments(Arguments):
    """End the call. Say goodbye in the same answer, before."""

    reason: str = Field(default="", max_length=200, description="For the record, a few words.")

    def action(self) -> HangUp:
        """As :meth:`Arguments.action`."""
        return HangUp(self.reason)


class SendDtmfArguments(Arguments):
    """Press keys, to get through the menu of an automatic system on the other side."""

    digits: str = Field(pattern=r"^[0-9*#A-D]{1,64}$", description="The keys, 0-9 * # A-D.")

    def action(self) -> SendDtmf:
        """As :meth:`Arguments.action`."""
        return SendDtmf(self.digits)


class CollectDigitsArguments(Arguments):
    """Have the caller type a number on the phone's keys. Ask for it in the same answer, before;
    the digits come with the next message."""

    max_digits: int = Field(default=64, ge=1, le=64, description="How many are expected at most.")
    terminator: str = Field(
        default="#", pattern=r"^[0-9*#]?$", description="The key that ends them; empty: none."
    )
    timeout_seconds: float = Field(
        default=5, ge=1, le=60, description="Longest pause between two keys, in seconds."
    )

    def action(self) -> CollectDigits:
        """As :meth:`Arguments.action`."""
        return CollectDigits(self.max_digits, self.terminator, self.timeout_seconds)


class SetLanguageArguments(Arguments):
    """Go on in another language: the caller is heard, and you are spoken, in it from now on. Call
    it before you say anything in that language."""

    language: str = Field(
        pattern=LANGUAGE, max_length=35, description="A BCP-47 tag, such as hi-IN."
    )

    def action(self) -> SetLanguage:
        """As :meth:`Arguments.action`."""
        return SetLanguage(self.language)


ACTIONS: Mapping[str, type[Arguments]] = {
    "transfer": TransferArguments,
    "hang_up": HangUpArguments,
    "send_dtmf": SendDtmfArguments,
    "collect_digits": CollectDigitsArguments,
    "set_language": SetLanguageArguments,
}


def made(model: type[Arguments], arguments: Any) -> Action:
    """The action of these arguments.

    Raises:
        ValueError: They are not what the model describes; the message repeats none of them.
    """
    try:
        return model.model_validate(arguments).action()
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False, include_context=False)
    raise ValueError(
        "; ".join(
            f"{'.'.join(map(str, each['loc'])) or 'arguments'}: {each['msg']}" for each in problems
        )
    )
