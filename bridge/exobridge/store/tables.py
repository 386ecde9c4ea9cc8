"""The tables. ``call_events`` is the truth; ``calls`` is derived from it, for queries.

A change here needs a migration in ``migrations/versions``; a test compares the two.
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
    UniqueConstraint("kind", "key"),
    Index(None, "state", "due_at"),
    Index(None, "call_sid"),
)

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
