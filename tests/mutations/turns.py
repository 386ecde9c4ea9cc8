"""Faults in whose turn it is."""

from __future__ import annotations

from tests.mutations.mutation import Module, Mutation

_TURNS = Module(
    "bridge/exobridge/call/turns.py",
    ("tests/call/test_turns.py",),
    (
        Mutation(
            "enough = self.caller_speaking and self._floor_ms >= self._options.barge_in_ms",
            "enough = self.caller_speaking and self._floor_ms > self._options.barge_in_ms",
            "an interruption takes a window longer than it was set to",
        ),
        Mutation(
            "if self._bot_talking and not self._paused:",
            "if self._bot_talking:",
            "the bot is paused anew with every window",
        ),
        Mutation(
            "if self._paused and silent_ms >= SHORT_NOISE_MS:",
            "if silent_ms >= SHORT_NOISE_MS:",
            "a caller's short pause throws away what they said",
        ),
        Mutation(
            "if silent_ms >= self._options.end_silence_ms:",
            "if silent_ms > self._options.end_silence_ms:",
            "every answer comes a window later",
        ),
        Mutation(
            "if self._voice is _Voice.SPEAKING:\n            threshold",
            "if False:\n            threshold",
            "soft syllables end a caller's turn",
        ),
        Mutation(
            "if self._voice is _Voice.ONSET and self._voiced_ms >= ONSET_MS:",
            "if self._voice is _Voice.ONSET:",
            "one click begins a segment of speech",
        ),
        Mutation(
            "if self._bot_talking and not self._options.barge_in:\n            return owed",
            "if not self._options.barge_in:\n            return owed",
            "without barge-in the caller is never heard",
        ),
        Mutation(
            "self._resume_owed |= self._paused",
            "pass",
            "the bot's next line stays held back after a noise at the end of the last",
        ),
        Mutation(
            "del self._said[: self._taken.texts]",
            "self._said.clear()",
            "words that came after the turn was taken are lost",
        ),
        Mutation(
            "self._digits = (self._taken.digits + self._digits)[-MAX_DIGITS:]",
            "self._digits = self._digits[-MAX_DIGITS:]",
            "the first half of a number is lost where the caller was slow",
        ),
        Mutation(
            "self._interrupted |= self._taken.interrupted",
            "pass",
            "the dialogue is not told that the bot was cut short",
        ),
        Mutation(
            "self._digits_until = now + DIGITS_WAIT_S",
            "self._digits_until = self._digits_until or now + DIGITS_WAIT_S",
            "a number is cut 1.5 s after its first key",
        ),
        Mutation(
            "self._voiced_ms = self._floor_ms = 0.0",
            "pass",
            "three coughs add up to an interruption",
        ),
        Mutation(
            "if self._paused:\n            self._paused = False\n            actions",
            "if self._paused:\n            actions",
            "only the first noise holds the bot back",
        ),
        Mutation(
            'if digit == "#" and self._digits:',
            'if digit == "#":',
            "a lone # is no key",
        ),
        Mutation(
            "self._finals_due = max(0, self._finals_due - 1)",
            "self._finals_due -= 1",
            "an answer too many wedges the call",
        ),
        Mutation(
            "self._overlong = self.caller_speaking",
            "self._overlong = False",
            "an endless talker drops every answer",
        ),
        Mutation(
            "if not self._interrupted or self._bot_talking:",
            "if not self._interrupted:",
            "the bot is told to go on while it talks",
        ),
        Mutation(
            "speech_ms = min(MIN_VOICE_MS, self._options.barge_in_ms)",
            "speech_ms = MIN_VOICE_MS",
            "what interrupted is dropped as noise: nobody talks any more",
        ),
        Mutation(
            "busy = self._bot_talking or self._answering or self._finals_due",
            "busy = self._bot_talking or self._finals_due",
            "the caller is asked whether they are there while their answer is made",
        ),
        Mutation(
            "self._floor_ms = 0.0\n        self._quiet_since = now\n        return turn",
            "self._quiet_since = now\n        return turn",
            "voice of the turn before drops its own answer",
        ),
        Mutation(
            "return self._quiet_since + self._options.end_silence_ms / 1000",
            "return self._quiet_since + self._options.end_silence_ms",
            "words that were too soft are answered minutes later",
        ),
        Mutation(
            "return [Finalize(self._last_voice_ms)]",
            "return [Finalize(self._position_ms)]",
            "the time to an answer is measured without the silence before it",
        ),
        Mutation(
            "actions.append(StartSegment(self._onset_ms))",
            "actions.append(StartSegment(self._position_ms))",
            "the record has the caller begin late",
        ),
        Mutation(
            "if self._digits_until is not None or (going_on and not end_of_turn):",
            "if going_on and not end_of_turn:",
            "a text in the middle cuts a number in two",
        ),
        Mutation(
            "elif self._answering:\n            actions.append(self._drop_answer())\n"
            '        if digit == "#"',
            'if digit == "#"',
            "an answer to half of a number is spoken",
        ),
    ),
)

MODULES = (_TURNS,)
