"""Every wait of a call ends at its limit, not before and not after; in virtual time.

Each limit is tried twice, with two values: the call ends later by what the one is longer.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from exobridge import provider_pool
from exobridge.admission import OwnAdmission
from exobridge.call.events import CallEvent, Decision, EndedBy
from exobridge.call.plan import CallPlan, Waits
from exobridge.call.session import LAST_WORDS_S
from exobridge.call.state import Outcome
from exobridge.desk import Desk
from exobridge.exotel.passthru import PassthruParams
from exobridge.numbers import NumberBook
from exobridge.provider_pool import ProviderPool
from exobridge.recorder import StoreRecorder
from exobridge.routing import Applications, Routing
from exobridge.store import Store
from exobridge.templates import Template
from exobridge_providers import wire
from exobridge_providers.base import SttProvider
from exobridge_providers.errors import ProviderError, ProviderUnavailableError
from exobridge_providers.registry import Kind
from tests.database import held
from tests.server import SHORT
from tests.virtual_call import (
    EPOCH,
    MAX_MS,
    Caller,
    Keeping,
    PlanCall,
    Sound,
    kept_at_once,
    planned_at_once,
    run,
)
from tests.virtual_time import virtual_time

FAKES = "exobridge_providers.testing.fakes"
HEALTHY: dict[str, dict[str, Any]] = {
    "stt": {"script": ["one"]},
    "tts": {"pace": 1},
    "vad": {},
    "dialogue": {},
}
SAYS = Sound(1500, 300)


def template(
    limits: Mapping[str, int] | None = None,
    greeting: str = "Hello there.",
    **options: Mapping[str, Any],
) -> Template:
    """A bot of the fakes with these options, each for its stage; a fault (``at``) among them breaks
    it."""
    tables: dict[str, Any] = {
        "greeting": greeting,
        "texts": {"sorry": "We are sorry."},
        "limits": limits or {},
    }
    for stage, own in HEALTHY.items():
        given = {**own, **options.get(stage, {})}
        name = "tests.broken:Broken" if "at" in given else f"{FAKES}:Fake"
        tables[stage] = {"provider": name + stage.capitalize(), "options": given}
    return Template.model_validate(tables)


async def never(plan: CallPlan) -> CallPlan:
    """The database does not answer."""
    await asyncio.Event().wait()
    return plan


@dataclass(frozen=True, slots=True)
class Wait:
    """A call that waits in vain.

    Attributes:
        reason: Of its end, or ``""``: it never became a call.
        times: How often it waits so, one after the other.
    """

    reason: str
    template: Template = field(default_factory=template)
    caller: Caller = Caller((SAYS,), MAX_MS)  # noqa: RUF009  # it is frozen
    planned: PlanCall = planned_at_once
    keeping: Keeping = kept_at_once
    times: int = 1


async def never_kept(event: CallEvent) -> None:
    """The database does not take it."""
    del event
    await asyncio.Event().wait()


HANGS = {"how": "hang"}
HAND_OVER = [[{"text": "Bye."}, {"target": "sales"}]]
BYE = [[{"text": "This is the last word of the bot."}, {"reason": "bye"}]]

WAITS = {
    "start": Wait("", caller=Caller(hangs_up_ms=MAX_MS, starts=False)),
    "plan": Wait("", planned=never),
    "open": Wait("stt failed", template(stt={"at": "provider.open", **HANGS})),
    # The greeting, and then the sorry line.
    "greeting": Wait(
        "tts failed",
        template(tts={"at": "session.say", "in_prompts": True, **HANGS}),
        Caller((), MAX_MS),
        times=2,
    ),
    "stt_final": Wait("stt failed", template(stt={"at": "session.events", **HANGS})),
    "dialogue": Wait("dialogue failed", template(dialogue={"at": "session.respond", **HANGS})),
    "tts_first_audio": Wait("tts failed", template(tts={"at": "session.events", **HANGS})),
    "line": Wait("dead line", caller=Caller((), MAX_MS, dead_ms=2000)),
    "transfer": Wait("transfer", template(dialogue={"script": HAND_OVER}), keeping=never_kept),
    "goodbye": Wait(
        "bye",
        template(tts={"at": "session.events", "after": 5, **HANGS}, dialogue={"script": BYE}),
    ),
    "close": Wait("callended", template(stt={"at": "session.aclose", **HANGS}), Caller((SAYS,))),
}
"""By the limit's name; the call has to end by it and by no other."""

ELSEWHERE = {"send", "dialling", "store"}
"""The socket's, in ``web/test_line.py``, a webhook's, in ``web/test_dial_up_trouble.py``, and the
database's: the page of waits says where."""


def _with(name: str, seconds: float) -> Waits:
    changed: dict[str, Any] = {name: seconds}
    return replace(SHORT, **changed)


@pytest.mark.parametrize("name", sorted({each.name for each in fields(Waits)} - ELSEWHERE))
def test_a_wait_ends_at_its_limit(name: str) -> None:
    """Given three seconds more, the call waits three seconds longer, and ends as before."""
    wait = WAITS[name]
    short, long = (
        run(
            wait.template,
            wait.caller,
            _with(name, seconds),
            wait.planned,
            wait.keeping,
        )
        for seconds in (2.0, 5.0)
    )
    assert long.seconds - short.seconds == pytest.approx(3.0 * wait.times, abs=0.3)
    for ran in (short, long):
        assert (ran.call.end_reason if ran.events else "") == wait.reason
        assert ran.tasks == []
        assert ran.unhandled == []


def test_last_words_without_an_end_are_cut() -> None:
    """A voice that goes on for ever after the dialogue hung up holds nobody: the call is cut off
    three minutes after its maximum length."""
    endless = template(
        {"max_call_seconds": 10, "warning_seconds": 0},
        greeting="",
        tts={"ms_per_char": 10_000, "pace": 0},
        dialogue={"script": BYE},
    )
    ran = run(endless, Caller((SAYS,), MAX_MS))
    assert ran.seconds == pytest.approx(10 + LAST_WORDS_S, abs=1.0)
    assert (ran.call.outcome, ran.call.ended_by) == (Outcome.FAILED, EndedBy.SERVER)
    assert ran.call.end_reason == "maximum length"
    assert ran.tasks == []


async def test_a_database_that_does_not_answer_keeps_no_caller_waiting(tmp_path: Path) -> None:
    """The call is taken as a new one, the log says so, and what was to be kept is kept later."""
    database = tmp_path / "calls.sqlite3"
    store = await Store.open(f"sqlite+aiosqlite:///{database}")
    try:
        await store.ping()
        desk = Desk(
            templates={"default": Template()},
            numbers=NumberBook.parse(""),
            store=store,
            recorder=StoreRecorder(store),
            routing=Routing(Applications()),
            admission=lambda unused, _: OwnAdmission(10, 60, unused),
            on_accept=lambda _: None,
            clock=lambda: EPOCH,
            store_seconds=0.1,
        )
        async with held(database):
            with capture_logs() as log:
                verdict = await desk.answer(PassthruParams("c1", "09811122233", "08047112233"))
        assert verdict.decision is Decision.ACCEPT
        late = [(entry["event"], entry["error"]) for entry in log if "error" in entry]
        why = "no answer in time"
        assert late == [("call not looked up", why), ("answer not recorded", why)]
        await store.flush()
        kept = await store.call("c1")
        assert kept is not None
        assert kept.decision is Decision.ACCEPT
        desk.close()
    finally:
        await store.aclose()


@virtual_time
async def test_a_provider_that_does_not_start_or_close_is_given_up() -> None:
    """Whoever asked for it is told so; the next who asks starts it again."""
    loop, pool = asyncio.get_running_loop(), ProviderPool()
    name = "tests.broken:BrokenStt"
    for _ in range(2):
        began = loop.time()
        with pytest.raises(ProviderError, match="did not start within 60 s"):
            await pool.get(Kind.STT, name, {"at": "provider.start", **HANGS}, SttProvider)
        assert loop.time() - began == pytest.approx(provider_pool.START_SECONDS)
    await pool.get(Kind.STT, name, {"at": "provider.aclose", **HANGS}, SttProvider)
    began = loop.time()
    await pool.aclose()
    assert loop.time() - began == pytest.approx(provider_pool.CLOSE_SECONDS)


async def test_an_endpoint_that_takes_no_connection_is_given_up() -> None:
    """A socket whose queue is full drops whoever knocks, without a word."""
    with ExitStack() as sockets:
        server = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        host, port = server.getsockname()
        sockets.enter_context(socket.create_connection((host, port)))
        url = f"http://{host}:{port}"
        async with wire.new_client(connect_seconds=0.2) as client:
            with pytest.raises(ProviderUnavailableError, match="ConnectTimeout"):
                await wire.answered(
                    client,
                    lambda: client.build_request("POST", url),
                    wire.Deadline(30),
                    retried=(),
                    provider="openai",
                )
