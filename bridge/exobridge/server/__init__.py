"""The life of one server process: it starts, serves, reloads its templates, drains, and ends."""

from __future__ import annotations

from exobridge.server.config import loop_factory, server_config
from exobridge.server.life import ServerLife
from exobridge.server.listening import listen

__all__ = ["ServerLife", "listen", "loop_factory", "server_config"]
