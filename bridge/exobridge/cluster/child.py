"""A worker's process: ``python -m exobridge.cluster.child FD``, started by the supervisor alone."""

from __future__ import annotations

import asyncio
import socket
import sys

import structlog

from exobridge import log
from exobridge.app import create_app
from exobridge.cluster.member import Member
from exobridge.cluster.messages import BadFrameError, Failed, Start, encode, to_worker
from exobridge.cluster.ports import bound
from exobridge.errors import ExobridgeError
from exobridge.server import ServerLife, loop_factory
from exobridge.settings import Settings
from exobridge.store import check_store
from exobridge.templates import Templates, load_templates

START_SECONDS = 10.0
"""Longest wait for the supervisor's first message."""

CHUNK = 65_536


def main() -> None:
    """Serve as the supervisor says."""
    end = socket.socket(fileno=int(sys.argv[1]))
    end.settimeout(START_SECONDS)
    start = receive_start(end)
    settings = Settings.read(start.variables)
    log.configure(settings.log_format, settings.log_level, [*settings.secrets(), start.token_key])
    structlog.contextvars.bind_contextvars(worker=start.index)
    try:
        templates = load_templates(settings.templates_dir, settings)
        if start.lost is None:
            asyncio.run(check_store(settings.database_url.get_secret_value()))
        listening = bound(start.host, start.port)
    except (ExobridgeError, OSError) as error:
        end.sendall(encode(Failed(str(error))))
        sys.exit(1)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        status = runner.run(_serve(start, end, settings, templates, listening))
    sys.exit(status)


def receive_start(end: socket.socket) -> Start:
    """The first message.

    Raises:
        OSError: It does not come.
        BadFrameError: It is another.
    """
    frames = to_worker()
    while data := end.recv(CHUNK):
        for message in frames.feed(data):
            if isinstance(message, Start):
                return message
            raise BadFrameError("the first message is another")
    raise ConnectionError("the supervisor has gone")


async def _serve(
    start: Start,
    end: socket.socket,
    settings: Settings,
    templates: Templates,
    listening: socket.socket,
) -> int:
    member = Member(start, settings.max_calls)
    app = create_app(settings, templates, whole=member)
    life = ServerLife(app, settings, listening, member.up)
    await member.join(end)
    living = asyncio.create_task(member.tell_signs_of_life())
    try:
        return await life.run()
    finally:
        living.cancel()
        await asyncio.wait([living])
        member.leave()


if __name__ == "__main__":
    main()
