"""What is told of calls, their turns, events, transfers and recordings."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, AwareDatetime, Field, JsonValue

from exobridge.call.events import CallEvent, Decision, EndedBy, EventKind, Role, Turn
from exobridge.call.outcome import Outcome
from exobridge.call.state import Call, State
from exobridge.call.transfer_state import TransferState, TransferStatus
from exobridge.call_view import call_json, event_json, recording_json, turn_json
from exobridge.store.recordings import Recording
from exobridge.web.control.operation import Model


def _usual(at: datetime) -> datetime:
    """One that every database takes, whatever its zone."""
    if not 1970 <= at.year < 3000:
        raise ValueError("must be of the years 1970 to 2999")
    return at


Moment: TypeAlias = Annotated[AwareDatetime, AfterValidator(_usual)]
"""A time in a request: with a zone, of the years 1970 to 2999."""


class UsageModel(Model):
    """What a call used of what providers bill, all its streams together."""

    stt_seconds: float = Field(description="Audio sent to speech-to-text, in seconds.")
    tts_characters: int = Field(description="Text sent to text-to-speech.")
    input_tokens: int = Field(description="What the dialogue read.")
    output_tokens: int = Field(description="What the dialogue wrote.")
    heard_seconds: float = Field(description="Audio that a speech-to-speech session heard.")
    spoken_seconds: float = Field(description="Audio that a speech-to-speech session spoke.")


class TransferModel(Model):
    """The handing over of a caller to a human."""

    target: str = Field(description="Where to, as the dialogue or an operator named it.")
    status: TransferStatus = Field(description="Where it stands.")
    attempts: int = Field(description="How often Exotel was told whom to dial.")
    number: str = Field(description="Who took the call, else who was dialled last; may be empty.")
    key: str = Field(description="Its name within the call.")
    stream_sid: str = Field(description="The stream in which it was asked for.")
    asked_at: datetime = Field(description="When it was asked for.")
    seen_at: datetime | None = Field(description="The last sign of the dialling; null: none.")


class CallTransferModel(TransferModel):
    """A transfer, with its call."""

    call_sid: str = Field(description="Exotel's name of the call.")
    summary: str = Field(description="For the human: who calls, and why; may be empty.")


class ReportModel(Model):
    """What Exotel says of the call as a whole."""

    at: datetime = Field(description="When it was told.")
    source: str = Field(description="`passthru`, `status` or `details`.")
    status: str = Field(description="Exotel's word.")
    ended_at: datetime | None = Field(description="By Exotel's clock.")
    seconds: int | None = Field(description="How long the call lasted.")
    talked_seconds: int | None = Field(description="How long two legs were connected.")
    price: float | None = Field(description="In the account's currency.")


class CallModel(Model):
    """A call as it stands. Texts are empty and times null where nothing is known."""

    call_sid: str = Field(description="Exotel's name of the call.")
    direction: str = Field(description="`incoming`, `outgoing`, or empty.")
    caller: str = Field(description="The human's number.")
    called: str = Field(description="The ExoPhone.")
    template: str = Field(description="Who answers, or calls.")
    state: State = Field(description="Where it stands.")
    outcome: Outcome | None = Field(description="How it ended; null: it is open.")
    decision: Decision | None = Field(description="What its first webhook was answered.")
    reason: str = Field(description="Why that.")
    custom_field: str = Field(description="What was handed along when it was placed.")
    stream_sid: str = Field(description="The stream that began last.")
    streams: int = Field(description="How many there were.")
    encoding: str = Field(description="Of its audio.")
    sample_rate: int | None = Field(description="In hertz.")
    created_at: datetime = Field(description="The first that was heard of it.")
    answered_at: datetime | None = Field(description="When its first webhook was answered.")
    started_at: datetime | None = Field(description="When its first stream began.")
    ended_at: datetime | None = Field(description="When it was over.")
    ended_by: EndedBy | None = Field(description="Who ended the last stream.")
    end_reason: str = Field(description="Exotel's word, or ours.")
    transfer: TransferModel | None = Field(description="The latest; null: none was asked for.")
    exotel: ReportModel | None = Field(description="Null: Exotel has said nothing yet.")
    usage: UsageModel = Field(description="Of the streams that have ended.")
    dial_id: str = Field(description="The dial that placed it; empty: we did not.")

    @classmethod
    def of(cls, call: Call) -> CallModel:
        """A call's."""
        return cls.model_validate(_call_fields(call))


def _call_fields(call: Call) -> dict[str, Any]:
    return {**call_json(call), "dial_id": call.placed.dial}


class TurnModel(Model):
    """What one side said. Times are milliseconds; those of the latency are null where they were
    not measured."""

    stream_sid: str = Field(description="Its stream.")
    number: int = Field(description="1 for the first of its stream.")
    role: Role = Field(description="Who spoke.")
    text: str = Field(description="What was said; empty where words are not kept.")
    start_ms: int = Field(description="Since the stream began.")
    end_ms: int = Field(description="Since the stream began.")
    heard_ms: int | None = Field(description="How much of it the caller heard; null: his own.")
    interrupted: bool = Field(description="Whether the caller cut in.")
    language: str = Field(description="BCP-47, where it is known.")
    eot_ms: float | None = Field(description="Until it was decided that the caller had ended.")
    stt_ms: float | None = Field(description="Until the text was final.")
    dialogue_ms: float | None = Field(description="Until the first words of the answer.")
    tts_ms: float | None = Field(description="Until its first audio.")
    send_ms: float | None = Field(description="Until that audio was sent.")

    @classmethod
    def of(cls, turn: Turn) -> TurnModel:
        """A turn's."""
        return cls.model_validate(turn_json(turn))


class EventModel(Model):
    """One fact of a call."""

    kind: EventKind = Field(description="What happened.")
    key: str = Field(description="Told once per call.")
    at: datetime = Field(description="When it happened.")
    data: dict[str, JsonValue] = Field(description="What was told; hangs on the kind.")

    @classmethod
    def of(cls, event: CallEvent) -> EventModel:
        """An event's."""
        return cls.model_validate(event_json(event))


class RecordingModel(Model):
    """A recording of a call."""

    source: str = Field(description="`exotel`, or `own`: made of the stream.")
    name: str = Field(description="Which of the source's.")
    media_type: str = Field(description="`audio/mpeg` or `audio/wav`.")
    bytes: int = Field(description="Its size.")
    sha256: str = Field(description="Of its bytes, in hexadecimal.")
    duration_ms: int | None = Field(description="As the file tells it.")
    channels: int | None = Field(description="As the file tells it.")
    sample_rate: int | None = Field(description="In hertz.")
    created_at: datetime = Field(description="When it was stored.")

    @classmethod
    def of(cls, row: Recording) -> RecordingModel:
        """A recording's."""
        return cls.model_validate(recording_json(row))


class CallRecordingModel(RecordingModel):
    """A recording, with its call."""

    call_sid: str = Field(description="Exotel's name of the call.")

    @classmethod
    def of(cls, row: Recording) -> CallRecordingModel:
        """A recording's."""
        return cls.model_validate({**recording_json(row), "call_sid": row.call_sid})


class WholeCallModel(CallModel):
    """A call with all that is kept of it."""

    events: list[EventModel] = Field(description="In the order in which they came.")
    turns: list[TurnModel] = Field(description="What was said.")
    recordings: list[RecordingModel] = Field(description="What there is of its sound.")

    @classmethod
    def of_all(
        cls,
        call: Call,
        events: list[CallEvent],
        turns: list[Turn],
        recordings: list[Recording],
    ) -> WholeCallModel:
        """A call's."""
        return cls(
            **_call_fields(call),
            events=[EventModel.of(event) for event in events],
            turns=[TurnModel.of(turn) for turn in turns],
            recordings=[RecordingModel.of(row) for row in recordings],
        )


def transfer_model(state: TransferState, call_sid: str, summary: str) -> CallTransferModel:
    """A transfer's."""
    told = {name: getattr(state, name) for name in TransferModel.model_fields}
    return CallTransferModel(**told, call_sid=call_sid, summary=summary)
