"""Calls that we place, batches of them, numbers, orders to calls, visits, and lines of jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TIME = sa.DateTime(timezone=True)
_NOTHING = sa.text("''")
_ZERO = sa.text("0")
_HEAD = "line != '' AND state IN ('waiting', 'running')"
_UNDER_WAY = "state IN ('claimed', 'placing', 'placed', 'unsure')"


def upgrade() -> None:
    """Make the tables."""
    _make_batches()
    _make_dials()
    _make_attempts()
    _make_numbers()
    _make_orders()
    _make_visits()
    _make_lists()
    op.add_column("jobs", sa.Column("line", sa.Text, nullable=False, server_default=_NOTHING))
    op.create_index("ix_jobs_kind_state_due_at", "jobs", ["kind", "state", "due_at"])
    op.create_index("ix_jobs_line_state_id", "jobs", ["line", "state", "id"])
    head = sa.text(_HEAD)
    op.create_index(
        "uq_jobs_line_head",
        "jobs",
        ["line"],
        unique=True,
        sqlite_where=head,
        postgresql_where=head,
    )


_LED_BY = ("caller", "called", "template", "direction", "outcome")
_TRANSFERS = "kind = 'transfer-requested'"


def _make_lists() -> None:
    for column in _LED_BY:
        columns = [column, "created_at", "call_sid"]
        op.create_index(f"ix_calls_{'_'.join(columns)}", "calls", columns)
    op.create_index(
        "ix_call_events_transfers",
        "call_events",
        ["id"],
        sqlite_where=sa.text(_TRANSFERS),
        postgresql_where=sa.text(_TRANSFERS),
    )


def _make_batches() -> None:
    op.create_table(
        "batches",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("calls_at_once", sa.Integer, nullable=False),
        sa.Column("calls_per_minute", sa.Integer, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("columns", sa.JSON, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("done_at", _TIME),
        sa.PrimaryKeyConstraint("id", name="pk_batches"),
        sa.UniqueConstraint("key", name="uq_batches_key"),
    )
    op.create_index("ix_batches_created_at_id", "batches", ["created_at", "id"])


def _make_dials() -> None:
    op.create_table(
        "dials",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("batch_id", sa.Text),
        sa.Column("row", sa.Integer),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=_ZERO),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("give_up_at", _TIME),
        sa.Column("leased_until", _TIME),
        sa.Column("lease", sa.Text, nullable=False, server_default=_NOTHING),
        sa.Column("call_sid", sa.Text),
        sa.Column("outcome", sa.Text),
        sa.Column("error", sa.Text, nullable=False, server_default=_NOTHING),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("done_at", _TIME),
        sa.PrimaryKeyConstraint("id", name="pk_dials"),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batches.id"], name="fk_dials_batch_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("key", name="uq_dials_key"),
        sa.UniqueConstraint("batch_id", "row", name="uq_dials_batch_id_row"),
    )
    op.create_index("ix_dials_state_due_at", "dials", ["state", "due_at"])
    op.create_index(
        "ix_dials_batch_id_state_outcome_attempts",
        "dials",
        ["batch_id", "state", "outcome", "attempts"],
    )
    op.create_index(
        "ix_dials_batch_id_state_due_at_row", "dials", ["batch_id", "state", "due_at", "row"]
    )
    op.create_index("ix_dials_state_give_up_at", "dials", ["state", "give_up_at"])
    op.create_index("ix_dials_call_sid", "dials", ["call_sid"])
    op.create_index("ix_dials_created_at_id", "dials", ["created_at", "id"])
    op.create_index(
        "uq_dials_number_under_way",
        "dials",
        ["number"],
        unique=True,
        sqlite_where=sa.text(_UNDER_WAY),
        postgresql_where=sa.text(_UNDER_WAY),
    )


def _make_attempts() -> None:
    op.create_table(
        "dial_attempts",
        sa.Column("dial_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("asked_at", _TIME, nullable=False),
        sa.Column("call_sid", sa.Text),
        sa.Column("ended_at", _TIME),
        sa.Column("outcome", sa.Text),
        sa.Column("error", sa.Text, nullable=False, server_default=_NOTHING),
        sa.ForeignKeyConstraint(
            ["dial_id"], ["dials.id"], name="fk_dial_attempts_dial_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("dial_id", "number", name="uq_dial_attempts_dial_id_number"),
    )
    op.create_index("ix_dial_attempts_asked_at", "dial_attempts", ["asked_at"])
    op.create_index("ix_dial_attempts_call_sid", "dial_attempts", ["call_sid"])


def _make_numbers() -> None:
    op.create_table(
        "numbers",
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("template", sa.Text),
        sa.Column("name", sa.Text, nullable=False, server_default=_NOTHING),
        sa.Column("applet_app_id", sa.Text, nullable=False, server_default=_NOTHING),
        sa.Column("exophone_sid", sa.Text, nullable=False, server_default=_NOTHING),
        sa.Column("flow_url", sa.Text, nullable=False, server_default=_NOTHING),
        sa.Column("region", sa.Text, nullable=False, server_default=_NOTHING),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.Column("synced_at", _TIME),
        sa.PrimaryKeyConstraint("number", name="pk_numbers"),
    )


def _make_orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("call_sid", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("taken_by", sa.Text, nullable=False, server_default=_NOTHING),
        sa.Column("answer", sa.JSON),
        sa.PrimaryKeyConstraint("id", name="pk_orders"),
    )
    op.create_index("ix_orders_call_sid", "orders", ["call_sid"])
    op.create_index("ix_orders_expires_at", "orders", ["expires_at"])


def _make_visits() -> None:
    op.create_table(
        "visits",
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("last_at", _TIME, nullable=False),
        sa.Column("last_status", sa.Integer, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False, server_default=_ZERO),
        sa.UniqueConstraint("endpoint", "number", name="uq_visits_endpoint_number"),
    )


def downgrade() -> None:
    """Drop them, and what they hold."""
    op.drop_index("ix_call_events_transfers", "call_events")
    for column in _LED_BY:
        op.drop_index(f"ix_calls_{column}_created_at_call_sid", "calls")
    for index in ("uq_jobs_line_head", "ix_jobs_line_state_id", "ix_jobs_kind_state_due_at"):
        op.drop_index(index, "jobs")
    op.drop_column("jobs", "line")
    for table in ("visits", "orders", "numbers", "dial_attempts", "dials", "batches"):
        op.drop_table(table)
