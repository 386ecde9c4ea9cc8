"""When Exotel asked each of our URLs last: a wrong applet drops calls silently. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from exobridge.doctor.case import Case
from exobridge.doctor.finding import Finding, Level, info, ok, warning
from exobridge.exophones import OwnNumber
from exobridge.exophones.troubles import TRY_IT, WITH_SECRET, troubles_of
from exobridge.numbers import mask


def look(case: Case) -> list[Finding]:
    """What was asked for each number, and what was refused."""
    visits = case.kept.visits
    if not visits:
        found = "Exotel has asked for nothing yet, as far as this database knows"
        return [info("visits.asked", found, TRY_IT)]
    findings = [finding for own in case.numbers for finding in _of_number(case, own)]
    if not findings:
        latest = max(visits, key=lambda visit: visit.last_at)
        when = f"{latest.endpoint} was asked last, {latest.last_at:%Y-%m-%d %H:%M} UTC"
        findings = [ok("visits.asked", when)]
    return [*findings, *_refused(case)]


def _of_number(case: Case, own: OwnNumber) -> Iterator[Finding]:
    if own.template is None:
        return
    who = mask(own.number)
    troubles = [
        each
        for each in troubles_of(own, case.templates or {}, datetime.now(UTC))
        if each.about == "visits"
    ]
    for each in troubles:
        yield Finding("visits.asked", Level(each.level), f"{who}: {each.found}", each.cure)
    if not troubles:
        asked = ", ".join(
            f"{visit.endpoint} {visit.last_at:%Y-%m-%d %H:%M}" for visit in own.visits
        )
        yield ok("visits.asked", f"{who}, last asked (UTC): {asked}")


def _refused(case: Case) -> Iterator[Finding]:
    """What was refused and does not tell its number."""
    for visit in case.kept.visits:
        if not visit.number and visit.last_status in (401, 403):
            found = f"{visit.endpoint} was asked without the right secret"
            when = f"{found} on {visit.last_at:%Y-%m-%d %H:%M} UTC ({visit.last_status})"
            yield warning("visits.refused", when, f"If that was Exotel: {WITH_SECRET}")
