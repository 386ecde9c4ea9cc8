"""What is known of our ExoPhones, from all sources together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from exobridge.exotel.api import ExoPhone
from exobridge.exotel.flows import app_id_of
from exobridge.numbers import normalise
from exobridge.store.numbers import Found, NumberRow
from exobridge.store.visits import Visit
from exobridge.templates import Templates


@dataclass(frozen=True, slots=True)
class OwnNumber:
    """One ExoPhone of ours.

    Attributes:
        number: E.164.
        template: Answers for it; ``None``: nobody does.
        source: ``environment`` is not to be changed here.
        applet_app_id: The flow that calls placed from it take; empty: the template's.
        exophone_sid, flow_url, region: As the account told them last; empty: it did not.
        in_account: Whether the account has it; ``None``: it was never asked.
        visits: What Exotel asked us for it.
    """

    number: str = field(repr=False)
    template: str | None = None
    source: Literal["environment", "api"] = "api"
    name: str = ""
    applet_app_id: str = ""
    exophone_sid: str = ""
    flow_url: str = ""
    region: str = ""
    in_account: bool | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    synced_at: datetime | None = None
    visits: tuple[Visit, ...] = ()

    @property
    def editable(self) -> bool:
        """Whether it can be changed here."""
        return self.source == "api"

    @property
    def flow_app_id(self) -> str:
        """The flow that calls to it take; empty: not known, or no flow."""
        return app_id_of(self.flow_url)

    @property
    def last_visit(self) -> Visit | None:
        """The latest of the visits."""
        return max(self.visits, key=lambda visit: visit.last_at, default=None)

    def wanted_app_id(self, templates: Templates) -> str:
        """The flow that its calls should take, as far as anything says so."""
        template = templates.get(self.template or "")
        of_template = template.telephony_config.applet_app_id if template else ""
        return self.applet_app_id or of_template


def listing(
    environment: Mapping[str, str] | None,
    rows: Iterable[NumberRow],
    visits: Sequence[Visit] = (),
) -> list[OwnNumber]:
    """All of them, in the numbers' order.

    Args:
        environment: Template names by number; these win.
    """
    kept = {row.number: row for row in rows}
    listed = environment or {}
    return [
        _one(number, listed.get(number), kept.get(number), visits)
        for number in sorted(kept.keys() | listed.keys())
    ]


def _one(
    number: str, listed: str | None, row: NumberRow | None, visits: Sequence[Visit]
) -> OwnNumber:
    its_visits = tuple(visit for visit in visits if visit.number == number)
    source: Literal["environment", "api"] = "api" if listed is None else "environment"
    if row is None:
        return OwnNumber(number, listed, source, visits=its_visits)
    return OwnNumber(
        number,
        row.template if listed is None else listed,
        source,
        row.name,
        row.applet_app_id,
        row.exophone_sid,
        row.flow_url,
        row.region,
        None if row.synced_at is None else bool(row.exophone_sid),
        row.created_at,
        row.updated_at,
        row.synced_at,
        its_visits,
    )


def found_of(phones: Iterable[ExoPhone]) -> list[Found]:
    """The account's numbers, E.164, each once; what is no number is left out."""
    found: dict[str, Found] = {}
    for phone in phones:
        if number := normalise(phone.phone_number):
            sid = phone.sid or number
            name, url = phone.friendly_name[:100], phone.voice_url[:2000]
            found[number] = Found(number, name, sid, url, phone.region)
    return list(found.values())


def as_found(own: OwnNumber, found: Found | None) -> OwnNumber:
    """The number as the account tells it now; ``None``: it has none."""
    if found is None:
        return replace(own, in_account=False, exophone_sid="", flow_url="")
    return replace(
        own,
        in_account=True,
        name=own.name or found.name,
        exophone_sid=found.exophone_sid,
        flow_url=found.flow_url,
        region=found.region or own.region,
    )
