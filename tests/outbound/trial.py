"""A batch against Exotel in a box, the server killed on the way:
``python -m tests.outbound.trial --rows 500 --seed 7``.

The people's telephones ring, are busy, silent or answered by a machine; requests for a call meet
429, errors, lost answers; the end of a call is told late, twice or never. In the end the account's
own book is held against the results.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
import random
import sqlite3
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx

from exobridge.outbound.batches import Batches
from exobridge.outbound.checks import Ground
from exobridge.outbound.lists import BatchWish
from exobridge.outbound.models import NewDial, RetryPolicy, Wish
from exobridge.outbound.service import Outbound
from exobridge.settings import Settings
from exobridge.simulator.account import Account, serve_account
from exobridge.simulator.customers import Api, Customers, Does, Doing, customers
from exobridge.store import Store
from exobridge.store.batches import Batch, Progress
from exobridge.templates import load_templates
from tests.database import migrated
from tests.deploy.processes import free_port
from tests.outbound.book import LOST, Book, Killed, faults
from tests.process import Serving, environment, spawn
from tests.server import bot, fakes_installed, http_client, write_templates

EXOPHONE = "+918047112233"
SECRET = "a-secret-of-the-webhooks"
TEMPLATE = "caller"
LOOK_SECONDS = 0.2
TELL_SECONDS = 10.0

DOES: tuple[Does, ...] = ("answers", "busy", "silent", "voicemail", "fails")
API: tuple[Api, ...] = ("", "throttles", "refuses", "breaks", "hangs", "resets")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is tried.

    Attributes:
        kills: How often the server is killed.
        troubles: Whether requests meet faults and ends are lost; else telephones alone differ.
        pause_seconds: From a call to the next to the same person.
        calls_at_once: Of the batch.
        limit_seconds: Of the whole; then the trial has failed.
        tells: How far it has come, on the standard output.
        hurried: Leases of a dead process run out at once, and who can be told of no more is given
            up at once, as if the time for it had gone by.
    """

    rows: int
    seed: int
    kills: int = 2
    troubles: bool = True
    pause_seconds: float = 20.0
    calls_at_once: int = 40
    limit_seconds: float = 1800.0
    hurried: bool = False
    tells: bool = False

    @property
    def policy(self) -> RetryPolicy:
        """Of each row."""
        return RetryPolicy(3, ("busy", "no-answer"), (self.pause_seconds,))

    def doing(self, number: str, nth: int) -> Doing:
        """What comes of a request for a call to this number."""
        dice = random.Random(f"{self.seed} {number} {nth}")
        does: Does = dice.choices(DOES, (45, 22, 20, 8 * self.troubles, 5))[0]
        doing = Doing(does, ring_seconds=dice.uniform(0, 0.5), talk_seconds=dice.uniform(0.1, 1.5))
        if not self.troubles:
            return doing
        api: Api = dice.choices(API, (86, 1, 2, 4, 3, 4))[0]
        told = dice.random() >= 0.04
        return replace(
            doing,
            api=api,
            placed=api in LOST and dice.random() < 0.6,
            told=told,
            told_after=dice.choice((0, 0, 0, 2.0)),
            told_times=dice.choice((1, 1, 1, 2)),
        )

    def kill_instants(self) -> list[float]:
        """After so many of the rows are done, as a share."""
        dice = random.Random(f"{self.seed} kills")
        step = 0.8 / max(1, self.kills)
        return [step * (at + dice.uniform(0.2, 0.9)) for at in range(self.kills)]


@dataclass(slots=True)
class Trial:
    """One trial as it goes on.

    Attributes:
        asked: When the account was asked for a call, by number and :func:`time.monotonic`.
        killed: When the server was killed, and when it was back.
    """

    plan: Plan
    folder: Path
    account: Account
    people: Customers
    variables: dict[str, str]
    port: int
    asked: Mapping[str, Sequence[float]]
    killed: list[Killed] = field(default_factory=list[Killed])
    errors: list[str] = field(default_factory=list[str])
    _told_at: float = 0.0

    @property
    def database(self) -> Path:
        """The file."""
        return self.folder / "data" / "exobridge.sqlite3"

    # -------------------------------------------------------------- its course

    async def run(self) -> list[str]:
        """Call them all; what does not hold."""
        store = await Store.open(f"sqlite+aiosqlite:///{self.database}")
        try:
            batches = self._batches(store)
            batch, _ = await batches.start(
                BatchWish(
                    self._list(),
                    template=TEMPLATE,
                    calls_at_once=self.plan.calls_at_once,
                    calls_per_minute=200,
                )
            )
            await self._through(batches, batch)
            text = "".join([piece async for piece in batches.results(batch)])
        finally:
            await store.aclose()
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        book = Book(
            self.people, self.plan.doing, self.plan.policy, self.asked, self.killed, self.database
        )
        return [*self.errors, *faults(book, rows, self.plan.calls_at_once)]

    def _list(self) -> bytes:
        lines = [f"0{98_100_00000 + 7 * row},Person {row}" for row in range(self.plan.rows)]
        return "\n".join(["number,name", *lines]).encode()

    def _batches(self, store: Store) -> Batches:
        ground = self._ground()
        outbound = Outbound(store, lambda: ground)

        def judge(wish: Wish) -> NewDial:
            new = outbound.judge(wish)
            request = replace(
                new.request, policy=self.plan.policy, ring_seconds=1, limit_seconds=30
            )
            return replace(new, request=request)

        return Batches(store, judge, lambda: datetime.now(UTC), outbound.wake)

    def _ground(self) -> Ground:
        with fakes_installed():
            settings = Settings.read(environment(self.folder, **self.variables))
            return Ground.of(settings, load_templates(settings.templates_dir, settings))

    async def _through(self, batches: Batches, batch: Batch) -> None:
        """Serve, and kill the server at its instants, until all are done."""
        kills = self.plan.kill_instants()
        async with asyncio.timeout(self.plan.limit_seconds):
            while True:
                async with self._server() as serving:
                    over = await self._until(batches, batch, kills[0] if kills else 1.0, serving)
                    if over:
                        return
                    del kills[0]
                    serving.process.kill()
                    await serving.process.wait()
                    self.killed.append(Killed(time.monotonic()))
                if self.plan.hurried:
                    self._let_leases_run_out()

    async def _until(self, batches: Batches, batch: Batch, share: float, serving: Serving) -> bool:
        """Whether the batch is over; else so much of it is."""
        if self.killed:
            self.killed[-1].back = time.monotonic()
        while True:
            batch = await batches.find(batch.id)
            (progress,) = await batches.progress(batch)
            if batch.done_at is not None:
                return True
            if share < 1 and progress.done >= share * batch.rows and self.people.under_way:
                return False
            assert serving.process.returncode is None, serving.text
            if self.plan.hurried or _only_unsure(progress):
                self._give_up_the_silent()
            self._tell(_words(progress))
            await asyncio.sleep(LOOK_SECONDS)

    @asynccontextmanager
    async def _server(self) -> AsyncGenerator[Serving]:
        arguments = ("serve", "--port", str(self.port))
        serving = Serving(await spawn(self.folder, arguments, self.variables))
        reading = asyncio.create_task(serving.read())
        try:
            await self._until_ready(serving)
            yield serving
        finally:
            with suppress(ProcessLookupError):
                serving.process.kill()
            await serving.process.wait()
            await reading
            self.errors += [line for line in serving.lines if _is_error(line)]

    async def _until_ready(self, serving: Serving) -> None:
        async with http_client(f"http://127.0.0.1:{self.port}") as http:
            while True:
                assert serving.process.returncode is None, serving.text
                with suppress(httpx.HTTPError):
                    if (await http.get("/health/ready")).is_success:
                        return
                await asyncio.sleep(LOOK_SECONDS)

    def _tell(self, words: str) -> None:
        now = time.monotonic()
        if self.plan.tells and now >= self._told_at + TELL_SECONDS:
            self._told_at = now
            print(words, flush=True)

    # -------------------------------------------------------------- time goes by

    def _let_leases_run_out(self) -> None:
        self._write("UPDATE dials SET leased_until = created_at WHERE leased_until IS NOT NULL", ())

    def _give_up_the_silent(self) -> None:
        """Of calls whose request's answer was lost and that no webhook told of, nothing is to come
        when they are over: their last moment has come."""
        over = [(call.call_sid,) for call in self.people.calls if call.is_told]
        self._write(
            "UPDATE jobs SET due_at = created_at"
            " WHERE kind = 'details' AND state = 'waiting' AND attempts = 0 AND call_sid = ?",
            *over,
        )
        placed = {(call.number, call.nth) for call in self.people.calls}
        never = [
            (number,)
            for number, count in self.people.asked.items()
            if (number, count - 1) not in placed
        ]
        silent = [
            (dial, int(nth))
            for call in self.people.calls
            if call.is_told and not call.heard_of
            for _, dial, nth in [call.custom_field.split(":")]
        ]
        give_up = "UPDATE dials SET give_up_at = created_at WHERE state = 'unsure' AND "
        latest = "(SELECT max(number) FROM dial_attempts WHERE dial_id = dials.id)"
        self._write(give_up + "number = ?", *never)
        self._write(f"{give_up} id = ? AND {latest} = ?", *silent)

    def _write(self, statement: str, *rows: Sequence[object]) -> None:
        with closing(sqlite3.connect(self.database, timeout=10)) as connection, connection:
            connection.executemany(statement, rows)


def _is_error(line: str) -> bool:
    """Not of a database that is late, as it may be on a loaded machine."""
    return '"level": "error"' in line and "no answer in time" not in line


def _only_unsure(progress: Progress) -> bool:
    return not progress.waiting and progress.under_way == progress.states.get("unsure", 0)


def _words(progress: Progress) -> str:
    return " ".join(
        f"{name} {count}" for name, count in [*progress.states.items(), *progress.outcomes.items()]
    )


@asynccontextmanager
async def trial(folder: Path, plan: Plan) -> AsyncGenerator[Trial]:
    """A trial that may begin."""
    asked: defaultdict[str, list[float]] = defaultdict(list)

    def does(number: str, nth: int) -> Doing:
        asked[number].append(time.monotonic())
        return plan.doing(number, nth)

    migrated(folder / "data" / "exobridge.sqlite3")
    port = free_port()
    async with AsyncExitStack() as exits:
        account = await exits.enter_async_context(serve_account(Account()))
        account.add_exophones(EXOPHONE)
        account.settle_seconds = 0.0
        url = f"http://127.0.0.1:{port}"
        answer_url = f"{url}/exotel/answer?auth_token={SECRET}"
        people = await exits.enter_async_context(customers(account, does, answer_url=answer_url))
        variables = {
            **account.variables,
            "EXOTEL_NUMBERS": f"{EXOPHONE}={TEMPLATE}",
            "EXOTEL_TEMPLATE_APPLET_APP_ID": "4711",
            "EXOBRIDGE_SECRET": SECRET,
            "EXOBRIDGE_PUBLIC_URL": url,
            "MAX_CALLS": "200",
        }
        template = bot(
            greeting="Hello {name}.",
            variables={"name": "you"},
            voicemail={"action": "hang_up", "monologue_ms": 2000},
            outbound={"purpose": "transactional"},
        )
        environment(folder)  # writes its own templates
        write_templates(folder, {TEMPLATE: template})
        yield Trial(plan, folder, account, people, variables, port, asked)


async def main(arguments: Sequence[str] | None = None) -> int:
    """Run one; 1 if anything does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.outbound.trial", description=__doc__)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--hurried", action="store_true")
    options = parser.parse_args(arguments)
    plan = Plan(options.rows, options.seed, options.kills, hurried=options.hurried, tells=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        async with trial(Path(folder), plan) as going:
            found = await going.run()
            calls, requests = len(going.people.calls), going.people.asked.total()
            kills = len(going.killed)
    seconds = time.monotonic() - began
    print(f"{plan.rows} people, {requests} requests, {calls} calls, {kills} kills, {seconds:.0f} s")
    for fault in found:
        print(fault)
    print("everything holds" if not found else f"{len(found)} do not hold, seed {plan.seed}")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
