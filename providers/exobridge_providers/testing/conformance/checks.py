"""All checks, by the kind of plugin."""

from __future__ import annotations

from exobridge_providers.registry import Kind
from exobridge_providers.testing.conformance import (
    open_faults,
    options,
    others,
    stt_faults,
    stt_words,
    tts_cancel,
    tts_faults,
    tts_words,
)
from exobridge_providers.testing.conformance.check import Check

_HASTE = {"connect_seconds": open_faults.CONNECT_SECONDS}
_PATIENCE = {"connect_seconds": 30}  # a busy machine is slow, not wrong

_OPENING = (
    Check("extra", "sends the vendor what extra holds", options.extra),
    Check("refused-key", "tells a refused key by a ProviderAuthError", open_faults.refused_key),
    Check("wrong-key", "sends the key where the vendor looks for it", open_faults.wrong_key),
    Check(
        "busy-vendor",
        "tells by its error whether a refused handshake may be tried again",
        open_faults.busy_vendor,
    ),
    Check(
        "vendor-errors",
        "tells by its error what the vendor's own words mean",
        open_faults.vendor_errors,
    ),
    Check(
        "no-answer",
        "waits for a handshake no longer than connect_seconds",
        open_faults.no_answer,
        options=_HASTE,
    ),
    Check(
        "opening-given-up",
        "leaves nothing of a session that is given up while it is opened",
        open_faults.opening_is_given_up,
    ),
    Check(
        "silent-greeting",
        "opens a session, or does not, within connect_seconds",
        open_faults.silent_greeting,
        options=_HASTE,
    ),
)

_STT = (
    Check("contract", "keeps the contract of speech-to-text", stt_words.contract, needs_fake=False),
    Check("formats", "gives the right words in every format", stt_words.every_format),
    Check("languages", "knows the vendor's code of every language", stt_words.every_language),
    Check("two-sentences", "answers one sentence after the other", stt_words.two_sentences),
    Check("interims", "gives interims that grow and lead to the final", stt_words.interims),
    Check("last-words", "loses no audio just before finalize()", stt_words.last_words),
    Check("unasked", "bears a vendor that ends sentences itself", stt_words.without_asking),
    Check("queued", "answers each of several requests at once", stt_words.queued_requests),
    Check("marked-answers", "tells an answer from other text", stt_words.marked_answers),
    Check("late-answers", "takes no late answer for another's", stt_words.late_answers),
    Check(
        "many-streams",
        "keeps 100 streams at once apart",
        stt_words.many_streams,
        options=_PATIENCE,
    ),
    Check(
        "several-streams",
        "keeps streams at once apart",
        stt_words.several_streams,
        needs_fake=False,
    ),
    *_OPENING,
    Check("broken-line", "loses no word, wherever the line breaks", stt_faults.broken_line),
    Check("closed", "may be tried again when the vendor closes", stt_faults.closed_by_vendor),
    Check("garbage", "bears garbage", stt_faults.garbage),
    Check("half-messages", "bears half messages", stt_faults.half_messages, options=_HASTE),
    Check("silent-vendor", "answers for a vendor that does not", stt_faults.silent_vendor),
    Check("slow-loris", "joins messages that come in crumbs", stt_faults.slow_loris),
    Check("deaf-vendor", "keeps what waits for the vendor bounded", stt_faults.deaf_vendor),
    Check("idle-line", "keeps an idle line open", stt_faults.idle_line),
    Check("idle-limit", "declares how long a pause its vendor bears", stt_faults.idle_limit),
)

_TTS = (
    Check("contract", "keeps the contract of text-to-speech", tts_words.contract, needs_fake=False),
    Check("formats", "speaks the right words in every format", tts_words.every_format),
    Check("languages", "knows the vendor's code of every language", tts_words.every_language),
    Check("order", "speaks utterances whole and in their order", tts_words.order),
    Check("longest-text", "speaks a text of max_chars", tts_words.longest_text),
    Check("blank-text", "has done with a blank text at once", tts_words.blank_text),
    Check("slow-text", "speaks text that comes in pieces", tts_words.slow_text),
    Check(
        "many-streams",
        "keeps 100 streams at once apart",
        tts_words.many_streams,
        options=_PATIENCE,
    ),
    Check(
        "several-streams",
        "keeps streams at once apart",
        tts_words.several_streams,
        needs_fake=False,
    ),
    Check("cancel-early", "is silent when cancelled before any audio", tts_cancel.before_audio),
    Check("cancel-made", "drops audio that is on its way", tts_cancel.on_its_way),
    Check("cancel-middle", "is silent when cancelled in the middle", tts_cancel.in_the_middle),
    Check("cancel-open", "is silent when cancelled before its text", tts_cancel.text_unfinished),
    Check("cancel-late", "may be cancelled after its end, and twice", tts_cancel.after_its_end),
    Check("cancel-waiting", "leaves what is spoken before alone", tts_cancel.one_that_waits),
    Check("cancel-first", "leaves what is spoken after alone", tts_cancel.one_before_another),
    Check("interruptions", "keeps limits however often cancelled", tts_cancel.again_and_again),
    *_OPENING,
    Check("broken-line", "may be tried again when the line breaks", tts_faults.broken_line),
    Check(
        "cancel-broken",
        "speaks on, or says why not, when the line breaks around a cancel",
        tts_faults.broken_while_cancelling,
    ),
    Check("closed", "may be tried again when the vendor closes", tts_faults.closed_by_vendor),
    Check("closed-idle", "connects again when nothing is lost", tts_faults.closed_while_idle),
    Check("idle-line", "speaks after a long pause", tts_faults.idle_line),
    Check("garbage", "bears garbage", tts_faults.garbage),
    Check("half-messages", "bears half messages", tts_faults.half_messages, options=_HASTE),
    Check("silent-vendor", "takes no silence for speech", tts_faults.silent_vendor),
    Check("slow-loris", "joins messages that come in crumbs", tts_faults.slow_loris),
    Check("deaf-vendor", "waits for no vendor that does not read", tts_faults.deaf_vendor),
    Check("unread", "takes audio no faster than it is read", tts_faults.unread_events),
)

CHECKS: dict[Kind, tuple[Check, ...]] = {
    Kind.STT: _STT,
    Kind.TTS: _TTS,
    Kind.VAD: (
        Check("contract", "keeps the contract of voice activity", others.vad, needs_fake=False),
    ),
    Kind.DIALOGUE: (
        Check("contract", "keeps the contract of dialogues", others.dialogue, needs_fake=False),
    ),
    Kind.REALTIME: (
        Check(
            "contract", "keeps the contract of speech-to-speech", others.realtime, needs_fake=False
        ),
    ),
}
"""Those of a kind in the order in which they are run."""
