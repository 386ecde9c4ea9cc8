"""Faults in handing a caller to a human: whom Exotel is told to dial, and what it is told."""

from __future__ import annotations

from tests.mutations.mutation import Module, Mutation

_ATTEMPTS = Module(
    "bridge/exobridge/transfer/attempts.py",
    ("tests/transfer/test_attempts.py",),
    (
        Mutation(
            "if params.dial_status == REACHED:",
            "if False:",
            "who was reached and has hung up is rung again",
        ),
        Mutation(
            "if not params.dial_status:\n        return last.attempt",
            "if not params.dial_status:\n        return last.attempt + 1",
            "a question that is delivered again skips somebody",
        ),
        Mutation(
            "(dialled is None or pending.another) and",
            "dialled is None and",
            "an earlier transfer's failure, told once more, skips somebody",
        ),
        Mutation(
            "pending.another) and now - last.at < REPEATED:",
            "pending.another):",
            "where Exotel does not say who was dialled nobody else ever is",
        ),
        Mutation(
            "if dialled is None:\n        return last.attempt + 1",
            "if dialled is None:\n        return last.attempt",
            "the same people are told twice in a row, and Exotel ends the attempts",
        ),
        Mutation(
            "max(with_them, default=last.attempt) + 1",
            "last.attempt + 1",
            "a failure that is told twice skips somebody",
        ),
        Mutation(
            "max(with_them, ",
            "min(with_them, ",
            "in the second round the attempts begin anew each time",
        ),
        Mutation(
            "default=last.attempt)",
            "default=0)",
            "a number that we did not name leads back to the first attempt",
        ),
        Mutation(
            "if contract is Contract.JSON and found.attempts > 1:",
            "if found.attempts > 1:",
            "an applet that asks only once is told the first number only",
        ),
        Mutation(
            "(turn - 1) % len(numbers)",
            "turn % len(numbers)",
            "rotation begins with the second",
        ),
        Mutation(
            "numbers.index(first) if first in numbers else (turn - 1)",
            "(turn - 1)",
            "others' calls move a rotation that has begun: somebody is rung twice",
        ),
        Mutation(
            "if number > found.attempts:",
            "if number > found.attempts + 1:",
            "there is an attempt more than the template allows",
        ),
        Mutation(
            "max(found.parallel, 1)",
            "found.parallel",
            "one after the other is nobody at all",
        ),
        Mutation(
            "return () if number > 1 and size == len(numbers) else few",
            "return few",
            "the same set is told twice in a row",
        ),
        Mutation(
            "again=bool(portion(number + 1))",
            "again=number < found.attempts",
            "Exotel is to ask again where nobody is left",
        ),
        Mutation(
            "numbers.index(dialled) + 1",
            "numbers.index(dialled)",
            "who did not answer is the next one to be rung",
        ),
        Mutation(
            "if dialled in numbers else 1",
            "if dialled in numbers else 0",
            "without a word of who was dialled the same list is told again",
        ),
    ),
)

_PENDING = Module(
    "bridge/exobridge/transfer/pending.py",
    ("tests/transfer/test_pending.py",),
    (
        Mutation(
            "request = max(requests,",
            "request = min(requests,",
            "a caller's second transfer goes to the people of the first",
        ),
        Mutation(
            'if _text(event, "transfer") == request.key),',
            "),",
            "an earlier transfer's attempts count as this one's",
        ),
        Mutation(
            "key=lambda each: each.attempt,",
            "key=lambda each: 0,",
            "the attempts are in whatever order they were kept in",
        ),
        Mutation(
            "if event.at > request.at)",
            "if True)",
            "the bot's own stream ends the transfer before it begins",
        ),
        Mutation(
            "key=lambda each: (each.at, each.key)\n    )",
            "key=lambda each: each.key\n    )",
            "not what happened first ends a transfer",
        ),
        Mutation(
            "now - _latest(request, asked) >",
            "now - request.at >",
            "a transfer expires while phones ring",
        ),
        Mutation(
            "table.ring_seconds * len(asked[-1].numbers) if asked else 0",
            "0",
            "the second group is not dialled where the first rang for long",
        ),
        Mutation(
            "case EventKind.STREAM_STARTED:",
            "case EventKind.STREAM_ENDED:",
            "the socket that is closed for the transfer ends it",
        ),
        Mutation(
            "case EventKind.STATUS | EventKind.DETAILS if",
            "case EventKind.STATUS if",
            "somebody is rung for a caller who has gone, where only the poll says so",
        ),
        Mutation(
            'if _text(event, "status") in ENDED:',
            'if _text(event, "status"):',
            "a call in progress is over",
        ),
        Mutation(
            '.lower() != "answered":',
            '.lower() != "":',
            "the callback of the answer ends the call",
        ),
        Mutation(
            'case EventKind.DIAL if _text(event, "event_type") == "Answered":',
            "case EventKind.DIAL:",
            "a phone that rings has been answered",
        ),
        Mutation(
            'case EventKind.PASSTHRU if _text(event, "call_type") == HUNG_UP:',
            "case EventKind.PASSTHRU if False:",
            "a human is rung for a caller who hung up while another was",
        ),
        Mutation(
            "if has_expired or now",
            "if now",
            "a transfer that expired before the applet was reached is pending again",
        ),
        Mutation(
            "case EventKind.PASSTHRU if asked and event.at > asked[0].at:",
            "case EventKind.PASSTHRU:",
            "the first transfer's success ends the second",
        ),
        Mutation(
            'if _text(event, "dial_status") == REACHED:',
            'if _text(event, "dial_status"):',
            "busy is taken for answered",
        ),
        Mutation(
            'not in ("", request.key)',
            "!= request.key",
            "a question without a transfer counts as an earlier one's",
        ),
        Mutation(
            'again=event.data.get("again") is True',
            "again=True",
            "every answer is read as if Exotel were to ask again",
        ),
        Mutation(
            "parallel=parallel if isinstance(parallel, int) else 0",
            "parallel=0",
            "how many rang at once is forgotten",
        ),
    ),
)

_WHISPER = Module(
    "bridge/exobridge/transfer/whisper.py",
    ("tests/transfer/test_whisper.py",),
    (
        Mutation(
            "one_line(summary) or last_words(",
            "last_words(",
            "the dialogue's summary is not told",
        ),
        Mutation(
            "if turn.role is Role.CALLER]",
            "]",
            "the bot's own words are told as the caller's",
        ),
        Mutation("len(lines) == MAX_LINES", "False", "the whisper is half the conversation"),
        Mutation(
            "or len(line) + 1 > left",
            "",
            "the latest words are cut for the sake of earlier ones",
        ),
        Mutation("if lines and (", "if (", "one long line is none"),
        Mutation(
            "filter(None, reversed(lines))",
            "filter(None, lines)",
            "the last words come first",
        ),
        Mutation("_ended(one_line(turn.text))", "one_line(turn.text)", "lines run together"),
        Mutation(
            "return cut(one_line(render(table.whisper_text, variables)), table.whisper_max_chars)",
            "return one_line(render(table.whisper_text, variables))",
            "the human listens to a minute of it before the caller is put through",
        ),
        Mutation(
            "[:found].rstrip()) <= max_chars:",
            "[:found].rstrip()) < max_chars:",
            "a sentence that fits exactly is left out",
        ),
        Mutation("    if end:\n", "    if False:\n", "a whisper ends within a sentence"),
        Mutation(
            "text[: max_chars + 1].rsplit",
            "text[:max_chars].rsplit",
            "a word that fits exactly is left out",
        ),
    ),
)

_VISIBLE = Module(
    "bridge/exobridge/visible.py",
    ("tests/test_visible.py", "tests/transfer/test_whisper.py"),
    (
        Mutation(
            'char.isprintable() or char in _JOINERS else " "',
            'True else " "',
            "control characters are sent to Exotel's voice",
        ),
        Mutation(
            'isprintable() or char in _JOINERS else " "',
            'isprintable() else " "',
            "a whisper's Malayalam is misspelt",
        ),
        Mutation(
            "isprintable() or char in keep else",
            "isprintable() or True else",
            "a caller's words clear the operator's screen",
        ),
    ),
)

_CONNECT = Module(
    "bridge/exobridge/exotel/connect.py",
    ("tests/exotel/test_connect.py",),
    (
        Mutation(
            "if forced in tuple(Contract):",
            "if False:",
            "what a template says of its applet is not heeded",
        ),
        Mutation(
            'if "text" in asked and "json" not in asked:',
            "if False:",
            "who asks for text is told JSON, and dials nobody",
        ),
        Mutation("version.strip() or", "version or", "a blank header asks for JSON"),
        Mutation(
            'part.partition(";")[0].strip()',
            "part.strip()",
            "JSON with a preference is not asked for",
        ),
        Mutation(
            "if normalise(number) != number:",
            "if normalise(number) is None:",
            "a national number is sent, which Exotel dials abroad or not at all",
        ),
        Mutation(
            "(*self.numbers, *filter(None, [self.outgoing_number]))",
            "self.numbers",
            "an ExoPhone that is not E.164 is sent",
        ),
        Mutation(
            "MAX_RING_SECONDS = 60", "MAX_RING_SECONDS = 90", "it rings beyond Exotel's bound"
        ),
        Mutation(
            "MAX_TALK_SECONDS = 4500",
            "MAX_TALK_SECONDS = 5400",
            "a limit is sent that Exotel does not take",
        ),
        Mutation("MAX_PARALLEL = 10", "MAX_PARALLEL = 20", "more are rung than Exotel can at once"),
        Mutation(
            'url.scheme in ("http", "https")',
            "True",
            "music that Exotel cannot fetch: the caller waits in silence",
        ),
        Mutation(
            '"fetch_after_attempt": self.again,',
            '"fetch_after_attempt": False,',
            "nobody is asked again after a failure",
        ),
        Mutation(
            "if not self.numbers:\n            return body",
            "if False:\n            return body",
            "to dial nobody is said with all that is for somebody",
        ),
        Mutation(
            '{"record": True, "recording_channels": self.channels}',
            '{"recording_channels": self.channels}',
            "nothing is recorded",
        ),
        Mutation(
            '"playback_to": self.whisper.to,',
            '"playback_to": "both",',
            "the caller hears what is whispered of them",
        ),
        Mutation("if self.parallel > 1:", "if self.parallel:", "one phone rings in parallel"),
        Mutation(
            "each.lower() == told",
            "each == told",
            "no dial event is understood",
        ),
        Mutation(
            "number=normalise(number) or number,",
            "number=number,",
            "who is dialled does not match whom we named",
        ),
    ),
)

_TABLE = Module(
    "bridge/exobridge/templates/transfer.py",
    ("tests/transfer/test_tables.py",),
    (
        Mutation(
            '"india", "any"] = "india"',
            '"india", "any"] = "any"',
            "a caller talks a model into dialling abroad",
        ),
        Mutation(
            " and number_type(parse(number, REGION)) not in _DEAR",
            "",
            "a caller talks a model into dialling a premium number",
        ),
        Mutation(
            'if self.allow_numbers == "listed":',
            "if False:",
            "a model names numbers that the template does not",
        ),
        Mutation(
            "not all(map(self._may_be_dialled, found))",
            "not any(map(self._may_be_dialled, found))",
            "behind one number that may be dialled stands one that may not",
        ),
        Mutation(
            "if named and not trusted and",
            "if named and",
            "the user's own system may not name whom it likes",
        ),
        Mutation(
            "if not is_open(found.hours, now):",
            "if False:",
            "people are rung at night",
        ),
        Mutation(
            "whole = len(numbers) == len(written) <= MAX_NUMBERS",
            "whole = 0 < len(numbers) <= MAX_NUMBERS",
            "of a list with a wrong entry the rest is dialled",
        ),
        Mutation(
            "whole = len(numbers) == len(written) <= MAX_NUMBERS",
            "whole = len(numbers) == len(written)",
            "a model names as many numbers as it likes",
        ),
        Mutation("tuple(dict.fromkeys(numbers))", "tuple(numbers)", "a number is rung twice"),
        Mutation(
            "if len(set(self.numbers)) != len(self.numbers):",
            "if False:",
            "two spellings of a number are two people",
        ),
        Mutation(
            'url.scheme != "https" or',
            "not url.scheme or",
            "music by plain http",
        ),
        Mutation(
            'if self.recording_channels == "dual" and not self.record:',
            "if False:",
            "who sets the channels thinks that it is recorded",
        ),
    ),
)

MODULES = (_ATTEMPTS, _PENDING, _WHISPER, _VISIBLE, _CONNECT, _TABLE)
