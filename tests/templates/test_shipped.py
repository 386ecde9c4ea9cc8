"""The templates that come with the package."""

from __future__ import annotations

import re
import tomllib
from importlib import resources

import pytest

from exobridge.numbers import NumberBook
from exobridge.settings import Settings
from exobridge.templates import (
    Template,
    Templates,
    load_templates,
)
from exobridge_providers.base import CallContext, DialogueProvider, HangUp, Say, Transfer, UserTurn
from exobridge_providers.registry import Kind, create

SHIPPED = ("default", "demo")


@pytest.fixture(scope="module")
def shipped() -> Templates:
    """Both templates, held to the providers as if numbers pointed at both."""
    numbers = NumberBook.parse("8047112233=default,8047112244=demo")
    return load_templates(None, Settings(numbers=numbers))


@pytest.mark.parametrize("name", SHIPPED)
def test_no_numeral_stands_in_a_shipped_text(name: str) -> None:
    """Voices read figures in their own ways: what is spoken is written in words."""
    tables = tomllib.loads(
        resources.files("exobridge.templates").joinpath(f"{name}.toml").read_text("utf-8")
    )
    script = tables["dialogue"]["options"]
    spoken = [tables["greeting"], *script["fallback"]]
    for intent in script["intents"]:
        spoken += [intent.get("reply", "")]
        spoken += [slot["ask"] for slot in intent.get("slots", [])]
    assert not [text for text in spoken if re.search(r"[0-9]", text)]


async def answer(template: Template, *said: str) -> list[object]:
    """What the template's dialogue does in the last of these turns."""
    dialogue = create(Kind.DIALOGUE, template.dialogue.provider, template.dialogue.options)
    assert isinstance(dialogue, DialogueProvider)
    await dialogue.start()
    session = await dialogue.open(CallContext("C1", greeting=template.greeting))
    actions: list[object] = []
    for text in said:
        actions = [action async for action in session.respond(UserTurn(text=text))]
    await session.aclose()
    await dialogue.aclose()
    return actions


@pytest.mark.parametrize("name", SHIPPED)
async def test_the_shipped_bots_transfer_and_hang_up(name: str, shipped: Templates) -> None:
    """Both hand a caller to a human when asked, and take leave when told goodbye."""
    said, done = await answer(shipped[name], "I want to speak to someone, please.")
    assert isinstance(said, Say)
    assert isinstance(done, Transfer)
    assert done.summary
    said, done = await answer(shipped[name], "No thank you, goodbye.")
    assert isinstance(said, Say)
    assert isinstance(done, HangUp)
    *_, said = await answer(shipped[name], "Blue fish fly on Tuesdays.")
    assert isinstance(said, Say)


async def test_the_demo_looks_up_an_order_by_its_spoken_number(shipped: Templates) -> None:
    """The shop asks for four digits and answers with them; it tells hours and a price."""
    *_, said = await answer(shipped["demo"], "Where is my order?", "One two three four.")
    assert isinstance(said, Say)
    assert "tomorrow" in said.text
    assert re.sub(r"[^0-9]", "", said.text) == "1234"
    *_, said = await answer(shipped["demo"], "What time do you open?")
    assert isinstance(said, Say)
    assert 20 <= len(said.text.split()) <= 35, "long enough to be interrupted"
    *_, said = await answer(shipped["demo"], "How much is the gift box?")
    assert isinstance(said, Say)
    assert "rupees" in said.text
