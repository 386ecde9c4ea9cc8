"""Work that must not be lost, recordings, and counters that calls share."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    _make_jobs()
    _make_recordings()
    op.create_table(
        "counters",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_counters"),
    )


def _make_jobs() -> None:
    nothing = sa.text("''")
    op.create_table(
        "jobs",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("call_sid", sa.Text, nullable=False),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("leased_until", _TIME),
        sa.Column("lease", sa.Text, nullable=False, server_default=nothing),
        sa.Column("error", sa.Text, nullable=False, server_default=nothing),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("done_at", _TIME),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.UniqueConstraint("kind", "key", name="uq_jobs_kind_key"),
    )
    op.create_index("ix_jobs_state_due_at", "jobs", ["state", "due_at"])
    op.create_index("ix_jobs_call_sid", "jobs", ["call_sid"])


def _make_recordings() -> None:
    op.create_table(
        "recordings",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("call_sid", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("duration_ms", sa.Integer),
        sa.Column("channels", sa.Integer),
        sa.Column("sample_rate", sa.Integer),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_recordings"),
        sa.ForeignKeyConstraint(
            ["call_sid"],
            ["calls.call_sid"],
            name="fk_recordings_call_sid",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint(
            "call_sid", "source", "name", name="uq_recordings_call_sid_source_name"
        ),
    )
    op.create_index("ix_recordings_created_at", "recordings", ["created_at"])


def downgrade() -> None:
    """Drop them, and what they hold."""
    for table in ("counters", "recordings", "jobs"):
        op.drop_table(table)
