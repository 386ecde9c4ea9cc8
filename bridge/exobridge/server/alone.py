"""A server of one process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from exobridge.app import create_app
from exobridge.server.config import loop_factory
from exobridge.server.life import ServerLife
from exobridge.server.listening import listen
from exobridge.settings import Settings
from exobridge.store import check_store
from exobridge.templates import Templates


def serve_alone(settings: Settings, templates: Templates, greet: Callable[[int], None]) -> int:
    """Serve until a signal ends it.

    Args:
        greet: Told the port, before anything is served.

    Returns:
        The exit status.

    Raises:
        StoreError: The store cannot be used.
        ConfigError: The address cannot be listened on.
    """
    status = 0
    with asyncio.Runner(loop_factory=loop_factory()) as runner, suppress(KeyboardInterrupt):
        runner.run(check_store(settings.database_url.get_secret_value()))
        listening = listen(settings.host, settings.port)
        greet(listening.getsockname()[1])
        life = ServerLife(create_app(settings, templates), settings, listening)
        status = runner.run(life.run())
    return status
