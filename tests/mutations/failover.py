"""Faults in what happens when a provider fails."""

from __future__ import annotations

from tests.mutations.mutation import Module, Mutation

_FOLDER = "bridge/exobridge/call/failover"
_TESTS = "tests/call/failover"

_BREAKER = Module(
    f"{_FOLDER}/breaker.py",
    (f"{_TESTS}/test_breaker.py",),
    (
        Mutation(
            "self._failures[0] > now - WINDOW_S",
            "True",
            "three failures in a week open a circuit",
        ),
        Mutation(
            "while self._failures and self._failures[0] <= asked_at:",
            "while self._failures:",
            "open sessions hide that new ones are refused",
        ),
        Mutation(
            "self._opened_at is None or asked_at < self._opened_at",
            "self._opened_at is None",
            "a session from before closes the circuit",
        ),
        Mutation("return now >= self._trial_until", "return True", "all calls try at once"),
        Mutation("REST_S * 2.0**self._rests", "REST_S", "rests do not get longer"),
        Mutation("if many or for_good else", "if many else", "a wrong key is tried three times"),
        Mutation("* jitter", "* 1", "all processes try at the same moment"),
    ),
)

_JOURNAL = Module(
    f"{_FOLDER}/journal.py",
    (f"{_TESTS}/test_journal.py",),
    (
        Mutation(
            "if self.requests or self._speaking():",
            "if self._speaking():",
            "a segment that waits for its text is dropped",
        ),
        Mutation("self._trim(MAX_FRAMES)", "pass", "memory is not bounded"),
        Mutation(
            " and self._entries[0] is not None:", ":", "a request is lost, and never answered"
        ),
        Mutation(
            "self._entries.append(None)\n        self.requests += 1",
            "self._entries.append(None)",
            "requests are not counted",
        ),
        Mutation(
            "start = max(0, place - self._begins)", "start = place", "a replay skips what was said"
        ),
    ),
)

_SCRIPT = Module(
    f"{_FOLDER}/script.py",
    (f"{_TESTS}/test_script.py",),
    (
        Mutation("* (1 - CAUTION)", "", "a word may be lost"),
        Mutation("if match.end() <= place", "if True", "the rest of a line is lost"),
        Mutation(
            "self.begins = clause_start(self.text, self.begins + int(reckoned), self.begins)",
            "self.begins = clause_start(self.text, int(reckoned))",
            "a line that breaks off twice is said anew",
        ),
        Mutation("chars = len(line.text) - line.begins", "chars = len(line.text)", "a wrong speed"),
    ),
)

_LINEUP = Module(
    f"{_FOLDER}/lineup.py",
    (f"{_TESTS}/test_stt.py",),
    (
        Mutation(
            "if not error.retryable:\n            self._barred.add(name)",
            "",
            "what cannot work is tried again",
        ),
        Mutation(
            "return sum(at > since for at in self._failures[name])",
            "return 0",
            "a call tries for ever",
        ),
        Mutation(
            "return not self._is_worth_asking(choice.name), self",
            "return False, self",
            "every call finds out by itself",
        ),
        Mutation(
            "until = min(deadline, asked_at + self.share(self._means.waits.open))",
            "pass",
            "the first provider takes the whole wait",
        ),
        Mutation("if language != self._language:", "if False:", "a language closes a provider"),
    ),
)

_FORMED = Module(
    f"{_FOLDER}/formed.py",
    (f"{_TESTS}/test_formed.py",),
    (
        Mutation(
            "if not isinstance(getattr(event, name), types):", "if False:", "a field holds anything"
        ),
        Mutation("float: (float, int), ", "", "a whole number of seconds is refused"),
    ),
)

_RELAYS = (
    Module(
        f"{_FOLDER}/vad.py",
        (f"{_TESTS}/test_vad.py",),
        (Mutation("self._lost(_as_error(error))", "self._lost(error)", "garbage ends no session"),),
    ),
    Module(
        f"{_FOLDER}/relay.py",
        (f"{_TESTS}/test_stt.py", f"{_TESTS}/test_tts.py"),
        (
            Mutation(
                'check_formed(event, self._declared, "event", seat.choice.name)',
                "pass",
                "a malformed text answers what was said",
            ),
            Mutation(
                "if seat is not self._seat:\n                    return",
                "",
                "a lost session goes on talking",
            ),
            Mutation(
                "self._language = self._speaks\n        self._stay()",
                "self._stay()",
                "a language that nobody knows ends the call later",
            ),
            Mutation(
                "        except asyncio.CancelledError:\n"
                "            self._means.retire(str(self._lineup.kind), seat.session)\n",
                "        except asyncio.CancelledError:\n",
                "a session stays open",
            ),
        ),
    ),
    Module(
        f"{_FOLDER}/stt.py",
        (f"{_TESTS}/test_stt.py",),
        (
            Mutation("self._journal.heard(audio)", "pass", "the next one hears nothing"),
            Mutation(
                "case base.SttTrouble(error) if self._lineup.has_other(seat.choice.name):",
                "case base.SttTrouble(error) if False:",
                "a segment's words are lost",
            ),
            Mutation(
                "place = max(place, self._journal.begins)", "pass", "a replay hears things twice"
            ),
        ),
    ),
    Module(
        f"{_FOLDER}/tts.py",
        (f"{_TESTS}/test_tts.py",),
        (
            Mutation(
                "if line is None or line.language != self._speaks:",
                "if line is None:",
                "a line is said by the voice of another language",
            ),
            Mutation(
                "line.start_over(self._now(), self._speed.ms_per_char)",
                "line.start_over(self._now(), 1)",
                "the rest of a line is lost",
            ),
            Mutation(
                'voice = choice.voice if language == self._own_language else ""',
                "voice = choice.voice",
                "a voice is asked for a language it does not know",
            ),
        ),
    ),
    Module(
        f"{_FOLDER}/dialogue.py",
        (f"{_TESTS}/test_dialogue.py",),
        (
            Mutation(
                "while not (failure and acted):",
                "while True:",
                "an answer is begun twice",
            ),
            Mutation("history=before", "history=()", "the next dialogue knows nothing"),
            Mutation(
                "said.pop()",
                "pass",
                "a turn is remembered twice",
            ),
        ),
    ),
)

MODULES: tuple[Module, ...] = (_BREAKER, _JOURNAL, _SCRIPT, _LINEUP, _FORMED, *_RELAYS)
