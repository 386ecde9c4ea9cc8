"""``/api/v1/batches``: lists of people to call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal, Self

from pydantic import Field
from starlette.responses import Response, StreamingResponse

from exobridge.outbound.batches import (
    Batches,
    BatchKeyReusedError,
    BatchOverError,
    UnknownBatchError,
    seconds_left,
)
from exobridge.outbound.csv_rows import MAX_BYTES
from exobridge.outbound.lists import (
    MAX_AT_ONCE,
    MAX_PER_MINUTE,
    BatchRefusedError,
    BatchWish,
)
from exobridge.store.batches import Batch, BatchState, Progress
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

TAG = "Batches"
START_SECONDS = 120.0
"""How long a list of the largest size may take to be checked and kept."""

UNKNOWN_BATCH = Problem(404, "unknown-batch", "There is no such batch")
BATCH_OVER = Problem(409, "batch-over", "The batch is over")
KEY_REUSED = Problem(409, "batch-key-reused", "The idempotency key was used for another batch")
REFUSED_LIST = Problem(422, "refused-list", "Nobody is called for this list")

_Act = Callable[[str], Awaitable[Batch]]


class BatchQuery(Model):
    """How a list is to be called."""

    name: str = Field("", max_length=100, description="For humans.")
    template: str = Field(
        "", max_length=64, description="Of the rows that name none; else `default`."
    )
    caller_id: str = Field(
        "",
        max_length=40,
        description="ExoPhone of the rows that name none; else the template's own.",
    )
    mode: Literal["", "flow", "stream"] = Field("", description="Else the template's.")
    calls_at_once: int = Field(
        10, ge=1, le=MAX_AT_ONCE, description="Most calls under way at a time."
    )
    calls_per_minute: int = Field(
        60, ge=1, le=MAX_PER_MINUTE, description="Most calls asked for in a minute."
    )
    skip_bad_rows: bool = Field(
        False, description="Call the rows that can be called; without it one bad row stops all."
    )


class BatchModel(Model):
    """A list of people to call, and how far it has come."""

    id: str = Field(description="Its name in paths.")
    name: str = Field(description="For humans; may be empty.")
    state: BatchState = Field(description="Where it stands.")
    rows: int = Field(description="Of its list, those that cannot be called included.")
    waiting: int = Field(description="Rows that are to be called, or to be called again.")
    under_way: int = Field(description="Rows whose call is being asked for, rings or is held.")
    done: int = Field(description="Rows with an outcome.")
    outcomes: dict[str, int] = Field(description="How many of those have each outcome.")
    calls: int = Field(description="Calls made so far.")
    seconds_left: float | None = Field(
        description="At the pace so far; null: not running, or nothing is done yet."
    )
    calls_at_once: int = Field(description="Most calls under way at a time.")
    calls_per_minute: int = Field(description="Most calls asked for in a minute.")
    columns: list[str] = Field(description="Of its list, in order.")
    created_at: datetime = Field(description="When it was made.")
    done_at: datetime | None = Field(description="When its last row was done; null: it is not.")

    @classmethod
    def of(cls, batch: Batch, progress: Progress) -> Self:
        """Of the store's."""
        left = seconds_left(batch, progress, datetime.now(UTC))
        return cls(
            id=batch.id,
            name=batch.name,
            state=batch.state,
            rows=batch.rows,
            waiting=progress.waiting,
            under_way=progress.under_way,
            done=progress.done,
            outcomes=dict(progress.outcomes),
            calls=progress.calls,
            seconds_left=None if left is None else round(left, 1),
            calls_at_once=batch.calls_at_once,
            calls_per_minute=batch.calls_per_minute,
            columns=list(batch.columns),
            created_at=batch.created_at,
            done_at=batch.done_at,
        )


class BatchPage(Page[BatchModel]):
    """Batches, the newest first."""


class BatchRoom:
    """The operations on batches."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches

    def operations(self) -> list[Operation]:
        """All of them: viewers look, operators call."""
        return [self._start(), self._list(), *self._one(), *self._course()]

    def _start(self) -> Operation:
        return Operation(
            method="POST",
            path="/api/v1/batches",
            name="startBatch",
            tag=TAG,
            role=Role.OPERATOR,
            summary="Call a list of people",
            description=(
                "The body is the list: CSV in UTF-8 whose first line names the columns. One is "
                "`number`, `phone` or `mobile`; `template` and `caller_id` go before the query's; "
                "each other column is a variable. Under the same `Idempotency-Key` it is one batch "
                "(200 in place of 201)."
            ),
            query=BatchQuery,
            headers=(Header("Idempotency-Key", "Asked twice under it, it is one batch."),),
            request_media="text/csv",
            max_body=MAX_BYTES,
            seconds=START_SECONDS,
            result=BatchModel,
            status=201,
            also=(200,),
            problems=(REFUSED_LIST, KEY_REUSED),
            handler=self.start,
        )

    def _list(self) -> Operation:
        return Operation(
            method="GET",
            path="/api/v1/batches",
            name="listBatches",
            tag=TAG,
            role=Role.VIEWER,
            summary="List batches",
            description="The newest first.",
            query=PageQuery,
            result=BatchPage,
            handler=self.page,
        )

    def _one(self) -> list[Operation]:
        one: dict[str, Any] = {"method": "GET", "tag": TAG, "role": Role.VIEWER}
        path = "/api/v1/batches/{batch_id}"
        return [
            Operation(
                **one,
                path=path,
                name="getBatch",
                summary="Get a batch",
                result=BatchModel,
                problems=(UNKNOWN_BATCH,),
                handler=self.get,
            ),
            Operation(
                **one,
                path=path + "/results",
                name="getBatchResults",
                summary="Get the results of a batch",
                description=(
                    "The list as CSV, and beside its columns `outcome`, `attempts`, `call_sid`, "
                    "`called_at`, `answered_at`, `seconds` and `error`; also before it is done."
                ),
                media="text/csv",
                problems=(UNKNOWN_BATCH,),
                handler=self.results,
            ),
        ]

    def _course(self) -> list[Operation]:
        acts: list[tuple[str, str, _Act]] = [
            ("pause", "Ask for no further call of a batch", self._batches.pause),
            ("resume", "Go on with a batch", self._batches.resume),
            ("cancel", "Call nobody any more for a batch", self._batches.cancel),
        ]
        return [
            Operation(
                method="POST",
                path=f"/api/v1/batches/{{batch_id}}/{act}",
                name=f"{act}Batch",
                tag=TAG,
                role=Role.OPERATOR,
                summary=summary,
                description="Calls under way go on. May be asked for twice.",
                result=BatchModel,
                problems=(UNKNOWN_BATCH, BATCH_OVER),
                handler=self._acting(does),
            )
            for act, summary, does in acts
        ]

    def _acting(self, does: _Act) -> Callable[[Asked], Awaitable[BatchModel]]:
        async def act(asked: Asked) -> BatchModel:
            with _problems():
                return await self._model(await does(asked.path["batch_id"]))

        return act

    async def start(self, asked: Asked) -> Told:
        """A list has come."""
        query: BatchQuery = asked.query
        key = asked.headers.get("idempotency-key", "")
        wish = BatchWish(source=asked.raw, key=key, **query.model_dump())
        with _problems():
            batch, is_new = await self._batches.start(wish)
        return Told(await self._model(batch), 201 if is_new else 200)

    async def page(self, asked: Asked) -> BatchPage:
        """A page of batches."""
        query: PageQuery = asked.query
        after = read_cursor(query.after, str)
        rows = await self._batches.listed(query.limit + 1, after[0] if after else None)
        told = await self._batches.progress(*rows)
        progress = {batch.id: each for batch, each in zip(rows, told, strict=True)}
        page = page_of(
            rows,
            query.limit,
            lambda batch: BatchModel.of(batch, progress[batch.id]),
            lambda batch: cursor_of(batch.id),
        )
        return BatchPage(**page)

    async def get(self, asked: Asked) -> BatchModel:
        """One batch."""
        with _problems():
            return await self._model(await self._batches.find(asked.path["batch_id"]))

    async def results(self, asked: Asked) -> Response:
        """Its results, while they are read."""
        with _problems():
            batch = await self._batches.find(asked.path["batch_id"])
        headers = {"content-disposition": f'attachment; filename="{batch.id}.csv"'}
        media = "text/csv; charset=utf-8"
        if asked.request.method == "HEAD":
            response = Response(headers=headers, media_type=media)
            del response.headers["content-length"]  # nobody has counted
            return response
        return StreamingResponse(self._batches.results(batch), 200, headers, media)

    async def _model(self, batch: Batch) -> BatchModel:
        (progress,) = await self._batches.progress(batch)
        return BatchModel.of(batch, progress)


@contextmanager
def _problems() -> Generator[None]:
    try:
        yield
    except UnknownBatchError:
        raise ProblemError(UNKNOWN_BATCH) from None
    except BatchOverError as error:
        raise ProblemError(BATCH_OVER, f"{error}.") from None
    except BatchKeyReusedError as error:
        raise ProblemError(KEY_REUSED, batch_id=error.batch_id) from None
    except BatchRefusedError as error:
        rows = [
            {"line": each.line, "column": each.column, "problem": each.problem}
            for each in error.faults
        ]
        detail = error.detail
        raise ProblemError(
            REFUSED_LIST, detail, reason=error.kind, rows=rows, bad_rows=error.count
        ) from None


def operations(batches: Batches) -> list[Operation]:
    """The part of the API that calls lists of people."""
    return BatchRoom(batches).operations()
