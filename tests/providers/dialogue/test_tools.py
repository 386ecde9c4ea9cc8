"""What a language model may call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any, get_args

import httpx
import msgspec
import pytest
from pydantic import ValidationError

from exobridge_providers import wire
from exobridge_providers.base import (
    CollectDigits,
    HangUp,
    SendDtmf,
    SetLanguage,
    Transfer,
)
from exobridge_providers.dialogue.actions import ACTIONS, ActionName
from exobridge_providers.dialogue.history import ToolCall
from exobridge_providers.dialogue.tools import Toolbox, described, goes_on
from exobridge_providers.dialogue.tools_http import HttpTool, ask
from exobridge_providers.testing.fake_http import FakeHttp, Reply
from tests.server import until

NAMES = get_args(ActionName)


@pytest.fixture
async def shop() -> AsyncGenerator[FakeHttp]:
    """The user's endpoints."""
    async with FakeHttp().listening() as server:
        yield server


@pytest.fixture
async def client() -> AsyncGenerator[httpx.AsyncClient]:
    """What asks them."""
    async with wire.new_client(1) as client:
        yield client


def tool(shop: FakeHttp, **options: Any) -> HttpTool:
    """A tool of the user's."""
    given = {"name": "order", "description": "Looks.", "url": f"{shop.url}/order", **options}
    return HttpTool.model_validate(given)


def error(result: str) -> str:
    """Why a tool failed, as the model reads it."""
    return msgspec.json.decode(result, type=dict[str, str])["error"]


# ------------------------------------------------------------------ actions of the call


def test_actions_describe_themselves() -> None:
    """With their ranges; whom to transfer to and what to speak are choices."""
    found = described(NAMES, (), ["sales"], ["en-IN", "hi-IN"])
    by_name = {each["function"]["name"]: each["function"] for each in found}
    assert list(by_name) == list(NAMES) == list(ACTIONS)
    target = by_name["transfer"]["parameters"]["properties"]["target"]
    assert target["enum"] == ["sales"]
    assert by_name["set_language"]["parameters"]["properties"]["language"]["enum"] == [
        "en-IN",
        "hi-IN",
    ]
    assert by_name["set_language"]["parameters"]["required"] == ["language"]
    digits = by_name["collect_digits"]["parameters"]["properties"]["max_digits"]
    assert (digits["minimum"], digits["maximum"]) == (1, 64)
    assert all(each["description"] for each in by_name.values())


def test_without_targets_there_is_none_to_choose() -> None:
    """The template's default is meant; a number that the caller names is never dialled."""
    (transfer,) = described(("transfer",), ())
    assert "target" not in transfer["function"]["parameters"]["properties"]


@pytest.mark.parametrize(
    ("name", "arguments", "action"),
    [
        (
            "transfer",
            '{"target": "sales", "summary": "wants a cake"}',
            Transfer("sales", "wants a cake"),
        ),
        ("transfer", "", Transfer()),
        ("hang_up", '{"reason": "done"}', HangUp("done")),
        ("send_dtmf", '{"digits": "12#"}', SendDtmf("12#")),
        ("collect_digits", '{"max_digits": 4, "terminator": ""}', CollectDigits(4, "", 5.0)),
        ("set_language", '{"language": "hi-IN"}', SetLanguage("hi-IN")),
    ],
)
async def test_a_call_becomes_an_action(
    name: str, arguments: str, action: object, client: httpx.AsyncClient
) -> None:
    """Left for the host; what is not carried out is not done."""
    toolbox = Toolbox(NAMES, (), {}, client, values={}, transfer_targets=["sales"])
    call = ToolCall("1", name, arguments)
    assert await toolbox.run([call]) == [(call, action)]
    assert "not done" in error(call.result)


@pytest.mark.parametrize(
    ("name", "arguments", "why"),
    [
        ("transfer", '{"target": "+911234567890"}', "nobody can be reached"),
        ("set_language", '{"language": "ta-IN"}', "not offered"),
        ("set_language", '{"language": "Tamil, please"}', "language: "),
        ("send_dtmf", '{"digits": "call me"}', "digits: "),
        ("collect_digits", '{"max_digits": 0}', "max_digits: "),
        ("collect_digits", '{"unheard_of": 0}', "unheard_of: "),
        ("hang_up", "{", "no JSON object"),
        ("hang_up", "[]", "no JSON object"),
        ("reboot", "{}", "no such tool"),
    ],
)
async def test_a_call_that_cannot_be_is_told_to_the_model(
    name: str, arguments: str, why: str, client: httpx.AsyncClient
) -> None:
    """It may try again."""
    toolbox = Toolbox(
        NAMES, (), {}, client, values={}, transfer_targets=["sales"], languages=["hi-IN"]
    )
    call = ToolCall("1", name, arguments)
    assert await toolbox.run([call]) == []
    assert why in error(call.result)


async def test_an_action_that_is_not_offered_cannot_be_called(client: httpx.AsyncClient) -> None:
    """Though a model may know of it."""
    call = ToolCall("1", "hang_up", "{}")
    assert await Toolbox(("transfer",), (), {}, client, values={}).run([call]) == []
    assert "no such tool" in error(call.result)


def test_after_keys_it_is_the_other_sides_turn() -> None:
    """After all else the model goes on."""
    one = [ToolCall("1", "x", "")]
    keys, digits = (one[0], SendDtmf("1")), (one[0], CollectDigits())
    assert not goes_on(one, [keys], said=False)
    assert not goes_on(one, [digits], said=True)
    assert goes_on(one, [digits], said=False)
    assert goes_on(one, [(one[0], SetLanguage("hi"))], said=True)
    assert goes_on([*one, *one], [keys], said=True)


# ------------------------------------------------------------------ the user's own


async def test_arguments_are_the_body(shop: FakeHttp, client: httpx.AsyncClient) -> None:
    """As JSON, with the tool's headers; the answer goes to the model as it is."""
    shop.replies["/order"] = [Reply(parts=[b'{"status": ', b'"shipped"}'])]
    result = await ask(client, tool(shop), {"id": 7, "name": "Ø"}, {"x-key": "k"})
    assert result == '{"status": "shipped"}'
    (request,) = shop.received
    assert (request.method, request.json()) == ("POST", {"id": 7, "name": "Ø"})
    assert request.headers["x-key"] == "k"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_arguments_are_the_query(
    method: str, shop: FakeHttp, client: httpx.AsyncClient
) -> None:
    """Of a method without a body; those of the path are not sent twice."""
    shop.replies["/order/a%2Fb%3F"] = [Reply()]
    found = tool(shop, url=f"{shop.url}/order/{{id}}?v=1", method=method)
    assert await ask(client, found, {"id": "a/b?", "deep": True}, {}) == '{"ok": true}'
    (request,) = shop.received
    assert (request.method, request.path) == (method, "/order/a%2Fb%3F?v=1&deep=true")


@pytest.mark.parametrize("value", ["", ".", "..", None])
async def test_an_argument_cannot_leave_its_place(
    value: object, shop: FakeHttp, client: httpx.AsyncClient
) -> None:
    """Nothing is asked without it."""
    found = tool(shop, url=f"{shop.url}/order/{{id}}", method="GET")
    assert error(await ask(client, found, {"id": value}, {})) == "id is missing"
    assert error(await ask(client, found, {}, {})) == "id is missing"
    assert not shop.received


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(status=500, parts=[b"oops"]), "status 500"),
        (Reply(status=302, headers={"location": "/elsewhere"}), "status 302"),
        (Reply(drop="head"), "cannot be reached"),
        (Reply(parts=[b"half"], drop="body"), "cannot be reached"),
        (Reply(delay_seconds=10), "no answer within 0.2 s"),
        (Reply(parts=[b"x", 10.0]), "no answer within 0.2 s"),
    ],
)
async def test_a_tool_that_fails_says_so(
    reply: Reply, why: str, shop: FakeHttp, client: httpx.AsyncClient
) -> None:
    """To the model, which can tell the caller. It is asked once."""
    shop.replies["/order"] = [reply]
    result = await ask(client, tool(shop, timeout_seconds=0.2), {}, {})
    assert why in error(result)
    assert len(shop.received) == 1


async def test_an_endpoint_that_is_not_there_says_so(client: httpx.AsyncClient) -> None:
    """As one that breaks off does."""
    found = HttpTool(name="x", description="x", url="http://127.0.0.1:1/")
    assert error(await ask(client, found, {}, {})) == "cannot be reached"


async def test_an_answer_is_cut_off(shop: FakeHttp, client: httpx.AsyncClient) -> None:
    """A model reads it all, and slowly; the rest is not even fetched."""
    shop.replies["/order"] = [Reply(for_ever="स".encode() * 100)]
    result = await ask(client, tool(shop, max_bytes=256), {}, {})
    assert result == "स" * 85 + " (cut off)"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"url": "http://shop.example/"}, "is not https"),
        ({"url": "ftp://shop.example/"}, "is no URL"),
        ({"url": "https://user:key@shop.example/"}, "holds credentials"),
        ({"url": "https://{host}/order"}, "host cannot be an argument"),
        ({"parameters": {"type": "array"}}, "no schema of type object"),
        ({"name": "two words"}, "should match pattern"),
        ({"method": "CONNECT"}, "Input should be"),
        ({"timeout_seconds": 60}, "less than or equal to 10"),
    ],
)
def test_a_tool_that_cannot_work_is_refused(options: Mapping[str, Any], why: str) -> None:
    """At the start, not in a call."""
    given = {"name": "x", "description": "x", "url": "https://shop.example/", **options}
    with pytest.raises(ValidationError, match=why):
        HttpTool.model_validate(given)


def test_http_is_for_networks_of_ones_own() -> None:
    """If the template says so."""
    given = {"name": "x", "description": "x", "url": "http://shop.internal/", "allow_http": True}
    assert HttpTool.model_validate(given).described() == {"type": "object", "properties": {}}


async def test_tools_run_side_by_side(shop: FakeHttp, client: httpx.AsyncClient) -> None:
    """The second is asked before the first has answered."""
    first, second = tool(shop, name="one"), tool(shop, name="two", url=f"{shop.url}/two")
    shop.replies = {"/order": [Reply(parts=[b"1", 0.3])], "/two": [Reply(parts=[b"2", 0.3])]}
    toolbox = Toolbox((), (first, second), {"one": {}, "two": {}}, client, values={})
    calls = [ToolCall("1", "one", "{}"), ToolCall("2", "two", "{}")]
    running = asyncio.create_task(toolbox.run(calls))
    await until(lambda: len(shop.received) == 2)
    assert not running.done()
    assert await running == []
    assert [call.result for call in calls] == ["1", "2"]
    assert all(call.done for call in calls)


async def test_a_tool_at_work_is_not_stopped(shop: FakeHttp, client: httpx.AsyncClient) -> None:
    """Half a booking helps nobody; the next turn waits and knows what it did."""
    shop.replies["/order"] = [Reply(parts=[0.1, b"booked"])]
    toolbox = Toolbox((), (tool(shop),), {"order": {}}, client, values={})
    call = ToolCall("1", "order", "{}")
    running = asyncio.create_task(toolbox.run([call]))
    await until(lambda: len(shop.received) == 1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert "nobody knows" in error(call.result)
    await toolbox.idle()
    assert call.result == "booked"


async def test_the_end_of_a_call_stops_its_tools(shop: FakeHttp, client: httpx.AsyncClient) -> None:
    """No task and no connection is left."""
    shop.replies["/order"] = [Reply(delay_seconds=60)]
    toolbox = Toolbox((), (tool(shop, timeout_seconds=10),), {"order": {}}, client, values={})
    running = asyncio.create_task(toolbox.run([ToolCall("1", "order", "{}")]))
    await until(lambda: len(shop.received) == 1)
    running.cancel()
    await asyncio.wait([running])
    await toolbox.aclose()
    await asyncio.wait_for(shop.gone.wait(), 2)
    assert shop.open_connections == 0
