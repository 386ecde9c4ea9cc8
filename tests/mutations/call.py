"""Faults in what is played, heard and kept of a call."""

from __future__ import annotations

from tests.mutations.mutation import Module, Mutation

_PLAYOUT = Module(
    "bridge/exobridge/call/playout.py",
    ("tests/call/test_playout.py", "tests/call/test_playout_heard.py"),
    (
        Mutation(
            "room_until = now + self._lead_s - self._chunk_s + _ROUNDING_S",
            "room_until = now + self._lead_s + _ROUNDING_S",
            "Exotel holds a chunk more than the lead: barge-in is late",
        ),
        Mutation(
            "while self._play_end - self._top_up_s <= now or",
            "while self._play_end <= now or",
            "the lead is topped up when it is used up: gaps",
        ),
        Mutation(
            "min(self._lead_s / 2, self._lead_s - self._chunk_s)",
            "self._lead_s / 2",
            "a chunk longer than half the lead overfills it",
        ),
        Mutation(
            "-(-wire // BLOCK_BYTES) * BLOCK_BYTES",
            "wire // BLOCK_BYTES * BLOCK_BYTES",
            "a chunk is rounded down: more messages than were paid for",
        ),
        Mutation(
            "padding = -len(pcm) % self._block",
            "padding = 0",
            "the last chunk is no multiple of 320 bytes: a hole of 20 ms",
        ),
        Mutation(
            "size = size - size % self._block if running_dry else 0",
            "size = size if running_dry else 0",
            "silence is padded into the middle of a word",
        ),
        Mutation(
            "running_dry = entry.sent and self._play_end - self._dry_s <= now",
            "running_dry = False",
            "a late provider's last words wait while the line is silent",
        ),
        Mutation(
            "entry.play_end = self._play_end - padding / self._bytes_per_s",
            "entry.play_end = self._play_end",
            "padding counts as words not yet heard",
        ),
        Mutation(
            "heard_ms = max(0.0, sent_ms - unplayed_ms)",
            "heard_ms = sent_ms",
            "what Exotel still held counts as heard",
        ),
        Mutation(
            "unplayed_ms = max(0.0, entry.play_end - now) * 1000",
            "unplayed_ms = (entry.play_end - now) * 1000",
            "more is heard than was sent, after a pause",
        ),
        Mutation(
            "over = names[: names.index(name) + 1]",
            "over = [name]",
            "a lost mark wedges the utterance before it",
        ),
        Mutation(
            "if entry is None or not entry.marked:",
            "if entry is None:",
            "a mark of that name that we did not send ends an utterance",
        ),
        Mutation(
            "return first.play_end + MARK_GRACE_S if first.marked else None",
            "return None",
            "a mark that never comes wedges the call",
        ),
        Mutation(
            "self._at_rest = self._at_rest or self._paused",
            "pass",
            "after a pause the bot speaks in a rush",
        ),
        Mutation(
            "if self._feeding and not self._paused:",
            "if self._feeding:",
            "the bot talks on while the caller does",
        ),
        Mutation(
            "self._at_rest = True\n        self._paused = False\n        return cut",
            "self._at_rest = True\n        return cut",
            "after an interruption the bot is silent for ever",
        ),
        Mutation(
            "by_clock is not None and by_clock < wanted",
            "by_clock is not None and by_clock > wanted",
            "a line waits for the last one's mark: a gap",
        ),
        Mutation(
            "self._play_end = now\n        self._at_rest = True",
            "self._play_end = now",
            "a line after an interruption begins in a rush",
        ),
        Mutation(
            "self._utterances.clear()\n        self._feeding.clear()",
            "self._utterances.clear()",
            "after an interruption the bot goes on with what was cut",
        ),
        Mutation(
            "if not entry.ended and entry.unsent + len(pcm)",
            "if entry.unsent + len(pcm)",
            "late audio of a cancelled line is heard",
        ),
        Mutation(
            "if not entry.ended and entry.unsent + len(pcm) <= MAX_HELD_BYTES:",
            "if not entry.ended:",
            "a provider that never stops takes the memory of every call",
        ),
        Mutation(
            "entry.sent = entry.sent // 2 * audio_format.sample_rate // before * 2",
            "pass",
            "what was heard is wrong once the rate was corrected",
        ),
        Mutation(
            "round((begins_at - self._started_at) * 1000)",
            "round((now - self._started_at) * 1000)",
            "timestamps of chunks sent ahead lie on top of each other",
        ),
        Mutation(
            "self._catch_up_s = 0.0 if self._top_up_s else CATCH_UP_S",
            "self._catch_up_s = 0.0",
            "a source's jitter becomes a delay that stays",
        ),
        Mutation(
            "if entry is not None and not entry.added and not entry.ended:",
            "if entry is not None:",
            "a line that has audio is forgotten, and its mark with it",
        ),
    ),
)

_HEARING = Module(
    "bridge/exobridge/call/hearing.py",
    ("tests/call/test_hearing.py",),
    (
        Mutation(
            "self._pre_roll.append(frame)",
            "pass",
            "the first syllable is not transcribed",
        ),
        Mutation(
            "if self._continuous or self._in_segment:",
            "if self._in_segment:",
            "a provider that wants everything gets pieces",
        ),
        Mutation(
            "self._taps = [Tap(audio_format, tap.wanted, tap.listener) for tap in self._taps]",
            "pass",
            "after a corrected rate everybody hears the wrong one",
        ),
        Mutation(
            "if self._stt is None or self._continuous:\n            self._in_segment = False",
            "if self._stt is None:\n            self._in_segment = False",
            "a noise makes a recogniser end the caller's sentence",
        ),
    ),
)

_FORMATS = Module(
    "bridge/exobridge/call/formats.py",
    ("tests/call/test_formats.py",),
    (
        Mutation(
            "offer != line,\n",
            "",
            "μ-law is decoded on its way to a vendor that takes it",
        ),
        Mutation(
            "offer.encoding is not Encoding.PCM16,\n        )",
            "offer.encoding is Encoding.PCM16,\n        )",
            "of two encodings at one rate the lossy one is sent",
        ),
        Mutation(
            "-offer.sample_rate if below else offer.sample_rate,",
            "offer.sample_rate,",
            "of rates below the line's the lowest is taken",
        ),
    ),
)

_TEXT = Module(
    "bridge/exobridge/call/text.py",
    ("tests/call/test_text.py",),
    (
        Mutation(
            'return text[: ends[heard - 1]] if heard else ""',
            "return text[: int(fraction * len(text))]",
            "half a word stands in the record as heard",
        ),
        Mutation(
            "key=lambda end: len(spoken(text[:end]))",
            "key=lambda end: end",
            "an amount that takes long to say is taken for a short word",
        ),
        Mutation(
            "if end > len(heard)",
            "if end >= len(heard)",
            "the bot repeats a sentence that was heard whole",
        ),
        Mutation(
            'if not text[len(heard) :].strip():\n        return ""',
            "if False:\n        return text",
            "what was heard whole is said again",
        ),
        Mutation(
            "len(current) + 1 + len(part) <= max_chars",
            "len(current) + len(part) <= max_chars",
            "a piece is longer than the provider takes",
        ),
        Mutation(
            'sentence.rfind(" ", 1, max_chars + 1)',
            'sentence.rfind(" ", 1, max_chars)',
            "a piece that just fits loses its last word to the next",
        ),
        Mutation(
            "*before, last = split(text, max_chars - 1)",
            "*before, last = split(text, max_chars)",
            "a piece and its space are longer than the provider takes",
        ),
    ),
)

_BOT_TURN = Module(
    "bridge/exobridge/call/bot_turn.py",
    ("tests/call/test_bot_turn.py",),
    (
        Mutation(
            "text=self.heard if self.interrupted else self.text",
            "text=self.text",
            "the record has words that nobody heard",
        ),
        Mutation(
            "eot_ms=_between(asked.speech_end_at, asked.finalize_at)",
            "eot_ms=_between(asked.finalize_at, asked.speech_end_at)",
            "a stage takes less than no time",
        ),
        Mutation(
            "begin = first.asked_at if first.first_sent_at is None else first.first_sent_at",
            "begin = first.asked_at",
            "a turn begins when it was thought of, not when it was heard",
        ),
        Mutation(
            "return unheard_part(self.text, self.heard)",
            "return self.text",
            "after a cough the bot begins its whole answer anew",
        ),
    ),
)

_CALL = ("tests/call/test_state.py", "tests/call/test_transfer_state.py")

_STATE = Module(
    "bridge/exobridge/call/state.py",
    _CALL,
    (
        Mutation(
            "began.sort(key=lambda item: (item[0], item[1].stream_sid))",
            "pass",
            "the streams stand in the order of their ids",
        ),
    ),
)

_OUTCOME = Module(
    "bridge/exobridge/call/outcome.py",
    _CALL,
    (
        Mutation(
            "if len(over) < len(streams):",
            "if not over:",
            "a call with an open stream has ended",
        ),
        Mutation(
            "latest = streams[-1]",
            "latest = streams[0]",
            "a failed transfer that came back to the bot is still a transfer",
        ),
        Mutation(
            "return _stream_ending(latest, max(over))",
            "return _stream_ending(latest, min(over))",
            "a call ends before its last stream did",
        ),
        Mutation(
            "transfer.stream_sid == latest.stream_sid and _handed_on",
            "_handed_on",
            "a transfer of an earlier stream decides on the call",
        ),
        Mutation(
            "_OF_TRANSFER.get(transfer.status, Outcome.TRANSFERRED)",
            "Outcome.TRANSFERRED",
            "a call that no human took counts as transferred",
        ),
        Mutation(
            "TransferStatus.CANCELED: Outcome.LEFT_ON_HOLD,",
            "TransferStatus.CANCELED: Outcome.UNANSWERED,",
            "a caller who hung up counts as one whom nobody answered",
        ),
        Mutation(
            "if transfer.status is TransferStatus.ANSWERED:",
            "if False:",
            "a human took the call, and yet the caller is said to have hung up",
        ),
        Mutation(
            "if stream.ended_by in (EndedBy.BOT, EndedBy.SERVER):",
            "if stream.ended_by is EndedBy.BOT:",
            "a transfer whose stream we had to close is a failure",
        ),
        Mutation(
            "stream.ended_by is not EndedBy.CALLER and transfer.seen_at is not None",
            "stream.ended_by is not EndedBy.CALLER",
            "a line that broke counts as a transfer",
        ),
        Mutation(
            "stream.ended_by is not EndedBy.CALLER and transfer.seen_at is not None",
            "transfer.seen_at is not None",
            "a caller who hung up counts as transferred",
        ),
        Mutation(
            "return max(stream_over_at, exotel.over_at)",
            "return exotel.over_at",
            "by Exotel's clock a call ends before its stream",
        ),
        Mutation(
            "return max(stream_over_at, transfer.seen_at or stream_over_at)",
            "return stream_over_at",
            "a call that a human has taken ended with the bot",
        ),
        Mutation(
            "ended_well = by in (EndedBy.CALLER, EndedBy.BOT)",
            "ended_well = by is EndedBy.CALLER",
            "a call that the bot ended well counts as failed",
        ),
        Mutation(
            "if latest.end is None:",
            "if latest.lost_at:",
            "a stream found lost too early stays lost though it ended well",
        ),
        Mutation(
            "facts.answer.decision is Decision.REFUSE",
            "facts.answer.decision is not Decision.ACCEPT",
            "a call that is told the closed hours counts as refused",
        ),
        Mutation(
            "over = exotel if exotel and exotel.is_final else None",
            "over = exotel",
            "a call that was merely answered has ended",
        ),
        Mutation(
            "if over and over.status in _NOT_ANSWERED:",
            "if not facts.answer and over and over.status in _NOT_ANSWERED:",
            "a call that nobody took counts as abandoned",
        ),
    ),
)

_TRANSFER_STATE = Module(
    "bridge/exobridge/call/transfer_state.py",
    _CALL,
    (
        Mutation(
            "[sign for sign in signs if sign.at >= fact.at]",
            "list(signs)",
            "what became of the first transfer is told of the second",
        ),
        Mutation(
            'if sign.transfer in ("", fact.key)]',
            "]",
            "a late question of the first transfer counts for the second",
        ),
        Mutation(
            "if not earlier and not dialled:",
            "if True:",
            "how the first dialling went is taken for the second's end",
        ),
        Mutation(
            "if not earlier and not dialled:",
            "if not dialled:",
            "a first transfer of which nothing was told spoils the second",
        ),
        Mutation(
            "report.is_summary and report.at >= fact.at",
            "report.at >= fact.at",
            "a transfer is given up while the call goes on",
        ),
        Mutation(
            "s.began_at and s.began_at > fact.at",
            "s.began_at",
            "a stream that was there before makes the transfer fail",
        ),
        Mutation(
            "if SignKind.REACHED in kinds:",
            "if SignKind.REACHED in kinds and not returned:",
            "a human took the call, and the bot apologises that nobody did",
        ),
        Mutation(
            "if returned or _nobody(since):",
            "if _nobody(since):",
            "the transfer is still pending when the caller is back with the bot",
        ),
        Mutation(
            "if returned or _nobody(since):",
            "if returned:",
            "nobody takes the call, and the transfer is dialled for ever",
        ),
        Mutation(
            "or stream.ended_by is EndedBy.CALLER:",
            "or False:",
            "a human is dialled for a caller who has hung up",
        ),
        Mutation(
            "max(ends) > max(begins)",
            "max(ends) >= min(begins)",
            "the second attempt counts as failed while it rings",
        ),
        Mutation(
            "if SignKind.SILENT in kinds:",
            "if False:",
            "a call without a second leg counts as transferred",
        ),
        Mutation(
            "if sign.kind not in SUMS]",
            "]",
            "the poll of the details counts as an attempt to dial",
        ),
        Mutation(
            "number = (reached or named or",
            "number = (named or",
            "the number that was dialled last is told for the one who took the call",
        ),
    ),
)

_DIALLING = Module(
    "bridge/exobridge/call/dialling.py",
    ("tests/call/test_dialling.py", *_CALL),
    (
        Mutation(
            "return min(self.ended_at or self.at, self.at)",
            "return self.ended_at or self.at",
            "a clock that is wrong lets a call end in the future",
        ),
        Mutation(
            "key=lambda one: (one.at, repr(one)))[-MOST:])",
            "key=lambda one: (one.at, repr(one))))",
            "dial events without end fill the call's row",
        ),
        Mutation(
            "transfer=transfer)] if transfer else []",
            "transfer=transfer)]",
            "a Connect applet that asks without need makes a transfer fail",
        ),
        Mutation(
            'if "completed" in (dialled, call_type) or talked:',
            'if dialled == "completed" or talked:',
            "a conversation that only CallType tells of is none",
        ),
        Mutation(
            "for leg in _legs(event)[1:]]",
            "for leg in _legs(event)]",
            "the caller's own leg is taken for a human's",
        ),
        Mutation(
            'if conversation and text(event, "direction") == "outgoing" else',
            "if False else",
            "whoever we called is taken for one who was handed to a human",
        ),
        Mutation(
            'if dialled in FINAL or call_type in ("incomplete", "voicemail") or silent:',
            "if dialled or call_type or silent:",
            "a bot-only call, a call-attempt, makes a transfer fail",
        ),
        Mutation(
            '"in-progress" if was_answered else text(event, "status")',
            'text(event, "status")',
            "a call that was answered has ended",
        ),
        Mutation(
            "(r.is_final, _BELIEVED.index(EventKind(r.source)), r.at)",
            "(_BELIEVED.index(EventKind(r.source)), r.at)",
            "an early word of Exotel's counts before its last",
        ),
        Mutation(
            "(r.is_final, _BELIEVED.index(EventKind(r.source)), r.at)",
            "(r.is_final, r.at)",
            "a Passthru's sums count before the call's details",
        ),
    ),
)

_FACTS = Module(
    "bridge/exobridge/call/facts.py",
    _CALL,
    (
        Mutation(
            "return told if known is None else min(known, told)",
            "return told",
            "a late duplicate overrules what is known",
        ),
        Mutation(
            "first_at=min(facts.first_at, event.at)",
            "first_at=facts.first_at",
            "a call began when its first webhook came, however late",
        ),
        Mutation(
            "return self.end.at if self.end else self.lost_at",
            "return self.lost_at or (self.end.at if self.end else None)",
            "a stream ended when the server found it, not when it did",
        ),
        Mutation(
            "known += [self.lost_at] if self.lost_at else []",
            "pass",
            "a stream of which only the loss is known is forgotten",
        ),
        Mutation(
            "if by is EndedBy.NETWORK and self.reported is EndedBy.CALLER:",
            "if self.reported is EndedBy.CALLER:",
            "Exotel's report hides that the server failed",
        ),
        Mutation(
            "transfer=max(stream.transfer or asked, asked)",
            "transfer=asked",
            "of two transfers the one that was told last counts, not the later",
        ),
    ),
)

_EVENTS = Module(
    "bridge/exobridge/call/events.py",
    ("tests/call/test_state.py",),
    (
        Mutation(
            '(plain := name.lower()) != "currenttime"',
            '(plain := name.lower()) != ""',
            "a repeated webhook is kept as another",
        ),
        Mutation(
            'key = f"{EventKind.TRANSFER_REQUESTED}:{stream_sid}:{utterance}"',
            'key = f"{EventKind.TRANSFER_REQUESTED}:{stream_sid}"',
            "the second transfer of a stream is taken for a duplicate",
        ),
        Mutation(
            'object.__setattr__(self, "at", self.at.astimezone(UTC))',
            "pass",
            "times of two zones are kept side by side",
        ),
        Mutation(
            'key = f"{EventKind.STATUS}:{event_type}:{status}"',
            'key = f"{EventKind.STATUS}:{status}"',
            "the end of a call is taken for the news that it was answered",
        ),
    ),
)

_RESUMING = Module(
    "bridge/exobridge/call/resuming.py",
    ("tests/call/test_resuming.py",),
    (
        Mutation(
            "transfer is not None and transfer.stream_sid == before.stream_sid",
            "transfer is not None",
            "a stream that broke after a transfer is taken for the transfer",
        ),
        Mutation(
            "if attempts or left:",
            "if attempts:",
            "a transfer for which nobody was dialled is taken for a goodbye",
        ),
        Mutation(
            "if attempts or left:",
            "if True:",
            "a line that broke before it was left is taken for a failed transfer",
        ),
        Mutation(
            "if before.ended_by is EndedBy.BOT or _too_long(before):",
            "if before.ended_by is EndedBy.BOT:",
            "a call that was too long is begun again where it was",
        ),
        Mutation(
            "if before.ended_by is EndedBy.BOT or _too_long(before):",
            "if _too_long(before):",
            "a caller who was told goodbye hears that they were cut off",
        ),
        Mutation(
            "if stream.stream_sid != stream_sid and (at := stream.began_at)",
            "if (at := stream.began_at)",
            "a stream is taken for the one before it",
        ),
        Mutation(
            "return said[-HISTORY_LINES:]",
            "return said[:HISTORY_LINES]",
            "a long call goes on where it began",
        ),
        Mutation(
            "for turn in reversed(list(turns))",
            "for turn in turns",
            "a call goes on in the language in which it began",
        ),
    ),
)

_HANDING_OVER = Module(
    "bridge/exobridge/call/handing_over.py",
    ("tests/call/test_handing_over.py",),
    (
        Mutation(
            "if table.lookup.url or not table.names_somebody:",
            "if not table.names_somebody:",
            "the system that knows whom to dial is not asked",
        ),
        Mutation(
            "if table.lookup.url or not table.names_somebody:",
            "if table.lookup.url:",
            "a template that leaves it to the flow cannot hand over",
        ),
        Mutation(
            "self._ending.hold()\n",
            "pass\n",
            "a caller who speaks into the line is not handed over",
        ),
        Mutation(
            "if not bot.text:",
            "if True:",
            "the caller is told twice to hold the line",
        ),
        Mutation(
            "await self._keep(bot, transfer)\n        await self._ending.leave(bot, REASON)",
            "await self._ending.leave(bot, REASON)\n        await self._keep(bot, transfer)",
            "Exotel asks whom to dial before it is on record",
        ),
        Mutation(
            "except ExobridgeError as error:",
            "except ZeroDivisionError as error:",
            "a full disk keeps the caller from a human",
        ),
    ),
)

MODULES = (
    _PLAYOUT,
    _HEARING,
    _FORMATS,
    _TEXT,
    _BOT_TURN,
    _STATE,
    _OUTCOME,
    _TRANSFER_STATE,
    _DIALLING,
    _FACTS,
    _EVENTS,
    _RESUMING,
    _HANDING_OVER,
)
