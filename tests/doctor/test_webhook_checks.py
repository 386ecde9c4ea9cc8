"""The doctor tries the receiver of webhooks."""

from __future__ import annotations

import pytest

from exobridge.doctor.case import Case, Scope
from exobridge.doctor.finding import Level
from exobridge.doctor.webhook_checks import look
from exobridge.settings import Settings
from exobridge_providers.testing.fake_http import FakeHttp, Reply
from tests.webhooks.world import settings, verified


@pytest.mark.parametrize(
    ("reply", "level", "words"),
    [
        (Reply(204), Level.OK, "204 after"),
        (Reply(401), Level.WARNING, "401 after"),
        (Reply(drop="head"), Level.WARNING, "cannot be reached"),
    ],
    ids=["taken", "refused", "gone"],
)
async def test_the_receiver_is_tried_with_a_ping(reply: Reply, level: Level, words: str) -> None:
    """What it answers is told, with a cure; its path is not."""
    async with FakeHttp().listening() as crm:
        crm.replies["/hook"] = [reply]
        (found,) = await look(Case(settings(f"{crm.url}/hook")))
        assert verified(crm.received[0])["type"] == "ping"
    assert (found.id, found.level) == ("webhooks.receiver", level)
    assert words in found.found
    assert bool(found.cure) == (level is not Level.OK)
    assert "/hook" not in found.found


async def test_nobody_is_asked_without_need() -> None:
    """Without a receiver there is nothing to say; offline it is left out."""
    assert await look(Case(Settings.read({}))) == []
    offline = Case(settings("http://127.0.0.1:1/"), scope=Scope(offline=True))
    (found,) = await look(offline)
    assert (found.id, found.level) == ("doctor.skipped", Level.INFO)
