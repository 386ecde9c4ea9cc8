"""Paths and methods that there are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server import http_client, serving


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("GET", "/", 404, "not-found"),
        ("POST", "/exotel/nothing", 404, "not-found"),
        ("PUT", "/exotel/answer", 405, "method-not-allowed"),
        ("POST", "/health/live", 405, "method-not-allowed"),
    ],
)
async def test_what_is_not_there_is_told_as_json(
    tmp_path: Path, method: str, path: str, status: int, error: str
) -> None:
    """With ``error`` and ``detail`` as everywhere; 405 names the methods that are known."""
    async with serving(tmp_path) as server, http_client(server.url) as http:
        answer = await http.request(method, path)
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert answer.json()["detail"]
        assert ("GET" in answer.headers.get("allow", "")) is (status == 405)
