"""Whole calls whose speech comes from fake vendors over real sockets: who speaks and understands
letters is heard to the letter, and what was lost or said twice shows.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from exobridge.call.events import Role, Turn
from exobridge.call.state import Call
from exobridge.simulator import CallPlan, CallReport, Clip, Exotel, Patience, Say
from exobridge_codecs.codec import decoder
from exobridge_providers.registry import Kind
from exobridge_providers.testing.cases import VendorCase, case
from exobridge_providers.testing.fake_vendor import KEY_VARIABLE, FakeVendor
from exobridge_providers.testing.faults import Fault, FaultKind
from exobridge_providers.testing.letters import spoken, understood
from tests.played import WAITS
from tests.server import Server, bot, serving

PATIENT = Patience(bot_done_ms=900, bot_timeout_ms=5000)
"""A caller who does not take a break for the end of what the bot says."""

KEY = "fake-key-of-all-vendors"
"""One for all, as one variable of the environment holds it."""

LINES = ("alpha bravo charlie", "delta echo foxtrot")
"""What the caller says."""

ANSWERS = ("golf hotel india juliett kilo lima", "mike november oscar papa")
"""What the bot says to it."""

END_SILENCE_MS = 200
FILLER_MS = 2000
SILENCE_LIMIT_MS = END_SILENCE_MS + FILLER_MS
"""Nobody waits longer for the bot: by then it says at least that it takes a moment
(``limits.filler_ms``, after the silence that ends the turn)."""


@dataclass(frozen=True, slots=True)
class Vendor:
    """A fake that listens, and how the plugin is made to talk to it."""

    case: VendorCase
    fake: FakeVendor

    @property
    def options(self) -> dict[str, Any]:
        """The plugin's."""
        url = f"{self.fake.url}{self.case.path}"
        return {**self.case.options, "url": url, "api_key_env": KEY_VARIABLE}

    def break_next(self, kind: FaultKind, at: int, **more: Any) -> None:
        """Something goes wrong on the next connection."""
        number = len(self.fake.connections) + 1
        self.fake.faults = [Fault(kind, at, connection=number, **more)]


@asynccontextmanager
async def vendor(kind: Kind, name: str) -> AsyncGenerator[Vendor]:
    """The fake vendor of a plugin, as quick as a good one's neighbour."""
    found = case(kind, name)
    assert found is not None
    fake = found.fake()
    fake.key = KEY
    fake.final_seconds = fake.first_audio_seconds = 0.02
    fake.pace = 0.3
    async with fake.listening():
        yield Vendor(found, fake)


def table(*vendors: Vendor) -> dict[str, Any]:
    """A template's table that names these, the preferred first."""
    emptied = {"script": None, "ms_per_char": None}
    if len(vendors) == 1:
        return {"provider": vendors[0].case.name, "options": {**emptied, **vendors[0].options}}
    options = {each.case.name: each.options for each in vendors}
    return {"provider": ",".join(options), "options": {**emptied, **options}}


def template(stt: tuple[Vendor, ...], tts: tuple[Vendor, ...], **tables: Any) -> str:
    """A bot that understands by the one and speaks by the other."""
    own = {
        "greeting": "hello",
        "stt": table(*stt),
        "tts": table(*tts),
        "dialogue": {"options": {"script": [[{"text": answer}] for answer in ANSWERS]}},
        "turns": {"end_silence_ms": END_SILENCE_MS},
        "limits": {"filler_ms": FILLER_MS},
    }
    return bot(**{**own, **tables})


def says(*lines: str) -> tuple[Say, ...]:
    """The caller says these."""
    return tuple(Say(Clip(spoken(line), 8000, line)) for line in lines)


def heard(report: CallReport) -> str:
    """All the letters of the bot, in order. Where a busy machine left a gap, none is lost."""
    assert report.tracks is not None
    audio = b"".join(each.audio for each in report.tracks.heard)
    return understood(decoder(report.tracks.audio.encoding)(audio), report.sample_rate)


def longest_silence_ms(report: CallReport) -> float:
    """The longest that the caller waited for the bot to speak, or to go on."""
    longest, quiet_since = 0.0, None
    for turn in report.turns:
        if turn.role == "bot" and quiet_since is not None:
            longest = max(longest, turn.start_ms - quiet_since)
        quiet_since = turn.end_ms
    return longest


def in_order(words: Iterable[str], letters: str) -> bool:
    """Whether all these words were said, one after the other; others may stand between them."""
    at = 0
    for word in words:
        if (found := letters.find(word, at)) < 0:
            return False
        at = found + len(word)
    return True


@dataclass(frozen=True, slots=True)
class Called:
    """What came of a call.

    Attributes:
        report: The caller's side.
        call, turns: What the server kept.
        log: The server's log of this call.
    """

    report: CallReport
    call: Call
    turns: list[Turn]
    log: list[dict[str, Any]]

    def replaced(self, stage: str) -> list[str]:
        """Who took over in a stage, in order."""
        return [
            entry["provider"]
            for entry in self.log
            if entry["event"] == "session replaced" and entry["stage"] == stage
        ]

    @property
    def understood(self) -> list[str]:
        """The caller's words, in the record."""
        said = " ".join(turn.text for turn in self.turns if turn.role is Role.CALLER)
        return said.split()


@dataclass(frozen=True, slots=True)
class Callers:
    """Who calls a server.

    Attributes:
        numbers: Of its templates.
    """

    server: Server
    exotel: Exotel
    numbers: Mapping[str, str]

    async def call(self, name: str, *lines: str, **more: Any) -> Called:
        """Call a template, and say these lines.

        Args:
            more: Of the plan.
        """
        plan = CallPlan(self.server.url, says(*lines), called=self.numbers[name], patience=PATIENT)
        report = await self.exotel.call(replace(plan, **more))
        call = await self.server.until_over(report.call_sid)
        turns = await self.server.bridge.store.turns(report.call_sid)
        return Called(report, call, turns, self.server.log(call_sid=report.call_sid))


@asynccontextmanager
async def calling(
    folder: Path, templates: Mapping[str, str], **variables: Any
) -> AsyncGenerator[Callers]:
    """A server with these templates, whose fixed lines are rendered."""
    numbers = {name: f"+9180471{index:05}" for index, name in enumerate(templates, start=20_000)}
    book = ",".join(f"{number}={name}" for name, number in numbers.items())
    async with (
        serving(folder, templates, waits=WAITS, EXOTEL_NUMBERS=book, **variables) as server,
        Exotel() as exotel,
    ):
        yield Callers(server, exotel, numbers)
