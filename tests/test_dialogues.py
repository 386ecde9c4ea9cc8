"""Whole calls with the dialogues that ask somebody else, each on a real socket."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from exobridge.call.events import EndedBy, Role
from exobridge.simulator import Say
from exobridge_providers.base import Action, HangUp, UserTurn
from exobridge_providers.dialogue.openai_request import LANGUAGE_NOW
from exobridge_providers.dialogue.python_session import Call
from exobridge_providers.testing.fake_chat import FakeChat, answer, call, ending, streamed, words
from exobridge_providers.testing.fake_http import FakeHttp, Reply
from tests.played import Scene, play
from tests.server import LINE, SHORT, bot

PART_S = 0.4 * SHORT.dialogue
ACTIONS = b'{"actions": [{"say": "You said one. Goodbye."}, {"hang_up": true}]}'


def template(provider: str, options: dict[str, Any]) -> str:
    """A template with this dialogue."""
    return bot(dialogue={"provider": provider, "options": options})


async def test_a_conversation_is_held_and_ended(tmp_path: Path) -> None:
    """By a model, an application, and a function; each hears the caller and hangs up. The model and
    its tool together take longer than the host waits for an action."""
    async with FakeChat().listening() as chat, FakeHttp().listening() as app:
        chat.script(
            streamed(*call("tell"), *ending("tool_calls", (4, 2)), delay_seconds=PART_S),
            streamed(
                *words("You said", " one."),
                *call("tell"),
                *ending("tool_calls", (6, 3)),
                delay_seconds=PART_S,
            ),
            streamed(*words("Goodbye."), *call("hang_up"), *ending("tool_calls", (20, 7))),
        )
        chat.replies["/tell"] = [Reply(parts=[b"told"], delay_seconds=PART_S), Reply()]
        app.replies["/turn"] = [Reply(parts=[b"{}"])] * 2 + [Reply(parts=[ACTIONS]), Reply()]
        tell = {"name": "tell", "description": "Tells.", "url": f"{chat.url}/tell"}
        function = {"handler": "tests.test_dialogues:goodbye"}
        played = await play(
            tmp_path,
            {
                "model": Scene(template("openai", {**chat.options, "tools": [tell]})),
                "application": Scene(template("webhook", {"url": f"{app.url}/turn"})),
                "function": Scene(template("python", function)),
            },
        )
    for name, one in played.items():
        bot_said = " ".join(turn.text for turn in one.turns if turn.role is Role.BOT)
        assert bot_said == "Hello there. You said one. Goodbye.", name
        assert one.call.ended_by is EndedBy.BOT, name
        assert not one.entries("provider failed"), name
        assert one.broken_rules == [], name
    told = [cast("dict[str, Any]", each.json()) for each in app.received]
    assert [each["event"] for each in told] == ["check", "start", "turn", "end"]
    assert told[2]["turn"]["text"] == "one"
    assert told[2]["turn"]["heard"] == "Hello there."
    assert [each["content"] for each in chat.messages(0)[1:]] == [
        "(The call begins.)",
        "Hello there.",
        "one",
    ]
    usage = played["model"].call.usage
    assert (usage.input_tokens, usage.output_tokens) == (30, 12)


async def goodbye(_: Call, turn: UserTurn) -> list[str | Action]:
    """The bot of the call above."""
    return [f"You said {turn.text}. Goodbye.", HangUp()]


async def test_a_model_takes_over_from_an_application(tmp_path: Path) -> None:
    """It knows what the caller heard and said before, and goes on with it."""
    async with FakeChat(answer("As I said.")).listening() as chat, FakeHttp().listening() as app:
        one = Reply(parts=[b'{"actions": [{"say": "You said one."}]}'])
        app.replies["/turn"] = [Reply(parts=[b"{}"])] * 2 + [one, Reply(500)]
        options = {"webhook": {"url": f"{app.url}/turn"}, "openai": chat.options}
        both = bot(
            dialogue={"provider": "webhook,openai", "options": options},
            stt={"options": {"script": ["one", "two"]}},
        )
        played = await play(tmp_path, {"both": Scene(both, script=(Say(LINE), Say(LINE)))})
    assert played["both"].said == [
        "Hello there.",
        "one",
        "You said one.",
        "two",
        "As I said.",
    ]
    [system, *talked] = chat.messages()
    assert LANGUAGE_NOW.format("en-IN") in system["content"]
    assert [each["content"] for each in talked] == [
        "(The call begins.)",
        "Hello there.",
        "one",
        "You said one.",
        "two",
    ]


async def test_a_dialogue_that_fails_ends_in_a_sorry_line(tmp_path: Path) -> None:
    """Nothing of what was said is logged."""
    async with FakeChat(answer("x")).listening() as chat, FakeHttp().listening() as app:
        chat.script(Reply(500))
        app.replies["/turn"] = [Reply(parts=[b"{}"])] * 2 + [Reply(parts=[b"one"])]
        played = await play(
            tmp_path,
            {
                "model": Scene(template("openai", chat.options)),
                "application": Scene(template("webhook", {"url": f"{app.url}/turn"})),
            },
        )
    for name, one in played.items():
        assert one.said[-1] == "We are sorry.", name
        assert one.call.ended_by is EndedBy.SERVER, name
        [failed] = one.entries("provider failed")
        assert failed["stage"] == "dialogue", name
