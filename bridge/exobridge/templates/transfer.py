"""``[transfer]``: whom a caller is handed to, and how those are rung."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from phonenumbers import PhoneNumberType, number_type, parse
from pydantic import AfterValidator, Field, model_validator

from exobridge.numbers import REGION, TEMPLATE_NAME, normalise
from exobridge.templates.checks import Text
from exobridge.templates.hours import Hours, is_open
from exobridge.templates.routing import EndpointTable
from exobridge.templates.table import Table
from exobridge.templates.text import names_in
from exobridge.validation import wrong

MAX_NUMBERS = 20
"""Most numbers of one target."""

_INDIA = "+91"
_DEAR = frozenset({PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST})

WHISPER_NAMES = frozenset({"summary", "caller", "called", "custom_field"})
"""Variables of ``whisper_text``."""


def _number(number: str) -> str:
    normal = normalise(number)
    if normal is None:
        raise wrong("is no phone number", 'Write it like "+918047112233".')
    return normal


def _own_number(number: str) -> str:
    return _number(number) if number else ""


def _name(name: str) -> str:
    if not TEMPLATE_NAME.fullmatch(name):
        raise wrong("is no name for a target", "Use lower-case letters, digits, - and _.")
    return name


def _music(music: str) -> str:
    url = urlsplit(music)
    if music not in ("default", "operator") and (url.scheme != "https" or not url.hostname):
        raise wrong(
            'is neither "default", "operator" nor an https URL',
            'Write it like "https://www.example.com/music.wav".',
        )
    return music


Number = Annotated[str, AfterValidator(_number)]


@dataclass(frozen=True, slots=True)
class Found:
    """Whom a target means.

    Attributes:
        problem: ``unknown``: no such target, or a number that may not be dialled; ``closed``: it
            is outside the target's hours; empty: the caller can be handed over.
        name: Of the target; empty where numbers were named.
        numbers: E.164, each once, in the order in which they are to ring.
        rotate: Each transfer begins with the next number.
        parallel: How many ring at once; 0: one after the other.
        attempts: How often a Connect applet may ask for one transfer.
    """

    problem: Literal["", "unknown", "closed"] = ""
    name: str = ""
    numbers: tuple[str, ...] = ()
    rotate: bool = False
    parallel: int = 0
    attempts: int = 1


_UNKNOWN = Found("unknown")


class TargetTable(Table):
    """``[transfer.targets.NAME]``: people who stand in for each other."""

    numbers: list[Number] = Field(default_factory=list[str], max_length=MAX_NUMBERS)
    hours: Hours | None = None
    order: Literal["fixed", "rotate"] = "fixed"
    parallel: int = Field(default=0, ge=0, le=10)
    attempts: int = Field(default=1, ge=1, le=10)

    @model_validator(mode="after")
    def _has_numbers(self) -> Self:
        if not self.numbers:
            raise wrong("is missing", 'Write it like numbers = ["+919811122233"].', "numbers")
        if len(set(self.numbers)) != len(self.numbers):
            raise wrong("names a number twice", "Each is rung once.", "numbers")
        if self.hours is not None and not any(self.hours.week):
            raise wrong("has no day with hours", "Write one, or remove the table.", "hours")
        return self


class DialLookupTable(EndpointTable):
    """``[transfer.lookup]``: a system of the user's own that is asked whom to dial."""

    timeout_ms: int = Field(default=2000, ge=100, le=4000)


class TransferTable(Table):
    """``[transfer]``: how a caller is handed to a human. See ``docs/how-to/transfer.md``."""

    target: str = ""
    allow_numbers: Literal["listed", "india", "any"] = "india"
    expires_seconds: int = Field(default=120, ge=10, le=900)
    when_failed: Literal["resume", "say"] = "resume"
    contract: Literal["auto", "json", "text"] = "auto"
    no_transfer: Literal["empty", "404"] = "empty"
    whisper: Literal["none", "text", "audio"] = "none"
    whisper_text: Text = "{summary}"
    whisper_max_chars: int = Field(default=300, ge=20, le=1000)
    playback_to: Literal["callee", "both"] = "callee"
    record: bool = False
    recording_channels: Literal["single", "dual"] = "single"
    ring_seconds: int = Field(default=30, ge=5, le=60)
    talk_seconds: int = Field(default=3600, ge=10, le=4500)
    music: Annotated[str, AfterValidator(_music)] = "default"
    outgoing_number: Annotated[str, AfterValidator(_own_number)] = ""
    lookup: DialLookupTable = Field(default_factory=DialLookupTable)
    targets: dict[Annotated[str, AfterValidator(_name)], TargetTable] = Field(
        default_factory=dict[str, TargetTable]
    )

    @model_validator(mode="after")
    def _means_what_it_says(self) -> Self:
        if self.target and self._named(self.target) is None:
            raise wrong(
                "is neither one of [transfer.targets] nor a list of phone numbers",
                'Name a target, or write numbers like "+919811122233".',
                "target",
            )
        if self.recording_channels == "dual" and not self.record:
            raise wrong("is not used without record", "Set record = true.", "recording_channels")
        if unknown := sorted(names_in(self.whisper_text) - WHISPER_NAMES):
            raise wrong(
                f"uses {{{unknown[0]}}}, which is no known variable",
                f"Use {', '.join(sorted(WHISPER_NAMES))}.",
                "whisper_text",
            )
        return self

    @property
    def names_somebody(self) -> bool:
        """Whether the template says whom to dial; else it is Exotel's flow that does."""
        return bool(self.target or self.targets or self.lookup.url)

    def find(self, target: str, now: datetime, *, trusted: bool = False) -> Found:
        """Whom a target means.

        Args:
            target: A name of ``targets``, a number, a comma-separated list of numbers; empty: the
                template's own ``target``.
            now: With a time zone: when the caller was to be handed over.
            trusted: The numbers were not named by a dialogue, and ``allow_numbers`` is not asked.
        """
        named = target.strip()
        found = self._named(named or self.target)
        if found is None:
            return _UNKNOWN
        if isinstance(found, TargetTable):
            if not is_open(found.hours, now):
                return Found("closed", named or self.target)
            return Found(
                name=named or self.target,
                numbers=tuple(found.numbers),
                rotate=found.order == "rotate",
                parallel=found.parallel,
                attempts=found.attempts,
            )
        if named and not trusted and not all(map(self._may_be_dialled, found)):
            return _UNKNOWN
        return Found(numbers=found)

    def _named(self, target: str) -> TargetTable | tuple[str, ...] | None:
        if target in self.targets:
            return self.targets[target]
        written = [part.strip() for part in target.split(",")]
        numbers = [normal for part in written if (normal := normalise(part)) is not None]
        whole = len(numbers) == len(written) <= MAX_NUMBERS
        return tuple(dict.fromkeys(numbers)) if whole else None

    def _may_be_dialled(self, number: str) -> bool:
        """A caller may talk a model into naming a number, so the template says which it may."""
        if self.allow_numbers == "any" or number in self._listed():
            return True
        if self.allow_numbers == "listed":
            return False
        return number.startswith(_INDIA) and number_type(parse(number, REGION)) not in _DEAR

    def _listed(self) -> Iterator[str]:
        own = self._named(self.target)
        yield from own if isinstance(own, tuple) else ()
        for target in self.targets.values():
            yield from target.numbers
