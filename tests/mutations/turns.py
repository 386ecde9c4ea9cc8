"""Faults in whose turn it is."""

from __future__ import annotations

from tests.mutations.mutation import Module, Mutation

_FOLDER = "bridge/exobridge/call/turns/"
_RULES = tuple(
    f"tests/call/turns/test_{name}.py" for name in ("policy", "guessing", "keys", "interruption")
)

_POLICY = Module(
    f"{_FOLDER}policy.py",
    _RULES,
    (
        Mutation(
            "if self._bot_talking or self._keys.pending:\n            return actions",
            "if self._bot_talking:\n            return actions",
            "a text in the middle cuts a number in two",
        ),
        Mutation(
            "self._overlong = True\n        actions",
            "actions",
            "an endless talker drops every answer",
        ),
        Mutation(
            "and not self._cut_short:\n            self._overlong = False",
            "and not self._cut_short:\n            pass",
            "after one long turn nobody can interrupt any more",
        ),
        Mutation(
            "if voice.silent_ms >= NOISE_OVER_MS and not self._cut_short:",
            "if voice.silent_ms >= NOISE_OVER_MS:",
            "who pauses in an endless turn drops every answer",
        ),
        Mutation(
            "if voice.silent_ms >= GAP_MS and self._too_long_ms >= 0:",
            "if False:",
            "a turn that is too long is cut in the middle of a word",
        ),
        Mutation(
            "sure = self._verdict(lasting) is Verdict.INTERRUPTION",
            "sure = verdict is Verdict.INTERRUPTION",
            "one misheard word cuts the bot",
        ),
        Mutation(
            "case Outcome.PASS if self._segment.open and attempt.doubtful:",
            "case Outcome.PASS if False:",
            "the bot goes on over an interruption of two words",
        ),
        Mutation(
            "speaks = self._voice.speaking and self._voice.voiced_ms >= MIN_VOICE_MS",
            "speaks = False",
            "who stammers is talked over",
        ),
        Mutation(
            "self._end.went_on(voice.gap_ms)",
            "pass",
            "who hesitates is answered in every pause",
        ),
        Mutation(
            "if voice.silent_ms >= self._end.needed_ms:",
            "if voice.silent_ms > self._end.needed_ms:",
            "every answer comes a window later",
        ),
        Mutation(
            "elif voice.speaking and voice.voiced_ms >= MIN_VOICE_MS:",
            "elif voice.speaking:",
            "a syllable before a pause is transcribed alone",
        ),
        Mutation(
            "if voice.voiced_ms < MIN_VOICE_MS and not segment.partial:",
            "if not segment.partial:",
            "what was said is dropped as noise",
        ),
        Mutation(
            "if self._answer is _Answer.UNCERTAIN:\n            return [self._drop_answer()] if "
            "self._voice.speaking",
            "if self._answer is _Answer.UNCERTAIN:\n            return [] if self._voice.speaking",
            "half a turn is answered beside the whole one",
        ),
        Mutation(
            "if not self._holding or self._answer is _Answer.UNCERTAIN:",
            "if not self._holding:",
            "the answer to a turn that is not over is heard",
        ),
        Mutation(
            "if words(self._said.text) == words(self._guess) and not self._said.digits:",
            "if not self._said.digits:",
            "words that were not said are answered",
        ),
        Mutation(
            "if self._end.goes_on or self._is_harmless(text):",
            "if self._is_harmless(text):",
            "a dialogue is asked in the middle of every sentence",
        ),
        Mutation(
            "self._said.forget_murmurs(now)\n        if self._all_heard",
            "if self._all_heard",
            "every backchannel becomes a turn when the bot has finished",
        ),
        Mutation(
            "if self._bot_talking:\n            self._said.murmur(texts, now)",
            "if self._bot_talking:\n            self._said.forget(texts)",
            "a yes in the question's last word is lost",
        ),
        Mutation(
            "self._pass_over(attempt.texts, now)\n"
            "        actions = self._segment.finalize(self._voice.end_ms)",
            "self._pass_over(attempt.texts, now)\n        actions = self._segment.drop()",
            "an early answer is thrown away as noise",
        ),
        Mutation(
            "return self._bot_talking and free",
            "return self._bot_talking",
            "what must be heard to its end is cut",
        ),
        Mutation(
            "over = self._all_heard and not self._keys.pending",
            "over = True",
            "words are taken while their caller goes on",
        ),
        Mutation(
            "if not segment.open and not segment.finals_due:",
            "if False:",
            "words of the turn before interrupt the answer to it",
        ),
        Mutation(
            "if not said.digits and self._is_harmless(said.text):",
            "if False:",
            "a cut that was none is answered",
        ),
        Mutation(
            "self._said.interrupted = False\n        return [*released",
            "return [*released",
            "the bot repeats itself at every noise",
        ),
        Mutation(
            "now - spoken_s, len(self._said), self._options.barge_in_ms",
            "now, len(self._said), self._options.barge_in_ms",
            "a bot that starts into speech talks on",
        ),
        Mutation(
            "if self._segment.open:  # what follows in it is of the next turn",
            "if False:",
            "voice after the recogniser's end of turn is never finalised",
        ),
    ),
)

_INTERRUPTION = Module(
    f"{_FOLDER}interruption.py",
    _RULES,
    (
        Mutation(
            "early = self.doubtful and not self.audible",
            "early = self.doubtful",
            "every single word interrupts",
        ),
        Mutation(
            "if voice.voiced_ms < self.barge_in_ms:",
            "if False:",
            "clicks interrupt",
        ),
        Mutation(
            "            limit_s = BACKCHANNEL_S\n",
            "            pass\n",
            "a long backchannel interrupts",
        ),
        Mutation(
            "return Outcome.WAIT if harmless else Outcome.TAKE",
            "return Outcome.TAKE",
            "a backchannel drops the answer",
        ),
        Mutation(
            "if voice.voiced_ms < MIN_VOICE_MS and not segment.partial:",
            "if not segment.partial:",
            "what interrupts is dropped as noise",
        ),
        Mutation(
            "if voice.silent_ms and not segment.known:",
            "if False:",
            "what the recogniser took a last word for interrupts",
        ),
        Mutation(
            "if over and segment.known:",
            "if segment.known:",
            "the bot goes on between two words",
        ),
        Mutation(
            "if voice.silent_ms < TEXT_MS or now - self.since < DECIDE_S:",
            "if now - self.since < DECIDE_S:",
            "a slow recogniser's backchannels interrupt",
        ),
        Mutation(
            "return Outcome.TAKE if loud or self.verdict is Verdict.INTERRUPTION else Outcome.PASS",
            "return Outcome.PASS",
            "the bot talks on over who has a slow recogniser",
        ),
    ),
)

_SEGMENT = Module(
    f"{_FOLDER}segment.py",
    ("tests/call/turns/test_segment.py",),
    (
        Mutation(
            "self.finals_due = max(0, self.finals_due - 1)",
            "self.finals_due -= 1",
            "an answer too many wedges the call",
        ),
        Mutation(
            "return not self.finals_due and (self.settled or not self.open)",
            "return self.settled or not self.open",
            "a turn is taken before its text is there",
        ),
        Mutation(
            "if answered and self._peeking_settled:",
            "if answered:",
            "a turn lacks the words after a peek",
        ),
        Mutation(
            "return self._peeked_at is not None and now - self._peeked_at < PEEK_LIMIT_S",
            "return self._peeked_at is not None",
            "after one peek without an answer there is no other",
        ),
        Mutation(
            'self.lasting = " ".join(word for word in words(text) if word in before)',
            "self.lasting = text",
            "the last word of one partial counts",
        ),
        Mutation(
            "return self.finalize(voice_end_ms) if self.asked else []",
            "return self.finalize(voice_end_ms)",
            "speech is cut in two in the middle of a word",
        ),
    ),
)

_SAID = Module(
    f"{_FOLDER}said.py",
    ("tests/call/turns/test_said.py",),
    (
        Mutation(
            "del self._texts[: self._taken.texts]",
            "self._texts.clear()",
            "words that came after the turn was taken are lost",
        ),
        Mutation(
            "self.digits = (self._taken.digits + self.digits)[-MAX_DIGITS:]",
            "self.digits = self.digits[-MAX_DIGITS:]",
            "the first half of a number is lost where the caller was slow",
        ),
        Mutation(
            "self.interrupted |= self._taken.interrupted",
            "pass",
            "the dialogue is not told that the bot was cut short",
        ),
        Mutation(
            "each.murmured_at = inf",
            "pass",
            "half of what was said is forgotten",
        ),
    ),
)

_VOICE = Module(
    f"{_FOLDER}voice.py",
    ("tests/call/turns/test_voice.py",),
    (
        Mutation(
            "(self._end if self.speaking else self._start)",
            "self._start",
            "soft syllables end a caller's turn",
        ),
        Mutation(
            "if self.activity is Activity.ONSET and self._burst_ms >= ONSET_MS:",
            "if self.activity is Activity.ONSET:",
            "one click begins a segment of speech",
        ),
        Mutation(
            "if not self.uttering:\n                self._begin_at",
            "if True:\n                self._begin_at",
            "a turn with pauses is never too long",
        ),
    ),
)

_VOCABULARY = Module(
    f"{_FOLDER}vocabulary.py",
    ("tests/call/turns/test_vocabulary.py",),
    (
        Mutation(
            "if self._interruptions.size_at(said, at) > passed:",
            "if self._interruptions.size_at(said, at):",
            "no problem is a no",
        ),
        Mutation(
            "if _count(said) >= self._min_words",
            "if _count(said) > self._min_words",
            "an interruption takes a word more than it was set to",
        ),
        Mutation(
            "return Ending.WHOLE if digits in WHOLE_NUMBERS else Ending.OPEN",
            "return Ending.OPEN",
            "every telephone number waits for more",
        ),
        Mutation(
            "if one_by_one < 2 and digits < DICTATED_DIGITS:",
            "if digits < DICTATED_DIGITS:",
            "a number is answered after its first digits",
        ),
    ),
)

MODULES = (_POLICY, _INTERRUPTION, _SEGMENT, _SAID, _VOICE, _VOCABULARY)
