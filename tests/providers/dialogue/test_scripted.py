"""The scripted dialogue as a provider."""

from __future__ import annotations

from exobridge_providers.base import CallContext, CollectDigits, Say, UserTurn
from exobridge_providers.dialogue.script import Intent, ScriptedOptions
from exobridge_providers.dialogue.scripted import ScriptedDialogue

OPTIONS = ScriptedOptions(
    intents=(
        Intent(name="who", phrases=("who am i",), reply=("You are {caller}, calling {called}.",)),
        Intent(name="again", phrases=("repeat",), repeat=True),
    )
)


async def test_texts_know_the_call() -> None:
    """The host's wording of a number goes before the bare one."""
    context = CallContext(
        "call-1", caller="+919900000001", called="+918000000002", variables={"caller": "Asha"}
    )
    session = await ScriptedDialogue(OPTIONS).open(context)
    said = [action async for action in session.respond(UserTurn("Who am I?"))]
    assert said == [Say("You are Asha, calling +918000000002.")]
    await session.aclose()


def test_the_menu_may_be_in_the_greeting() -> None:
    """Which the host says: it is told how keys answer it."""
    menu = [Intent(name=f"i{key}", digits=key, reply=("Yes.",)) for key in "12"]
    assert ScriptedDialogue(ScriptedOptions(intents=tuple(menu))).greeting_keys == CollectDigits(1)
    assert ScriptedDialogue(OPTIONS).greeting_keys is None


async def test_calls_do_not_share_their_state() -> None:
    """Each repeats its own."""
    provider = ScriptedDialogue(OPTIONS)
    sessions = [await provider.open(CallContext(sid, greeting=f"Hello {sid}.")) for sid in "ab"]
    for session, sid in zip(sessions, "ab", strict=True):
        said = [action async for action in session.respond(UserTurn("repeat"))]
        assert said == [Say(f"Hello {sid}.")]
