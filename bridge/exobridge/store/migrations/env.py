"""Run by Alembic: brings the database on the given connection up to date."""

from __future__ import annotations

from alembic import context

from exobridge.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
