"""What becomes of facts in metrics."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry
from tests.observe.exposed import Exposed

from exobridge.call import events
from exobridge.call.events import JSON, CallEvent, Decision, EndedBy, Role, Turn
from exobridge.observe.exposition import merge, snapshot
from exobridge.observe.metrics import COUNTED, REMEMBERED, FactMetrics
from exobridge.observe.watch import Webhook

T0 = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
USAGE: dict[str, dict[str, JSON]] = {
    "stt": {"provider": "acme", "seconds": 2.5},
    "tts": {"provider": "acme", "characters": 40},
    "dialogue": {"provider": "words", "input_tokens": 7, "output_tokens": 3},
}


class Counted:
    """Metrics that are told facts."""

    def __init__(self, templates: tuple[str, ...] = ("shop",)) -> None:
        self._registry = CollectorRegistry()
        self.metrics = FactMetrics(self._registry, templates, ("busy",))

    def __call__(self, *told: CallEvent | Turn | Webhook) -> Exposed:
        """Tell these, in order; what is exposed then."""
        for each in told:
            match each:
                case CallEvent():
                    self.metrics.event(each)
                case Turn():
                    self.metrics.turn(each)
                case Webhook():
                    self.metrics.webhook(each)
        return Exposed(merge([snapshot(self._registry)]).decode())


def at(seconds: float) -> datetime:
    """Some time after ``T0``."""
    return T0 + timedelta(seconds=seconds)


def answered(decision: Decision = Decision.ACCEPT, reason: str = "") -> CallEvent:
    """The webhook's answer."""
    return events.answer("c", at(0), decision=decision, reason=reason, template="shop")


def started(stream_sid: str = "s", seconds: float = 1) -> CallEvent:
    """A stream began."""
    return events.stream_started("c", at(seconds), stream_sid=stream_sid, template="shop")


def ended(by: EndedBy, stream_sid: str = "s", seconds: float = 31) -> CallEvent:
    """It ended."""
    return events.stream_ended(
        "c", at(seconds), stream_sid=stream_sid, ended_by=by, usage=USAGE, close_code=1000
    )


def transfer() -> CallEvent:
    """The caller is to be handed over."""
    return events.transfer_requested("c", at(5), stream_sid="s", utterance="u", target="sales")


def status(word: str) -> CallEvent:
    """Exotel's status callback."""
    return events.status("c", at(60), status=word, event_type="terminal", data={})


def outcomes(exposed: Exposed) -> dict[str, float]:
    """How many calls ended how, where any did."""
    counts = {name: exposed("exobridge_calls_ended_total", outcome=name) for name in COUNTED}
    return {name: count for name, count in counts.items() if count}


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ([answered(), started()], {}),
        ([answered(), started(), ended(EndedBy.CALLER)], {"completed": 1}),
        ([started(), ended(EndedBy.BOT)], {"completed": 1}),
        ([answered(), started(), ended(EndedBy.NETWORK)], {"failed": 1}),
        ([answered(), started(), transfer(), ended(EndedBy.BOT)], {"transferred": 1}),
        ([answered(), started(), transfer(), ended(EndedBy.CALLER)], {"completed": 1}),
        ([answered(Decision.REFUSE, "busy")], {"refused": 1}),
        ([answered(), events.no_stream("c", at(30))], {"abandoned": 1}),
        ([events.stream_lost("c", at(0), stream_sid="s")], {"lost": 1}),
        ([status("no-answer")], {"no-answer": 1}),
        ([answered(), started(), ended(EndedBy.CALLER), status("completed")], {"completed": 1}),
        ([answered(), started(), status("completed")], {}),
        ([status("completed")], {}),
        ([events.details("c", at(200), status="busy", data={})], {}),
        (
            [
                answered(),
                started(),
                transfer(),
                ended(EndedBy.BOT),
                events.dial("c", at(40), event_type="Answered", number="1", status="busy"),
            ],
            {"transferred": 1},
        ),
    ],
)
def test_a_call_that_ends_is_counted_once_with_its_outcome(
    told: list[CallEvent], wanted: dict[str, float]
) -> None:
    """By the rules of the record; an open one is not counted."""
    assert outcomes(Counted()(*told)) == wanted


def test_a_call_counts_when_its_last_stream_ends() -> None:
    """One that takes the place of another goes on with the call."""
    counted = Counted()
    assert outcomes(counted(started(), started("t", 9), ended(EndedBy.SERVER))) == {}
    exposed = counted(ended(EndedBy.CALLER, "t", 40))
    assert outcomes(exposed) == {"completed": 1}
    assert exposed("exobridge_calls_started_total", template="shop") == 2
    assert exposed("exobridge_call_duration_seconds_count") == 2
    assert exposed("exobridge_call_duration_seconds_sum") == 61


def test_outcomes_are_there_before_the_first_call() -> None:
    """Otherwise the first would show no increase."""
    exposed = Counted(("shop", "night"))()
    assert exposed.labels("exobridge_calls_ended_total") == {"outcome", "template"}
    assert exposed.labels("exobridge_calls_refused_total") == {"reason"}


def test_the_template_of_a_call_without_a_stream_is_remembered() -> None:
    """From its answer; so many calls that nothing came of cannot fill the memory."""
    counted = Counted()
    exposed = counted(answered(), events.no_stream("c", at(30)))
    assert exposed("exobridge_calls_ended_total", outcome="abandoned", template="shop") == 1
    counted(answered())
    for number in range(REMEMBERED):
        counted.metrics.event(replace(answered(), call_sid=f"c{number}"))
    exposed = counted(events.no_stream("c", at(60)))
    assert exposed("exobridge_calls_ended_total", outcome="abandoned", template="") == 1


def test_what_was_decided_is_counted_with_its_reason() -> None:
    """Decisions by template, reasons by themselves."""
    exposed = Counted()(answered(Decision.SAY, "busy"))
    assert exposed("exobridge_calls_asked_total", decision="say", template="shop") == 1
    assert exposed("exobridge_calls_refused_total", reason="busy") == 1


def test_usage_is_counted_by_provider() -> None:
    """When the stream ends."""
    counted = Counted()
    assert counted(started())("exobridge_stt_audio_seconds_total") == 0
    exposed = counted(ended(EndedBy.CALLER))
    assert exposed("exobridge_stt_audio_seconds_total", provider="acme") == 2.5
    assert exposed("exobridge_tts_characters_total", provider="acme") == 40
    tokens = "exobridge_dialogue_tokens_total"
    assert exposed(tokens, provider="words", direction="input") == 7
    assert exposed(tokens, provider="words", direction="output") == 3


def turn(
    *,
    eot: float | None = None,
    stt: float | None = None,
    dialogue: float | None = None,
    tts: float,
    send: float,
) -> Turn:
    """A turn of the bot."""
    return Turn(
        *("c", "s", 2, Role.BOT, "Yes.", 1000, 2000, 1000),
        eot_ms=eot,
        stt_ms=stt,
        dialogue_ms=dialogue,
        tts_ms=tts,
        send_ms=send,
    )


def test_an_answer_is_measured_by_stage_and_in_all() -> None:
    """In seconds."""
    exposed = Counted()(turn(eot=300, stt=100, dialogue=200, tts=50, send=5))
    stages = {"eot": 0.3, "stt": 0.1, "dialogue": 0.2, "tts": 0.05, "send": 0.005}
    for stage, seconds in stages.items():
        assert exposed("exobridge_turn_stage_seconds_sum", stage=stage) == seconds
    assert exposed("exobridge_voice_to_voice_seconds_sum") == pytest.approx(0.655)
    assert exposed("exobridge_turns_total", role="bot") == 1


def test_an_answer_to_keys_has_no_voice_to_measure_from() -> None:
    """Its own stages count."""
    exposed = Counted()(turn(dialogue=200, tts=50, send=5))
    assert exposed("exobridge_turn_stage_seconds_count") == 3
    assert exposed("exobridge_voice_to_voice_seconds_count") == 0


def test_a_greeting_is_no_answer() -> None:
    """Its audio was ready, which says nothing of text-to-speech."""
    exposed = Counted()(turn(tts=0, send=5))
    assert exposed("exobridge_turn_stage_seconds_count") == 0
    assert exposed("exobridge_turns_total", role="bot") == 1


def test_a_final_that_came_early_takes_no_time() -> None:
    """A stage below nought would make the sum of a histogram fall."""
    exposed = Counted()(turn(eot=300, stt=-40, dialogue=200, tts=50, send=5))
    assert exposed("exobridge_turn_stage_seconds_sum", stage="stt") == 0
    assert exposed("exobridge_voice_to_voice_seconds_sum") == pytest.approx(0.515)


@pytest.mark.parametrize(
    ("outcome", "label"),
    [("accept", "accept"), ("refuse busy", "refuse"), ("bad request", "bad-request")],
)
def test_webhooks_are_measured_by_outcome(outcome: str, label: str) -> None:
    """The reason is left to the counters of calls."""
    webhook = Webhook("/exotel/answer", "POST", "c", outcome, 200, at(0), 0.03)
    exposed = Counted()(webhook)
    name = "exobridge_webhook_duration_seconds"
    assert exposed(f"{name}_sum", endpoint="/exotel/answer", outcome=label) == 0.03
    assert exposed(f"{name}_bucket", outcome=label, le="0.035") == 1
    assert exposed(f"{name}_bucket", outcome=label, le="0.02") == 0
