"""Who may read ``/metrics``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server import http_client, serving

TOKEN = "a-token-of-the-tests-0123456789"


async def status(url: str, **headers: str) -> int:
    """The status that a request with these headers gets, ``_`` for ``-``."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with http_client() as http:
        return (await http.get(f"{url}/metrics", headers=sent)).status_code


async def test_without_a_token_this_machine_alone_is_served(tmp_path: Path) -> None:
    """And nothing that a proxy passed on, or that names another host."""
    async with serving(tmp_path) as server:
        assert await status(server.url) == 200
        assert await status(server.url, host="localhost") == 200
        assert await status(server.url, host="bot.example.com") == 403
        assert await status(server.url, x_forwarded_for="127.0.0.1") == 403
        assert await status(server.url, via="1.1 tunnel") == 403
        assert await status(server.url, authorization=f"Bearer {TOKEN}") == 200


async def test_with_a_token_who_has_it_is_served(tmp_path: Path) -> None:
    """From anywhere; this machine needs it too, and the webhooks' secret is none."""
    secret = "the-secret-of-the-webhooks-0123"
    async with serving(tmp_path, METRICS_TOKEN=TOKEN, EXOBRIDGE_SECRET=secret) as server:
        assert await status(server.url, authorization=f"Bearer {TOKEN}") == 200
        assert await status(server.url, authorization=f"bearer  {TOKEN}") == 200
        far = {"host": "bot.example.com", "x_forwarded_for": "203.0.113.7"}
        assert await status(server.url, authorization=f"Bearer {TOKEN}", **far) == 200
        for wrong in ("", "Bearer", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN):
            assert await status(server.url, authorization=wrong) == 403, wrong
        assert await status(server.url, authorization=f"Bearer {secret}") == 403
        assert await status(server.url) == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_metrics_are_read_and_nothing_else(tmp_path: Path, method: str) -> None:
    """By GET and HEAD."""
    async with serving(tmp_path) as server, http_client() as http:
        assert (await http.request(method, f"{server.url}/metrics")).status_code == 405
