"""``/api/v1/webhooks``: what the user's own system was told, and to tell it again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from exobridge.store import Store
from exobridge.store.jobs import Job, JobState
from exobridge.web.control.call_models import Moment
from exobridge.web.control.operation import (
    Asked,
    Model,
    Operation,
    Problem,
    ProblemError,
    Role,
)
from exobridge.web.control.paging import Page, PageQuery, cursor_of, page_of, read_cursor
from exobridge.webhooks.outbox import Filter, Outbox

TAG = "Webhooks"

UNKNOWN = Problem(404, "unknown-webhook", "There is no such webhook, or none any more")

State = Literal["queued", "waiting", "running", "done", "failed"]


class WebhookModel(Model):
    """A webhook, and how it stands."""

    id: str = Field(description="Its `webhook-id`, the same each time that it is sent.")
    sequence: int = Field(description="Grows from one webhook to the next of the same call.")
    type: str = Field(description="Like `call.ended`.")
    call_sid: str = Field(description="The call that it tells of.")
    state: State = Field(
        description=(
            "`queued` behind an earlier one of its call, `waiting` for its time, `running` while "
            "it is sent, `done`: it was taken, `failed`: it was given up."
        )
    )
    attempts: int = Field(description="How often it was refused or taken; outages do not count.")
    created_at: datetime = Field(description="When the fact was.")
    due_at: datetime = Field(description="When it is or was to be sent next.")
    done_at: datetime | None = Field(
        description="When it was taken or given up, or sent again since then."
    )
    error: str = Field(description="Why it was not taken last time.")


class WebhookDetail(WebhookModel):
    """A webhook with what it says."""

    data: dict[str, Any] = Field(description="As in its body.")


class WebhookPage(Page[WebhookModel]):
    """Webhooks, the newest first."""


class WebhookQuery(PageQuery):
    """Which webhooks."""

    state: State | None = Field(None, description="Those that stand so.")
    call_sid: str = Field("", max_length=256, description="Those of this call.")
    since: Moment | None = Field(None, description="Those of facts since then.")


class ReplayBody(Model):
    """Which webhooks to send again; what is named must all be so. Something has to be named."""

    state: Literal["done", "failed"] | None = Field(None, description="Those that stand so.")
    call_sid: str = Field("", max_length=256, description="Those of this call.")
    since: Moment | None = Field(None, description="Those of facts since then.")

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.state is None and self.since is None and not self.call_sid:
            raise ValueError("names nothing: give state, call_sid or since")
        return self


class Replayed(Model):
    """What was put back."""

    count: int = Field(ge=0, description="So many are sent again.")


class WebhookRoom:
    """The operations on webhooks.

    Args:
        clock: The time of day, aware.
    """

    def __init__(self, outbox: Outbox, clock: Callable[[], datetime]) -> None:
        self._outbox = outbox
        self._clock = clock

    def operations(self) -> list[Operation]:
        """All of them."""
        return [
            Operation(
                method="GET",
                path="/api/v1/webhooks",
                name="listWebhooks",
                tag=TAG,
                role=Role.VIEWER,
                summary="List webhooks",
                description="The newest first, as long as they are kept (`WEBHOOK_KEEP_DAYS`).",
                query=WebhookQuery,
                result=WebhookPage,
                handler=self.page,
            ),
            Operation(
                method="GET",
                path="/api/v1/webhooks/{webhook_id}",
                name="getWebhook",
                tag=TAG,
                role=Role.VIEWER,
                summary="Get a webhook",
                description="With what it says of the call.",
                result=WebhookDetail,
                problems=(UNKNOWN,),
                handler=self.one,
            ),
            Operation(
                method="POST",
                path="/api/v1/webhooks/{webhook_id}/replay",
                name="replayWebhook",
                tag=TAG,
                role=Role.OPERATOR,
                summary="Send a webhook again",
                description=(
                    "Taken or given up, it is sent again with the `webhook-id` that it had, in "
                    "the order of its call; one that waits is sent at once. One that is queued or "
                    "running stays as it is."
                ),
                result=WebhookModel,
                problems=(UNKNOWN,),
                handler=self.replay,
            ),
            Operation(
                method="POST",
                path="/api/v1/webhooks/replay",
                name="replayWebhooks",
                tag=TAG,
                role=Role.OPERATOR,
                summary="Send webhooks again",
                description=(
                    "All that were taken or given up and are what the body names, each in the "
                    "order of its call."
                ),
                body=ReplayBody,
                result=Replayed,
                handler=self.replay_all,
            ),
        ]

    async def page(self, asked: Asked) -> WebhookPage:
        """A page of webhooks."""
        query: WebhookQuery = asked.query
        after = read_cursor(query.after, int)
        states = [JobState(query.state)] if query.state else []
        which = Filter(states, query.call_sid, query.since)
        rows = await self._outbox.listed(which, query.limit + 1, after[0] if after else None)
        found = page_of(rows, query.limit, _model, lambda job: cursor_of(job.id))
        return WebhookPage.model_validate(found)

    async def one(self, asked: Asked) -> WebhookDetail:
        """One webhook."""
        job = _known(await self._outbox.find(asked.path["webhook_id"]))
        data = job.payload.get("data")
        return WebhookDetail.model_validate({**_fields(job), "data": data or {}})

    async def replay(self, asked: Asked) -> WebhookModel:
        """Send one again."""
        return _model(_known(await self._outbox.replay(asked.path["webhook_id"], self._clock())))

    async def replay_all(self, asked: Asked) -> Replayed:
        """Send many again."""
        body: ReplayBody = asked.body
        states = [JobState(body.state)] if body.state else []
        which = Filter(states, body.call_sid, body.since)
        return Replayed(count=await self._outbox.replay_all(which, self._clock()))


def operations(
    store: Store, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> list[Operation]:
    """The room's operations."""
    return WebhookRoom(Outbox(store.jobs), clock).operations()


def _known(job: Job | None) -> Job:
    if job is None:
        raise ProblemError(UNKNOWN, "It was never made, or is not kept any more.")
    return job


def _model(job: Job) -> WebhookModel:
    return WebhookModel.model_validate(_fields(job))


def _fields(job: Job) -> dict[str, Any]:
    return {
        "id": job.key,
        "sequence": job.id,
        "type": str(job.payload.get("type", "")),
        "call_sid": job.call_sid,
        "state": job.state.value,
        "attempts": job.attempts,
        "created_at": job.created_at,
        "due_at": job.due_at,
        "done_at": job.done_at,
        "error": job.error,
    }
