"""What has happened on a call so far, and the parameters that tell it to the server. Pure.

Sources: Exotel's documents of the Passthru applet, the Connect applet (dynamic numbers; dial
events), the Voicebot and Stream applets, and ``StatusCallback`` of its API.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from exobridge.simulator.flows.attempts import CAUSES, Attempt, AttemptStatus, legs
from exobridge.simulator.flows.model import CallbackEvent, Flow, WebhooksTable
from exobridge.simulator.flows.spelling import NO_END, StreamFacts, with_nulls, written_time

CallStatus = Literal["in-progress", "completed", "busy", "no-answer", "failed", "canceled"]
DialEventType = Literal["Dial", "Ringing", "Answered", "Terminal"]


@dataclass(slots=True)
class CallFacts:
    """One call. Whoever plays it writes down what happens; the parameters follow.

    Attributes:
        call_sid: Exotel's id of it.
        caller: The human's number.
        exophone: Ours.
        now: The time of day, aware.
        outgoing: ``caller`` was called, from ``exophone``.
        webhooks: How the requests are written.
        custom_field: Of a call that was placed by API; never told of another.
        app_id: Of the flow.
        created_at: When the call began.
        over_at: When it was over; ``None``: it is not.
        status: How it stands.
        was_answered: An outgoing call may not be.
        attempts: Those of the Connect applet that was entered last, in order.
        stream: The last stream that is over.
        digits: The keys gathered last.
        recording_url: Of the call; empty: none is told.
        outgoing_number: The ExoPhone that the last Connect applet dialled from; empty: ours.
    """

    call_sid: str
    caller: str
    exophone: str
    now: Callable[[], datetime]
    outgoing: bool = False
    webhooks: WebhooksTable = field(default_factory=WebhooksTable)
    custom_field: str = ""
    app_id: str = ""
    created_at: datetime = field(init=False)
    over_at: datetime | None = field(default=None, init=False)
    status: CallStatus = field(default="in-progress", init=False)
    was_answered: bool = field(default=True, init=False)
    attempts: list[Attempt] = field(default_factory=list[Attempt], init=False)
    stream: StreamFacts | None = field(default=None, init=False)
    digits: str = field(default="", init=False)
    recording_url: str = field(default="", init=False)
    outgoing_number: str = field(default="", init=False)
    _earlier: list[Attempt] = field(default_factory=list[Attempt], init=False)
    """Attempts of the Connect applets before the last."""
    _connected: bool = field(default=False, init=False)
    _left_connect: bool = field(default=False, init=False)
    _voicemail: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.created_at = self.now()

    @classmethod
    def of(cls, flow: Flow, call_sid: str, now: Callable[[], datetime]) -> CallFacts:
        """Of a call that a flow begins now."""
        return cls(
            call_sid=call_sid,
            caller=flow.call.caller,
            exophone=flow.call.to,
            now=now,
            outgoing=flow.call.direction == "outgoing",
            webhooks=flow.webhooks,
            custom_field=flow.call.custom_field,
            app_id=flow.flow.app_id,
        )

    # -------------------------------------------------------------- what happens

    def streamed(self, stream: StreamFacts) -> None:
        """A stream is over."""
        self.stream = stream

    def gathered(self, digits: str) -> None:
        """The caller has pressed these keys; empty: none."""
        self.digits = digits

    def begin_connect(self) -> None:
        """A Connect applet is entered. ``Legs``, ``DialCallStatus`` and ``DialCallDuration`` are of
        this one from now on; a conversation before it still counts."""
        self._earlier += self.attempts
        self.attempts.clear()
        self.outgoing_number = ""

    def dial(self, number: str, *, parallel: bool = False) -> Attempt:
        """An agent's phone is dialled."""
        attempt = Attempt(number, parallel, self.now())
        self.attempts.append(attempt)
        return attempt

    def attempt_over(
        self,
        attempt: Attempt,
        status: AttemptStatus,
        seconds: float = 0.0,
        cause: tuple[str, int] | None = None,
    ) -> None:
        """An attempt is over.

        Args:
            attempt: Which.
            status: How it ended.
            seconds: Of conversation.
            cause: Where it is not that of :data:`CAUSES`.
        """
        attempt.status, attempt.seconds = status, seconds
        attempt.cause = cause or CAUSES[status]
        attempt.over_at = self.now()

    def end_connect(self, *, caller_left: bool = False) -> None:
        """The Connect applet is left; or the caller hung up in it."""
        self._connected, self._left_connect = True, caller_left

    def left_voicemail(self, recording_url: str) -> None:
        """The caller was recorded by a Voicemail applet."""
        self._voicemail = True
        self.recording_url = recording_url

    def end(self, status: CallStatus = "completed") -> None:
        """The call is over."""
        self.status = status
        self.over_at = self.now()

    # -------------------------------------------------------------- what follows from it

    @property
    def call_type(self) -> str:
        """``CallType``: ``call-attempt`` is a call without a Connect applet, and no failure."""
        if self._voicemail:
            return "voicemail"
        if self._conversations:
            return "completed"
        if self._left_connect:
            return "client-hangup"
        return "incomplete" if self._connected or self._all_attempts else "call-attempt"

    @property
    def dial_seconds(self) -> int:
        """``DialCallDuration``: from when the second leg was triggered to its end, the conversation
        included; 0 without one."""
        if not self.attempts:
            return 0
        until = max(each.over_at or self.now() for each in self.attempts)
        return int((until - self.attempts[0].dialled_at).total_seconds())

    @property
    def conversation_seconds(self) -> int:
        """With agents; of a call without a Connect applet, of the whole call."""
        if self._connected or self._all_attempts:
            return int(sum(each.seconds for each in self._all_attempts))
        return self._seconds

    @property
    def _seconds(self) -> int:
        if not self.was_answered:
            return 0
        return int(((self.over_at or self.now()) - self.created_at).total_seconds())

    @property
    def _all_attempts(self) -> list[Attempt]:
        return [*self._earlier, *self.attempts]

    @property
    def _conversations(self) -> list[Attempt]:
        return [each for each in self._all_attempts if each.talked]

    @property
    def _dialled(self) -> str:
        """``DialWhomNumber``: the agent dialled last; of those who rang together, who talked."""
        last = _last(self.attempts) or _last(self._earlier)
        return last.number if last else ""

    @property
    def _dial_status(self) -> dict[str, str]:
        last = _last([each for each in self.attempts if each.status])
        return {"DialCallStatus": last.status} if last else {}

    # -------------------------------------------------------------- what is told

    def passthru_parameters(self) -> dict[str, str]:
        """Of a Passthru applet, and of the URLs that Greeting, Gather and Voicebot applets ask."""
        told = self._common() | self._dial_status | legs(self.attempts)
        if self.digits:
            told["digits"] = f'"{self.digits}"'
        if self.stream is not None:
            told |= self.stream.parameters(self.webhooks.stream)
        if self.recording_url:
            told["RecordingUrl"] = self.recording_url
        if self.outgoing_number:
            told["OutgoingPhoneNumber"] = self.outgoing_number
        return self._written(told)

    def connect_parameters(self, *, first: bool = True) -> dict[str, str]:
        """Of a Connect applet that asks whom to dial.

        Args:
            first: Not after an attempt: ``digits`` are told then alone.
        """
        told = self._common() | self._dial_status
        if first and self.digits:
            told["digits"] = f'"{self.digits}"'
        if self.app_id:
            told["flow_id"] = self.app_id
        told[self.webhooks.call_from] = told.pop("CallFrom")
        return self._written(told)

    def dial_event(self, event: DialEventType, attempt: Attempt) -> dict[str, str]:
        """Of ``dial_passthru_event_url``."""
        return {
            **self._who(),
            "Created": self._time(self.created_at, created=True),
            "CurrentTime": self._time(self.now()),
            "DialWhomNumber": attempt.number,
            "Status": "free" if event == "Terminal" else "busy",
            "EventType": event,
            "AgentEmail": "null",
        }

    def callback(self, event: CallbackEvent | Literal[""] = "terminal") -> dict[str, str]:
        """Of a status callback.

        Args:
            event: Which event is told; empty: events were not asked for, and little is told.
        """
        told = {
            "CallSid": self.call_sid,
            "DateUpdated": self._time(self.now()),
            "Status": "in-progress" if event == "answered" else self.status,
        }
        if self.recording_url and event != "answered":
            told["RecordingUrl"] = self.recording_url
        if event:
            told |= self._of_event(event)
        return self._written(told)

    # -------------------------------------------------------------- parts

    def _who(self) -> dict[str, str]:
        human, ours = self.caller, self.exophone
        return {
            "CallSid": self.call_sid,
            "CallFrom": ours if self.outgoing else human,
            "CallTo": human if self.outgoing else ours,
            "Direction": self.webhooks.outgoing if self.outgoing else "incoming",
            "From": human,
            "To": ours,
        }

    def _common(self) -> dict[str, str]:
        told = {
            **self._who(),
            "CallStatus": self.status,
            "Created": self._time(self.created_at, created=True),
            "StartTime": self._time(self.created_at),
            "EndTime": NO_END,
            "CurrentTime": self._time(self.now()),
            "DialCallDuration": str(self.dial_seconds),
            "CallType": self.call_type,
            "DialWhomNumber": self._dialled,
        }
        return told | self._custom_field()

    def _custom_field(self) -> dict[str, str]:
        if not (self.outgoing and self.custom_field):
            return {}
        return {"CustomField": self.custom_field}

    def _of_event(self, event: CallbackEvent) -> dict[str, str]:
        over = event == "terminal"
        told = {
            "EventType": event,
            "DateCreated": self._time(self.created_at),
            "To": self.exophone,
            "From": self.caller,
            "PhoneNumberSid": self.exophone,
            "StartTime": self._time(self.created_at),
            "EndTime": self._time(self.over_at) if over and self.over_at else "",
            "ConversationDuration": str(self.conversation_seconds if over else 0),
            "Direction": self.webhooks.outgoing if self.outgoing else "incoming",
        }
        told |= self._custom_field()
        sides = [(self._seconds, str(self.status))]
        sides += [(int(each.seconds), each.status) for each in self._conversations]
        for index, (seconds, status) in enumerate(sides if over else []):
            told[f"Legs[{index}][OnCallDuration]"] = str(seconds)
            told[f"Legs[{index}][Status]"] = status
            if index or self.was_answered:
                told[f"Legs[{index}][AnsweredBy]"] = "human"
        return told

    def _time(self, at: datetime, *, created: bool = False) -> str:
        return written_time(at, self.webhooks.times, created=created)

    def _written(self, told: dict[str, str]) -> dict[str, str]:
        return with_nulls(told) if self.webhooks.nulls else told


def _last(attempts: Sequence[Attempt]) -> Attempt | None:
    """Who was dialled last; of those who rang together, who talked."""
    talked = [each for each in attempts if each.talked]
    return (talked or attempts)[-1] if attempts else None
