"""The socket that a server listens on."""

from __future__ import annotations

import socket

from exobridge.errors import ConfigError


def listen(host: str, port: int) -> socket.socket:
    """A bound socket, so that the port is known, and known to be free, before anything else.

    Raises:
        ConfigError: The address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise ConfigError(
            f"EXOBRIDGE_HOST {host}, EXOBRIDGE_PORT {port}",
            f"cannot be listened on ({error.strerror or error})",
            "Choose another address or port, or stop what uses it.",
        ) from error
    return listening
