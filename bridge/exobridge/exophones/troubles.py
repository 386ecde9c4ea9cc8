"""What is wrong with a number, by all that is known of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from exobridge.exophones.listing import OwnNumber
from exobridge.store.visits import Visit
from exobridge.templates import Templates

QUIET = timedelta(days=7)
"""A number that Exotel asked nothing for so long is worth a look."""

OF_A_BOT = ("/exotel/answer", "/exotel/stream")
"""What is asked when a call gets to the bot."""

TRY_IT = "Call it once; if nothing is asked, see its applets' URLs: exobridge serve prints ours."
WITH_SECRET = "Put the secret at the end of the applet's URL, or as ?auth_token=…"

Level = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong, or worth knowing.

    Attributes:
        about: ``account``, ``flow``, ``template`` or ``visits``.
        found: A sentence without its full stop, to be put behind the number.
    """

    about: Literal["account", "flow", "template", "visits"]
    level: Level
    found: str
    cure: str


def troubles_of(own: OwnNumber, templates: Templates, now: datetime) -> list[Trouble]:
    """All of them.

    Args:
        own: As the account tells it now, where it was asked.
    """
    return [
        *_of_template(own, templates),
        *_of_account(own),
        *_of_flow(own, templates),
        *_of_visits(own, now),
    ]


def _of_template(own: OwnNumber, templates: Templates) -> Iterator[Trouble]:
    if own.template is None:
        cure = "Give it a template: exobridge numbers add NUMBER --template NAME"
        yield Trouble("template", "info", "nobody answers for it", cure)
    elif own.template not in templates:
        found = f"its template {own.template} is gone, so its calls are refused"
        yield Trouble("template", "error", found, "Put the file back, or name another template.")


def _of_account(own: OwnNumber) -> Iterator[Trouble]:
    if own.in_account is False:
        where = "EXOTEL_NUMBERS" if own.source == "environment" else "the number"
        yield Trouble(
            "account", "warning", "not of this account", f"Correct {where}, or EXOTEL_SID."
        )


def _of_flow(own: OwnNumber, templates: Templates) -> Iterator[Trouble]:
    if not own.in_account or own.template is None:
        return
    wanted = own.wanted_app_id(templates)
    if not own.flow_url:
        cure = "Assign its flow in App Bazaar, or here: exobridge numbers assign NUMBER --app-id ID"
        yield Trouble("flow", "warning", "no flow is assigned: its callers reach nobody", cure)
    elif not own.flow_app_id:
        cure = "Its voice_url names no flow of App Bazaar; what answers there cannot be seen."
        yield Trouble("flow", "info", "something else than a flow is assigned", cure)
    elif wanted and own.flow_app_id != wanted:
        found = f"its flow is {own.flow_app_id}, and calls placed from it take {wanted}"
        cure = f"If that is not meant: exobridge numbers assign NUMBER --app-id {wanted}"
        yield Trouble("flow", "info", found, cure)


def _of_visits(own: OwnNumber, now: datetime) -> Iterator[Trouble]:
    if own.template is None:
        return
    latest = own.last_visit
    if latest is None:
        yield Trouble("visits", "warning", "Exotel has never asked us for it", TRY_IT)
        return
    for visit in own.visits:
        yield from _of_visit(visit)
    asked = {visit.endpoint for visit in own.visits}
    if not asked & set(OF_A_BOT):
        found = (
            f"of our URLs only {', '.join(sorted(asked))} was ever asked: no call got to the bot"
        )
        yield Trouble("visits", "warning", found, TRY_IT)
    elif now - latest.last_at > QUIET:
        found = f"Exotel last asked us for it on {latest.last_at:%Y-%m-%d}"
        yield Trouble("visits", "info", found, TRY_IT)


def _of_visit(visit: Visit) -> Iterator[Trouble]:
    when = f"{visit.endpoint} last asked {visit.last_at:%Y-%m-%d %H:%M} UTC"
    if visit.last_status in (401, 403):
        yield Trouble("visits", "error", f"{when}, and refused ({visit.last_status})", WITH_SECRET)
    elif visit.last_status == 400:
        cure = "Look at the applet: what it sends is no call. The log says more (webhook)."
        yield Trouble("visits", "error", f"{when}, and not understood (400)", cure)
    elif visit.last_status >= 500:
        found = f"{when}, and answered with {visit.last_status}"
        cure = "Either a refusal that a template wants (refusal.mode), or see the server's log."
        yield Trouble("visits", "warning", found, cure)
