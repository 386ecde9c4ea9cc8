"""One turn of the bot: its lines, what was heard of them, and how long each stage took."""

from __future__ import annotations

from dataclasses import dataclass, field

from exobridge.call.events import Role, Turn
from exobridge.call.speaking import Utterance
from exobridge.call.text import unheard_part


@dataclass(slots=True)
class Asked:
    """The caller's turn that is being answered, in seconds of the loop's clock.

    Attributes:
        speech_end_at: When the caller's last voice came in.
        finalize_at: When the turn was taken to be over.
        final_at: When its text was there.
    """

    speech_end_at: float | None = None
    finalize_at: float | None = None
    final_at: float | None = None

    def take(self, other: Asked) -> None:
        """These times are known now."""
        self.speech_end_at = other.speech_end_at
        self.finalize_at = other.finalize_at
        self.final_at = other.final_at


@dataclass(slots=True)
class BotTurn:
    """What the bot says in one go.

    Attributes:
        complete: Nothing will be added.
        interrupted: The caller cut it.
        operator: It is a line of an operator's.
    """

    number: int
    asked: Asked = field(default_factory=Asked)
    utterances: list[Utterance] = field(default_factory=list[Utterance])
    complete: bool = False
    interrupted: bool = False
    operator: bool = False

    def next_id(self) -> str:
        """A name for the next utterance; its mark bears it too."""
        return f"turn-{self.number}-{len(self.utterances) + 1}"

    @property
    def was_sent(self) -> bool:
        """Some of it went out."""
        return any(utterance.first_sent_at is not None for utterance in self.utterances)

    @property
    def text(self) -> str:
        """All that was to be said."""
        return " ".join(utterance.text for utterance in self.utterances if utterance.text)

    @property
    def heard(self) -> str:
        """What the caller heard of it."""
        return " ".join(utterance.heard for utterance in self.utterances if utterance.heard)

    @property
    def unheard(self) -> str:
        """What to say to go on: from the start of the sentence that was cut."""
        return unheard_part(self.text, self.heard)

    def record(self, call_sid: str, stream_sid: str, started_at: float, language: str) -> Turn:
        """The turn as it is kept.

        Args:
            started_at: When the stream began, on the clock of the utterances' times.
        """
        first = next((each for each in self.utterances if each.text), self.utterances[0])
        begin = first.asked_at if first.first_sent_at is None else first.first_sent_at
        ends = [each.done_at for each in self.utterances if each.done_at is not None]
        asked = self.asked
        # An answer may have been begun, or even made, before the turn was certain.
        asked_at = _latest(asked.final_at, first.asked_at)
        audio_at = _latest(asked.final_at, first.first_audio_at)
        return Turn(
            call_sid=call_sid,
            stream_sid=stream_sid,
            number=self.number,
            role=Role.BOT,
            text=self.heard if self.interrupted else self.text,
            start_ms=round((begin - started_at) * 1000),
            end_ms=round((max(ends, default=begin) - started_at) * 1000),
            heard_ms=round(sum(utterance.heard_ms for utterance in self.utterances)),
            interrupted=self.interrupted,
            language=language,
            eot_ms=_between(asked.speech_end_at, asked.finalize_at),
            stt_ms=_between(asked.finalize_at, asked.final_at),
            dialogue_ms=_between(asked.final_at, asked_at),
            tts_ms=_between(asked_at, audio_at),
            send_ms=_between(audio_at, first.first_sent_at),
        )


def _latest(earliest: float | None, at: float | None) -> float | None:
    return at if at is None or earliest is None else max(earliest, at)


def _between(earlier: float | None, later: float | None) -> float | None:
    if earlier is None or later is None:
        return None
    return round((later - earlier) * 1000, 1)
