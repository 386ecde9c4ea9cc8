"""What the flows of ``exobridge simulate`` are walked on: the account, and the server that is
started for them."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from rich.console import Console

from exobridge.cli.plain import plain
from exobridge.cli.simulate_plan import Job, Options
from exobridge.simulator import Exotel
from exobridge.simulator.account import Account, serve_account
from exobridge.simulator.account.account import SID
from exobridge.simulator.account.faults import Faults
from exobridge.simulator.client import http_client
from exobridge.simulator.flows.around import Around, Milestone
from exobridge.simulator.flows.model import Flow
from exobridge.simulator.flows.serve import SECRET, Served, environment, served
from exobridge.simulator.reason import reason
from exobridge.simulator.scripts import Speech
from exobridge.wire.recorder import WireRecorder, wire_recorder
from exobridge.wire.records import Side


def account_variables(account: Account) -> dict[str, str]:
    """What a server must be told to ask the account, and to fetch recordings from it."""
    return {**account.variables, "RECORDING_HOSTS": account.url.partition("://")[2]}


def secrets(jobs: Iterable[Job], options: Options) -> set[str]:
    """What is sent to the servers that nobody else may know."""
    known = {options.auth_token}
    if options.serve:
        servers = (environment(job.flow.serve, job.folder, {}, os.environ) for job in jobs)
        known |= {variables.get(SECRET, "") for variables in servers}
    return known - {""}


@asynccontextmanager
async def surroundings(
    jobs: Sequence[Job], options: Options, console: Console
) -> AsyncGenerator[Around]:
    """What all walks share. There is an account where it is asked for, or something needs it."""
    flows = [job.flow for job in jobs]
    async with AsyncExitStack() as stack:
        account: Account | None = None
        if options.api or options.serve or any(flow.recording for flow in flows):
            host, port = options.api or ("127.0.0.1", 0)
            try:
                account = await stack.enter_async_context(serve_account(Account(), host, port))
            except OSError as error:
                problem = f"the account cannot be served at {host}:{port}: {reason(error)}"
                raise OSError(f"{problem}. Name another address with --api.") from error
            account.add_exophones(*dict.fromkeys(flow.call.to for flow in flows))
            for flow in flows:
                if flow.account is not None:
                    account.configure(flow.account)
        if account is not None and options.api and not options.serve:
            console.print("The account is there. Tell the server under test:")
            for name, value in account_variables(account).items():
                console.print(f"  {plain(name)}={plain(value)}")
        sid = SID if account is None else account.sid
        wire: WireRecorder | None = None
        if options.wire is not None:
            keeping = wire_recorder(options.wire, Side.EXOTEL, time.time, secrets(jobs, options))
            wire = await stack.enter_async_context(keeping)
        yield Around(
            exotel=await stack.enter_async_context(Exotel(account_sid=sid, wire=wire)),
            http=await stack.enter_async_context(http_client(wire)),
            speech=await stack.enter_async_context(Speech(transcribe=options.transcribe)),
            account=account,
            auth_token=options.auth_token,
        )


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a flow is walked.

    Attributes:
        flow: The flow, on the server that was started for it if one was.
        around: What all its calls share.
        server: That server.
        console: Where it is told what happens to it.
    """

    flow: Flow
    around: Around
    server: Served | None
    console: Console

    def fresh(self) -> Around:
        """For a call of its own: nothing is left of the one before."""
        if self.around.account is not None:
            self.around.account.faults = Faults()
        return replace(self.around, after=self._killer())

    def _killer(self) -> Callable[[Milestone], Awaitable[None]] | None:
        """Kills the server where the flow says so, the first time that a call comes there."""
        server, where = self.server, self.flow.serve.kill_after
        if server is None or where is None:
            return None
        done = False

        async def after(milestone: Milestone) -> None:
            nonlocal done
            if milestone == where and not done:
                done = True
                self.console.print(f"[yellow]the server is killed after the {milestone}[/]")
                await server.again()
                self.console.print("[yellow]it was started again, with the same data[/]")

        return after


@asynccontextmanager
async def ground(
    job: Job, options: Options, around: Around, console: Console
) -> AsyncGenerator[Ground]:
    """A flow, on the server that is started for it if one is.

    Raises:
        ServeError: It did not start.
    """
    if not options.serve or around.account is None:
        yield Ground(job.flow, around, None, console)
        return
    async with AsyncExitStack() as stack:
        with console.status("starting the server") as status:
            variables = account_variables(around.account)
            starting = served(
                job.flow.serve,
                job.folder,
                variables,
                lambda what: status.update(plain(what)),
                options.data,
            )
            server = await stack.enter_async_context(starting)
        console.print(f"[dim]exobridge serve answers at {server.url}[/]")
        table = job.flow.server.model_copy(update={"url": server.url})
        flow = job.flow.model_copy(update={"server": table})
        token = around.auth_token or server.secret
        yield Ground(flow, replace(around, auth_token=token), server, console)
