"""Calls over the whole server: the voice gets words, and the record what was written."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
import pytest_asyncio

from exobridge.call.events import Role
from exobridge.call.state import Call
from exobridge.ear import for_the_ear
from exobridge.simulator import BargeIn, CallPlan, Clip, Exotel, Say
from exobridge_codecs.tones import tone
from tests.server import LINE, QUICK, bot, serving

ANSWER = "You owe **₹1,25,000** by 12/03 ✓."
SPOKEN = "You owe one lakh twenty five thousand rupees by twelfth March."
LONG = f"{ANSWER} {'Please pay at any branch. ' * 10}".strip()


def template(**tables: object) -> str:
    """A bot that gives the answer."""
    script = {"dialogue": {"options": {"script": [[{"text": ANSWER}]]}}}
    return bot(**{**script, **tables})


INTERRUPTION = Clip(tone(330, 1200, 8000), 8000, "two")
"""Voice that goes on for too long to be a mere "hm"."""

TEMPLATES = {
    "english": template(),
    "hindi": template(language="hi-IN"),
    "written": template(tts={"normalize": False}),
    "cut": template(
        dialogue={"options": {"script": [[{"text": LONG}]]}}, tts={"options": {"ms_per_char": 20}}
    ),
}
BOOK = {name: f"+9180471{index:05}" for index, name in enumerate(TEMPLATES, start=10_000)}


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a call, and what its bot said after the greeting."""

    call: Call
    answers: list[str]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Kept]:
    """One call with each template."""
    book = ",".join(f"{number}={name}" for name, number in BOOK.items())
    kept: dict[str, Kept] = {}
    folder = tmp_path_factory.mktemp("ear")
    async with (
        serving(folder, {**TEMPLATES, "default": bot()}, EXOTEL_NUMBERS=book) as server,
        Exotel() as exotel,
    ):
        plans = [
            CallPlan(
                url=server.url,
                called=number,
                script=(Say(LINE), BargeIn(INTERRUPTION, 1000)) if name == "cut" else (Say(LINE),),
                patience=QUICK,
            )
            for name, number in BOOK.items()
        ]
        reports = await asyncio.gather(*map(exotel.call, plans))
        for name, report in zip(BOOK, reports, strict=True):
            call = await server.until_over(report.call_sid)
            turns = await server.bridge.store.turns(report.call_sid)
            said = [turn.text for turn in turns if turn.role is Role.BOT]
            kept[name] = Kept(call, said[1:])
    return kept


@pytest.mark.parametrize(
    ("name", "spoken"),
    [("english", SPOKEN), ("hindi", for_the_ear(ANSWER, "hi-IN")), ("written", ANSWER)],
)
def test_the_voice_gets_words(calls: dict[str, Kept], name: str, spoken: str) -> None:
    """In the call's language; or what was written, where the template wants it so."""
    assert calls[name].call.usage.tts_characters == len(spoken)


@pytest.mark.parametrize("name", ["english", "hindi", "written"])
def test_the_record_keeps_what_was_written(calls: dict[str, Kept], name: str) -> None:
    """To the letter."""
    assert calls[name].answers == [ANSWER]


def test_a_line_that_was_cut_is_kept_in_its_own_words(calls: dict[str, Kept]) -> None:
    """What was heard of it is its beginning, and about as much as a second is of it."""
    heard = calls["cut"].answers[0]
    assert LONG.startswith(heard)
    assert "₹1,25,000" in heard
    assert len(heard) < len(LONG) / 2
