"""What the bridge itself says, in calls that change their language; in virtual time."""

from __future__ import annotations

from typing import Any

from exobridge.templates import Template
from exobridge_providers.base import TtsConfig, TtsSession
from exobridge_providers.errors import ProviderUnavailableError
from exobridge_providers.testing.fakes import FakeTts
from tests.virtual_call import Caller, Ran, Sound, run

FAKES = "exobridge_providers.testing.fakes"
ENGLISH = "Are you still there?"
HINDI = "क्या आप अभी भी लाइन पर हैं?"


class MonoglotTts(FakeTts):
    """A voice that breaks in any language but English, and does not say so before."""

    async def open(self, config: TtsConfig) -> TtsSession:
        if not config.language.startswith("en"):
            raise ProviderUnavailableError("no such voice", provider="monoglot")
        return await super().open(config)


def silent_call(tts: str = f"{FAKES}:FakeTts", **tables: Any) -> Ran:
    """The caller asks for Hindi and then says nothing more."""
    actions = [{"language": "hi-IN"}, {"text": "जी।"}]
    template: dict[str, Any] = {
        "greeting": "Hello.",
        "stt": {"provider": f"{FAKES}:FakeStt", "options": {"script": ["hindi please"]}},
        "tts": {"provider": tts, "options": {"ms_per_char": 20}},
        "vad": {"provider": f"{FAKES}:FakeVad"},
        "dialogue": {"provider": f"{FAKES}:FakeDialogue", "options": {"script": [actions]}},
        "limits": {"idle_seconds": 5},
        **tables,
    }
    caller = Caller((Sound(1000, 600),), hangs_up_ms=60_000)
    return run(Template.model_validate(template), caller)


def test_the_lines_follow_the_language_of_the_call() -> None:
    """Those that nobody wrote have words in it."""
    ran = silent_call()
    assert ran.said == ["Hello.", "hindi please", "जी।", HINDI, "धन्यवाद, नमस्ते।"]
    assert {turn.language for turn in ran.turns[2:]} == {"hi-IN"}


def test_a_template_has_words_of_its_own_for_each_language() -> None:
    """Those of its own language are not spoken in another."""
    ran = silent_call(texts={"idle": "Hello?", "hi": {"idle": "{call_sid}, सुन रहे हैं?"}})
    assert ran.said[3:] == [f"{'c' * 32}, सुन रहे हैं?", "धन्यवाद, नमस्ते।"]


def test_where_the_voice_does_not_follow_neither_do_the_lines() -> None:
    """They are said in the language of the voice."""
    ran = silent_call(f"{__name__}:MonoglotTts")
    assert ran.said[3:] == [ENGLISH, "Goodbye."]
    stages = {entry["stage"] for entry in ran.entries("language not switched")}
    assert stages == {"tts", "texts"}
