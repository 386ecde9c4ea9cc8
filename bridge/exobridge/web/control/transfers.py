"""``/api/v1/transfers``: callers who were handed to humans."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from exobridge.call.events import CallEvent, EventKind
from exobridge.call.state import replay
from exobridge.store import Store
from exobridge.web.control.call_models import CallTransferModel, transfer_model
from exobridge.web.control.calls import UNKNOWN_CALL, known_call
from exobridge.web.control.operation import Asked, Model, Operation, Role
from exobridge.web.control.paging import Page, PageQuery, cursor_of, page_of, read_cursor

TAG = "Transfers"


class TransferPage(Page[CallTransferModel]):
    """Transfers of all calls, those asked for last first."""


class CallTransfers(Model):
    """The transfers of one call, in the order in which they were asked for."""

    items: list[CallTransferModel]


class TransferRoom:
    """The operations on transfers."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def operations(self) -> list[Operation]:
        """All of them, for viewers."""
        return [
            Operation(
                method="GET",
                path="/api/v1/transfers",
                name="listTransfers",
                tag=TAG,
                role=Role.VIEWER,
                summary="List transfers",
                description="Those of all calls; the ones that were asked for last come first.",
                query=PageQuery,
                result=TransferPage,
                handler=self.page,
            ),
            Operation(
                method="GET",
                path="/api/v1/calls/{call_sid}/transfers",
                name="listCallTransfers",
                tag=TAG,
                role=Role.VIEWER,
                summary="List the transfers of a call",
                problems=(UNKNOWN_CALL,),
                result=CallTransfers,
                handler=self.of_call,
            ),
        ]

    async def page(self, asked: Asked) -> TransferPage:
        """A page of transfers, each as it stands now."""
        query: PageQuery = asked.query
        after = read_cursor(query.after, int)
        rows = await self._store.listing.transfers(query.limit + 1, after[0] if after else None)
        shown = {event.call_sid for _, event in rows[: query.limit]}
        events = await self._store.listing.events(shown)
        known = {
            (call_sid, model.key): model
            for call_sid, of_call in events.items()
            for model in transfers_of(of_call)
        }
        found = [(number, known.get((event.call_sid, event.key))) for number, event in rows]
        page = page_of(found, query.limit, lambda row: row[1], lambda row: cursor_of(row[0]))
        page["items"] = [model for model in page["items"] if model is not None]  # erased since
        return TransferPage(**page)

    async def of_call(self, asked: Asked) -> CallTransfers:
        """A call's."""
        call = await known_call(self._store, asked)
        return CallTransfers(items=transfers_of(await self._store.events(call.call_sid)))


def transfers_of(events: Sequence[CallEvent]) -> list[CallTransferModel]:
    """The transfers that a call's events tell of. One before the latest stands as it stood when the
    next was asked for."""
    asked = [event for event in events if event.kind is EventKind.TRANSFER_REQUESTED]
    asked.sort(key=lambda event: (event.at, event.key))
    found: list[CallTransferModel] = []
    for event, following in zip_longest(asked, asked[1:]):
        call = replay(
            each
            for each in events
            if following is None or (each is not following and each.at <= following.at)
        )
        if call is not None and call.transfer is not None and call.transfer.key == event.key:
            summary = str(event.data.get("summary", ""))
            found.append(transfer_model(call.transfer, event.call_sid, summary))
    return found


def operations(store: Store) -> list[Operation]:
    """The part of the API that tells of transfers."""
    return TransferRoom(store).operations()
