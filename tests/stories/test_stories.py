"""The stories of ``docs/flows``, each by its one command: from the first question to the recording,
a call that is handed to a human, and its sad twins. They mostly wait, and so they run side by side.

Each takes two processes or more: those of the part that is run are told.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from exobridge.call.events import EventKind
from exobridge.call.state import Outcome, State
from exobridge.recordings.audio import inspect
from tests.sampling import part_of
from tests.stories.curl import curl
from tests.stories.told import FLOWS, Telling, Told, telling

SECOND = "+918041112244"
HURRIED = ("hand-over", "no-callback", "recording-late", "killed-server")
"""They wait for a recording, which a server looks for some seconds after the call, or minutes."""
PLACED = "placed-call"
LISTENING = ("--api", "127.0.0.1:0", "--listen", "--calls", "1")
AT_ONCE = 4

Stories = Mapping[str, Told | BaseException]


@pytest.fixture(scope="module")
def stories(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Stories:
    """Those that are told, by their names."""
    names = sorted(file.stem for file in FLOWS.glob("*.toml"))
    part = part_of(request.config)
    names = [name for name in names if part.holds(name)]
    return asyncio.run(_told(names, tmp_path_factory.mktemp("stories")))


async def _told(names: Sequence[str], folder: Path) -> Stories:
    places = asyncio.Semaphore(AT_ONCE)

    async def tell(name: str) -> Told:
        options = LISTENING if name == PLACED else ()
        hurry = name in HURRIED
        async with places, telling(folder / name, name, *options, hurry=hurry) as one:
            if name == PLACED:
                await _place(one)
            return await one.told()

    return dict(
        zip(names, await asyncio.gather(*map(tell, names), return_exceptions=True), strict=True)
    )


async def _place(one: Telling) -> None:
    """Ask the account for the call, as the file's comment says."""
    await one.shows("start_voice/926")
    url = re.search(r"waiting for POST (\S+)", one.text)
    assert url
    comment, _, _ = (FLOWS / f"{PLACED}.toml").read_text("utf-8").partition("\n\n[flow]")
    typed = comment.replace("\n#", "\n")
    shown = url[1]
    answer = await curl(typed[typed.index("curl") :], lambda _: shown)
    assert answer.status_code == 200, answer.text


def _of(stories: Stories, name: str) -> Told:
    if name not in stories:
        pytest.skip("it is told in another part")
    told = stories[name]
    if isinstance(told, BaseException):
        raise told
    return told


def _plays(told: Told) -> bool:
    """Whether the recording that is kept can be played, and is as long as the call."""
    assert told.recording is not None
    seconds: float = told.report["seconds"]
    return abs(inspect(told.recording).duration_ms - 1000 * seconds) < 100


def test_a_caller_is_handed_to_the_second_agent_and_the_recording_is_kept(
    stories: Stories,
) -> None:
    """The first agent is busy, the second hears who calls and talks; the callback ends the story,
    and the recording that Exotel has is fetched and can be played."""
    told = _of(stories, "hand-over")
    assert (told.call.state, told.call.outcome) == (State.ENDED, Outcome.TRANSFERRED)
    assert told.call.transfer is not None
    assert (told.call.transfer.status, told.call.transfer.number) == ("answered", SECOND)
    assert "Asked for: person" in told.report["dialled"][1]["whisper"]
    assert {EventKind.STATUS, EventKind.DIAL_ASKED, EventKind.RECORDING} <= set(told.kinds)
    assert _plays(told)


def test_nobody_answers_and_the_bot_goes_on_with_the_caller(stories: Stories) -> None:
    """The flow leads back to the bot, which knows what was said and that nobody could be had."""
    told = _of(stories, "nobody-answers")
    assert told.call.streams == 2
    assert told.call.outcome is Outcome.COMPLETED
    assert told.call.transfer is not None
    assert told.call.transfer.status == "failed"
    second = [turn.text for turn in told.turns if turn.stream_sid == told.call.stream_sid]
    assert second[0] == "Nobody is free now. What else can I do?"


def test_the_caller_hangs_up_while_an_agent_is_rung(stories: Stories) -> None:
    """The call is over, and the record says that nobody was reached."""
    told = _of(stories, "caller-leaves")
    assert told.call.state is State.ENDED
    assert told.call.outcome is not Outcome.TRANSFERRED
    assert told.call.transfer is not None
    assert told.call.transfer.status == "failed"


def test_the_callback_never_comes(stories: Stories) -> None:
    """Exotel's call details end the story, and lead to the recording."""
    told = _of(stories, "no-callback")
    assert told.call.outcome is Outcome.TRANSFERRED
    assert EventKind.STATUS not in told.kinds
    assert EventKind.DETAILS in told.kinds
    assert _plays(told)


def test_the_recording_is_late_and_refused_at_first(stories: Stories) -> None:
    """404 for a while, then 401, then it is there: it is asked for until it can be had."""
    assert _plays(_of(stories, "recording-late"))


def test_a_server_that_was_killed_fetches_the_recording_after_its_start(stories: Stories) -> None:
    """What the callback told is kept before it is answered: `kill -9` takes nothing of it."""
    told = _of(stories, "killed-server")
    killed = told.text.index("the server is killed after the callback")
    assert killed < told.text.index("it was started again") < told.text.index("has fetched the")
    assert _plays(told)


def test_the_text_contract_hands_the_caller_over_too(stories: Stories) -> None:
    """A Connect applet that wants plain text is answered with all numbers at once, each time."""
    told = _of(stories, "text-contract")
    assert told.call.outcome is Outcome.TRANSFERRED
    assert told.call.transfer is not None
    assert told.call.transfer.number == SECOND
    answered = [each.data for each in told.events if each.kind == EventKind.DIAL_ASKED]
    assert answered


def test_a_key_in_the_menu_leads_to_a_person(stories: Stories) -> None:
    """The server says the greeting, and names the applet that the key leads to."""
    told = _of(stories, "opening-menu")
    said = [entry["label"] for entry in told.report["timeline"] if entry["kind"] == "speech"]
    assert said[0] == "Welcome to Maple Street Books."
    assert told.call.streams == 0


def test_a_call_is_placed_by_the_api_of_the_account(stories: Stories) -> None:
    """The server knows who asked for it and what it is about."""
    told = _of(stories, PLACED)
    assert told.call.custom_field == "order 4711"
    assert told.call.direction == "outgoing"
    assert told.call.outcome is Outcome.COMPLETED
    assert "We are open from nine" in " ".join(turn.text for turn in told.turns)
