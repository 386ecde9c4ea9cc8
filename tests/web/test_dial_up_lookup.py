"""Whom the user's own system says to dial, asked by ``/exotel/dial-up``."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from exobridge_providers.dialogue.webhook_signature import signed
from exobridge_providers.testing.fake_http import FakeHttp, Reply
from tests.web.dialling import (
    ASHA,
    MEENA,
    RAVI,
    ask,
    dialling,
    hand_over,
    numbers,
    questions,
    transfer,
)


def looked_up(http: FakeHttp, **keys: Any) -> dict[str, str]:
    """Templates with one that asks this server whom to dial."""
    return transfer(lookup={"url": f"{http.url}/whom", **keys}, allow_numbers="listed")


def reply(answer: object, **how: Any) -> Reply:
    """What the user's own system answers."""
    return Reply(parts=[json.dumps(answer).encode()], **how)


UNDECIDED = 4
"""Of these, answers that leave the dialogue's target without having failed."""
ANSWERS: list[tuple[Reply, list[str]]] = [
    (reply({"target": "+14155552671"}), ["+14155552671"]),
    (reply({"target": ["09811122255", ASHA]}), [MEENA, ASHA]),
    (reply({"target": "support"}), [ASHA, RAVI, MEENA]),
    (reply({"target": None}), []),
    (reply({"target": []}), []),
    (reply({"target": ""}), [RAVI]),
    (reply({}), [RAVI]),
    (Reply(404), [RAVI]),
    # What fails leaves the dialogue's own target.
    (Reply(500), [RAVI]),
    (reply({"target": "nobody-knows"}), [RAVI]),
    (reply({"target": 7}), [RAVI]),
    (Reply(parts=[b"[["]), [RAVI]),
    (Reply(parts=[b'{"target": "' + b"9" * 17_000 + b'"}']), [RAVI]),
    (Reply(drop="head"), [RAVI]),
    # The fake frames a 204 wrongly, so its connection cannot be used again.
    (Reply(204), [RAVI]),
]


async def test_the_users_own_system_says_whom_to_dial(tmp_path: Path) -> None:
    """A name, numbers, nobody, or nothing; what fails leaves the dialogue's target."""
    async with (
        FakeHttp().listening() as system,
        dialling(tmp_path, looked_up(system, timeout_ms=4000)) as (server, http),
    ):
        for number, (answer, dialled) in enumerate(ANSWERS):
            system.replies["/whom"] = [answer]
            call_sid = f"c{number}"
            await hand_over(server, call_sid, target=RAVI, summary="Wants a refund.")
            before = await http.get(f"/exotel/dial-up/passthru?CallSid={call_sid}")
            assert before.status_code == 200
            answers = await asyncio.gather(*(ask(http, call_sid) for _ in range(5)))
            assert [numbers(each) for each in answers] == [dialled] * 5, answer
            assert len(await questions(server, call_sid)) == 1
        failed = server.log("transfer lookup failed")
        assert {each["template"] for each in failed} == {"default"}
        assert len(failed) == sum(dialled == [RAVI] for _, dialled in ANSWERS) - UNDECIDED


async def test_the_users_own_system_is_not_waited_for_longer_than_the_template_says(
    tmp_path: Path,
) -> None:
    """The dialogue's target is dialled, and the log says why."""
    async with (
        FakeHttp().listening() as system,
        dialling(tmp_path, looked_up(system, timeout_ms=100)) as (server, http),
    ):
        system.replies["/whom"] = [Reply(delay_seconds=60)]
        await hand_over(server, target=RAVI)
        assert numbers(await ask(http)) == [RAVI]
        assert server.log("transfer lookup failed", error="no answer within 100 ms")


async def test_the_users_own_system_is_told_who_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signed; asked once for an attempt, and told how the one before went."""
    monkeypatch.setenv("DIAL_SECRET", "a-key-to-sign-with")
    async with FakeHttp().listening() as system:
        system.replies["/whom"] = [reply({"target": [ASHA]}), reply({"target": [RAVI]})]
        own = looked_up(system, secret_env="DIAL_SECRET")
        async with dialling(tmp_path, own) as (server, http):
            await hand_over(server, target="support", summary="Wants a refund.")
            assert numbers(await ask(http)) == [ASHA]
            assert numbers(await ask(http)) == [ASHA]
        (asked,) = system.of("/whom")
        assert asked.json() == {
            "version": 1,
            "event": "dial",
            "call_sid": "c",
            "template": "default",
            "caller": "+919811100000",
            "called": "+918047112233",
            "custom_field": "",
            "target": "support",
            "summary": "Wants a refund.",
            "attempt": 1,
            "dial_status": "",
            "dialled": None,
        }
        sent = asked.headers
        proof = signed(
            b"a-key-to-sign-with", sent["webhook-id"], int(sent["webhook-timestamp"]), asked.body
        )
        assert sent["webhook-signature"] == proof["webhook-signature"]
