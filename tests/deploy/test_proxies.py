"""The proxies' files agree with the server; ``check_proxies`` runs them in front of one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.routing import Route, WebSocketRoute

from exobridge.app import create_app
from exobridge.settings import Settings
from exobridge.templates import load_templates
from exobridge.web.body import MAX_BODY
from tests.deploy.files import DEPLOY

NGINX = (DEPLOY / "nginx.conf").read_text("utf-8")
CADDY = (DEPLOY / "Caddyfile").read_text("utf-8")
SHOWN = {
    "nginx": rf"({re.findall(r'known>([^)]+)', NGINX)[0]})",
    "caddy": re.findall(r"uri regexp \^(\(.+\))\?\.\*\$ \$1", CADDY)[0],
}
"""What of a path each proxy's log shows."""


async def public(folder: Path) -> set[str]:
    """The paths that Exotel asks, without what stands for a secret."""
    settings = Settings.read(
        {"EXOBRIDGE_DATA_DIR": str(folder), "DIALOGUE_PROVIDER": "echo", "VAD_PROVIDER": "none"}
    )
    app = create_app(settings, load_templates(None, settings))
    async with app.router.lifespan_context(app):
        paths = {route.path for route in app.routes if isinstance(route, Route | WebSocketRoute)}
    exotel = {path.split("/{")[0] for path in paths if path.startswith("/exotel/")}
    return {*exotel, "/health/live"}


@pytest.mark.parametrize("proxy", SHOWN)
async def test_the_log_shows_every_public_path_and_no_more(proxy: str, tmp_path: Path) -> None:
    """An operator sees which endpoint was asked; what follows it is cut off."""
    assert set(SHOWN[proxy].strip("()").split("|")) == await public(tmp_path)


def test_the_proxies_pass_on_what_exotel_asks_and_nothing_else() -> None:
    """Metrics and readiness stay inside."""
    assert "@exotel path /exotel/* /health/live\n" in CADDY
    assert re.findall(r"location (.+) \{", NGINX) == ["~ ^/(exotel/.*|health/live)$", "/"]


def test_the_proxies_take_bodies_as_large_as_the_server() -> None:
    """A larger one ends at the edge, a smaller one is not refused there."""
    assert f"max_size {MAX_BODY // 1024}KiB" in CADDY
    assert f"client_max_body_size        {MAX_BODY // 1024}k;" in NGINX


def test_the_proxies_hold_a_stream_longer_than_exotel_does() -> None:
    """Exotel ends a stream after 3600 s."""
    (read,) = re.findall(r"proxy_read_timeout (\d+)s;", NGINX)
    (reload,) = re.findall(r"stream_close_delay (\d+)s", CADDY)
    assert min(int(read), int(reload)) > 3600
