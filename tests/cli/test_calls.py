"""``exobridge calls``: what is kept, on the terminal and as JSON."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from exobridge.call import events
from exobridge.call.events import Decision, EndedBy, Role, Turn
from exobridge.call.routed import Routed
from exobridge.cli.main import app
from exobridge.store import Store
from tests.database import migrated
from tests.store.samples import at


def invoke(folder: Path, *arguments: str, **variables: str) -> Result:
    """Run the command in this process."""
    environment = {"EXOBRIDGE_DATA_DIR": str(folder), "COLUMNS": "200", **variables}
    return CliRunner().invoke(app, ["calls", *arguments], env=environment)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with two calls, in a working directory without ``.env``."""
    monkeypatch.chdir(tmp_path)
    asyncio.run(_fill(tmp_path))
    return tmp_path


async def _fill(folder: Path) -> None:
    migrated(folder / "exobridge.sqlite3")
    store = await Store.open(f"sqlite+aiosqlite:///{folder / 'exobridge.sqlite3'}")
    caller, called = "+919811122233", "+918047112233"
    for call_sid, when in (("first", 0.0), ("second [bold]", 60.0)):
        await store.append(
            events.answer(
                call_sid,
                at(when),
                decision=Decision.ACCEPT,
                template="shop",
                caller=caller,
                called=called,
                direction="incoming",
            )
        )
    await store.append(events.stream_started("first", at(1), stream_sid="s1"))
    said = [
        (Role.BOT, "Hello [red]there", False),
        (Role.CALLER, "हाँ", False),
        (Role.BOT, "We are", True),
    ]
    for number, (role, text, interrupted) in enumerate(said, start=1):
        start = number * 1000
        turn = Turn("first", "s1", number, role, text, start, start + 500)
        store.add_turn_soon(replace(turn, interrupted=interrupted))
    usage: dict[str, dict[str, events.JSON]] = {
        "stt": {"provider": "acme", "seconds": 2.5},
        "dialogue": {"provider": "acme", "input_tokens": 700, "output_tokens": 30},
    }
    end = events.stream_ended("first", at(9), stream_sid="s1", ended_by=EndedBy.CALLER, usage=usage)
    await store.append(end)
    await store.aclose()


def test_the_latest_calls_are_listed_newest_first(folder: Path) -> None:
    """With masked numbers; what Exotel or a caller sent is text, never markup."""
    result = invoke(folder)
    assert result.exit_code == 0
    newest, oldest = result.stdout.splitlines()
    assert "second [bold]" in newest
    assert newest.endswith("shop  answered")
    assert "first" in oldest
    assert oldest.endswith("shop  completed")
    assert "+91*******233 → +91*******233" in oldest
    assert "9811122233" not in result.stdout
    assert invoke(folder, "--limit", "1").stdout.splitlines() == [newest]


def test_one_call_is_shown_with_its_events_and_turns(folder: Path) -> None:
    """In order, interruptions marked."""
    result = invoke(folder, "first")
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines() if line]
    told = [" ".join(words[1:]) for words in lines if words[0].count(":") == 2]
    assert told == [
        "answer accept, shop, +91*******233, +91*******233",
        "stream-started",
        "stream-ended by caller",
    ]
    used = "used 2.5 s of audio to speech-to-text, 700 tokens in, 30 tokens out"
    assert used in result.stdout
    assert "used" not in invoke(folder, "second [bold]").stdout
    assert "Hello [red]there" in result.stdout
    assert "हाँ" in result.stdout
    assert result.stdout.rstrip().endswith("(interrupted)")
    assert "9811122233" not in result.stdout


async def _odd(folder: Path, call_sid: str) -> None:
    store = await Store.open(f"sqlite+aiosqlite:///{folder / 'exobridge.sqlite3'}")
    await store.append(events.stream_started(call_sid, at(70), stream_sid="s"))
    store.add_turn_soon(Turn(call_sid, "s", 1, Role.CALLER, f"one {call_sid}", 0, 100))
    await store.aclose()


def test_nothing_that_is_kept_is_obeyed_by_the_terminal(folder: Path) -> None:
    """A CallSid and words that would clear the screen, or pass for another line, are written
    out."""
    call_sid = "odd\x1b[2J\r\nthird\x9b31m"
    asyncio.run(_odd(folder, call_sid))
    for arguments in ((), (call_sid,)):
        result = invoke(folder, *arguments)
        assert result.exit_code == 0
        assert r"odd\x1b[2J\r\nthird\x9b31m" in result.stdout
        assert not set("\x1b\x9b\r") & set(result.stdout)


async def _hand_on(folder: Path) -> None:
    store = await Store.open(f"sqlite+aiosqlite:///{folder / 'exobridge.sqlite3'}")
    for call_sid, target in (("handed", "sales [bold]"), ("to a number", "+919811100011")):
        ask = events.transfer_requested(
            call_sid, at(61), stream_sid="s", utterance="u", target=target
        )
        numbers = ["+919811100011"]
        for event in (
            events.stream_started(call_sid, at(60), stream_sid="s"),
            ask,
            events.stream_ended(call_sid, at(62), stream_sid="s", ended_by=EndedBy.BOT),
            events.dial_asked(
                call_sid, at(63), transfer=ask.key, attempt=1, numbers=numbers, contract="json"
            ),
        ):
            await store.append(event)
    details = {"seconds": 42, "price": 0.4, "conversation_seconds": 0}
    await store.append(events.details("handed", at(200), status="completed", data=details))
    await store.aclose()


def test_a_transfer_is_shown_with_what_became_of_it(folder: Path) -> None:
    """Whom to, masked; how it stands; and what Exotel says of the call."""
    asyncio.run(_hand_on(folder))
    shown = invoke(folder, "handed").stdout
    assert shown.startswith("handed  ended  unanswered\n")
    assert "transfer to sales [bold]: failed, +91*******011, 1 attempts\n" in shown
    assert "Exotel says completed, 42 s, price 0.4\n" in shown
    shown = invoke(folder, "to a number").stdout
    assert shown.startswith("to a number  ended  transferred\n")
    assert "transfer to +91*******011: dialling, +91*******011, 1 attempts\n" in shown
    assert "Exotel says" not in shown
    assert "9811100011" not in shown
    one = json.loads(invoke(folder, "handed", "--json").stdout)
    assert (one["transfer"]["status"], one["transfer"]["target"]) == ("failed", "sales [bold]")
    assert one["transfer"]["number"] == "+919811100011"
    assert (one["exotel"]["status"], one["exotel"]["price"]) == ("completed", 0.4)
    other = json.loads(invoke(folder, "first", "--json").stdout)
    assert (other["transfer"], other["exotel"]) == (None, None)


async def _nobody_was_dialled(folder: Path) -> None:
    store = await Store.open(f"sqlite+aiosqlite:///{folder / 'exobridge.sqlite3'}")
    agent = "+919811100011"
    asked = events.transfer_requested("n", at(60), stream_sid="s", utterance="u", target="[sales]")
    told: dict[str, events.JSON] = {"dial_status": "busy", "dial_whom": "09811100011"}
    legs: list[events.CallEvent] = [
        events.answer(
            "n", at(59), decision=Decision.REFUSE, reason="routed", routed=Routed("shop", "vip")
        ),
        events.stream_format(
            "n", at(60), stream_sid="s", encoding="mulaw", sample_rate=8000, why="bit_rate"
        ),
        asked,
        events.dial_asked(
            "n", at(61), transfer=asked.key, attempt=1, numbers=[agent], contract="json"
        ),
        events.dial("n", at(62), event_type="Ringing", number=agent, status="busy"),
        events.passthru("n", at(63), {}, told=told),
        events.passthru(
            "n", at(63), {"a": "1"}, told={"stream": {"status": "failed", "error": "3009"}}
        ),
        events.dial_asked(
            "n", at(64), transfer=asked.key, attempt=2, numbers=[], contract="json", reason="closed"
        ),
        events.status("n", at(65), status="completed", event_type="terminal", data={"seconds": 9}),
        events.details("n", at(66), status="completed", data={"seconds": 9, "price": 0.4}),
        events.recording("n", at(67), source="own", name="s", duration_ms=1500, size=1),
    ]
    for event in legs:
        await store.append(event)
    await store.aclose()


def test_the_events_say_why_nobody_was_dialled(folder: Path) -> None:
    """Each in a few words: the decision, the status, the attempt, the reason; numbers masked."""
    asyncio.run(_nobody_was_dialled(folder))
    shown = invoke(folder, "n").stdout
    lines = [line.split() for line in shown.splitlines() if line]
    assert [" ".join(words[1:]) for words in lines if words[0].count(":") == 2] == [
        "answer refuse, routed, rule vip",
        "stream-format mulaw, 8000 Hz, bit_rate",
        "transfer-requested to [sales]",
        "dial-asked attempt 1, +91*******011",
        "dial Ringing, +91*******011, busy",
        "passthru dialled: busy, +91*******011",
        "passthru stream failed 3009",
        "dial-asked attempt 2, nobody, closed",
        "status completed, terminal, 9 s",
        "details completed, 9 s, price 0.4",
        "recording own, s, 1.5 s",
    ]
    assert "9811100011" not in shown


def test_json_is_complete_and_alone(folder: Path) -> None:
    """Numbers in full; one call with events and turns, or a list of calls."""
    one = json.loads(invoke(folder, "first", "--json").stdout)
    assert (one["caller"], one["outcome"], one["ended_by"]) == (
        "+919811122233",
        "completed",
        "caller",
    )
    assert one["usage"] == {
        "stt_seconds": 2.5,
        "tts_characters": 0,
        "input_tokens": 700,
        "output_tokens": 30,
        "heard_seconds": 0,
        "spoken_seconds": 0,
    }
    assert one["started_at"] == at(1).isoformat()
    assert [event["kind"] for event in one["events"]] == [
        "answer",
        "stream-started",
        "stream-ended",
    ]
    assert one["events"][2]["data"]["ended_by"] == "caller"
    assert [(turn["role"], turn["text"]) for turn in one["turns"]][1] == ("caller", "हाँ")
    listed = json.loads(invoke(folder, "--json").stdout)
    assert [call["call_sid"] for call in listed] == ["second [bold]", "first"]
    assert "events" not in listed[0]
    assert "facts" not in listed[0]


def test_a_call_that_is_not_known_is_1(folder: Path) -> None:
    """Said on the standard error."""
    for more in ((), ("--json",)):
        result = invoke(folder, "nobody", *more)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "no such call" in result.stderr


def test_no_calls_yet_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fresh data directory is made and says so; as JSON it is an empty list."""
    monkeypatch.chdir(tmp_path)
    assert invoke(tmp_path / "new").stdout == "No calls yet.\n"
    assert json.loads(invoke(tmp_path / "new", "--json").stdout) == []


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (["--limit", "0"], {}, "--limit"),
        (["--limit", "1001"], {}, "--limit"),
        ([], {"EXOBRIDGE_PORT": "x"}, "EXOBRIDGE_PORT"),
        ([], {"DATABASE_URL": "mysql://u:hush-hush@h/db"}, "DATABASE_URL"),
        ([], {"EXOBRIDGE_DATA_DIR": "/proc/nowhere"}, "cannot make the folder"),
    ],
)
def test_what_cannot_be_is_2(
    folder: Path, arguments: list[str], variables: dict[str, str], said: str
) -> None:
    """With the reason and without a password."""
    result = invoke(folder, *arguments, **variables)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert "hush-hush" not in result.stderr
