"""``exobridge serve`` with two workers: real processes, signals and calls."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from exobridge.call.state import Outcome
from exobridge.cluster.ports import bound
from exobridge.cluster.supervisor import Plan, Supervisor
from exobridge.simulator import CallPlan, CallReport, EndedBy, Exotel, Say, Wait
from exobridge.simulator import Outcome as Heard
from tests.cluster.together import children, entries, is_alive, pids, record, together, worker_of
from tests.process import Serving, run, spawn
from tests.server import LINE, QUICK, http_client, until

SHORT = (Say(LINE),)
LONG = (Say(LINE), Wait(30_000))
STARTED = "exobridge_calls_started_total default"
WORKERS, ON_WORKER = "exobridge_workers", "exobridge_worker_slots_used"
SPEAKLESS = {"DIALOGUE_PROVIDER": "echo", "VAD_PROVIDER": "none"}
MANY = 40
"""Tries after which chance is no excuse: each has one in two."""


def plan(serving: Serving, call_sid: str, *, script: tuple[Say | Wait, ...] = SHORT) -> CallPlan:
    """A call that asks first."""
    return CallPlan(url=serving.url, script=script, patience=QUICK, call_sid=call_sid)


async def started(serving: Serving, call_sid: str, times: int = 1) -> int:
    """Wait until the call's stream has begun; the worker that holds it."""
    await until(lambda: len(entries(serving, "call started", call_sid=call_sid)) >= times)
    return worker_of(serving, "call started", call_sid)


async def calls_on_both(
    serving: Serving, exotel: Exotel
) -> dict[int, tuple[str, asyncio.Task[CallReport]]]:
    """Long calls, the last one of each worker."""
    held: dict[int, tuple[str, asyncio.Task[CallReport]]] = {}
    for number in range(MANY):
        call_sid = f"long-{number}"
        calling = asyncio.create_task(exotel.call(plan(serving, call_sid, script=LONG)))
        held[await started(serving, call_sid)] = (call_sid, calling)
        if len(held) == 2:
            return held
    raise AssertionError("all connections went to one worker")


async def metrics(serving: Serving) -> dict[str, float]:
    """What ``/metrics`` tells: metrics without labels by name, with one label by its value too."""
    async with http_client() as http:
        told = await http.get(f"{serving.url}/metrics", headers={"connection": "close"})
    assert told.status_code == 200, told.text
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(told.text)
        for sample in family.samples
    }


async def live_calls(serving: Serving) -> int:
    """What ``/health/live`` tells."""
    async with http_client() as http:
        return int((await http.get(f"{serving.url}/health/live")).json()["calls"])


async def _is_empty(serving: Serving) -> bool:
    return await live_calls(serving) == 0


async def test_calls_cross_from_one_worker_to_the_other(tmp_path: Path) -> None:
    """A call that one worker answered is held by the other one, to a good end; and a newer stream
    of a call takes it over from whichever worker holds it. Without a secret, too. SIGHUP to the
    supervisor makes each of them read its templates; SIGINT ends them all, and nothing is left."""
    async with together(tmp_path) as serving, Exotel() as exotel:
        for number in range(MANY):
            call_sid = f"c{number}"
            report = await exotel.call(plan(serving, call_sid))
            assert report.problems == ()
            if worker_of(serving, "webhook", call_sid) != await started(serving, call_sid):
                break
        else:
            raise AssertionError("no call crossed")
        await until(lambda: _is_empty(serving))

        holders = list[int]()
        callings = list[asyncio.Task[CallReport]]()
        while len(set(holders)) < 2:
            assert len(holders) < MANY, "no stream crossed"
            calling = asyncio.create_task(exotel.call(plan(serving, "again", script=LONG)))
            callings.append(calling)
            holders.append(await started(serving, "again", len(callings)))
        *replaced, last = callings
        for report in await asyncio.gather(*replaced):
            assert (report.ended_by, report.close_code) == (EndedBy.BOT, 1001)
        assert not last.done()
        assert await live_calls(serving) == 1
        last.cancel()
        await asyncio.gather(last, return_exceptions=True)
        await until(lambda: len(entries(serving, "call ended", call_sid="again")) == len(holders))
        reasons = [entry["reason"] for entry in entries(serving, "call ended", call_sid="again")]
        assert reasons[:-1] == ["replaced by a newer stream"] * len(replaced)

        serving.process.send_signal(signal.SIGHUP)
        await until(lambda: len(entries(serving, "templates reloaded")) == 2)
        assert {entry["worker"] for entry in entries(serving, "templates reloaded")} == {0, 1}
        serving.process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(serving.process.wait(), 20) == 0
        assert not any(map(is_alive, pids(serving).values()))


async def test_the_limit_is_of_the_whole(tmp_path: Path) -> None:
    """However the kernel deals out questions that come all at once, as many calls are taken as
    ``MAX_CALLS`` says, and every one is written, by two processes into one database. A slot whose
    stream does not come is freed, and one worker writes so."""
    async with (
        together(tmp_path, MAX_CALLS="5", UNUSED_SLOT_SECONDS="3") as serving,
        http_client() as http,
    ):

        async def ask(number: int) -> int:
            # A connection of its own for each, as the kernel deals out connections.
            query = {"CallSid": f"c{number}", "From": "09811122233", "To": "08047112233"}
            headers = {"connection": "close"}
            asked = await http.get(f"{serving.url}/exotel/answer", params=query, headers=headers)
            return asked.status_code

        statuses = await asyncio.gather(*map(ask, range(60)))
        assert sorted(statuses) == [200] * 5 + [302] * 55
        await until(lambda: len(entries(serving, "webhook")) == len(statuses))
        assert {entry["worker"] for entry in entries(serving, "webhook")} == {0, 1}
        assert await live_calls(serving) == 5
        await until(lambda: len(entries(serving, "no stream came")) == 5)
        await until(lambda: _is_empty(serving))
        async with record(tmp_path) as store:

            async def abandoned() -> bool:
                calls = await store.calls()
                return sum(call.outcome is Outcome.ABANDONED for call in calls) == 5

            await until(abandoned)
            assert len(await store.calls()) == 60
        assert entries(serving, "store write failed") == []


async def test_the_death_of_a_worker_touches_no_call_of_the_others(tmp_path: Path) -> None:
    """Its own calls are lost and written so, their slots are free again, another worker takes its
    place; the other worker's call goes on, until a SIGTERM ends it with its goodbye."""
    async with together(tmp_path, DRAIN_SECONDS="0") as serving, Exotel() as exotel:
        held = await calls_on_both(serving, exotel)
        before = await live_calls(serving)
        on_first = len(entries(serving, "call started", worker=0))

        async def all_counted() -> bool:
            return (await metrics(serving)).get(STARTED) == before

        await until(all_counted)
        told = await metrics(serving)
        assert told[WORKERS] == 2
        assert told[f"{ON_WORKER} 0"] == on_first
        assert told[f"{ON_WORKER} 1"] == before - on_first
        os.kill(pids(serving)[0], signal.SIGKILL)
        report = await held[0][1]
        assert (report.outcome, report.ended_by) == (Heard.DROPPED, EndedBy.NETWORK)
        await until(lambda: len(entries(serving, "worker serves", worker=0)) == 2)
        (died,) = entries(serving, "worker died")
        assert (died["worker"], died["cause"]) == (0, "ended by SIGKILL")
        lost = {entry["call_sid"] for entry in entries(serving, "left open by a former process")}
        assert lost == {entry["call_sid"] for entry in entries(serving, "call started", worker=0)}
        assert await live_calls(serving) == before - on_first
        assert not held[1][1].done()
        for _ in range(5):  # whoever answers
            assert (await metrics(serving))[STARTED] == before
        assert (await exotel.call(plan(serving, "next"))).problems == ()

        serving.process.terminate()
        report = await held[1][1]
        assert (report.ended_by, report.close_code) == (EndedBy.BOT, 1001)
        assert await asyncio.wait_for(serving.process.wait(), 20) == 0
        assert not any(map(is_alive, pids(serving).values()))
    async with record(tmp_path) as store:
        for call_sid, outcome in ((held[0][0], Outcome.LOST), (held[1][0], Outcome.FAILED)):
            call = await store.call(call_sid)
            assert call is not None
            assert call.outcome is outcome, call_sid
        assert (await store.turns(held[1][0]))[-1].text == "Goodbye."


async def test_workers_outlive_their_supervisor_until_their_calls_are_over(tmp_path: Path) -> None:
    """Killed, it takes no call with it: each worker finds out by itself, takes no new one, and ends
    with the last of its own."""
    async with together(tmp_path) as serving, Exotel() as exotel:
        script = (Say(LINE), Wait(500), Say(LINE))
        calling = asyncio.create_task(exotel.call(plan(serving, "c", script=script)))
        await started(serving, "c")
        serving.process.kill()
        report = await calling
        assert report.problems == ()
        assert report.ended_by is EndedBy.CALLER
        await until(lambda: not any(map(is_alive, pids(serving).values())))
    # All that they wrote has been read now.
    assert len(entries(serving, "the supervisor is gone")) == 2
    assert len(entries(serving, "drained")) == 2


def free_port() -> int:
    """A port that nobody uses now."""
    with bound("127.0.0.1", 0) as found:
        return int(found.getsockname()[1])


async def test_a_worker_that_does_not_answer_is_replaced(tmp_path: Path) -> None:
    """A stopped process holds its socket, and the kernel goes on dealing it connections: it is
    killed, and replaced. The other one is left alone."""
    plan = Plan(
        workers=2,
        variables={"EXOBRIDGE_DATA_DIR": str(tmp_path), **SPEAKLESS},
        host="127.0.0.1",
        port=free_port(),
        max_calls=10,
        unused_seconds=30,
        drain_seconds=0,
        silent_seconds=2.5,
    )
    supervisor = Supervisor(plan)
    running = asyncio.create_task(supervisor.run())
    with capture_logs() as log:

        def serving(worker: int) -> list[int]:
            up = [entry for entry in log if entry["event"] == "worker serves"]
            return [entry["pid"] for entry in up if entry["worker"] == worker]

        await until(lambda: len(serving(0)) == len(serving(1)) == 1)
        os.kill(serving(0)[0], signal.SIGSTOP)
        await until(lambda: len(serving(0)) == 2)
        supervisor.stop()
        assert await asyncio.wait_for(running, 20) == 0
    died = [entry for entry in log if entry["log_level"] == "error"]
    assert [(entry["event"], entry["worker"]) for entry in died] == [
        ("worker does not answer", 0),
        ("worker died", 0),
    ]
    assert len(serving(1)) == 1


async def test_a_worker_that_cannot_start_stops_the_server(tmp_path: Path) -> None:
    """After five deaths, with the cause and exit status 1."""
    (tmp_path / "early").mkdir()
    (tmp_path / "early" / "sitecustomize.py").write_text(
        "import os, sys\nif 'exobridge.cluster.child' in sys.orig_argv: os._exit(3)\n"
    )
    status, out, err = await run(
        tmp_path, "serve", "--workers", "2", "--port", "0", **_early(tmp_path)
    )
    assert (status, out) == (1, "")
    assert err.count("worker died") == 4
    assert "worker cannot start" in err
    assert "ended with status 3" in err


def _early(folder: Path) -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join([str(folder / "early"), str(folder / "installed")])}


async def test_a_store_that_cannot_be_opened_is_told_so(tmp_path: Path) -> None:
    """As a line with its cure, at the first try and before anything is served."""
    (tmp_path / "data").write_text("in the way")
    variables = {"DATABASE_URL": f"sqlite:///{tmp_path}/data/calls.sqlite3"}
    variables["EXOBRIDGE_DATA_DIR"] = str(tmp_path)
    status, out, err = await run(tmp_path, "serve", "--workers", "2", "--port", "0", **variables)
    assert (status, out) == (2, "")
    assert "DATABASE_URL" in err
    assert "Traceback" not in err
    assert "worker died" not in err


@pytest.mark.parametrize("shared", [False, True])
async def test_a_port_that_is_taken_is_told_so(tmp_path: Path, shared: bool) -> None:
    """Also if it is taken by another server's workers, who would share it."""
    with socket.socket() as taken:
        if shared:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        status, _, err = await run(tmp_path, "serve", "--workers", "2", "--port", port)
    assert status == 2
    assert f"EXOBRIDGE_PORT {port}: cannot be listened on (Address already in use)." in err
    assert "is starting" not in err


async def test_a_signal_before_anything_serves_ends_it(tmp_path: Path) -> None:
    """At once, while the first worker starts; and nothing is left behind."""
    variables = {"EXOBRIDGE_WORKERS": "2", "EXOBRIDGE_PORT": "0"}
    process = await spawn(tmp_path, ("serve",), variables)
    assert process.stderr is not None
    line = await asyncio.wait_for(process.stderr.readline(), 30)
    assert b"is starting" in line
    await asyncio.sleep(0.3)
    (first,) = children(process.pid)
    process.terminate()
    _, err = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, err.decode()
    assert b"worker" not in err
    assert not is_alive(first)
