"""A fault at every call of every provider's contract, one by one, in virtual time: the call goes on
or ends cleanly, its record is whole, and nothing is left.

The calls are taken from the contract itself: one that is added is tried here without more ado, and
fails the test until a caller of the script below brings it about.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest

from exobridge.call.events import EndedBy, EventKind, Role
from exobridge.call.state import Outcome
from exobridge.provider_names import NO_VAD
from exobridge.templates import Template
from exobridge_providers import denoise
from exobridge_providers.registry import Kind
from tests.broken import WAYS, Fault, PluginBugError, calls, events
from tests.virtual_call import Caller, Ran, Sound, run

SORRY = "We are sorry."
LONG = "This is a long answer of the bot, which takes its time to come to its end."

CALLER = Caller((Sound(1500, 300), Sound(3500, 1200), Sound(6500, 1200)))
"""Speaks, and speaks into the answer, twice."""

MODULE = "exobridge_providers.testing.fakes"
FAKES: dict[str, dict[str, Any]] = {
    "stt": {
        "provider": f"{MODULE}:FakeStt",
        "options": {"script": ["one", "two words", "three words"], "on_demand": True},
    },
    "tts": {"provider": f"{MODULE}:FakeTts", "options": {"ms_per_char": 60, "pace": 1}},
    "vad": {"provider": f"{MODULE}:FakeVad", "options": {}},
    "dialogue": {
        "provider": f"{MODULE}:FakeDialogue",
        "options": {"script": [[{"text": LONG}, {"text": "That is it."}]] * 2},
    },
    "realtime": {"provider": f"{MODULE}:FakeRealtime", "options": {}},
}
MIDDLE = {"session.send": 60, "session.hear": 60}
"""Calls that go well before the fault in the middle of a call; of all others, one does."""
ONCE = {"session.aclose", "session.close", "callback.on_failure"}
"""Calls that are made once."""


@dataclass(frozen=True, slots=True)
class Case:
    """One fault in one call.

    Attributes:
        event: What is malformed.
        after: So many calls go well before.
        spare: Another provider stands in the list.
        in_prompts: Of text-to-speech: its rendered lines go wrong as well.
    """

    kind: Kind
    at: str
    how: str
    event: str = ""
    after: int = 0
    spare: bool = False
    in_prompts: bool = False

    @property
    def name(self) -> str:
        """For the test's name."""
        more = [self.event] if self.event else []
        more += [f"after-{self.after}"] if self.after else []
        more += ["spare"] if self.spare else []
        more += ["prompts"] if self.in_prompts else []
        return "-".join((str(self.kind), self.at, self.how, *more))

    def template(self) -> Template:
        """A bot with this fault."""
        stage = str(self.kind)
        healthy = FAKES[stage]
        name = f"tests.broken:Broken{stage.capitalize()}"
        fault = {key: getattr(self, key) for key in ("at", "how", "event", "after", "in_prompts")}
        options: dict[str, Any] = {**healthy["options"], **fault, "case": self.name}
        if self.at == "callback.on_failure":  # the fake has to have something to report
            options |= {"fault": "fail", "fault_at": 60}
        table: dict[str, Any] = {"provider": name, "options": options}
        if self.spare:
            table["provider"] = f"{name},{healthy['provider']}"
            table["options"] = {name: options, healthy["provider"]: healthy["options"]}
        tables = {kind: FAKES[kind] for kind in ("stt", "tts", "vad", "dialogue")}
        if self.kind is Kind.REALTIME:
            return Template.model_validate({"vad": {"provider": NO_VAD}, "dialogue": table})
        texts = {"sorry": SORRY}
        turns = {"end_silence_ms": 200}
        return Template.model_validate(
            {"greeting": "Hello there.", "texts": texts, "turns": turns, **tables, stage: table}
        )


def cases() -> list[Case]:
    """Every way of every call: at once and later, alone and with another provider."""
    found: list[Case] = []
    for kind in Kind:
        for at, shape in calls(kind).items():
            ways = [Case(kind, at, how) for how in WAYS[shape]]
            if shape == "stream":
                ways += [Case(kind, at, "malformed", event) for event in events(kind)]
            if not at.startswith("provider.") and at not in ONCE:
                ways += [replace(each, after=MIDDLE.get(at, 1)) for each in ways]
            if kind is Kind.TTS:
                ways += [replace(each, in_prompts=True) for each in ways if not each.after]
            found += ways
    shared = (Kind.STT, Kind.TTS, Kind.DIALOGUE)
    return found + [replace(each, spare=True) for each in found if each.kind in shared]


def check_clean(case: Case, ran: Ran) -> None:
    """What holds however the call ended."""
    assert Fault.reached[case.name], "the script does not bring this call about"
    assert ran.tasks == []
    assert ran.unhandled == []
    assert ran.entries("call crashed") == ran.entries("timer crashed") == []
    assert ran.count(EventKind.STREAM_STARTED) == ran.count(EventKind.STREAM_ENDED) == 1
    for entry in ran.log:
        assert "hush-hush" not in str({k: v for k, v in entry.items() if k != "exc_info"})
    assert "hush-hush" not in str(ran.events)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_fault_at_any_call_ends_in_a_clean_call(case: Case) -> None:
    """The caller hangs up by himself, or is told that something went wrong, once and at last; with
    another provider he is understood and answered to the end."""
    ran = run(case.template(), CALLER)
    check_clean(case, ran)
    failed = ran.entries("provider failed")
    if case.spare:
        assert (ran.call.outcome, ran.call.ended_by) == (Outcome.COMPLETED, EndedBy.CALLER)
        assert failed == []
        callers = [turn for turn in ran.turns if turn.role is Role.CALLER]
        assert len(callers) == 3
        # A dialogue may answer nothing; else each turn is answered, after the greeting.
        answered = len(ran.turns) - len(callers) - 1
        assert answered == 3 or (case.kind, case.how) == (Kind.DIALOGUE, "end")
    elif ran.call.outcome is Outcome.FAILED:
        assert (ran.call.ended_by, ran.call.end_reason) == (EndedBy.SERVER, f"{case.kind} failed")
        assert ran.code == 1000
        assert {entry["stage"] for entry in failed} == {str(case.kind)}
        voiceless = case.kind is Kind.REALTIME or case.in_prompts or case.at == "provider.start"
        assert voiceless or ran.said[-1] == SORRY
        assert ran.said.count(SORRY) <= 1
    else:
        assert (ran.call.outcome, ran.call.ended_by) == (Outcome.COMPLETED, EndedBy.CALLER)
        assert failed == []


class _Processor:
    """A noise suppression that fails, in place of the installed package's; takes noise out of
    nothing."""

    how = ""
    left = 0

    def __init__(self, gain: int, level: int) -> None:
        del gain, level
        self.audio = b""
        if self.how == "make":
            raise PluginBugError

    def Process10ms(self, audio: bytes) -> object:  # its name in the package
        """Give the audio back, for a while."""
        self.audio = audio
        self.left -= 1
        if self.left < 0 and self.how == "crash":
            raise PluginBugError
        if self.left < 0 and self.how == "short":
            self.audio = b""
        return object() if self.left < 0 and self.how == "garbage" else self


@pytest.mark.parametrize(
    ("how", "after"),
    [("make", 0), *((how, after) for how in ("crash", "short", "garbage") for after in (0, 60))],
)
def test_without_noise_suppression_the_caller_is_heard_with_the_noise(
    how: str, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fails, the log says so once, and nobody on the line notices."""
    processor = type("Processor", (_Processor,), {"how": how, "left": after})
    package = SimpleNamespace(AudioProcessor=processor)
    monkeypatch.setitem(sys.modules, denoise.PACKAGE, package)
    tables = {kind: FAKES[kind] for kind in ("stt", "tts", "vad", "dialogue")}
    ran = run(Template.model_validate({"audio": {"denoise": "webrtc"}, **tables}), CALLER)
    assert (ran.call.outcome, ran.call.ended_by) == (Outcome.COMPLETED, EndedBy.CALLER)
    assert [entry["stage"] for entry in ran.entries("provider crashed")] == ["denoise"]
    assert sum(turn.role is Role.CALLER for turn in ran.turns) == 3
    assert ran.tasks == []
