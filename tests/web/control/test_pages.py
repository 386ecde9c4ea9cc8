"""What tells of the control API: the document, the page of it, and the reference."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from exobridge.call.state import Call
from exobridge.web.control.call_models import CallModel
from exobridge.web.control.reference import markdown
from tests.server import http_client, serving
from tests.simulator.browser import browser, needs_browser
from tests.web.control.api_page import PAGE, made
from tests.web.control.room import behind_the_door

PHONE = 360
"""Pixels."""


async def test_the_reference_is_made_of_the_operations(tmp_path: Path) -> None:
    """``make api-page`` makes it anew."""
    assert PAGE.read_text("utf-8") == await made(tmp_path), "run `make api-page`"


async def test_the_document_needs_no_key_and_names_what_does(tmp_path: Path) -> None:
    """Each operation has a name, a role and the problems that all have; each schema is there."""
    async with serving(tmp_path) as server, http_client(server.url) as client:
        answer = await client.get("/api/v1/openapi.json")
        page = await client.get("/api/v1/docs")
    assert (answer.status_code, page.status_code) == (200, 200)
    document = answer.json()
    operations = [told for room in document["paths"].values() for told in room.values()]
    assert len({told["operationId"] for told in operations}) == len(operations)
    for told in operations:
        assert told["x-role"] in ("viewer", "operator", "admin")
        assert {"400", "401", "403", "429", "503"} <= told["responses"].keys()
        assert f'id="{told["operationId"]}"' in page.text
        assert all(each["description"] for each in told["parameters"]), told["operationId"]
        assert f"### {told['summary']}" in markdown(document)
    refs = {part.split('"')[0] for part in answer.text.split('"#/components/schemas/')[1:]}
    assert refs == document["components"]["schemas"].keys()


@pytest.mark.parametrize("path", ["/api/v1/openapi.json", "/api/v1/docs"])
async def test_what_is_there_to_be_read_is_only_read(path: str) -> None:
    """Whatever else is asked of it is told so, as anywhere in the API."""
    async with behind_the_door([]) as client:
        assert (await client.head(path)).status_code == 200
        refused = await client.post(path)
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
    assert refused.json()["type"].endswith(":method-not-allowed")


@needs_browser
async def test_the_page_is_read_on_a_phone(tmp_path: Path) -> None:
    """Nothing is wider than the screen, nothing is fetched, and the style is let in."""
    async with (
        serving(tmp_path) as server,
        browser(tmp_path / "browser") as tab,
    ):
        await tab.open(f"{server.url}/api/v1/docs", PHONE)
        assert await tab.value("document.documentElement.scrollWidth") <= PHONE
        assert await tab.value(
            "getComputedStyle(document.querySelector('.method')).fontWeight"
        ) == ("700")
        ids = "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.hash.slice(1))"
        assert await tab.value(f"{ids}.filter(id => !document.getElementById(id))") == []
        assert await tab.value("document.querySelectorAll('section').length") > 10
        assert tab.heard("Log.entryAdded") == []
        asked = [each["request"]["url"] for each in tab.heard("Network.requestWillBeSent")]
        assert [url for url in asked if not url.endswith("favicon.ico")] == [
            f"{server.url}/api/v1/docs"
        ]


def test_all_of_a_call_is_told() -> None:
    """A field that the record has and the API has not was forgotten."""
    ours = {field.name for field in fields(Call)} - {"facts"}
    assert CallModel.model_fields.keys() == ours | {"dial_id"}


@pytest.mark.parametrize("path", ["openapi.json", "docs"])
async def test_whoever_asks_too_often_is_put_off(tmp_path: Path, path: str) -> None:
    """Open to all, and not without end."""
    async with serving(tmp_path, REQUEST_RATE="1") as server, http_client(server.url) as client:
        asked = [await client.get(f"/api/v1/{path}") for _ in range(5)]
    assert [answer.status_code for answer in asked].count(429) >= 2
