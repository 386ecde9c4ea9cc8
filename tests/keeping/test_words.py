"""``STORE_TRANSCRIPTS=off``: who spoke when is kept, and not what."""

from __future__ import annotations

from pathlib import Path

from exobridge.call.events import Role
from exobridge.simulator import CallPlan, Exotel, Say
from tests.keeping.kept import on_disk
from tests.server import LINE, QUICK, bot, serving

HEARD, SAID = "my card ends in forty two", "The card is blocked now."
TEMPLATE = bot(
    stt={"options": {"script": [HEARD]}},
    dialogue={"options": {"script": [[{"text": SAID}]]}},
)


async def test_words_are_not_written_and_times_are(tmp_path: Path) -> None:
    """Each turn is there, with its times and without its text; so is nothing on the disk."""
    async with (
        serving(tmp_path, {"default": TEMPLATE}, STORE_TRANSCRIPTS="off") as server,
        Exotel() as exotel,
    ):
        plan = CallPlan(url=server.url, script=(Say(LINE),), patience=QUICK)
        report = await exotel.call(plan)
        await server.until_over(report.call_sid)
        turns = await server.bridge.store.turns(report.call_sid)
        assert [turn.role for turn in turns] == [Role.BOT, Role.CALLER, Role.BOT]
        assert all(turn.end_ms > turn.start_ms for turn in turns)
        assert [turn.text for turn in turns] == ["", "", ""]
        assert on_disk(tmp_path / "data", HEARD) == on_disk(tmp_path / "data", SAID) == []


async def test_words_are_written_where_nothing_else_is_said(tmp_path: Path) -> None:
    """The same call, and the settings as they are."""
    async with serving(tmp_path, {"default": TEMPLATE}) as server, Exotel() as exotel:
        plan = CallPlan(url=server.url, script=(Say(LINE),), patience=QUICK)
        report = await exotel.call(plan)
        await server.until_over(report.call_sid)
        turns = await server.bridge.store.turns(report.call_sid)
        assert [turn.text for turn in turns] == ["Hello there.", HEARD, SAID]
