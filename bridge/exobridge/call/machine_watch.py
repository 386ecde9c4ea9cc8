"""What is done when a machine answers a call that we placed: the template's ``[voicemail]``.

It stands between the call's ears and its conversation, and hears what the conversation hears. A
machine ends the conversation: the call is hung up, or the message is said once the machine records.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import structlog

from exobridge.call.events import EndedBy
from exobridge.call.hearing import Hearing
from exobridge.call.plan import CallPlan
from exobridge.call.voicemail import (
    Beep,
    Event,
    Human,
    Machine,
    NoBeep,
    Voicemail,
    VoicemailOptions,
)
from exobridge_codecs.formats import pcm16
from exobridge_providers.base import Final, Partial, SttEvent

REASON = "voicemail"
"""Of the call's end."""


class Party(Protocol):
    """The conversation, as far as a machine concerns it."""

    def voice(self, end_ms: float, probability: float) -> None:
        """A window of the voice detector."""
        ...

    def take(self, event: SttEvent) -> None:
        """An event of the speech-to-text session."""
        ...

    def fall_silent(self) -> None:
        """Stop speaking, and answer no more; :meth:`close_with` still has the last word."""
        ...

    def close_with(self, text: str, by: EndedBy, reason: str) -> None:
        """Say a last line, or nothing if it is empty, and end the call."""
        ...


def is_watched(plan: CallPlan) -> bool:
    """Whether a call may be answered by a machine, and the template minds. Who is called back to a
    conversation is none."""
    is_placed = plan.direction == "outgoing" and plan.resumed is None
    return is_placed and plan.template.voicemail.action != "ignore"


class MachineWatch:
    """The watch of one call.

    Args:
        plan: The call's.
        hearing: The line's ears; its format is known.
        sample_rate: Of the line, in hertz.
        party: The call's conversation.
        log: Names the call.
    """

    def __init__(
        self,
        plan: CallPlan,
        hearing: Hearing,
        sample_rate: int,
        party: Party,
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        table = plan.template.voicemail
        options = VoicemailOptions(
            start_probability=plan.template.vad.start_probability,
            monologue_ms=table.monologue_ms,
            beep_ms=table.beep_seconds * 1000,
        )
        self._table = table
        self._party = party
        self._log = log
        self._voicemail = Voicemail(options, sample_rate)
        hearing.listen(pcm16(sample_rate), self._frame)

    def voice(self, end_ms: float, probability: float) -> None:
        """A window of the voice detector."""
        self._do(self._voicemail.voice(end_ms, probability))
        self._party.voice(end_ms, probability)

    def take(self, event: SttEvent) -> None:
        """An event of the speech-to-text session."""
        if isinstance(event, Partial | Final):
            self._do(self._voicemail.words(event.text))
        self._party.take(event)

    def _frame(self, pcm: bytes) -> None:
        self._do(self._voicemail.frame(pcm))

    def _do(self, events: Sequence[Event]) -> None:
        for event in events:
            match event:
                case Machine(why):
                    self._log.info("answered by a machine", why=str(why))
                    self._party.fall_silent()
                    if self._table.action == "hang_up":
                        self._party.close_with("", EndedBy.BOT, REASON)
                case Beep() | NoBeep():
                    self._party.close_with(self._table.message, EndedBy.BOT, REASON)
                case Human():
                    pass
