"""What HTTP answers hold. Pure."""

from __future__ import annotations

from typing import Any, cast

import httpx


def json_object(response: httpx.Response) -> dict[str, Any]:
    """The body as a JSON object; empty for everything else."""
    try:
        told: object = response.json()
    except ValueError:
        return {}
    return cast(dict[str, Any], told) if isinstance(told, dict) else {}


def live_calls(response: httpx.Response) -> int | None:
    """The calls that ``/health/live`` tells of; ``None``: this is no answer of exobridge."""
    told = json_object(response)
    if response.status_code != 200 or told.get("status") != "live":
        return None
    calls = told.get("calls")
    return calls if isinstance(calls, int) else None
