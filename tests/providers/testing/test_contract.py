"""The contract suite finds what is wrong: each fault of the fakes, by the promise it breaks."""

from __future__ import annotations

import asyncio

import pytest

from exobridge_codecs.tones import tone
from exobridge_providers.base import Say, SttConfig, SttSession, Usage, UserTurn
from exobridge_providers.errors import ProviderError
from exobridge_providers.testing.contract import (
    check_dialogue,
    check_realtime,
    check_stt,
    check_tts,
    check_vad,
)
from exobridge_providers.testing.fakes import (
    FakeDialogue,
    FakeDialogueOptions,
    FakeRealtime,
    FakeRealtimeOptions,
    FakeStt,
    FakeSttOptions,
    FakeTts,
    FakeTtsOptions,
    FakeVad,
    FakeVadOptions,
)

HUM = tone(440, 600, 8000)
LIMIT_S = 0.3


@pytest.mark.parametrize(
    ("fault", "promise"),
    [
        ("hang", r"finalize\(\) is answered by a Final \(within 0.3 s\)"),
        ("die", "finalize.* the session died"),
        ("twice", "answered exactly once"),
        ("garbage", "a Partial comes only where interims or on_demand are declared"),
        ("no-peek", "speech that goes on gives a Partial when it is asked for"),
        ("trouble", "speech gives a text"),
    ],
)
async def test_a_broken_recogniser_is_found(fault: str, promise: str) -> None:
    """By the name of its promise."""
    options = {"otherwise": "hello", "fault": fault, "on_demand": fault == "no-peek"}
    provider = FakeStt(FakeSttOptions.model_validate(options))
    with pytest.raises(AssertionError, match=promise):
        await check_stt(provider, HUM, "en", limit_s=LIMIT_S)


async def test_interims_and_turn_ends_that_are_declared_are_fine() -> None:
    """A vendor that hears the end of the turn itself keeps the same promises."""
    options = FakeSttOptions(
        otherwise="hello there", continuous=True, interims=True, end_of_turn=True, silence_ms=60
    )
    assert await check_stt(FakeStt(options), HUM + bytes(3200), "en") == "hello there"


class Forgetful(FakeStt):
    """Leaves a task behind for each session. Unrealistic in that it does nothing else wrong."""

    async def open(self, config: SttConfig) -> SttSession:
        """As the fake, and begins a task that nobody ends."""
        self.left = asyncio.create_task(asyncio.sleep(3600))
        return await super().open(config)


async def test_a_task_left_behind_is_found() -> None:
    """After all sessions are closed."""
    provider = Forgetful(FakeSttOptions(otherwise="hello"))
    before = asyncio.all_tasks()
    with pytest.raises(AssertionError, match="leaves no task behind"):
        await check_stt(provider, HUM, "en")
    for task in asyncio.all_tasks() - before:
        task.cancel()


@pytest.mark.parametrize(
    ("fault", "promise"),
    [
        ("hang", r"'only' ends with a TtsDone \(within 0.3 s\)"),
        ("stall", "'only' ends with a TtsDone"),
        ("die", "the session died"),
        ("trouble", "a plain text is spoken; trouble"),
        ("odd", "audio comes in whole samples"),
    ],
)
async def test_a_broken_voice_is_found(fault: str, promise: str) -> None:
    """By the name of its promise."""
    options = FakeTtsOptions.model_validate({"ms_per_char": 10, "fault": fault})
    with pytest.raises(AssertionError, match=promise):
        await check_tts(FakeTts(options), "Good morning.", "en", limit_s=LIMIT_S)


async def test_late_audio_of_a_cancelled_utterance_is_allowed() -> None:
    """The host drops it by its id."""
    options = FakeTtsOptions(ms_per_char=10, pace=0.05, fault="late")
    assert await check_tts(FakeTts(options), "Good morning.", "en")


@pytest.mark.parametrize(
    ("fault", "promise"),
    [("fail", "sound audio does not fail"), ("mute", "on_voice reports all audio sent")],
)
async def test_a_broken_voice_detector_is_found(fault: str, promise: str) -> None:
    """By the name of its promise."""
    options = FakeVadOptions.model_validate({"fault": fault, "fault_at": 3})
    with pytest.raises(AssertionError, match=promise):
        await check_vad(FakeVad(options), HUM, 8000, limit_s=LIMIT_S)


@pytest.mark.parametrize(
    ("fault", "promise"),
    [("hang", "a turn's answer ends"), ("mute", "a turn is answered")],
)
async def test_a_broken_dialogue_is_found(fault: str, promise: str) -> None:
    """By the name of its promise."""
    options = FakeDialogueOptions.model_validate({"fault": fault})
    with pytest.raises(AssertionError, match=promise):
        await check_dialogue(FakeDialogue(options), [UserTurn("hello")], limit_s=LIMIT_S)


async def test_a_dialogue_may_give_signs_of_life() -> None:
    """Which are no answer, nor is white space one."""
    turns = [UserTurn("hello")]

    async def check(*texts: str) -> None:
        script = [[{"text": text} for text in texts]]
        options = FakeDialogueOptions.model_validate({"script": script})
        await check_dialogue(FakeDialogue(options), turns, limit_s=LIMIT_S)

    await check("", "Hello.", "")
    with pytest.raises(AssertionError, match="a turn is answered"):
        await check("", "")
    with pytest.raises(AssertionError, match="a Say has a text"):
        await check("Hello.", " ")


async def test_a_dialogue_may_tell_what_it_cost() -> None:
    """Which is no answer, and is never less than nothing."""
    turns = [UserTurn("hello")]
    usage = {"input_tokens": 7, "output_tokens": 3}
    good = FakeDialogueOptions.model_validate({"usage": usage})
    ((told, said),) = await check_dialogue(FakeDialogue(good), turns, limit_s=LIMIT_S)
    assert (told, said) == (Usage(7, 3), Say("You said: hello"))
    silent = FakeDialogueOptions.model_validate({"usage": usage, "script": [[]]})
    with pytest.raises(AssertionError, match="a turn is answered"):
        await check_dialogue(FakeDialogue(silent), turns, limit_s=LIMIT_S)
    wrong = FakeDialogueOptions.model_validate({"usage": {"output_tokens": -1}})
    with pytest.raises(AssertionError, match="0 or more"):
        await check_dialogue(FakeDialogue(wrong), turns, limit_s=LIMIT_S)


@pytest.mark.parametrize("fault", ["fail", "break"])
async def test_an_error_of_a_dialogue_reaches_the_author(fault: str) -> None:
    """It is the provider's own, so the check does not hide it."""
    options = FakeDialogueOptions.model_validate({"fault": fault})
    with pytest.raises(ProviderError):
        await check_dialogue(FakeDialogue(options), [UserTurn("hello")], limit_s=LIMIT_S)


@pytest.mark.parametrize(
    ("fault", "promise"),
    [("mute", "answered with audio"), ("late", "nothing is spoken after aclose")],
)
async def test_a_broken_conversation_is_found(fault: str, promise: str) -> None:
    """By the name of its promise."""
    options = FakeRealtimeOptions.model_validate({"fault": fault})
    with pytest.raises(AssertionError, match=promise):
        await check_realtime(FakeRealtime(options), HUM, 8000, limit_s=LIMIT_S)
