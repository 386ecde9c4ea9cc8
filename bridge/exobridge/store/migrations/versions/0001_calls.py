"""Calls, their events and their turns."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TIME = sa.DateTime(timezone=True)


def _calls() -> None:
    op.create_table(
        "calls",
        sa.Column("call_sid", sa.Text, nullable=False),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("called", sa.Text, nullable=False),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text),
        sa.Column("decision", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("custom_field", sa.Text, nullable=False),
        sa.Column("stream_sid", sa.Text, nullable=False),
        sa.Column("streams", sa.Integer, nullable=False),
        sa.Column("encoding", sa.Text, nullable=False),
        sa.Column("sample_rate", sa.Integer),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("answered_at", _TIME),
        sa.Column("started_at", _TIME),
        sa.Column("ended_at", _TIME),
        sa.Column("ended_by", sa.Text),
        sa.Column("end_reason", sa.Text, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("call_sid", name="pk_calls"),
    )
    op.create_index("ix_calls_created_at_call_sid", "calls", ["created_at", "call_sid"])
    op.create_index("ix_calls_state", "calls", ["state"])


def _call_events() -> None:
    op.create_table(
        "call_events",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("call_sid", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_call_events"),
        sa.ForeignKeyConstraint(
            ["call_sid"], ["calls.call_sid"], name="fk_call_events_call_sid", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("call_sid", "key", name="uq_call_events_call_sid_key"),
    )


def _turns() -> None:
    op.create_table(
        "turns",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("call_sid", sa.Text, nullable=False),
        sa.Column("stream_sid", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("start_ms", sa.Integer, nullable=False),
        sa.Column("end_ms", sa.Integer, nullable=False),
        sa.Column("heard_ms", sa.Integer),
        sa.Column("interrupted", sa.Boolean, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("eot_ms", sa.Float),
        sa.Column("stt_ms", sa.Float),
        sa.Column("dialogue_ms", sa.Float),
        sa.Column("tts_ms", sa.Float),
        sa.Column("send_ms", sa.Float),
        sa.PrimaryKeyConstraint("id", name="pk_turns"),
        sa.ForeignKeyConstraint(
            ["call_sid"], ["calls.call_sid"], name="fk_turns_call_sid", ondelete="CASCADE"
        ),
        sa.UniqueConstraint(
            "call_sid", "stream_sid", "number", name="uq_turns_call_sid_stream_sid_number"
        ),
    )


def upgrade() -> None:
    """Make the tables."""
    _calls()
    _call_events()
    _turns()


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("turns")
    op.drop_table("call_events")
    op.drop_table("calls")
