"""``POST /api/v1/calls`` and ``/api/v1/dials``: calls to be placed, and what came of them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Literal, Self

from pydantic import Field

from exobridge.outbound.models import (
    Attempt,
    Dial,
    DialOutcome,
    DialRefusedError,
    DialState,
    KeyReusedError,
    UnknownDialError,
    Wish,
)
from exobridge.outbound.service import Outbound
from exobridge.web.control.call_models import Moment
from exobridge.web.control.operation import (
    Asked,
    Header,
    Model,
    Operation,
    Problem,
    ProblemError,
    Role,
    Told,
)
from exobridge.web.control.paging import Page, PageQuery, cursor_of, page_of, read_cursor

TAG = "Calling out"

UNKNOWN_DIAL = Problem(404, "unknown-dial", "There is no such dial")
KEY_REUSED = Problem(409, "key-reused", "The idempotency key was used for another call")
REFUSED = Problem(422, "refused-call", "Nobody is called for this")

Mode = Literal["flow", "stream"]


class CallWish(Model):
    """That somebody be called."""

    number: str = Field(
        max_length=40,
        description="Whom to call; without a country code it is read as an Indian number.",
    )
    template: str = Field("", max_length=64, description="Whose bot talks; empty: `default`.")
    caller_id: str = Field(
        "",
        max_length=40,
        description="The ExoPhone to call from; empty: the template's.",
    )
    variables: dict[str, str] = Field(
        default_factory=dict[str, str],
        description="For the greeting and the dialogue: up to 50, each up to 500 characters.",
    )
    mode: Mode | None = Field(
        None,
        description="Through a `flow` of the account's, or straight to the bot's `stream`; null: "
        "as the template says.",
    )
    not_before: Moment | None = Field(None, description="Not to be called before; null: now.")
    key: str = Field("", max_length=200, description="In place of the header `Idempotency-Key`.")


class DialModel(Model):
    """The wish that somebody be called, as it stands. It takes one call, or several by the
    template's `[outbound]`."""

    id: str = Field(description="Its name in paths.")
    number: str = Field(description="Whom to call, E.164.")
    state: DialState = Field(description="Where it stands.")
    outcome: DialOutcome | None = Field(description="Once it is `done`.")
    error: str = Field(description="Why there is no call yet, or was none; may be empty.")
    call_sid: str = Field(description="Of its latest call, where it is known; may be empty.")
    template: str = Field(description="Whose bot talks.")
    caller_id: str = Field(description="The ExoPhone.")
    mode: Mode = Field(description="Through a flow, or straight to the stream.")
    purpose: Literal["promotional", "transactional"] = Field(description="As the template says.")
    variables: dict[str, str] = Field(description="As they were given.")
    attempts: int = Field(description="Calls so far.")
    attempts_at_most: int = Field(description="Calls by the template's policy.")
    due_at: datetime = Field(description="While it waits: not to be called before.")
    give_up_at: datetime | None = Field(description="When it is given up; null: it is not.")
    batch_id: str | None = Field(description="The batch that it belongs to; null: none.")
    row: int | None = Field(description="Of the batch's list, from 1.")
    key: str = Field(description="Its idempotency key; may be empty.")
    created_at: datetime = Field(description="When it was asked for.")
    done_at: datetime | None = Field(description="When it was done; null: it is not.")

    @classmethod
    def of(cls, dial: Dial) -> Self:
        """Of the store's."""
        request = dial.request
        return cls(
            id=dial.id,
            number=dial.number,
            state=dial.state,
            outcome=dial.outcome,
            error=dial.error,
            call_sid=dial.call_sid,
            template=request.template,
            caller_id=request.caller_id,
            mode=request.mode,
            purpose=request.purpose,
            variables=dict(request.variables),
            attempts=dial.attempts,
            attempts_at_most=request.policy.attempts,
            due_at=dial.due_at,
            give_up_at=dial.give_up_at,
            batch_id=dial.batch_id,
            row=dial.row,
            key=dial.key,
            created_at=dial.created_at,
            done_at=dial.done_at,
        )


class AttemptModel(Model):
    """One request to Exotel for a dial's call."""

    number: int = Field(description="From 1.")
    asked_at: datetime = Field(description="When Exotel was asked.")
    call_sid: str = Field(description="Empty: it is not known.")
    ended_at: datetime | None = Field(description="When it was over; null: it is not.")
    outcome: DialOutcome | None = Field(description="What became of it; null: under way.")
    error: str = Field(description="More of it; may be empty.")

    @classmethod
    def of(cls, attempt: Attempt) -> Self:
        """Of the store's."""
        return cls(
            number=attempt.number,
            asked_at=attempt.asked_at,
            call_sid=attempt.call_sid,
            ended_at=attempt.ended_at,
            outcome=attempt.outcome,
            error=attempt.error,
        )


class WholeDialModel(DialModel):
    """A dial with its attempts."""

    calls: list[AttemptModel] = Field(description="What Exotel was asked, the first first.")


class DialQuery(PageQuery):
    """Which dials."""

    state: DialState | None = Field(None, description="Where they stand.")
    batch_id: str = Field("", max_length=64, description="Of this batch alone.")


class DialPage(Page[DialModel]):
    """Dials, the newest first."""


class DialRoom:
    """The operations on dials."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    def operations(self) -> list[Operation]:
        """All of them: viewers look, operators call."""
        return [self._place(), self._list(), self._get(), self._cancel()]

    def _place(self) -> Operation:
        return Operation(
            method="POST",
            path="/api/v1/calls",
            name="placeCall",
            tag=TAG,
            role=Role.OPERATOR,
            summary="Call somebody",
            description=(
                "The answer is a dial: the call is placed within some seconds, or when the hours "
                "for calling and the lines let it. Under the same `Idempotency-Key` it is one "
                "dial (200 in place of 201)."
            ),
            headers=(Header("Idempotency-Key", "Asked twice under it, there is one call."),),
            body=CallWish,
            result=DialModel,
            status=201,
            also=(200,),
            problems=(KEY_REUSED, REFUSED),
            example={
                "number": "+919811122233",
                "template": "reminder",
                "variables": {"name": "Asha"},
            },
            handler=self.place,
        )

    def _list(self) -> Operation:
        return Operation(
            method="GET",
            path="/api/v1/dials",
            name="listDials",
            tag=TAG,
            role=Role.VIEWER,
            summary="List dials",
            description="The newest first.",
            query=DialQuery,
            result=DialPage,
            handler=self.page,
        )

    def _get(self) -> Operation:
        return Operation(
            method="GET",
            path="/api/v1/dials/{dial_id}",
            name="getDial",
            tag=TAG,
            role=Role.VIEWER,
            summary="Get a dial",
            result=WholeDialModel,
            problems=(UNKNOWN_DIAL,),
            handler=self.get,
        )

    def _cancel(self) -> Operation:
        return Operation(
            method="DELETE",
            path="/api/v1/dials/{dial_id}",
            name="cancelDial",
            tag=TAG,
            role=Role.OPERATOR,
            summary="Call nobody for a dial any more",
            description="A call under way goes on, and is not repeated. May be asked for twice.",
            result=DialModel,
            problems=(UNKNOWN_DIAL,),
            handler=self.cancel,
        )

    async def place(self, asked: Asked) -> Told:
        """Somebody shall be called."""
        body: CallWish = asked.body
        header = asked.headers.get("idempotency-key", "")
        if header and body.key and header != body.key:
            raise _refused("bad-key", "The header and the body name two keys.", "key")
        wish = Wish(
            number=body.number,
            template=body.template,
            caller_id=body.caller_id,
            variables=body.variables,
            mode=body.mode or "",
            key=header or body.key,
            not_before=body.not_before,
        )
        with _problems():
            dial, is_new = await self._outbound.dial(wish)
        return Told(DialModel.of(dial), 201 if is_new else 200)

    async def page(self, asked: Asked) -> DialPage:
        """A page of dials."""
        query: DialQuery = asked.query
        after = read_cursor(query.after, str)
        rows = await self._outbound.dials(
            query.limit + 1,
            after[0] if after else None,
            batch_id=query.batch_id or None,
            state=query.state,
        )
        page = page_of(rows, query.limit, DialModel.of, lambda dial: cursor_of(dial.id))
        return DialPage(**page)

    async def get(self, asked: Asked) -> WholeDialModel:
        """One dial."""
        dial = await self._outbound.find(asked.path["dial_id"])
        if dial is None:
            raise ProblemError(UNKNOWN_DIAL)
        calls = [AttemptModel.of(each) for each in await self._outbound.attempts(dial.id)]
        return WholeDialModel(**DialModel.of(dial).model_dump(), calls=calls)

    async def cancel(self, asked: Asked) -> DialModel:
        """Nobody shall be called any more."""
        with _problems():
            return DialModel.of(await self._outbound.cancel(asked.path["dial_id"]))


def _refused(kind: str, detail: str, field: str) -> ProblemError:
    where = [{"where": field, "problem": detail}] if field else []
    return ProblemError(REFUSED, detail, reason=kind, errors=where)


@contextmanager
def _problems() -> Generator[None]:
    try:
        yield
    except UnknownDialError:
        raise ProblemError(UNKNOWN_DIAL) from None
    except KeyReusedError as error:
        raise ProblemError(KEY_REUSED, dial_id=error.dial_id) from None
    except DialRefusedError as error:
        raise _refused(error.kind, error.detail, error.field) from None


def operations(outbound: Outbound) -> list[Operation]:
    """The part of the API that calls out."""
    return DialRoom(outbound).operations()
