"""The tables. ``call_events`` is the truth; ``calls`` is derived from it, for queries.

A change here needs a migration in ``migrations/versions``; a test compares the two. Indexes of some
rows only are SQLite's here: another dialect's word for them would load all of that dialect.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    and_,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

RowId = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only in an ``INTEGER`` primary key."""


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC to the microsecond. SQLite has no type for it and drops zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC. An event's time always has a zone."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """A time without a zone is UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


calls = Table(
    "calls",
    metadata,
    Column("call_sid", Text, primary_key=True),
    Column("direction", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("called", Text, nullable=False),
    Column("template", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("outcome", Text),
    Column("decision", Text),
    Column("reason", Text, nullable=False),
    Column("custom_field", Text, nullable=False),
    Column("stream_sid", Text, nullable=False),
    Column("streams", Integer, nullable=False),
    Column("encoding", Text, nullable=False),
    Column("sample_rate", Integer),
    Column("created_at", UtcTime, nullable=False),
    Column("answered_at", UtcTime),
    Column("started_at", UtcTime),
    Column("ended_at", UtcTime),
    Column("ended_by", Text),
    Column("end_reason", Text, nullable=False),
    Column("stt_seconds", Float, nullable=False, server_default=text("0")),
    Column("tts_characters", Integer, nullable=False, server_default=text("0")),
    Column("input_tokens", Integer, nullable=False, server_default=text("0")),
    Column("output_tokens", Integer, nullable=False, server_default=text("0")),
    Column("heard_seconds", Float, nullable=False, server_default=text("0")),
    Column("spoken_seconds", Float, nullable=False, server_default=text("0")),
    Column("facts", JSON, nullable=False),  # what the reducer goes on from; the rest follows
    Index(None, "created_at", "call_sid"),
    Index(None, "caller", "created_at", "call_sid"),
    Index(None, "called", "created_at", "call_sid"),
    Index(None, "template", "created_at", "call_sid"),
    Index(None, "direction", "created_at", "call_sid"),
    Index(None, "outcome", "created_at", "call_sid"),
    Index(None, "state"),
)

call_events = Table(
    "call_events",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("call_sid", Text, ForeignKey("calls.call_sid", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("data", JSON, nullable=False),
    UniqueConstraint("call_sid", "key"),
)

Index(
    "ix_call_events_transfers",
    call_events.c.id,
    sqlite_where=call_events.c.kind == "transfer-requested",
)

turns = Table(
    "turns",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("call_sid", Text, ForeignKey("calls.call_sid", ondelete="CASCADE"), nullable=False),
    Column("stream_sid", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("role", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("start_ms", Integer, nullable=False),
    Column("end_ms", Integer, nullable=False),
    Column("heard_ms", Integer),
    Column("interrupted", Boolean, nullable=False),
    Column("language", Text, nullable=False),
    Column("eot_ms", Float),
    Column("stt_ms", Float),
    Column("dialogue_ms", Float),
    Column("tts_ms", Float),
    Column("send_ms", Float),
    UniqueConstraint("call_sid", "stream_sid", "number"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),  # one job of a kind for each key
    Column("call_sid", Text, nullable=False),  # empty: no call's; a job may outlive its call
    Column("payload", JSON, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("due_at", UtcTime, nullable=False),
    Column("leased_until", UtcTime),
    Column("lease", Text, nullable=False, server_default=text("''")),
    Column("error", Text, nullable=False, server_default=text("''")),
    Column("created_at", UtcTime, nullable=False),
    Column("done_at", UtcTime),
    Column("line", Text, nullable=False, server_default=text("''")),  # done in order, if it is one
    UniqueConstraint("kind", "key"),
    Index(None, "state", "due_at"),
    Index(None, "call_sid"),
    Index(None, "kind", "state", "due_at"),
    Index(None, "line", "state", "id"),
)

_HEAD = and_(jobs.c.line != "", jobs.c.state.in_(("waiting", "running")))

Index("uq_jobs_line_head", jobs.c.line, unique=True, sqlite_where=_HEAD)

recordings = Table(
    "recordings",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("call_sid", Text, ForeignKey("calls.call_sid", ondelete="CASCADE"), nullable=False),
    Column("source", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("duration_ms", Integer),
    Column("channels", Integer),
    Column("sample_rate", Integer),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("call_sid", "source", "name"),
    Index(None, "created_at"),
)

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

batches = Table(
    "batches",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text),  # the idempotency key it was made with, if it was
    Column("fingerprint", Text, nullable=False),  # of what it was made of
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("calls_at_once", Integer, nullable=False),
    Column("calls_per_minute", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("columns", JSON, nullable=False),  # of its CSV, in their order
    Column("created_at", UtcTime, nullable=False),
    Column("done_at", UtcTime),
    UniqueConstraint("key"),
    Index(None, "created_at", "id"),
)

dials = Table(
    "dials",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text),  # its idempotency key, if it has one
    Column("fingerprint", Text, nullable=False),  # of what was asked under that key
    Column("batch_id", Text, ForeignKey("batches.id", ondelete="CASCADE")),
    Column("row", Integer),  # of the batch's CSV, from 1
    Column("number", Text, nullable=False),  # whom to call, E.164
    Column("request", JSON, nullable=False),  # how: template, caller, variables, policy
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("due_at", UtcTime, nullable=False),
    Column("give_up_at", UtcTime),  # while waiting: not called after; on a call: when it is over
    Column("leased_until", UtcTime),  # placed: the end of its call is looked at then
    Column("lease", Text, nullable=False, server_default=text("''")),
    Column("call_sid", Text),  # of the latest attempt, where it is known
    Column("outcome", Text),
    Column("error", Text, nullable=False, server_default=text("''")),
    Column("created_at", UtcTime, nullable=False),
    Column("done_at", UtcTime),
    UniqueConstraint("key"),
    UniqueConstraint("batch_id", "row"),
    Index(None, "state", "due_at"),
    Index(None, "batch_id", "state", "outcome", "attempts"),  # all of a batch's progress
    Index(None, "batch_id", "state", "due_at", "row"),  # whose turn it is
    Index(None, "state", "give_up_at"),
    Index(None, "call_sid"),
    Index(None, "created_at", "id"),
)
UNDER_WAY = ("claimed", "placing", "placed", "unsure")
"""States of a dial that may be ringing somebody's phone."""

Index(
    "uq_dials_number_under_way",
    dials.c.number,
    unique=True,
    sqlite_where=dials.c.state.in_(UNDER_WAY),
)

dial_attempts = Table(
    "dial_attempts",
    metadata,
    Column("dial_id", Text, ForeignKey("dials.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),  # 1: the first
    Column("asked_at", UtcTime, nullable=False),  # when Exotel was asked for the call
    Column("call_sid", Text),
    Column("ended_at", UtcTime),
    Column("outcome", Text),
    Column("error", Text, nullable=False, server_default=text("''")),
    UniqueConstraint("dial_id", "number"),
    Index(None, "asked_at"),
    Index(None, "call_sid"),
)

numbers = Table(
    "numbers",
    metadata,
    Column("number", Text, primary_key=True),  # E.164
    Column("template", Text),  # empty: known of the account, and served by nobody
    Column("name", Text, nullable=False, server_default=text("''")),
    Column("applet_app_id", Text, nullable=False, server_default=text("''")),
    Column("exophone_sid", Text, nullable=False, server_default=text("''")),
    Column("flow_url", Text, nullable=False, server_default=text("''")),
    Column("region", Text, nullable=False, server_default=text("''")),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("synced_at", UtcTime),
)

orders = Table(
    "orders",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("call_sid", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("data", JSON, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("taken_by", Text, nullable=False, server_default=text("''")),
    Column("answer", JSON),
    Index(None, "call_sid"),
    Index(None, "expires_at"),
)

visits = Table(
    "visits",
    metadata,
    Column("endpoint", Text, nullable=False),
    Column("number", Text, nullable=False),  # the ExoPhone; empty: not told
    Column("last_at", UtcTime, nullable=False),
    Column("last_status", Integer, nullable=False),
    Column("count", BigInteger, nullable=False, server_default=text("0")),
    UniqueConstraint("endpoint", "number"),
)
