"""What each call used of what providers bill."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SECONDS = ("stt_seconds", "heard_seconds", "spoken_seconds")
_COUNTS = ("tts_characters", "input_tokens", "output_tokens")


def upgrade() -> None:
    """Add the columns; of calls before this nothing is known, which is 0."""
    zero = sa.text("0")
    for name in _SECONDS:
        op.add_column("calls", sa.Column(name, sa.Float, nullable=False, server_default=zero))
    for name in _COUNTS:
        op.add_column("calls", sa.Column(name, sa.Integer, nullable=False, server_default=zero))


def downgrade() -> None:
    """Drop them."""
    with op.batch_alter_table("calls") as calls:
        for name in (*_SECONDS, *_COUNTS):
            calls.drop_column(name)
