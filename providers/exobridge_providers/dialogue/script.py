"""What a scripted dialogue is made of: the ``[dialogue.options]`` table, and its checks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from exobridge_providers.base import Options
from exobridge_providers.dialogue.words import words

KNOWN_VARIABLES = frozenset({"caller", "called", "custom_field", "language"})
"""What every text may use; a script declares others in ``variables``, with a default each."""

VARIABLE = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
NAME = r"^[a-z_][a-z0-9_]*$"
Name = Annotated[str, Field(pattern=NAME, max_length=64)]


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Line = Annotated[str, Field(min_length=1, max_length=2000)]
Lines = Annotated[tuple[Line, ...], BeforeValidator(_as_list)]
"""One text, or several that are used in turn."""
Keys = Annotated[str, Field(pattern=r"^[0-9*#]{1,8}$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Slot(_Table):
    """Something an intent has to know before it can answer.

    Attributes:
        name: The variable it fills.
        kind: ``digits`` (spoken or keyed) or ``text`` (whatever the caller says).
        ask: The question.
        retry: Said in place of ``ask`` when the answer was not understood.
        length: Number of digits, or:
        min_length: Fewest digits.
        max_length: Most digits.
    """

    name: Name
    kind: Literal["digits", "text"] = "text"
    ask: Line
    retry: Line | None = None
    length: int | None = Field(default=None, ge=1, le=40)
    min_length: int = Field(default=1, ge=1, le=40)
    max_length: int = Field(default=40, ge=1, le=40)

    @model_validator(mode="after")
    def _check(self) -> Slot:
        bounds = self.model_fields_set & {"length", "min_length", "max_length"}
        if bounds and self.kind == "text":
            raise ValueError(f'slot {self.name!r}: a length is for kind = "digits"')
        if self.length is not None and len(bounds) > 1:
            raise ValueError(f"slot {self.name!r}: either length, or min_length and max_length")
        if self.min_length > self.max_length:
            raise ValueError(f"slot {self.name!r}: min_length is above max_length")
        return self

    def fits(self, digits: str) -> bool:
        """Whether there are as many digits as it wants."""
        if self.length is not None:
            return len(digits) == self.length
        return self.min_length <= len(digits) <= self.max_length

    @property
    def only_length(self) -> int | None:
        """The number of digits, where no other would do."""
        if self.length is not None:
            return self.length
        return self.max_length if self.min_length == self.max_length else None


class Ending(_Table):
    """What happens after a text: at most one of the two.

    Attributes:
        transfer: A target of the template, or ``true`` for its default.
        hang_up: End the call.
    """

    transfer: Annotated[str, Field(min_length=1)] | bool = False
    hang_up: bool = False

    @model_validator(mode="after")
    def _one(self) -> Ending:
        if self.transfer and self.hang_up:
            raise ValueError("either transfer or hang_up, not both")
        return self


class Intent(Ending):
    """Something a caller may want.

    Attributes:
        name: For the log and the transfer's summary.
        phrases: What callers say for it: words that stand together anywhere in the turn.
        digits: Keys that mean it; the same digits spoken alone do too.
        reply: Said when all slots are filled.
        interruptible: ``False``: the caller hears ``reply`` to its end, whatever they say.
        slots: What has to be known first.
        repeat: Say the last text again, after ``reply``; an open question stays open.
        priority: The highest wins where several match, then the longest phrase, then the first.
    """

    name: Name
    phrases: tuple[str, ...] = ()
    digits: Keys | None = None
    reply: Lines = ()
    interruptible: bool = True
    slots: tuple[Slot, ...] = ()
    repeat: bool = False
    priority: int = 0

    @field_validator("phrases")
    @classmethod
    def _phrases_have_words(cls, phrases: tuple[str, ...]) -> tuple[str, ...]:
        if not all(words(phrase) for phrase in phrases):
            raise ValueError("a phrase has no words")
        return phrases

    @model_validator(mode="after")
    def _check(self) -> Intent:
        if not self.phrases and self.digits is None:
            raise ValueError(f"intent {self.name!r}: needs phrases or digits to be reached by")
        if not (self.reply or self.transfer or self.hang_up or self.repeat):
            raise ValueError(f"intent {self.name!r}: needs a reply, transfer, hang_up or repeat")
        if not (self.interruptible or self.reply):
            raise ValueError(f"intent {self.name!r}: interruptible is about a reply")
        if self.repeat and (self.slots or self.transfer or self.hang_up):
            raise ValueError(f"intent {self.name!r}: repeat goes with phrases and a reply only")
        if repeated := _repeated(slot.name for slot in self.slots):
            raise ValueError(f"intent {self.name!r}: two slots are named {repeated!r}")
        return self


class GiveUp(Ending):
    """What happens after ``max_fallbacks`` turns in a row that were not understood.

    Attributes:
        reply: Said first.
    """

    reply: Lines = ()

    @model_validator(mode="after")
    def _check(self) -> GiveUp:
        if not (self.transfer or self.hang_up):
            raise ValueError("give_up needs transfer or hang_up")
        return self


class ScriptedOptions(Options):
    """The ``[dialogue.options]`` table.

    Texts may hold variables in braces: ``caller``, ``called``, ``custom_field``, ``language``,
    those of ``variables``, and in an intent its own slots.

    Attributes:
        intents: What callers may want, at least one.
        fallback: Said when a turn is not understood.
        max_fallbacks: Turns in a row that may not be understood before ``give_up``, 1 to 20.
        give_up: What happens then; without it the fallback is said for ever.
        variables: Further variables (the stream's custom parameters) and the value of each where
            a call does not bring it.
    """

    intents: tuple[Intent, ...] = Field(min_length=1, max_length=500)
    fallback: Lines = Field(
        default=("Sorry, I did not get that. Could you say it again?",), min_length=1
    )
    max_fallbacks: int = Field(default=3, ge=1, le=20)
    give_up: GiveUp | None = None
    variables: dict[Name, str] = Field(default_factory=dict[str, str])

    @model_validator(mode="after")
    def _check(self) -> ScriptedOptions:
        if repeated := _repeated(intent.name for intent in self.intents):
            raise ValueError(f"two intents are named {repeated!r}")
        if repeated := _repeated(intent.digits for intent in self.intents if intent.digits):
            raise ValueError(f"two intents have the digits {repeated!r}")
        known = KNOWN_VARIABLES | self.variables.keys()
        for intent in self.intents:
            _check_intent_texts(intent, known)
        _check_texts("fallback", self.fallback, known)
        if self.give_up:
            _check_texts("give_up", self.give_up.reply, known)
        return self


def _check_intent_texts(intent: Intent, known: frozenset[str]) -> None:
    own: set[str] = set()
    for slot in intent.slots:
        if slot.name in known:
            raise ValueError(f"intent {intent.name!r}: slot {slot.name!r} hides a variable")
        # Only slots asked before it are filled when a question is asked.
        _check_texts(
            f"intent {intent.name!r}, slot {slot.name!r}",
            (slot.ask, slot.retry or slot.ask),
            known | own,
        )
        own.add(slot.name)
    _check_texts(f"intent {intent.name!r}", intent.reply, known | own)


def _check_texts(where: str, texts: Iterable[str], known: frozenset[str]) -> None:
    for text in texts:
        for name in VARIABLE.findall(text):
            if name not in known:
                raise ValueError(
                    f"{where}: the text uses {{{name}}}, which is neither a variable nor a slot "
                    f"known there; known: {', '.join(sorted(known))}"
                )
        if set(VARIABLE.sub("", text)) & {"{", "}"}:
            raise ValueError(f"{where}: a brace in the text encloses no variable's name")


def _repeated(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
