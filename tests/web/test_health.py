"""``/health/live`` and ``/health/ready`` over real sockets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.peer import stream
from tests.server import Server, bot, http_client, serving, until


def faulty_stt(how: str, vendor: str = "") -> dict[str, str]:
    """A template whose speech-to-text does not start."""
    return {"default": bot(stt={"options": {"how": how, "otherwise": vendor}})}


async def get(server: Server, path: str) -> tuple[int, dict[str, Any]]:
    """Status and body."""
    async with http_client() as http:
        answer = await http.get(f"{server.url}{path}")
    return answer.status_code, answer.json()


async def test_a_server_that_can_take_calls_is_ready(tmp_path: Path) -> None:
    """Both are 200; ``live`` counts the calls under way. Nothing needs a secret."""
    async with serving(tmp_path, EXOBRIDGE_SECRET="a-secret-of-the-tests") as server:
        assert await get(server, "/health/ready") == (200, {"status": "ready", "problems": []})
        assert await get(server, "/health/live") == (200, {"status": "live", "calls": 0})
        async with stream(f"{server.stream_url}/a-secret-of-the-tests") as peer:
            await peer.start()
            await peer.next("media")
            assert await get(server, "/health/live") == (200, {"status": "live", "calls": 1})
            await peer.send(peer.writer.stop(""))
            await server.until_over(peer.call_sid)
        assert await get(server, "/health/live") == (200, {"status": "live", "calls": 0})


async def test_while_providers_start_it_is_live_and_not_ready(tmp_path: Path) -> None:
    """503 and the reason; and a shutdown does not wait for them."""
    templates = faulty_stt("hang-start")
    async with serving(tmp_path, templates, preloaded=False, STT_PROVIDER="faulty") as server:
        status, body = await get(server, "/health/ready")
        assert (status, body["problems"]) == (503, ["providers are starting"])
        assert (await get(server, "/health/live"))[0] == 200


async def test_a_provider_that_cannot_start_is_named(tmp_path: Path) -> None:
    """By its template and the kind of error; a plugin's own words may hold anything, so they are
    in the log's trace only."""
    async with serving(tmp_path, faulty_stt("crash-start"), STT_PROVIDER="faulty") as server:
        status, body = await get(server, "/health/ready")
        assert status == 503
        assert body["problems"] == ["template default: PluginBugError"]
        assert "hush-hush" in server.log("provider crashed")[0]["exception"]


async def test_applications_that_lack_something_are_named_each(tmp_path: Path) -> None:
    """By template and table, under a name of their own; the providers start all the same."""
    lacking = bot(
        lookup={"hook": "no_such_rules:look_up"},
        log={"url": "https://crm.example.com/calls", "secret_env": "NO_SUCH_SECRET"},
    )
    async with serving(tmp_path, {"default": lacking}) as server:
        _, body = await get(server, "/health/ready")
        hook, secret = body["problems"]
        assert hook.startswith("template default: [lookup] hook: no_such_rules:look_up could not")
        assert secret.startswith("template default: [log] the environment variable NO_SUCH_SECRET")
        told = {each["table"] for each in server.log("application unusable", template="default")}
        assert told == {"lookup", "log"}
        assert server.log("provider failed") == []
        started = {each["kind"] for each in server.log("provider started")}
        assert started == {"stt", "tts", "vad", "dialogue"}


def hindi(table: str, **languages: list[str]) -> dict[str, str]:
    """A template in Hindi; in a table stand the providers that know these languages."""
    options: dict[str, Any] = {name: {"languages": known} for name, known in languages.items()}
    if len(options) == 1:
        [options] = options.values()
    options = {"script": None, "ms_per_char": None, **options}
    own = {"provider": ",".join(languages), "options": options}
    return {"default": bot(language="hi-IN", **{table: own})}


@pytest.mark.parametrize("table", ["stt", "tts"])
async def test_a_provider_that_does_not_know_the_templates_language_is_named(
    table: str, tmp_path: Path
) -> None:
    """It would lose every call. Of several, the first is."""
    problem = f"template default: {table} fake does not know hi-IN, a language of default; "
    problem += f"choose another {table}.provider"
    for languages in ({"fake": ["en"]}, {"fake": ["en"], "spare": ["ta"]}):
        async with serving(tmp_path, hindi(table, **languages)) as server:
            assert await get(server, "/health/ready") == (
                503,
                {"status": "not ready", "problems": [problem]},
            )
            logged = server.log("provider failed")[0]["error"]
            assert f"template default: {logged}" == problem


@pytest.mark.parametrize("table", ["stt", "tts"])
async def test_one_of_several_that_knows_the_templates_language_is_enough(
    table: str, tmp_path: Path
) -> None:
    """The other is for calls that change theirs. Who names no languages knows any."""
    for languages in ({"fake": ["en"], "spare": ["hi"]}, {"fake": ["en"], "spare": []}):
        async with serving(tmp_path, hindi(table, **languages)) as server:
            assert (await get(server, "/health/ready"))[0] == 200
            assert server.log("provider failed") == []


async def test_a_trouble_that_passes_is_forgotten(tmp_path: Path) -> None:
    """Asked for its readiness, a server tries again what failed; and a call can be held."""
    templates = faulty_stt("crash-first-start", str(tmp_path))
    async with serving(tmp_path, templates, STT_PROVIDER="faulty") as server:
        assert (await get(server, "/health/ready"))[0] == 503

        async def is_ready() -> bool:
            return (await get(server, "/health/ready"))[0] == 200

        await until(is_ready)
        async with stream(server.stream_url) as peer:
            await peer.start()
            await peer.next("media")
            await peer.send(peer.writer.stop(""))
            await server.until_over(peer.call_sid)
        assert server.log("provider failed") == []


async def test_a_closed_store_is_not_ready(tmp_path: Path) -> None:
    """What cannot be recorded shall not be taken."""
    async with serving(tmp_path) as server:
        await server.bridge.store.aclose()
        status, body = await get(server, "/health/ready")
        assert status == 503
        assert body["problems"] == ["store: the store has been closed"]
