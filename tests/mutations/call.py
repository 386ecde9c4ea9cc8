"""Faults in what is played, heard and kept of a call."""

from __future__ import annotations

from tests.mutations.mutation import Module, Mutation

_PLAYOUT = Module(
    "bridge/exobridge/call/playout.py",
    ("tests/call/test_playout.py",),
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
            "offer.encoding is not Encoding.PCM16,\n        )",
            "offer.encoding is Encoding.PCM16,\n        )",
            "of two encodings at one rate the lossy one is sent",
        ),
        Mutation(
            "-offer.sample_rate if below else offer.sample_rate,",
            "offer.sample_rate,",
            "of rates below the line's the lowest is taken",
        ),
        Mutation(
            "if self._stt is None or self._continuous:\n            self._in_segment = False",
            "if self._stt is None:\n            self._in_segment = False",
            "a noise makes a recogniser end the caller's sentence",
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

_STATE = Module(
    "bridge/exobridge/call/state.py",
    ("tests/call/test_state.py",),
    (
        Mutation(
            "if latest.transfer_at and by in (EndedBy.BOT, EndedBy.SERVER):",
            "if latest.transfer_at:",
            "a caller who hung up counts as transferred",
        ),
        Mutation(
            "elif by in (EndedBy.CALLER, EndedBy.BOT):",
            "elif by is EndedBy.CALLER:",
            "a call that the bot ended well counts as failed",
        ),
        Mutation(
            "if by is EndedBy.NETWORK and latest.reported is EndedBy.CALLER:",
            "if latest.reported is EndedBy.CALLER:",
            "Exotel's report hides that the server failed",
        ),
        Mutation(
            "_stream_ending(streams[-1], max(over)) if len(over) == len(streams) else None",
            "_stream_ending(streams[-1], max(over)) if over else None",
            "a call with an open stream has ended",
        ),
        Mutation(
            "_stream_ending(streams[-1], max(over))",
            "_stream_ending(streams[0], max(over))",
            "a failed transfer that came back to the bot is still a transfer",
        ),
        Mutation(
            "_stream_ending(streams[-1], max(over))",
            "_stream_ending(streams[-1], min(over))",
            "a call ends before its last stream did",
        ),
        Mutation(
            "began.sort(key=lambda item: (item[0], item[1].stream_sid))",
            "pass",
            "the streams stand in the order of their ids",
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
    ),
)

_FACTS = Module(
    "bridge/exobridge/call/facts.py",
    ("tests/call/test_state.py",),
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
            "known += [at for at in (self.transfer_at, self.lost_at) if at]",
            "pass",
            "a stream of which only the loss is known is forgotten",
        ),
    ),
)

_EVENTS = Module(
    "bridge/exobridge/call/events.py",
    ("tests/call/test_state.py",),
    (
        Mutation(
            'if name.lower() != "currenttime"}',
            "}",
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
    ),
)

MODULES = (_PLAYOUT, _HEARING, _TEXT, _BOT_TURN, _STATE, _FACTS, _EVENTS)
