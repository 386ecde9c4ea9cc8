"""``exobridge simulate --listen``: the calls that the account's API is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from exobridge.cli.call_show import leave_on_interrupt
from exobridge.cli.plain import plain
from exobridge.cli.simulate_ground import Ground, ground, surroundings
from exobridge.cli.simulate_plan import Job
from exobridge.cli.simulate_session import Run, Session
from exobridge.cli.simulate_show import Live
from exobridge.simulator.account.answers import Refusal
from exobridge.simulator.account.placing import PlacedCall, direct_flow, placed_flow
from exobridge.simulator.flows.around import Around
from exobridge.simulator.flows.walk import walk

DIRECT = "straight to a bot"
"""What stands for the file of a call in direct mode."""


async def listen(session: Session, wanted: int | None) -> None:
    """Place each call that the API is asked for, until so many are over, or Ctrl-C.

    Args:
        session: Takes what comes of them.
        wanted: How many; ``None``: any number, and Ctrl-C is how it ends.

    Raises:
        ServeError: A server did not start.
        OSError: The address cannot be listened on.
        ExceptionGroup: A call could not be placed as its flow says.
    """
    with leave_on_interrupt() as leave:
        async with (
            surroundings(session.jobs, session.options, session.console) as around,
            AsyncExitStack() as stack,
        ):
            where: dict[str, tuple[Job, Ground]] = {}
            for job in session.jobs:
                standing = ground(job, session.options, around, session.console)
                here = await stack.enter_async_context(standing)
                if job.flow.flow.app_id:
                    where[job.flow.flow.app_id] = (job, here)
            async with asyncio.TaskGroup() as tasks:
                await _Listening(session, around, where, leave, tasks, wanted).run()
        session.interrupted = leave.is_set() and wanted is not None


class _Listening:
    def __init__(
        self,
        session: Session,
        around: Around,
        by_app: Mapping[str, tuple[Job, Ground]],
        leave: asyncio.Event,
        tasks: asyncio.TaskGroup,
        wanted: int | None,
    ) -> None:
        self._session = session
        self._around = around
        self._leave = leave
        self._tasks = tasks
        self._wanted = wanted
        self._placed = 0
        self._enough = asyncio.Event()
        self._by_app = by_app

    async def run(self) -> None:
        account, console = self._around.account, self._session.console
        assert account is not None
        account.place = self._place
        url = f"{account.url}/v1/Accounts/{account.sid}/Calls/connect.json"
        console.print(f"waiting for POST {plain(url)}")
        for app_id, (job, _) in self._by_app.items():
            console.print(f"  start_voice/{plain(app_id)}: {plain(job.name)}")
        enough = asyncio.create_task(self._enough.wait())
        leaving = asyncio.create_task(self._leave.wait())
        try:
            await asyncio.wait([enough, leaving], return_when=asyncio.FIRST_COMPLETED)
        finally:
            account.place = _refuse
            enough.cancel()
            leaving.cancel()

    def _place(self, placed: PlacedCall) -> None:
        """The account's ``place``.

        Raises:
            Refusal: No flow has the id.
        """
        found = self._by_app.get(placed.app_id)
        if found is None and not placed.stream_url:
            raise Refusal(404, "There is no flow with this app_id")
        if self._placed == self._wanted:
            raise Refusal(503, "No more calls are placed")
        self._placed += 1
        self._tasks.create_task(self._call(found, placed, self._placed))
        if self._placed == self._wanted:
            self._enough.set()

    async def _call(
        self, found: tuple[Job, Ground] | None, placed: PlacedCall, number: int
    ) -> None:
        name = DIRECT if found is None else found[0].name
        self._session.console.print(f"\n[bold]call {number}: {plain(name)}[/]")
        for parameter in placed.ignored:
            self._session.console.print(f"  {plain(parameter)} is no documented parameter")
        live = Live(self._session.console, f"{number}: ")
        if found is None:
            flow, folder, around = direct_flow(placed), Path(), self._around
        else:
            job, here = found
            flow, folder, around = placed_flow(here.flow, placed), job.folder, here.fresh()
        around = replace(around, tell=live.tell, said=live.said)
        report = await walk(flow, folder, around, call_sid=placed.call_sid, leave=self._leave)
        self._session.add(Run(name, number, report))


def _refuse(placed: PlacedCall) -> None:
    del placed
    raise Refusal(503, "No more calls are placed")
