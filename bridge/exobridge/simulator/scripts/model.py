"""The tables of a script. ``docs/reference/scripts.md`` explains each key."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal, Self, cast

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from exobridge.simulator.plan import KEYS
from exobridge.simulator.words import as_regex
from exobridge.templates.table import Table
from exobridge.validation import wrong

INTO = ("after_ms", "after_words", "pause_ms")
"""Keys that let a step happen while the bot talks."""
ACTIONS = ("say", "play", "press", "wait_seconds", "hang_up")
"""What a step can do; without any of them it listens."""


def _phrases(value: object) -> list[object]:
    """One phrase is a list of one."""
    phrases = cast(list[object], value) if isinstance(value, list) else [value]
    for phrase in phrases:
        _check_phrase(phrase)
    return phrases


def _check_phrase(phrase: object) -> None:
    if not isinstance(phrase, str):
        return
    if not any(character.isalnum() for character in phrase):
        raise wrong("has no words", 'Write what is to be heard, like says = "nine hundred".')
    try:
        as_regex(phrase)
    except re.error as error:
        raise wrong(
            f"is no regular expression: {error}", "Mend it, or leave out the slashes."
        ) from None


def phone_keys(keys: str) -> str:
    """The keys, if they are such."""
    if not keys or not KEYS.issuperset(keys):
        raise wrong("are no keys of a telephone", 'Use 0-9, *, # and A-D, like press = "41#".')
    return keys


Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Phrases = Annotated[list[str], BeforeValidator(_phrases)]
PhoneKeys = Annotated[str, AfterValidator(phone_keys)]
Ms = Annotated[int, Field(ge=1, le=600_000)]


class CallTable(Table):
    """``[call]``: where to call, and over which line. The command line's options replace these."""

    url: str = "http://127.0.0.1:8080"
    to: str = "08047112233"
    caller: str = Field(default="09811122233", alias="from")
    outgoing: bool = False
    encoding: Literal["pcm16", "mulaw"] = "pcm16"
    sample_rate: Literal[8000, 16000, 24000] | None = None
    frame_ms: int = Field(default=20, ge=10, le=1000)
    keys: Literal["snake", "camel"] = "snake"
    parameters: dict[str, str] = Field(default_factory=dict[str, str])
    timeout_seconds: float = Field(default=120, ge=1, le=3600)
    patience_seconds: float = Field(default=15, ge=1, le=600)
    bot_done_ms: int = Field(default=700, ge=100, le=10_000)


class SpeechTable(Table):
    """``[speech]``: who speaks the caller's lines and who understands the bot."""

    voice: str = "hibari"
    ears: str = "moonshine"
    language: str = "en-IN"


class StepExpect(Table):
    """``expect`` of a step: what the bot does from then on, until the caller's next step."""

    says: Phrases = Field(default_factory=list[str])
    not_says: Phrases = Field(default_factory=list[str])
    within_ms: Ms | None = None
    silent_within_ms: Ms | None = None
    silent_for_ms: Ms | None = None
    goes_on: bool = False
    sends_keys: PhoneKeys | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is expected."""
        return self == StepExpect()

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        speaks = self.says or self.within_ms is not None or self.sends_keys
        if self.silent_for_ms is not None and (speaks or self.goes_on):
            raise wrong(
                "does not go with a bot that is to be heard",
                "Keep one of the two.",
                "silent_for_ms",
            )
        if self.goes_on and (self.silent_within_ms is not None or self.within_ms is not None):
            raise wrong(
                "does not go with a bot that is to stop and answer",
                "Keep one of the two.",
                "goes_on",
            )
        return self


class ScriptStep(Table):
    """``[[step]]``: one thing that the caller does, and when."""

    say: Words | None = None
    play: Words | None = None
    press: PhoneKeys | None = None
    wait_seconds: float | None = Field(default=None, gt=0, le=600)
    hang_up: Literal[True] | None = None
    after_ms: int | None = Field(default=None, ge=0, le=600_000)
    after_words: Words | None = None
    pause_ms: int | None = Field(default=None, ge=0, le=600_000)
    expect: StepExpect = Field(default_factory=StepExpect)

    @property
    def action(self) -> str:
        """Which of ``ACTIONS`` it is; empty for a step that listens."""
        return next((name for name in ACTIONS if getattr(self, name) is not None), "")

    @property
    def into(self) -> str:
        """Which of ``INTO`` it has; empty for a step that waits for its turn."""
        return next((name for name in INTO if getattr(self, name) is not None), "")

    @model_validator(mode="after")
    def _is_one_step(self) -> Self:
        for names in (ACTIONS, INTO):
            given = [name for name in names if getattr(self, name) is not None]
            if len(given) > 1:
                raise wrong(f"does not go with {given[0]}", "Make it a step of its own.", given[1])
        if not self.action and self.expect.is_empty:
            raise wrong("does nothing", f"Add one of {', '.join(ACTIONS)}, or expect.")
        if self.into and self.action in ("", "wait_seconds"):
            raise wrong("needs a step that says or presses something", "Remove it.", self.into)
        if self.after_words is not None:
            _check_phrase(self.after_words)
        self._expects_what_can_be()
        return self

    def _expects_what_can_be(self) -> None:
        expect = self.expect
        if self.action == "hang_up" and not expect.is_empty:
            raise wrong("comes too late: nothing is heard any more", "Remove it.", "expect")
        for name in ("silent_within_ms", "goes_on"):
            speaks_into = self.into and self.action in ("say", "play", "press")
            if getattr(expect, name) and not speaks_into:
                raise wrong(
                    "needs a step that speaks while the bot talks",
                    "Add after_ms, after_words or pause_ms beside say, play or press.",
                    "expect",
                    name,
                )
        if expect.goes_on and self.action == "press":
            raise wrong("does not go with press", "A key is an answer.", "expect", "goes_on")
        if self.action == "wait_seconds":
            for name in ("within_ms", "silent_for_ms"):
                if getattr(expect, name) is not None:
                    raise wrong(
                        "does not go with wait_seconds",
                        "Leave out wait_seconds: the step then listens.",
                        "expect",
                        name,
                    )


class CallExpect(Table):
    """``[expect]``: what holds for the whole call."""

    ends: Literal["bot", "caller"] | None = None
    says: Phrases = Field(default_factory=list[str])
    not_says: Phrases = Field(default_factory=list[str])
    within_ms: Ms | None = None
    max_gaps: int | None = Field(default=None, ge=0, le=1000)
    violations: int | None = Field(default=None, ge=0, le=1000)


class Script(Table):
    """A whole file."""

    call: CallTable = Field(default_factory=CallTable)
    speech: SpeechTable = Field(default_factory=SpeechTable)
    step: list[ScriptStep] = Field(min_length=1, max_length=500)
    expect: CallExpect = Field(default_factory=CallExpect)

    @property
    def needs_ears(self) -> bool:
        """Whether the bot's words have to be understood."""
        expectations: list[StepExpect | CallExpect] = [self.expect]
        expectations += [step.expect for step in self.step]
        return any(step.after_words for step in self.step) or any(
            expect.says or expect.not_says for expect in expectations
        )

    @model_validator(mode="after")
    def _steps_agree(self) -> Self:
        check_steps(self.step, self.expect)
        return self


def check_steps(steps: Sequence[ScriptStep], expect: CallExpect) -> None:
    """Refuse steps that do not go together.

    Raises:
        PydanticCustomError: What is wrong, for a validator to raise.
    """
    for number, step in enumerate(steps):
        if step.hang_up and number + 1 < len(steps):
            raise wrong(
                "is not the last step", "Remove what follows.", "step", str(number), "hang_up"
            )
    for number, (step, following) in enumerate(pairwise(steps)):
        silent_for_ms, pause_ms = step.expect.silent_for_ms, following.pause_ms
        if silent_for_ms and pause_ms is not None and silent_for_ms > pause_ms:
            raise wrong(
                f"is longer than the next step's pause_ms = {pause_ms}",
                "Lengthen the pause, or expect less.",
                *("step", str(number), "expect", "silent_for_ms"),
            )
    if steps[-1].hang_up and expect.ends == "bot":
        raise wrong(
            'is "bot", and the last step hangs up', "Keep one of the two.", "expect", "ends"
        )
