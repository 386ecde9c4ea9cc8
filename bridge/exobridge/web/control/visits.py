"""``/api/v1/visits``: when Exotel asked each of our URLs last."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pydantic import Field

from exobridge.store.visits import Visit
from exobridge.web.control.numbers import VisitModel
from exobridge.web.control.operation import Asked, Operation, Role
from exobridge.web.control.paging import Page, PageQuery, cursor_of, page_of, read_cursor


class NumberVisitModel(VisitModel):
    """What Exotel asked of one of our URLs for a number."""

    number: str | None = Field(
        description="The ExoPhone, in E.164; null: it was not told, or is none of ours."
    )


class VisitPage(Page[NumberVisitModel]):
    """Some of the visits, by number and URL."""


def operations(visits: Callable[[], Awaitable[list[Visit]]]) -> list[Operation]:
    """Of the visits.

    Args:
        visits: All of them, by number and URL.
    """

    async def listed(asked: Asked) -> VisitPage:
        found = await visits()
        if after := read_cursor(asked.query.after, str, str):
            found = [each for each in found if (each.number, each.endpoint) > after]
        return VisitPage(
            **page_of(
                found,
                asked.query.limit,
                _model,
                lambda each: cursor_of(each.number, each.endpoint),
            )
        )

    return [
        Operation(
            method="GET",
            path="/api/v1/visits",
            name="listVisits",
            tag="Numbers",
            summary="List when Exotel asked our URLs last",
            role=Role.VIEWER,
            handler=listed,
            query=PageQuery,
            result=VisitPage,
            description="A wrong applet drops calls silently: its URL is missing here, or its last "
            "status is an error. Counted within seconds.",
        )
    ]


def _model(visit: Visit) -> NumberVisitModel:
    return NumberVisitModel(
        endpoint=visit.endpoint,
        last_at=visit.last_at,
        last_status=visit.last_status,
        count=visit.count,
        number=visit.number or None,
    )
