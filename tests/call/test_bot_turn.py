"""One turn of the bot, as it is kept."""

from __future__ import annotations

from exobridge.call.bot_turn import Asked, BotTurn
from exobridge.call.events import Role
from exobridge.call.speaking import Utterance


def utterance(text: str, asked_at: float = 10.0, **times: float) -> Utterance:
    line = Utterance("id", text, asked_at)
    line.first_audio_at = times.get("first_audio_at")
    line.first_sent_at = times.get("first_sent_at")
    line.done_at = times.get("done_at")
    line.heard_ms = times.get("heard_ms", 0.0)
    line.heard = text
    return line


def test_each_utterance_has_a_name_of_its_own() -> None:
    """The turn's number and a count: marks of different turns are never mixed up."""
    turn = BotTurn(3)
    names: list[str] = []
    for text in ("One.", "Two."):
        names.append(turn.next_id())
        turn.utterances.append(utterance(text))
    assert names == ["turn-3-1", "turn-3-2"]


def test_the_text_is_that_of_all_lines() -> None:
    """Tones have none."""
    turn = BotTurn(1, utterances=[utterance("One."), utterance(""), utterance("Two.")])
    assert turn.text == turn.heard == "One. Two."
    assert turn.unheard == ""


def test_a_cut_turn_goes_on_with_the_sentence_that_was_cut() -> None:
    """The first line was heard, half of the second, nothing of the third."""
    turn = BotTurn(1, utterances=[utterance(f"Line {n} is long.") for n in (1, 2, 3)])
    turn.utterances[1].heard = "Line 2"
    turn.utterances[2].heard = ""
    assert turn.heard == "Line 1 is long. Line 2"
    assert turn.unheard == "Line 2 is long. Line 3 is long."


def test_a_turn_is_kept_with_its_times() -> None:
    """Each stage's part in milliseconds, from the caller's last voice to the first chunk."""
    first = utterance(
        "Hello.", 11.0, first_audio_at=11.2, first_sent_at=11.25, done_at=12.0, heard_ms=700
    )
    second = utterance("Bye.", 11.1, first_sent_at=12.0, done_at=12.5, heard_ms=400)
    asked = Asked(speech_end_at=10.0, finalize_at=10.5, final_at=10.75)
    turn = BotTurn(2, asked, [first, second], complete=True)
    kept = turn.record("c1", "s1", 1.0, "en-IN")
    assert (kept.call_sid, kept.stream_sid, kept.number, kept.role) == ("c1", "s1", 2, Role.BOT)
    assert (kept.text, kept.start_ms, kept.end_ms) == ("Hello. Bye.", 10_250, 11_500)
    assert (kept.heard_ms, kept.interrupted, kept.language) == (1100, False, "en-IN")
    assert (kept.eot_ms, kept.stt_ms, kept.dialogue_ms) == (500.0, 250.0, 250.0)
    assert (kept.tts_ms, kept.send_ms) == (200.0, 50.0)


def test_of_a_turn_that_was_cut_only_what_was_heard_is_kept() -> None:
    """Before its first chunk it began when it was asked for."""
    line = utterance("Hello there.", 11.0, done_at=11.5)
    line.heard = ""
    turn = BotTurn(2, utterances=[line], interrupted=True)
    kept = turn.record("c1", "s1", 1.0, "en-IN")
    assert (kept.text, kept.start_ms, kept.end_ms, kept.interrupted) == ("", 10_000, 10_500, True)
    assert kept.tts_ms is kept.send_ms is kept.eot_ms is None


def test_a_turn_at_the_beginning_of_the_clock_keeps_its_times() -> None:
    """Zero is a time, not the lack of one."""
    line = utterance("Hi.", -1.0, first_sent_at=0.0, done_at=0.0)
    kept = BotTurn(1, utterances=[line]).record("c1", "s1", -2.0, "en-IN")
    assert (kept.start_ms, kept.end_ms) == (2000, 2000)


def test_an_answer_that_was_begun_before_its_turn_was_certain_took_no_time() -> None:
    """Its stages count from then on, and together are the wait of the caller."""
    line = utterance("Hi.", 10.2, first_audio_at=10.4, first_sent_at=10.55, done_at=12.0)
    asked = Asked()
    turn = BotTurn(1, asked, [line])
    asked.take(Asked(speech_end_at=10.0, finalize_at=10.5, final_at=10.5))
    kept = turn.record("c1", "s1", 1.0, "en-IN")
    assert (kept.eot_ms, kept.stt_ms) == (500.0, 0.0)
    assert (kept.dialogue_ms, kept.tts_ms, kept.send_ms) == (0.0, 0.0, 50.0)


def test_a_turn_was_sent_when_some_of_it_went_out() -> None:
    """Not when it was only made."""
    made = utterance("One.", first_audio_at=10.1)
    assert not BotTurn(1, utterances=[made]).was_sent
    assert BotTurn(1, utterances=[utterance("Two.", first_sent_at=10.2), made]).was_sent
