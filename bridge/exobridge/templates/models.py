"""The tables of a template, their defaults and ranges. ``docs/reference/templates.md`` explains."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, Self, cast

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from exobridge.ear import for_the_ear
from exobridge.languages import code_of, lines
from exobridge.provider_names import listed
from exobridge.templates.checks import Applet, LanguageTag, Text, VariableName
from exobridge.templates.hours import Hours
from exobridge.templates.lists import Lists
from exobridge.templates.outbound import OutboundTable
from exobridge.templates.provider_table import Choice, ProviderList, ProviderTable
from exobridge.templates.routing import (
    LogTable,
    LookupTable,
    Routes,
    RouteTable,
    check_routes,
)
from exobridge.templates.table import Table
from exobridge.templates.text import CALL_NAMES, PARAMETER_PREFIX, names_in
from exobridge.templates.transfer import TransferTable
from exobridge.validation import wrong
from exobridge_providers import denoise
from exobridge_providers.dialogue.words import words

_CODE = re.compile(r"[a-z]{2,3}")


def _phrase(phrase: str) -> str:
    if not words(phrase):
        raise wrong("holds no word", 'Write a word or a phrase, like "theek hai".')
    return phrase


Phrase = Annotated[str, Field(max_length=100), AfterValidator(_phrase)]

OF_INTERRUPTIONS = (
    "barge_in_ms",
    "min_words",
    "backchannels",
    "interrupt_words",
    "protect_greeting_ms",
)
"""Keys of ``[turns]`` that say when a caller interrupts the bot."""


class SttTable(ProviderTable):
    """``[stt]``: speech-to-text."""

    table = "stt"
    provider: ProviderList = "moonshine"


class TtsTable(ProviderTable):
    """``[tts]``: text-to-speech. An empty voice is the provider's own choice; of several providers
    each has its own, comma-separated in their order."""

    table = "tts"
    provider: ProviderList = "hibari"
    voice: str = ""
    normalize: bool = True

    def spoken(self, text: str, language: str) -> str:
        """What the voice is given of a line."""
        return for_the_ear(text, language) if self.normalize else text

    def choices(self) -> tuple[Choice, ...]:
        """As in :class:`ProviderTable`, each with its voice."""
        choices = super().choices()
        if len(choices) == 1:
            return (replace(choices[0], voice=self.voice),)
        voices = [*listed(self.voice), *[""] * len(choices)]
        return tuple(
            replace(choice, voice=voice) for choice, voice in zip(choices, voices, strict=False)
        )

    @model_validator(mode="after")
    def _a_provider_for_each_voice(self) -> Self:
        if len(self.names) > 1 and len(listed(self.voice)) > len(self.names):
            raise wrong(
                "names more voices than there are providers",
                "Name one for each, in the providers' order; a missing one is the default.",
                "voice",
            )
        return self


class AudioTable(Table):
    """``[audio]``: what is done to the caller's audio before speech-to-text hears it."""

    denoise: Literal["none", "webrtc"] = "none"

    @model_validator(mode="after")
    def _can_be_had(self) -> Self:
        if self.denoise != "none" and not denoise.is_installed():
            raise wrong(
                "needs a package that is not installed",
                "Install it: pip install 'exobridge[denoise]' (Linux only).",
                "denoise",
            )
        return self


class VadTable(Table):
    """``[vad]``: voice activity. Speech starts at one probability and ends at a lower one."""

    provider: str = "silero"
    options: dict[str, Any] = Field(default_factory=dict[str, Any])
    start_probability: float = Field(default=0.5, ge=0.05, le=0.95)
    end_probability: float = Field(default=0.35, ge=0.05, le=0.95)

    @model_validator(mode="after")
    def _ends_below_its_start(self) -> Self:
        if self.end_probability > self.start_probability:
            raise wrong(
                "is above start_probability", "Make it the lower of the two.", "end_probability"
            )
        return self


class DialogueTable(ProviderTable):
    """``[dialogue]``: what the bot answers; alone, a speech-to-speech provider may stand here."""

    table = "dialogue"
    provider: ProviderList = "scripted"


class TurnsTable(Table):
    """``[turns]``: who speaks when."""

    end_silence_ms: int = Field(default=400, ge=200, le=3000)
    max_end_silence_ms: int = Field(default=1200, ge=200, le=5000)
    eager: bool = True
    barge_in: bool = True
    barge_in_ms: int = Field(default=400, ge=60, le=900)
    min_words: int = Field(default=2, ge=1, le=10)
    backchannels: list[Phrase] = Field(default_factory=list[Phrase], max_length=200)
    interrupt_words: list[Phrase] = Field(default_factory=list[Phrase], max_length=200)
    protect_greeting_ms: int = Field(default=0, ge=0, le=60_000)
    max_turn_seconds: int = Field(default=30, ge=5, le=120)

    @model_validator(mode="after")
    def _interruptions_only_where_they_are(self) -> Self:
        for key in OF_INTERRUPTIONS:
            if not self.barge_in and key in self.model_fields_set:
                raise wrong(
                    "is not used while barge_in is false: nothing interrupts the bot",
                    "Remove it, or set barge_in = true.",
                    key,
                )
        return self

    @model_validator(mode="after")
    def _stretches_the_silence(self) -> Self:
        given = "max_end_silence_ms" in self.model_fields_set
        if given and self.max_end_silence_ms < self.end_silence_ms:
            raise wrong("is below end_silence_ms", "Make it longer.", "max_end_silence_ms")
        return self


class RefusalTable(Table):
    """``[refusal]``: how a call is turned away, and the lines of mode ``say``."""

    mode: Literal["302", "error", "say"] = "302"
    closed: Text = "We are closed at the moment. Please call again in our opening hours. Goodbye."
    busy: Text = "All our lines are busy. Please call again in a few minutes. Goodbye."
    unknown: Text = "This number is not in service. Goodbye."


class AnswerTable(Table):
    """``[answer]``: the body of the answer to Exotel's webhook."""

    body: Literal["json", "empty", "applet"] = "json"
    applet: Applet = ""

    @model_validator(mode="after")
    def _applet_goes_with_its_body(self) -> Self:
        if self.body == "applet" and not self.applet:
            raise wrong('is missing, as body is "applet"', "Name the applet.", "applet")
        if self.body != "applet" and self.applet:
            raise wrong(
                f'is not used while body is "{self.body}"',
                'Remove it, or set body = "applet".',
                "applet",
            )
        return self


class StreamTable(Table):
    """``[stream]``: the audio on the line and how far ahead of the caller's ear we send."""

    encoding: Literal["auto", "mulaw", "pcm16"] = "auto"
    sample_rate: Literal[8000, 16000, 24000] = 8000
    default_direction: Literal["incoming", "outgoing"] = "incoming"
    chunk_ms: int = Field(default=100, ge=20, le=500)
    lead_ms: int = Field(default=200, ge=0, le=2000)

    @model_validator(mode="after")
    def _mulaw_is_narrow(self) -> Self:
        if self.encoding == "mulaw" and self.sample_rate != 8000:
            raise wrong(
                'must be 8000 while encoding is "mulaw"',
                'Use encoding = "pcm16" for a wider band.',
                "sample_rate",
            )
        return self


class LimitsTable(Table):
    """``[limits]``: how long a call may last, and how long it may be silent."""

    max_call_seconds: int = Field(default=1800, ge=10, le=3600)
    warning_seconds: int = Field(default=60, ge=0, le=600)
    idle_seconds: int = Field(default=20, ge=5, le=600)
    idle_reprompts: int = Field(default=1, ge=0, le=5)
    filler_ms: int = Field(default=2000, ge=0, le=10_000)

    @model_validator(mode="after")
    def _warns_within_the_call(self) -> Self:
        given = "warning_seconds" in self.model_fields_set
        if given and self.warning_seconds >= self.max_call_seconds:
            raise wrong(
                "is not below max_call_seconds",
                "Make it shorter, or 0 for no warning.",
                "warning_seconds",
            )
        return self


class OwnLines(Table):
    """What the bridge itself says, in one language."""

    sorry: Text = "Sorry, something went wrong on our side. Please call again later."
    goodbye: Text = "Goodbye."
    idle: Text = "Are you still there?"
    too_long: Text = "I am afraid we have to end this call now. Please call again. Goodbye."
    warning: Text = "We will have to end this call soon."
    filler: Text = "One moment, please."
    transfer: Text = "Please hold the line, I am connecting you."
    transfer_closed: Text = (
        "I am sorry, nobody is available to speak with you at this time. How else can I help you?"
    )
    transfer_failed: Text = "I am sorry, nobody is free to take your call. How else can I help you?"
    nobody_free: Text = (
        "I am sorry, nobody is free to take your call. Please call again later. Goodbye."
    )
    resumed: Text = "Sorry, we were cut off. Please go on."
    welcome_back: Text = "I am back on the line. How else can I help you?"


class TextsTable(OwnLines):
    """``[texts]``: in the template's language; for others there are tables, like ``[texts.hi]``."""

    model_config = ConfigDict(extra="allow")
    # pydantic's way to say what further keys hold; its own annotation is wider.
    __pydantic_extra__: dict[str, OwnLines] = Field(  # pyright: ignore[reportIncompatibleVariableOverride]
        init=False
    )

    @property
    def others(self) -> Mapping[str, OwnLines]:
        """By ISO 639 code."""
        return self.__pydantic_extra__

    @model_validator(mode="after")
    def _others_are_languages(self) -> Self:
        for code in self.others:
            if not _CODE.fullmatch(code):
                raise wrong("is no ISO 639 code", "Write the table like [texts.hi].", code)
        return self


class VoicemailTable(Table):
    """``[voicemail]``: what is done when a machine answers a call that we placed."""

    action: Literal["ignore", "hang_up", "message"] = "ignore"
    message: Text = ""
    monologue_ms: int = Field(default=4000, ge=2000, le=10_000)
    beep_seconds: int = Field(default=30, ge=5, le=120)

    @model_validator(mode="after")
    def _message_goes_with_its_action(self) -> Self:
        if self.action == "message" and not self.message:
            raise wrong('is missing, as action is "message"', "Write what to say.", "message")
        if self.action != "message" and self.message:
            raise wrong(
                f'is not used while action is "{self.action}"',
                'Remove it, or set action = "message".',
                "message",
            )
        return self


class RecordingTable(Table):
    """``[recording]``: our own recording of the stream, and the line that says so."""

    own: bool = False
    consent: Text = ""


class TelephonyTable(Table):
    """``[telephony_config]``: empty means ``EXOTEL_TEMPLATE_APPLET_APP_ID``."""

    applet_app_id: str = Field(default="", pattern=r"^[A-Za-z0-9_-]*$")


class Template(Table):
    """What the bot is like on one number. ``Template()`` is complete: every key has a default."""

    language: LanguageTag = "en-IN"
    greeting: Text = "Hello. How can I help you?"
    variables: dict[VariableName, str] = Field(default_factory=dict[str, str])
    stt: SttTable = Field(default_factory=SttTable)
    tts: TtsTable = Field(default_factory=TtsTable)
    audio: AudioTable = Field(default_factory=AudioTable)
    vad: VadTable = Field(default_factory=VadTable)
    dialogue: DialogueTable = Field(default_factory=DialogueTable)
    turns: TurnsTable = Field(default_factory=TurnsTable)
    hours: Hours | None = None
    refusal: RefusalTable = Field(default_factory=RefusalTable)
    answer: AnswerTable = Field(default_factory=AnswerTable)
    stream: StreamTable = Field(default_factory=StreamTable)
    limits: LimitsTable = Field(default_factory=LimitsTable)
    texts: TextsTable = Field(default_factory=TextsTable)
    voicemail: VoicemailTable = Field(default_factory=VoicemailTable)
    transfer: TransferTable = Field(default_factory=TransferTable)
    recording: RecordingTable = Field(default_factory=RecordingTable)
    telephony_config: TelephonyTable = Field(default_factory=TelephonyTable)
    outbound: OutboundTable = Field(default_factory=OutboundTable)
    lists: Lists = Field(default_factory=dict[str, frozenset[str]])
    lookup: LookupTable = Field(default_factory=LookupTable)
    routes: Routes = Field(default_factory=list[RouteTable])
    log: LogTable = Field(default_factory=LogTable)

    @model_validator(mode="before")
    @classmethod
    def _speaks_its_language(cls, tables: dict[str, Any]) -> dict[str, Any]:
        """What the template does not say is said in its language."""
        language = tables.get("language")
        return _over(lines(code_of(language)), tables) if isinstance(language, str) else tables

    @model_validator(mode="after")
    def _texts_use_known_variables(self) -> Self:
        known = CALL_NAMES | set(self.variables)
        for path, text in self._all_texts():
            names = {name for name in names_in(text) if not name.startswith(PARAMETER_PREFIX)}
            if unknown := sorted(names - known):
                raise wrong(
                    f"uses {{{unknown[0]}}}, which is no known variable",
                    f"Add it to [variables], or use one of {', '.join(sorted(known))}, "
                    "or param.NAME for a custom parameter of the stream.",
                    *path,
                )
        return self

    def _all_texts(self) -> Iterator[tuple[tuple[str, ...], str]]:
        yield ("greeting",), self.greeting
        yield ("voicemail", "message"), self.voicemail.message
        yield ("recording", "consent"), self.recording.consent
        for table in ("refusal", "texts"):
            for key, value in getattr(self, table):
                if isinstance(value, OwnLines):
                    yield from (((table, key, line), text) for line, text in value)
                elif key != "mode":
                    yield (table, key), value

    @model_validator(mode="after")
    def _rules_find_what_they_name(self) -> Self:
        has_hours = self.hours is not None
        check_routes(self.routes, self.lists, self.lookup, self.variables, has_hours=has_hours)
        return self

    @property
    def time_limit(self) -> int:
        """When Exotel shall end a call that we place, in seconds: after the bot has said goodbye,
        and where it may hand the call to a human, after they have talked."""
        transfers = bool(self.transfer.target or self.transfer.targets)
        talk = self.transfer.talk_seconds if transfers else 0
        return self.outbound.time_limit(self.limits.max_call_seconds, talk)

    @model_validator(mode="after")
    def _its_own_language_has_no_table(self) -> Self:
        own = code_of(self.language)
        if own in self.texts.others:
            cure = "Write its lines in [texts] itself."
            raise wrong("is the template's own language", cure, "texts", own)
        return self

    def greeting_in(self, language: str) -> str:
        """The greeting of a call in a language: the template's own, or in another language the one
        that a bot has by default."""
        if code_of(language) == code_of(self.language):
            return self.greeting
        return cast(str, lines(code_of(language)).get("greeting", self.greeting))

    def refusal_in(self, language: str) -> RefusalTable:
        """The lines that turn a caller away, likewise."""
        if code_of(language) == code_of(self.language):
            return self.refusal
        return self.refusal.model_copy(update=lines(code_of(language)).get("refusal", {}))

    def texts_in(self, language: str) -> OwnLines:
        """What the bridge itself says in a language, a BCP-47 tag: in English, where there are no
        words in it."""
        code = code_of(language)
        if code == code_of(self.language):
            return self.texts
        known, own = lines(code).get("texts", {}), self.texts.others.get(code)
        if code != "en" and not known and own is None:
            return self.texts_in("en")
        given = {} if own is None else own.model_dump(exclude_unset=True)
        return OwnLines.model_validate({**known, **given})

    @model_validator(mode="after")
    def _some_day_is_open(self) -> Self:
        if self.hours is not None and not any(self.hours.week):
            raise wrong(
                "no day has opening hours",
                'Write at least one, like mon = ["09:00-18:00"], or remove the table.',
                "hours",
            )
        return self


def _over(below: Mapping[str, Any], tables: dict[str, Any]) -> dict[str, Any]:
    """Tables laid over others, key by key."""
    both = {**below, **tables}
    for name in below.keys() & tables.keys():
        if isinstance(below[name], dict) and isinstance(tables[name], dict):
            both[name] = {**below[name], **tables[name]}
    return both
