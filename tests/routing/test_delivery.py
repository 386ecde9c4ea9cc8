"""``[log]``: each fact of a call is told afterwards, whatever the application does."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from exobridge.call import events
from exobridge.call.events import CallEvent, Decision
from exobridge.call.state import Call
from exobridge.exotel.passthru import PassthruParams
from exobridge.jobs import GiveUp, JobRunner, RunnerOptions
from exobridge.routing import Applications, delivery
from exobridge.routing.delivery import KIND, LogDelivery, NotDeliveredError
from exobridge.store import Store
from exobridge.store.jobs import Job, JobState
from exobridge.templates import Template
from exobridge_providers.dialogue.webhook_signature import signed
from exobridge_providers.testing.fake_http import FakeHttp, Reply
from tests.database import migrated
from tests.process import server
from tests.routing.asking import asked, routed
from tests.server import http_client, serving, until, write_templates

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
SECRET = "secret-of-the-application"


class Placed:
    """Whose rules a call's are."""

    def __init__(self, template: Template) -> None:
        self.template_name = "shop"
        self.template = template


class Desk:
    """Knows one template, ``shop``."""

    def __init__(self, template: Template) -> None:
        self.shop: Template | None = template
        self._template = template

    def entry(self, params: PassthruParams, known: Call | None) -> Placed:
        """Always that one."""
        return Placed(self._template)

    def template(self, name: str) -> Template | None:
        """That one, unless it is gone."""
        return self.shop

    def logs(self) -> bool:
        """Whether it has a log."""
        return bool(self._template.log.url)


def template(url: str) -> Template:
    """A template with a log."""
    return Template.model_validate({"log": {"url": url, "secret_env": "WEBHOOK_SECRET"}})


def answered(call_sid: str = "c") -> CallEvent:
    """A fact."""
    return events.answer(call_sid, NOW, decision=Decision.ACCEPT, template="shop")


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)


async def put_down(store: Store, told: LogDelivery, *facts: CallEvent) -> list[Job]:
    """The jobs that facts become."""
    store.leave_beside(told.job_beside)
    for fact in facts:
        await store.append(fact)
    return await store.jobs.listed()


async def test_a_fact_is_told_signed_and_once_for_each_key(tmp_path: Path) -> None:
    """What is sent holds the call and the fact; the same fact twice is one job; one of no
    interest is none."""
    migrated(tmp_path / "calls.sqlite3")
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'calls.sqlite3'}")
    applications = Applications()
    async with FakeHttp().listening() as crm:
        crm.replies["/calls"] = [Reply(200)]
        told = LogDelivery(Desk(template(f"{crm.url}/calls")), applications)
        jobs = await put_down(store, told, answered(), answered(), events.no_stream("c", NOW))
        (job,) = jobs
        assert (job.kind, job.call_sid) == (KIND, "c")
        await told.deliver(job)
        (request,) = crm.received
        message: Any = request.json()
        assert message["event"] == "answer"
        assert message["version"] == 1
        assert message["at"] == "2026-11-21T09:30:00+00:00"
        assert message["call"]["sid"] == "c"
        assert message["data"]["decision"] == "accept"
        headers = request.headers
        wanted = signed(
            SECRET.encode(),
            headers["webhook-id"],
            int(headers["webhook-timestamp"]),
            request.body,
        )
        assert headers["webhook-signature"] == wanted["webhook-signature"]
        await told.deliver(job)
        assert crm.received[1].headers["webhook-id"] == headers["webhook-id"]
    await applications.aclose()
    await store.aclose()


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(500), "status 500"),
        (Reply(404), "status 404"),
        (Reply(302), "status 302"),
        (Reply(drop="head"), "cannot be reached"),
    ],
)
async def test_what_was_not_taken_is_an_error(reply: Reply, why: str, tmp_path: Path) -> None:
    """So that the job is tried again; it says why, and nothing of the call."""
    migrated(tmp_path / "calls.sqlite3")
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'calls.sqlite3'}")
    applications = Applications()
    async with FakeHttp().listening() as crm:
        crm.replies["/calls"] = [reply]
        desk = Desk(template(f"{crm.url}/calls"))
        told = LogDelivery(desk, applications)
        (job,) = await put_down(store, told, answered())
        with pytest.raises(NotDeliveredError, match=why):
            await told.deliver(job)
        del os.environ["WEBHOOK_SECRET"]
        with pytest.raises(NotDeliveredError, match="WEBHOOK_SECRET"):
            await told.deliver(job)
        desk.shop = None
        with pytest.raises(GiveUp):
            await told.deliver(job)
    await applications.aclose()
    await store.aclose()


async def test_an_application_that_hangs_is_told_again(tmp_path: Path) -> None:
    """A try has a limit; the next one comes later, and the fact is not lost."""
    migrated(tmp_path / "calls.sqlite3")
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'calls.sqlite3'}")
    applications = Applications()
    async with FakeHttp().listening() as crm:
        crm.replies["/calls"] = [Reply(delay_seconds=30), Reply(200)]
        told = LogDelivery(Desk(template(f"{crm.url}/calls")), applications)
        await put_down(store, told, answered())
        runner = JobRunner(store.jobs, RunnerOptions(backoff=(0.05,), poll=0.05))
        runner.register(KIND, told.deliver, limit_seconds=0.1)
        runner.start()
        await until(lambda: runner.outcomes[KIND, "done"] == 1)
        assert runner.outcomes[KIND, "retried"] == 1
        await runner.aclose()
        (job,) = await store.jobs.listed()
        assert job.state is JobState.DONE
    await applications.aclose()
    await store.aclose()


async def test_a_job_that_cannot_be_made_is_logged_and_the_fact_is_kept(tmp_path: Path) -> None:
    """What is wrong here costs the application the fact, and nobody else."""

    class Broken(Desk):
        def entry(self, params: PassthruParams, known: Call | None) -> Placed:
            raise ValueError("a caller's words")

    migrated(tmp_path / "calls.sqlite3")
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'calls.sqlite3'}")
    told = LogDelivery(Broken(template("http://127.0.0.1:1/calls")), Applications())
    with capture_logs() as log:
        assert await put_down(store, told, answered()) == []
    (line,) = log
    assert (line["event"], line["call_sid"], line["error"]) == (
        "fact not delivered",
        "c",
        "ValueError",
    )
    assert await store.call("c") is not None
    await store.aclose()


async def test_a_server_that_is_killed_loses_no_fact(tmp_path: Path) -> None:
    """What was answered is told after the next start: what was being told, what waited for its
    turn, and what nobody had looked at."""
    async with FakeHttp().listening() as crm:
        crm.replies["/calls"] = [*[Reply(200)] * 3, Reply(delay_seconds=60)]
        log = f'\n[log]\nurl = "{crm.url}/calls"\n'
        (tmp_path / "logged").mkdir()
        folder = write_templates(tmp_path / "logged", {"default": routed(log)})
        given = {"EXOBRIDGE_TEMPLATES_DIR": str(folder), "MAX_CALLS": "100"}
        calls = {f"c{number}" for number in range(40)}
        async with server(tmp_path, **given) as first, http_client(first.url) as http:
            for call_sid in sorted(calls)[:30]:
                assert (await asked(http, "/exotel/answer", call_sid)).is_success
            await until(lambda: len(crm.of("/calls")) >= 3 + delivery.AT_ONCE)
            for call_sid in sorted(calls)[30:]:
                assert (await asked(http, "/exotel/answer", call_sid)).is_success
            first.process.kill()
            await first.process.wait()
        assert len(told_of(crm)) < len(calls)
        crm.replies["/calls"] = [Reply(200)]
        database = tmp_path / "data" / "exobridge.sqlite3"
        with closing(sqlite3.connect(database)) as connection, connection:  # a minute later
            connection.execute("UPDATE jobs SET leased_until = created_at WHERE state = 'running'")
        async with server(tmp_path, **given):
            await until(lambda: told_of(crm) == calls)
            store = await Store.open(f"sqlite+aiosqlite:///{database}")
            await until(lambda: all_done(store, len(calls)))
            await store.aclose()


def told_of(crm: FakeHttp) -> set[str]:
    """The calls of whose answers an application was told."""
    messages: list[Any] = [request.json() for request in crm.of("/calls")]
    return {told["call"]["sid"] for told in messages if told["event"] == "answer"}


async def all_done(store: Store, count: int) -> bool:
    """Whether there are so many jobs of answers, and all of them are done."""
    jobs = await store.jobs.listed(limit=1000)
    answers = [job for job in jobs if ":answer" in job.key]
    return len(answers) == count and all(job.state is JobState.DONE for job in answers)


async def test_templates_without_a_log_tell_nobody(tmp_path: Path) -> None:
    """Each call by its own template: one number's calls are told, another's are not; and what
    waits when the server stops is put down for the next start."""
    async with FakeHttp().listening() as crm:
        crm.replies["/calls"] = [Reply(500)]
        templates = {"shop": routed(f'\n[log]\nurl = "{crm.url}/calls"\n'), "quiet": routed("")}
        numbers = "+918047112233=shop,+918047112244=quiet"
        async with (
            serving(tmp_path, templates, EXOTEL_NUMBERS=numbers) as server,
            http_client(server.url) as http,
        ):
            await asked(http, "/exotel/answer", "told")
            await asked(http, "/exotel/answer", "untold", called="08047112244")
            await asked(http, "/exotel/passthru", "late", DialCallStatus="busy")
        store = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'data' / 'exobridge.sqlite3'}")
        jobs = await store.jobs.listed()
        assert sorted(job.call_sid for job in jobs) == ["late", "told"]
        assert all(job.state is JobState.WAITING for job in jobs)
        assert await store.jobs.forget(datetime.now(UTC) + timedelta(days=1)) == 0
        await store.aclose()
