"""Faults in the smaller pieces of a conversation."""

from __future__ import annotations

from tests.mutations.mutation import Module, Mutation

_SENTENCES = Module(
    "bridge/exobridge/call/sentences.py",
    ("tests/call/test_sentences.py", "tests/call/test_clauses.py"),
    (
        Mutation("[.?!]++[{_CLOSERS}]*+(?=\\s)", "[.?!]++[{_CLOSERS}]*+", "3.5 is cut in two"),
        Mutation("|(?<![।॥۔؟])[।॥۔؟]++", "|(?<![॥۔؟])[॥۔؟]++", "Hindi is not cut at all"),
        Mutation(
            "return None if following is None else not",
            "return following is None or not",
            "No. is taken for a sentence before the 5 behind it has come",
        ),
        Mutation(
            "if lower in _BEFORE_A_NAME or",
            "if False or",
            "Dr. Rao's name is a sentence of its own",
        ),
        Mutation(
            "(len(last_part) == 1 and last_part.isalpha())",
            "False",
            "initials are cut from their name",
        ),
        Mutation("return not is_list_number", "return True", "a list's numbers stand alone"),
        Mutation(
            'if mark[0].startswith(".."):\n        return False',
            'if mark[0].startswith(".."):\n        return True',
            "three dots end a sentence",
        ),
        Mutation(".lstrip(_OPENERS)", "", "an abbreviation in brackets is none"),
    ),
)

_CLAUSES = Module(
    "bridge/exobridge/call/clauses.py",
    ("tests/call/test_clauses.py",),
    (
        Mutation(
            "if not self._begun and (end := self._early_end()):",
            "if end := self._early_end():",
            "every sentence is said in bits",
        ),
        Mutation("if end >= EARLY_CHARS)", "if end > 0)", "the first line is a word"),
        Mutation("(?=\\s+[^\\s\\d])", "", "a number is cut at its comma"),
        Mutation(
            "if end is not None and end <= MAX_CHARS:",
            "if end is not None:",
            "a line is longer than it may be",
        ),
        Mutation(
            "if len(self._held.rstrip()) > MAX_CHARS else None",
            "if False else None",
            "an answer without full stops is never spoken",
        ),
        Mutation(
            "self._begun = False\n        return lines",
            "return lines",
            "only a call's first answer begins early",
        ),
        Mutation(
            "if not more and not self._held and text.strip():",
            "if not more and text.strip():",
            "the last piece of a sentence is said before its beginning",
        ),
        Mutation(
            "(self._held + piece).lstrip()", "self._held + piece.strip()", "words run together"
        ),
    ),
)

_DIGITS = Module(
    "bridge/exobridge/call/digits.py",
    ("tests/call/test_digits.py",),
    (
        Mutation(
            "if key == self._rules.terminator and (self.digits or self.asked):",
            "if key == self._rules.terminator:",
            "a hash alone is not a key",
        ),
        Mutation(
            "if self.asked and not self.digits:",
            "if self.asked:",
            "a noise gives the caller more time between keys",
        ),
        Mutation(
            "len(self.digits) >= self._rules.max_digits",
            "len(self.digits) > self._rules.max_digits",
            "the bot waits for one key too many",
        ),
        Mutation("or now > self._late[1]", "", "a hash pressed much later is swallowed"),
        Mutation("or self._late[0] != key", "", "a key is swallowed in place of the hash"),
        Mutation(
            "self._until = now + self._rules.timeout_seconds\n        return",
            "self._until = self._until or now + self._rules.timeout_seconds\n        return",
            "the pause counts from the first key",
        ),
        Mutation(
            "self._rules = UNASKED\n        self._until = None",
            "self._until = None",
            "the rules outlive their turn",
        ),
    ),
)

_FILLER = Module(
    "bridge/exobridge/call/filler.py",
    ("tests/call/test_filler.py",),
    (
        Mutation("self._left -= 1", "pass", "fillers without end"),
        Mutation("MOST if self._after_s else 0", "MOST", "a filler nobody wanted"),
        Mutation("if caller_speaking:", "if False:", "the filler talks over the caller"),
        Mutation("self._wait(now, AGAIN_S)", "self._wait(now, 0)", "a filler behind every line"),
    ),
)

_BEEP = Module(
    "bridge/exobridge/call/beep.py",
    ("tests/call/test_beep.py",),
    (
        Mutation(
            "if float(power.max()) > strongest * 10 ** (SECOND_DB / 10):",
            "if False:",
            "a key is taken for the beep",
        ),
        Mutation(
            "if not LEAST_MS <= run.length_ms <= LONGEST_MS:",
            "if not LEAST_MS <= run.length_ms:",
            "a fax is taken for a machine that records",
        ),
        Mutation(
            "if not LOWEST_HZ <= run.hertz <= HIGHEST_HZ:",
            "if False:",
            "hum is taken for a beep",
        ),
        Mutation("return gap_ms > MELODY_MS", "return True", "a melody is taken for a beep"),
        Mutation(
            "return not _of_the_network(run) or gap_ms > NETWORK_REPEAT_MS",
            "return True",
            "ringing is taken for a beep",
        ),
        Mutation(
            "if gap_ms <= UNSTEADY_MS:\n            return False",
            "if gap_ms <= UNSTEADY_MS:\n            return True",
            "the end of a bell is taken for a beep",
        ),
        Mutation(
            "if tone is not None or level > beep.high.dbfs - QUIET_DB:",
            "if tone is not None:",
            "what is followed by sound is taken for a beep",
        ),
        Mutation(
            "self.low = self.high = tone  #",
            "pass  #",
            "a beep between two frames is missed in noise",
        ),
        Mutation(
            "return self.misses <= MISSES and self.frames > 1",
            "return False",
            "a click in a beep makes two of it",
        ),
        Mutation(
            "NETWORK_QUIET_MS if _of_the_network(beep) else QUIET_MS",
            "QUIET_MS",
            "busy is taken for a beep",
        ),
    ),
)

_VOICEMAIL = Module(
    "bridge/exobridge/call/voicemail.py",
    ("tests/call/test_voicemail.py",),
    (
        Mutation(
            "if opening and self._voiced_ms",
            "if self._voiced_ms",
            "a human who answers at length is hung up on",
        ),
        Mutation(
            "if self._beeps.undecided:  # the pause may be a beep",
            "if False:  # the pause may be a beep",
            "a machine with a low beep is talked to",
        ),
        Mutation(
            "if self.over or (self._human and self._machine_ms is None):",
            "if self.over:",
            "a human's phone beeps and they are hung up on",
        ),
        Mutation(
            "if not self._spoken:",
            "if False:",
            "a line that beeps as it connects is taken for a machine",
        ),
        Mutation(
            "min(end_ms - self._heard_ms, LONGEST_WINDOW_MS)",
            "end_ms - self._heard_ms",
            "audio that nobody judged makes a human a machine",
        ),
        Mutation(
            "silent_since = max(self._machine_ms, self._last_voice_ms)",
            "silent_since = self._machine_ms",
            "the message is spoken into the greeting",
        ),
        Mutation(
            "voiced_ms, self._voiced_ms, self._begun_ms = self._voiced_ms, 0.0, None",
            "voiced_ms, self._begun_ms = self._voiced_ms, None",
            "a human's second sentence makes them a machine",
        ),
        Mutation(
            "if not silent and end_ms - self._machine_ms < self._options.beep_ms:",
            "if not silent:",
            "a machine that never stops is listened to for ever",
        ),
    ),
)

MODULES = (_SENTENCES, _CLAUSES, _DIGITS, _FILLER, _BEEP, _VOICEMAIL)
