"""Scripts on real sockets: bots that do what is expected, and bots that do not.

Calls take seconds of real time, so all are placed together; each test then looks at its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from exobridge.simulator import EndedBy, Exotel, Outcome
from exobridge.simulator.scripts import Audience, Result, Speech, load_script, run_script
from exobridge.simulator.speech import SpeechError
from tests.simulator.scripts.bots import LONG, Bot
from tests.simulator.servers import bot_server
from tests.simulator.tone_words import EARS, VOICE

HEAD = (
    "[call]\npatience_seconds = 1.5\nframe_ms = 40\nbot_done_ms = 300\n"
    f'[speech]\nvoice = "{VOICE}"\nears = "{EARS}"\n'
)
ASK = '[[step]]\nsay = "open?"\n'
GOES_ON = (
    f'{ASK}[[step]]\nsay = "ok"\nafter_ms = 400\n'
    f'expect = {{ goes_on = true, says = "{LONG}" }}\n'
    '[[step]]\nsay = "thanks"\nexpect.says = "bye"\n'
)
SILENT = (
    "[[step]]\nexpect.silent_for_ms = 1500\n"
    '[[step]]\nsay = "hmm"\nexpect.silent_for_ms = 1000\n'
    '[[step]]\nsay = "hello there"\nexpect.says = "we are open"\n'
)
HESITATES = (
    '[[step]]\nsay = "my number is"\nexpect.silent_for_ms = 600\n'
    '[[step]]\nsay = "forty one"\npause_ms = 600\nexpect.says = "bye"\n'
)


@dataclass(frozen=True, slots=True)
class Scene:
    """A call to be placed.

    Attributes:
        bot: Who answers it.
        text: The script, without its head.
        transcribe: As in ``Speech``.
        seed: As in ``run_script``.
        leave_s: When the caller is made to leave; ``None``: never.
    """

    bot: Bot
    text: str
    transcribe: bool = True
    seed: int | None = None
    leave_s: float | None = None


SCENES: Mapping[str, Scene] = {
    "good": Scene(
        Bot(("we are open from nine to five", "41", "bye"), leaves=True),
        '[[step]]\nexpect = { says = "hello", within_ms = 5000 }\n'
        '[[step]]\nsay = "open?"\nexpect = { says = "nine to five", within_ms = 5000 }\n'
        '[[step]]\npress = "1"\nexpect = { sends_keys = "41" }\n'
        '[[step]]\nsay = "thanks"\nexpect = { says = "bye", not_says = "open" }\n'
        '[expect]\nends = "bot"\nviolations = 0\n',
    ),
    "bad": Scene(
        Bot(("we are open to five",)),
        '[[step]]\nsay = "open?"\nexpect = { says = ["five", "six"], not_says = "are" }\n'
        '[[step]]\nsay = "what?"\nexpect = { says = "bye", within_ms = 500 }\n'
        '[expect]\nends = "bot"\n',
    ),
    "at a word": Scene(
        Bot((LONG, "it costs fifty")),
        '[[step]]\nsay = "open?"\nexpect = { says = "open from nine", not_says = "bye" }\n'
        '[[step]]\nsay = "stop now"\nafter_words = "from nine"\n'
        'expect = { silent_within_ms = 1500, says = "it costs" }\n',
    ),
    "not stopped": Scene(
        Bot((LONG, "bye"), stops=False),
        f'{ASK}[[step]]\nsay = "stop now"\nafter_ms = 400\nexpect.silent_within_ms = 300\n',
    ),
    "goes on": Scene(Bot((LONG, "bye"), deaf_to_ms=200), GOES_ON),
    "does not go on": Scene(Bot((LONG, "bye")), GOES_ON),
    "waits for the rest": Scene(Bot(("bye",), patience_ms=900), HESITATES),
    "does not wait": Scene(Bot((LONG, "bye")), HESITATES),
    "silent": Scene(Bot(("we are open",), deaf_to_ms=240, greeting=""), SILENT),
    "not silent": Scene(Bot(("we are open",)), SILENT),
    "hung up": Scene(
        Bot((LONG,)), f'{ASK}[[step]]\nhang_up = true\nafter_ms = 300\n[expect]\nends = "caller"\n'
    ),
    "made to leave": Scene(
        Bot(("bye",)),
        "[[step]]\nwait_seconds = 60\n[[step]]\nsay = 'x'\nexpect.says = 'bye'\n",
        leave_s=0.8,
    ),
    "deaf": Scene(Bot(), "[[step]]\nexpect.within_ms = 5000\n", transcribe=False),
    "seeded": Scene(Bot(("bye",)), ASK, seed=2),
}


async def place(folder: Path, scene: Scene, head: str = HEAD) -> Result:
    """Call a bot by its script."""
    path = folder / "script.toml"
    path.write_text(head + scene.text, "utf-8")
    script = load_script(path)
    leave = asyncio.Event()
    if scene.leave_s is not None:
        asyncio.get_running_loop().call_later(scene.leave_s, leave.set)
    async with (
        bot_server(scene.bot) as url,
        Exotel() as exotel,
        Speech(transcribe=scene.transcribe) as speech,
    ):
        call = script.call.model_copy(update={"url": url})
        return await run_script(
            script.model_copy(update={"call": call}),
            path,
            exotel=exotel,
            speech=speech,
            audience=Audience(lambda event: None, lambda said: None),
            seed=scene.seed,
            leave=leave,
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """What came of all of them."""
    found = await asyncio.gather(
        *(place(tmp_path_factory.mktemp("script"), scene) for scene in SCENES.values())
    )
    return dict(zip(SCENES, found, strict=True))


def failed(result: Result) -> list[tuple[int | None, str, str]]:
    """What did not hold: step, key, and what was found."""
    return [(each.step, each.key, each.found) for each in result.findings if not each.held]


def test_a_bot_that_does_what_is_expected_passes(results: dict[str, Result]) -> None:
    """Words, times, keys both ways, and who ends the call."""
    result = results["good"]
    assert failed(result) == []
    assert result.passed
    assert len(result.findings) == 9
    assert result.report.ended_by is EndedBy.BOT


def test_what_was_found_instead_is_told(results: dict[str, Result]) -> None:
    """Other words, a bot that stays, a line without an answer."""
    result = results["bad"]
    assert failed(result) == [
        (1, "says", '"we are open to five"'),
        (1, "not_says", '"we are open to five"'),
        (2, "says", "nothing was heard"),
        (2, "within_ms", "nothing was heard"),
        (None, "ends", "caller"),
    ]
    assert result.report.problems == ("line 2 of the caller got no answer",)
    assert not result.passed


def test_a_bot_is_interrupted_at_a_word(results: dict[str, Result]) -> None:
    """When the caller has heard it, and not much later: the rest is never said."""
    result = results["at a word"]
    assert failed(result) == []
    assert result.passed
    assert result.report.timeouts == ()
    assert len(result.report.barge_in_ms) == 1


def test_a_bot_that_talks_on_is_not_silent(results: dict[str, Result]) -> None:
    """An interruption that it does not heed is told with its time."""
    ((step, key, found),) = failed(results["not stopped"])
    assert (step, key) == (2, "silent_within_ms")
    assert float(found.removesuffix(" ms")) > 1500


def test_a_listening_word_does_not_stop_a_bot(results: dict[str, Result]) -> None:
    """A bot that goes on passes; its turn is read as one, and asks for no answer."""
    assert failed(results["goes on"]) == []
    assert results["goes on"].passed
    assert results["goes on"].report.barge_in_ms == ()
    found = {key: text for step, key, text in failed(results["does not go on"]) if step == 2}
    assert "interrupted" in found["goes_on"]


def test_a_caller_may_hesitate(results: dict[str, Result]) -> None:
    """The bot is to let them finish; one that begins meanwhile is spoken into."""
    result = results["waits for the rest"]
    assert failed(result) == []
    assert result.passed
    assert [turn.role for turn in result.report.turns] == ["bot", "caller", "caller", "bot"]
    first, second = result.report.turns[1:3]
    assert 600 <= second.start_ms - first.end_ms < 700
    found = [(step, key) for step, key, _ in failed(results["does not wait"])]
    assert found == [(1, "silent_for_ms")]
    assert results["does not wait"].report.problems == ()
    assert len(results["does not wait"].report.barge_in_ms) == 1


def test_a_bot_that_is_to_be_silent_is_listened_to(results: dict[str, Result]) -> None:
    """After a noise, and at the beginning; the caller then goes on."""
    assert failed(results["silent"]) == []
    assert results["silent"].passed
    found = [(step, key) for step, key, _ in failed(results["not silent"])]
    assert found[:2] == [(1, "silent_for_ms"), (2, "silent_for_ms")]


def test_hanging_up_in_the_middle_ends_the_call(results: dict[str, Result]) -> None:
    """The caller does it while the bot talks."""
    assert results["hung up"].passed
    assert results["hung up"].report.bot_turns[-1].heard_ms < 2500


def test_the_caller_can_be_made_to_leave(results: dict[str, Result]) -> None:
    """The call ends at once, and what there was is judged."""
    result = results["made to leave"]
    assert result.report.outcome is Outcome.COMPLETED
    assert result.report.duration_ms < 5000
    assert failed(result) == [(2, "says", "the call had ended")]


def test_a_script_without_words_needs_no_ears(results: dict[str, Result]) -> None:
    """It passes, and has a note."""
    assert results["deaf"].passed
    assert "not written down" in results["deaf"].report.notes[0]


def test_a_result_names_its_seed(results: dict[str, Result]) -> None:
    """With it the same caller can call again."""
    assert results["seeded"].passed
    assert results["seeded"].to_json()["seed"] == 2


async def test_words_that_nobody_can_hear_cannot_be_expected(tmp_path: Path) -> None:
    """Without transcription a script that needs it is refused; the cure is in the message."""
    scene = Scene(Bot(), "[[step]]\nexpect.says = 'hello'\n", transcribe=False)
    with pytest.raises(SpeechError, match="says, not_says and after_words need"):
        await place(tmp_path, scene)
    scene = Scene(Bot(), scene.text)
    with pytest.raises(SpeechError, match=r"pip install 'exobridge\[local\]'"):
        await place(tmp_path, scene, HEAD.replace(EARS, "no-such-provider"))
