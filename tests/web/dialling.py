"""What the tests of the webhooks behind a Connect applet share."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from exobridge.call import events
from exobridge.call.events import CallEvent, Decision, EndedBy, EventKind
from exobridge.call.outcome import Outcome
from exobridge.call.transfer_state import TransferStatus
from exobridge.exotel.passthru import PassthruParams, read_passthru
from exobridge.observe.watch import Watchers
from exobridge.recorder import StoreRecorder
from exobridge.routing import Applications
from exobridge.store import Store
from exobridge.transfer.lookup import Lookup
from exobridge.transfer.service import Transfers
from tests.server import Server, bot, http_client, serving

SECRET = "a-secret-of-the-tests"
ASHA, RAVI, MEENA = "+919811122233", "+919811122244", "+919811122255"
CALLER, EXOPHONE = "09811100000", "08047112233"
ASK = {"CallFrom": CALLER, "CallTo": EXOPHONE, "Direction": "incoming"}
VERSION = {"Exotel-Version": "1.0"}
SUPPORT = {"support": {"numbers": [ASHA, RAVI, MEENA]}}
AUDIBLE = {"target": "support", "targets": SUPPORT, "whisper": "audio"}
NOBODY: dict[str, Any] = {"fetch_after_attempt": False, "destination": {"numbers": []}}


def transfer(**keys: Any) -> dict[str, str]:
    """Templates with one that hands over to support."""
    return {"default": bot(transfer={"target": "support", "targets": SUPPORT, **keys})}


@asynccontextmanager
async def dialling(
    folder: Path, templates: dict[str, str] | None = None, **variables: Any
) -> AsyncGenerator[tuple[Server, httpx.AsyncClient]]:
    """A server and a client of it."""
    async with (
        serving(folder, templates or transfer(), **variables) as server,
        http_client(server.url) as http,
    ):
        yield server, http


def handed_over(
    call_sid: str = "c",
    *,
    target: str = "",
    summary: str = "",
    ago: float = 2,
    number: int = 1,
) -> list[CallEvent]:
    """The bot has talked with a caller, in the call's stream of this number, and hands them over:
    the facts, the one that says so last but one."""
    now = datetime.now(UTC) - timedelta(seconds=ago)
    begun, stream_sid = now - timedelta(seconds=1), f"s{number}"
    return [
        events.answer(
            call_sid,
            begun - timedelta(seconds=1),
            decision=Decision.ACCEPT,
            template="default",
            caller="+919811100000",
            called="+918047112233",
            direction="incoming",
        ),
        events.stream_started(call_sid, begun, stream_sid=stream_sid, template="default"),
        events.transfer_requested(
            call_sid, now, stream_sid=stream_sid, utterance="turn-3", target=target, summary=summary
        ),
        events.stream_ended(call_sid, now, stream_sid=stream_sid, ended_by=EndedBy.BOT),
    ]


async def hand_over(server: Server, call_sid: str = "c", **how: Any) -> CallEvent:
    """As :func:`handed_over`, kept; the event that says so."""
    facts = handed_over(call_sid, **how)
    for event in facts:
        await server.bridge.store.append(event)
    return facts[-2]


async def ask(http: httpx.AsyncClient, call_sid: str = "c", **told: str) -> dict[str, Any]:
    """The answer to a programmable Connect."""
    asked = {**ASK, "CallSid": call_sid, **told}
    answer = await http.get("/exotel/dial-up", params=asked, headers=VERSION)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    body: dict[str, Any] = answer.json()
    return body


def numbers(body: dict[str, Any]) -> list[str]:
    """Whom to dial."""
    return list(body["destination"]["numbers"])


async def questions(server: Server, call_sid: str = "c") -> list[dict[str, Any]]:
    """What the record has of them."""
    await server.bridge.store.flush()
    known = await server.bridge.store.events(call_sid)
    return [dict(event.data) for event in known if event.kind is EventKind.DIAL_ASKED]


async def becomes(server: Server, call_sid: str = "c") -> tuple[TransferStatus, Outcome | None]:
    """What the record says of the transfer, and of the call."""
    await server.bridge.store.flush()
    call = await server.bridge.store.call(call_sid)
    assert call is not None
    assert call.transfer is not None
    return call.transfer.status, call.outcome


def second_worker(server: Server, store: Store, store_seconds: float = 10.0) -> Transfers:
    """Another process's, on the same database."""
    return Transfers(
        desk=server.bridge.desk,
        store=store,
        recorder=StoreRecorder(store),
        watchers=Watchers(),
        lookup=Lookup(Applications()),
        clock=lambda: datetime.now(UTC),
        store_seconds=store_seconds,
    )


def read(call_sid: str, times: int = 10) -> Sequence[PassthruParams]:
    """Questions about a call, each its own."""
    return [read_passthru([*ASK.items(), ("CallSid", call_sid)]) for _ in range(times)]
