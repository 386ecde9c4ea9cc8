"""Whole calls through flows, against exobridge itself and an account that it asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from exobridge.call.state import Outcome, State
from exobridge.simulator import Exotel
from exobridge.simulator.account import Account, serve_account
from exobridge.simulator.flows.around import Around
from exobridge.simulator.flows.walk import walk
from exobridge_codecs.wav import write_wav
from tests.server import LINE, Server, bot, http_client, serving
from tests.simulator.flows.ground import flow_of
from tests.stories.hurry import hurried

FIRST, SECOND = "+918041112233", "+918041112244"
SECRET = "a-secret-of-the-walks"

DESK = bot(
    dialogue={
        "options": {
            "script": [
                [{"text": "I will find somebody."}, {"target": "desk", "summary": "Wants shoes."}],
                [{"text": "Let me see myself."}],
            ]
        }
    },
    transfer={
        "target": "desk",
        "whisper": "text",
        "targets": {"desk": {"numbers": [FIRST, SECOND]}},
    },
)

TRANSFER = """
[stream]
bot_done_ms = 250
patience_seconds = 3
[applet.first]
type = "voicebot"
url = "/exotel/answer"
next = "wanted"
[applet.wanted]
type = "passthru"
url = "/exotel/dial-up/passthru"
ok = "agents"
other = "end"
on_timeout = "end"
on_error = "end"
[applet.agents]
type = "connect"
url = "/exotel/dial-up"
after_conversation = "told"
nobody_answers = "back"
not_dialled = "end"
[applet.told]
type = "passthru"
url = "/exotel/passthru"
ok = "end"
other = "end"
[applet.back]
type = "voicebot"
url = "/exotel/answer"
next = "end"
[[talk]]
[[talk.step]]
play = "line.wav"
[talk.expect]
ends = "bot"
[callback]
[recording]
"""
BUSY = {"number": FIRST, "does": ["busy"]}


def answers(**more: Any) -> dict[str, Any]:
    """The second agent, who does."""
    return {"number": SECOND, "ring_seconds": 0.1, "talk_seconds": 0.3, **more}


@asynccontextmanager
async def desk(folder: Path) -> AsyncGenerator[tuple[Server, Around]]:
    """A server that hands its callers over, and what is around it."""
    write_wav(folder / "line.wav", LINE.sample_rate, LINE.pcm)
    async with serve_account(Account()) as account:
        variables: dict[str, Any] = {
            **account.variables,
            "EXOBRIDGE_SECRET": SECRET,
            "RECORDING_HOSTS": account.url.removeprefix("http://"),
        }
        async with (
            serving(folder, {"default": DESK}, **variables) as server,
            Exotel() as exotel,
            http_client() as http,
            hurried(folder),
        ):
            yield server, Around(exotel, http, account=account, auth_token=SECRET)


async def test_one_caller_is_handed_over_and_another_comes_back(tmp_path: Path) -> None:
    """At the same time. One agent is busy, the second hears who calls and talks, and the recording
    is fetched. For the other caller nobody answers, and the flow leads back to the bot. No rule is
    broken on the way, and neither the secret nor a caller's number stands in a report."""
    expect = {"recording_fetched": True, "whisper": ["wants shoes"], "ends": "completed"}
    hangs_up = {"during": "back", "after_seconds": 1.5}
    async with desk(tmp_path) as (server, around):
        flows = (
            flow_of(TRANSFER, server.url, agent=[BUSY, answers()], expect=expect),
            flow_of(
                TRANSFER,
                server.url,
                agent=[BUSY, answers(does=["rejects"])],
                caller={"hangs_up": hangs_up},
            ),
        )
        handed, back = await asyncio.gather(*(walk(each, tmp_path, around) for each in flows))
        for report in (handed, back):
            assert (report.problems, report.violations) == ((), ())
            assert SECRET not in str(report.to_json())
            assert "9811122233" not in str(report.to_json())

        assert handed.path == ("first", "wanted", "agents", "told", "end")
        assert [each.status for each in handed.dialled] == ["busy", "completed"]
        assert handed.recording_fetched
        call = await server.until_over(handed.call_sid)
        assert (call.state, call.outcome) == (State.ENDED, Outcome.TRANSFERRED)

        assert back.path == ("first", "wanted", "agents", "back")
        assert back.streams[1].bot_turns
        call = await server.until_over(back.call_sid)
        assert (call.streams, call.outcome) == (2, Outcome.COMPLETED)
