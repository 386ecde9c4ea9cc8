"""What is asked for in vain: a path that is not there, a method that a path does not know."""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

DETAILS = {
    HTTPStatus.NOT_FOUND: "there is nothing at this path",
    HTTPStatus.METHOD_NOT_ALLOWED: "the path does not know this method",
}


async def unserved(request: Request, error: Exception) -> Response:
    """The web framework's own refusals, in the form of ours."""
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    told = {
        "error": status.phrase.lower().replace(" ", "-"),
        "detail": DETAILS.get(status, "the request cannot be read"),
    }
    return JSONResponse(told, status, headers=error.headers)
