"""One port for many processes: each listens on a socket of its own, and the kernel deals out the
connections. Linux deals by a hash of both addresses; macOS gives nearly all to one process.

The supervisor does not listen. A socket that it passed on would outlive a dead worker, and with it
the connections that the kernel had dealt to that worker, which nobody would accept.
"""

from __future__ import annotations

import socket

from exobridge.errors import ConfigError


def reserve(host: str, port: int) -> socket.socket:
    """A socket that keeps the port for the workers, and listens to nothing.

    Args:
        port: 0: any free one.

    Raises:
        ConfigError: The address cannot be listened on.
    """
    try:
        if port:
            # Sharing a port with another server's workers would deal their calls to ours.
            bound(host, port, shared=False).close()
        return bound(host, port)
    except OSError as error:
        raise ConfigError(
            f"EXOBRIDGE_HOST {host}, EXOBRIDGE_PORT {port}",
            f"cannot be listened on ({error.strerror or error})",
            "Choose another address or port, or stop what uses it.",
        ) from error


def bound(host: str, port: int, *, shared: bool = True) -> socket.socket:
    """A bound socket.

    Args:
        shared: With others that say so, too.

    Raises:
        OSError: The address cannot be bound to.
    """
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    return made
