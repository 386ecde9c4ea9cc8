"""``exobridge doctor --against URL``: a server is called once as Exotel would, and looked at.

Nothing of exobridge is needed on the other side. What is done there: one short call, and some
requests that make no sense, none of which begins another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from exobridge.doctor.against_findings import findings
from exobridge.doctor.against_garbage import garbage, there
from exobridge.doctor.finding import Finding, info
from exobridge.log import Redactor
from exobridge.simulator import Exotel
from exobridge.simulator.client import http_client
from exobridge.simulator.flows.around import Around
from exobridge.simulator.flows.conformance import Urls, can_speak, conformance
from exobridge.simulator.flows.model import CallTable
from exobridge.simulator.flows.report import FlowReport
from exobridge.simulator.flows.walk import walk
from exobridge.simulator.scripts import Speech
from exobridge.simulator.timeline import Entry


@dataclass(frozen=True, slots=True)
class Target:
    """The server.

    Attributes:
        urls: Where it is asked, as far as that is given.
        auth_token: Set in the query of each webhook.
        to: The number that is called; empty: the flow's own.
        speaks: Whether the caller speaks; it needs a voice on this machine.
    """

    urls: Urls
    auth_token: str = field(default="", repr=False)
    to: str = ""
    speaks: bool = field(default_factory=can_speak)


UNREACHED = info(
    "against.untried",
    "requests without sense: the server gave no answer at all",
    "Let the server be reached first.",
)


def _was_reached(report: FlowReport) -> bool:
    """Whether anything came back; of a stream's URL alone nothing was asked."""
    return not report.asked or any(each.status is not None for each in report.asked)


async def examine_server(target: Target, tell: Callable[[str], None]) -> list[Finding]:
    """Call the server, and look at what it does.

    Args:
        tell: Told what takes its time.

    Raises:
        SpeechError: The caller's voice could not be made.
    """
    async with http_client() as http:
        tell("asking what is served")
        served = await there(http, target.urls, target.auth_token)
        flow = conformance(served.urls, speaks=target.speaks)
        if target.to:
            call = CallTable.model_validate(flow.call.model_dump(by_alias=True) | {"to": target.to})
            flow = flow.model_copy(update={"call": call})

        def doing(entry: Entry) -> None:
            tell(f"calling: {entry.label}")

        async with Exotel() as exotel, Speech(transcribe=False) as speech:
            around = Around(
                exotel=exotel,
                http=http,
                speech=speech,
                tell=doing,
                auth_token=target.auth_token,
            )
            report = await walk(flow, Path(), around)
        nonsense = UNREACHED
        if _was_reached(report):
            tell("asking what makes no sense")
            nonsense = await garbage(http, served.urls, target.auth_token, report.call_sid)
    found = [*findings(report, served.urls, spoke=target.speaks), *served.findings, nonsense]
    if not target.speaks:
        cure = "pip install 'exobridge[local]'"
        found.append(info("against.untried", "speech: there is no voice on this machine", cure))
    redact = Redactor([target.auth_token] if target.auth_token else []).text
    return [Finding(each.id, each.level, redact(each.found), each.cure) for each in found]
