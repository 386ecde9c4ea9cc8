"""``/api/v1/numbers``: our ExoPhones, and which template answers for each."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from typing import Annotated, Literal, TypeVar

from pydantic import Field

from exobridge.exophones import NumberError, Numbers, OwnNumber
from exobridge.exotel.api import ExotelError
from exobridge.store.numbers import NumberWish
from exobridge.web.control.operation import (
    Asked,
    Model,
    Operation,
    Problem,
    ProblemError,
    Role,
    Told,
)
from exobridge.web.control.paging import Page, PageQuery, cursor_of, page_of, read_cursor
from exobridge.web.control.problems import INVALID

PATH = "/api/v1/numbers"
ONE = "/api/v1/numbers/{number}"
ASSIGN_SECONDS = 75.0
"""The list of the account's numbers is asked for, then the change, which can take 40 s."""
SYNC_SECONDS = 40.0

UNKNOWN = Problem(404, "unknown-number", "There is no such number")
KNOWN = Problem(409, "known-number", "The number is there already")
READ_ONLY = Problem(409, "read-only", "The number is the environment's")
LAST = Problem(409, "last-number", "It is the last number that somebody answers for")
NO_ACCOUNT = Problem(409, "no-account", "Exotel's account cannot be asked: credentials are missing")
NOT_THERE = Problem(409, "not-in-account", "The account has no such ExoPhone")
EXOTEL = Problem(502, "exotel", "Exotel's API did not do it")

_PROBLEMS = {each.kind: each for each in (UNKNOWN, KNOWN, READ_ONLY, LAST, NO_ACCOUNT, NOT_THERE)}

_TEMPLATE = r"^[a-z0-9][a-z0-9_-]{0,63}$"
_PLAIN = r"^[^\x00-\x1f\x7f]*$"

ResultT = TypeVar("ResultT")


class VisitModel(Model):
    """What Exotel asked of one of our URLs."""

    endpoint: str = Field(description="The URL's path, without a secret.")
    last_at: datetime = Field(description="When it was asked last.")
    last_status: int = Field(description="The HTTP status of our answer then.")
    count: int = Field(description="How often it was asked, ever.")


class NumberModel(Model):
    """An ExoPhone."""

    provider: Literal["exotel"] = Field(description="Whose number it is.")
    number: str = Field(description="In E.164.", examples=["+918047112233"])
    template: str | None = Field(description="Answers for it; null: nobody does.")
    name: str = Field(description="What it is called; may be empty.")
    applet_app_id: str = Field(
        description="The flow of calls placed from it; empty: its template's."
    )
    source: Literal["environment", "api"] = Field(description="Where it was listed.")
    editable: bool = Field(description="False: it stands in `EXOTEL_NUMBERS`, which wins.")
    in_account: bool | None = Field(
        description="Whether the account has it, by the last sync; null: it was never asked."
    )
    exophone_sid: str = Field(description="What the account calls it; empty: not known.")
    flow: str = Field(description="The account's `voice_url`; empty: none, or not known.")
    flow_app_id: str = Field(description="The app id in `flow`; empty: it names none.")
    region: str = Field(description="The account's word; empty: not known.")
    created_at: datetime | None = Field(description="Null: only the environment has it.")
    updated_at: datetime | None = Field(description="Null: only the environment has it.")
    synced_at: datetime | None = Field(description="When the account was asked last.")
    last_asked_at: datetime | None = Field(
        description="When Exotel asked any of our URLs for it last; null: never."
    )
    visits: list[VisitModel] = Field(description="What Exotel asked us for it, by URL.")


class NumberPage(Page[NumberModel]):
    """Some of the numbers, in their order."""


class NumberBody(Model):
    """What is said of a number. What is left out is empty."""

    provider: Literal["exotel"] = Field("exotel", description="Whose number it is.")
    template: Annotated[str, Field(pattern=_TEMPLATE)] | None = Field(
        None, description="Shall answer for it; null: nobody."
    )
    name: str = Field(
        "", max_length=100, pattern=_PLAIN, description="What it is called, for humans."
    )
    applet_app_id: str = Field(
        "",
        max_length=64,
        pattern=r"^[A-Za-z0-9_-]*$",
        description="The flow of calls placed from it; empty: its template's.",
    )


class NewNumberBody(NumberBody):
    """A number that is added."""

    number: str = Field(
        min_length=5, max_length=40, description="In any way it is written; kept as E.164."
    )


class AllowQuery(Model):
    """How far a change may go."""

    allow_none: bool = Field(
        False,
        description="Also if no number has a template then, whereupon `default` answers for all.",
    )


class AssignBody(Model):
    """The flow that calls to a number shall take."""

    applet_app_id: str = Field(
        "",
        max_length=64,
        pattern=r"^[A-Za-z0-9_-]*$",
        description="Its app id in App Bazaar; empty: the number's, else its template's.",
    )


class SyncModel(Model):
    """What the account's list changed. Numbers in E.164."""

    added: list[str] = Field(description="New here; nobody answers for them yet.")
    changed: list[str] = Field(description="The account tells something else of them now.")
    missing: list[str] = Field(description="Listed here, and the account has them not.")


def operations(numbers: Numbers) -> list[Operation]:
    """Of the numbers."""
    rooms = _Rooms(numbers)
    return [
        Operation(
            method="GET",
            path=PATH,
            name="listNumbers",
            tag="Numbers",
            summary="List numbers",
            description="The environment's, and those that were added.",
            role=Role.VIEWER,
            handler=rooms.listed,
            query=PageQuery,
            result=NumberPage,
        ),
        Operation(
            method="POST",
            path=PATH,
            name="addNumber",
            tag="Numbers",
            summary="Add a number",
            role=Role.ADMIN,
            handler=rooms.add,
            body=NewNumberBody,
            result=NumberModel,
            status=201,
            problems=(KNOWN, READ_ONLY),
            description="It is answered from now on, by every process within two seconds.",
            example={"number": "+918047112233", "template": "reception"},
        ),
        Operation(
            method="POST",
            path=f"{PATH}/sync",
            name="syncNumbers",
            tag="Numbers",
            summary="Take over the account's ExoPhones",
            role=Role.OPERATOR,
            handler=rooms.sync,
            result=SyncModel,
            problems=(NO_ACCOUNT, EXOTEL),
            seconds=SYNC_SECONDS,
            description="New ones get no template, what was set stays, nothing is deleted: who is "
            "served does not change.",
        ),
        Operation(
            method="GET",
            path=ONE,
            name="getNumber",
            tag="Numbers",
            summary="Get a number",
            role=Role.VIEWER,
            handler=rooms.one,
            result=NumberModel,
            problems=(UNKNOWN,),
        ),
        Operation(
            method="PUT",
            path=ONE,
            name="putNumber",
            tag="Numbers",
            summary="Put a number",
            description="It is added, or what was said of it replaced.",
            role=Role.ADMIN,
            handler=rooms.put,
            query=AllowQuery,
            body=NumberBody,
            result=NumberModel,
            status=200,
            also=(201,),
            problems=(READ_ONLY, LAST),
            example={"template": "reception", "name": "Front desk"},
        ),
        Operation(
            method="DELETE",
            path=ONE,
            name="removeNumber",
            tag="Numbers",
            summary="Forget a number",
            role=Role.ADMIN,
            handler=rooms.remove,
            query=AllowQuery,
            status=204,
            problems=(UNKNOWN, READ_ONLY, LAST),
        ),
        Operation(
            method="POST",
            path=f"{ONE}/assign",
            name="assignFlow",
            tag="Numbers",
            summary="Assign a flow to a number",
            role=Role.ADMIN,
            handler=rooms.assign,
            body=AssignBody,
            result=NumberModel,
            problems=(UNKNOWN, NO_ACCOUNT, NOT_THERE, EXOTEL),
            seconds=ASSIGN_SECONDS,
        ),
    ]


class _Rooms:
    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    async def listed(self, asked: Asked) -> NumberPage:
        found = await self._numbers.listed()
        if after := read_cursor(asked.query.after, str):
            found = [each for each in found if each.number > after[0]]
        return NumberPage(
            **page_of(found, asked.query.limit, number_model, lambda each: cursor_of(each.number))
        )

    async def one(self, asked: Asked) -> NumberModel:
        return number_model(await _done(self._numbers.find(asked.path["number"])))

    async def add(self, asked: Asked) -> NumberModel:
        body: NewNumberBody = asked.body
        own, _ = await _done(self._numbers.put(body.number, _wish(body), only_new=True))
        return number_model(own)

    async def put(self, asked: Asked) -> Told:
        allow_none: bool = asked.query.allow_none
        number, wish = asked.path["number"], _wish(asked.body)
        own, is_new = await _done(self._numbers.put(number, wish, allow_none=allow_none))
        return Told(number_model(own), 201 if is_new else 200)

    async def remove(self, asked: Asked) -> None:
        number, allow_none = asked.path["number"], asked.query.allow_none
        await _done(self._numbers.remove(number, allow_none=allow_none))

    async def sync(self, asked: Asked) -> SyncModel:
        del asked
        synced = await _done(self._numbers.sync())
        return SyncModel(
            added=list(synced.added), changed=list(synced.changed), missing=list(synced.missing)
        )

    async def assign(self, asked: Asked) -> NumberModel:
        number, app_id = asked.path["number"], asked.body.applet_app_id
        return number_model(await _done(self._numbers.assign(number, app_id)))


async def _done(what: Awaitable[ResultT]) -> ResultT:
    """The result; what goes wrong becomes a problem.

    Raises:
        ProblemError: Something did.
    """
    try:
        return await what
    except NumberError as error:
        raise _problem(error) from None
    except ExotelError as error:
        raise ProblemError(EXOTEL, f"{error.problem}. {error.cure}") from None


def _problem(error: NumberError) -> ProblemError:
    detail = f"{error.detail} {error.cure}".strip()
    if error.kind in _PROBLEMS:
        return ProblemError(_PROBLEMS[error.kind], detail)
    where = {"where": error.field, "problem": error.detail}
    return ProblemError(INVALID, detail, errors=[where])


def _wish(body: NumberBody) -> NumberWish:
    return NumberWish(body.template, body.name, body.applet_app_id)


def number_model(own: OwnNumber) -> NumberModel:
    """As it is told."""
    latest = own.last_visit
    return NumberModel(
        provider="exotel",
        number=own.number,
        template=own.template,
        name=own.name,
        applet_app_id=own.applet_app_id,
        source=own.source,
        editable=own.editable,
        in_account=own.in_account,
        exophone_sid=own.exophone_sid,
        flow=own.flow_url,
        flow_app_id=own.flow_app_id,
        region=own.region,
        created_at=own.created_at,
        updated_at=own.updated_at,
        synced_at=own.synced_at,
        last_asked_at=latest.last_at if latest else None,
        visits=[
            VisitModel(
                endpoint=visit.endpoint,
                last_at=visit.last_at,
                last_status=visit.last_status,
                count=visit.count,
            )
            for visit in own.visits
        ],
    )
