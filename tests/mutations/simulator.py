"""Faults in the simulator's faults, answers, figures and pictures."""

from __future__ import annotations

from tests.mutations.mutation import Module, Mutation

_SIMULATOR = "bridge/exobridge/simulator"
_TESTS = "tests/simulator"

_FAULTS = Module(
    f"{_SIMULATOR}/flows/faults.py",
    (f"{_TESTS}/flows/test_faults.py",),
    (
        Mutation("LineFaults(seed=seed)", "LineFaults()", "every seed has the same jitter"),
        Mutation("if applies(flow)]", "]", "faults are told that cannot happen"),
        Mutation("dice.whole(1, MOST_FAULTS)", "dice.whole(0, 0)", "nothing goes wrong"),
        Mutation("dice.whole(1, MOST_FAULTS)", "100", "everything goes wrong at once"),
        Mutation("model_copy(update=values)", "model_copy(update={})", "nothing drawn is done"),
        Mutation(
            "self.line = replace(self.line, **values)",
            "self.line = LineFaults(**values)",
            "one fault of the line takes back another",
        ),
        Mutation(
            "if drawing.flow.callback is not None:", "if True:", "a flow without a callback raises"
        ),
        Mutation("tries=(fate,)", "tries=(fate, fate)", "a handshake fails that was to go well"),
        Mutation("payload_bytes=sizes", "payload_bytes=()", "payloads are not cut that are told"),
        Mutation("odd_frames=found", "odd_frames=()", "odd frames are told that do not come"),
        Mutation("reset_at_ms=at_ms", "reset_at_ms=None", "a reset is told that does not come"),
        Mutation("half_open_at_ms=at_ms", "half_open_at_ms=None", "a line never falls silent"),
        Mutation("lost_marks=every", "lost_marks=0", "marks are told lost that are not"),
        Mutation("late_marks_ms=late_ms", "late_marks_ms=0", "marks are told late that are not"),
        Mutation("early_frames=frames", "early_frames=0", "no frame is ever early"),
        Mutation("handshake_delay_ms=late_ms", "handshake_delay_ms=0", "no handshake is late"),
        Mutation("stalls=(Stall(at_ms, ms),)", "stalls=()", "a line never stalls"),
        Mutation("return_delay_ms=back, ", "", "a line takes no time back, and says that it does"),
        Mutation("drawing.api += faults", "pass", "the API never fails"),
        Mutation("dice.pick((0, 2, 3))", "dice.pick((0, 2, 4))", "a callback comes four times"),
        Mutation(
            "delay_seconds=late / 1000", "delay_seconds=late", "a callback is half an hour late"
        ),
        Mutation('update={"agent": agents}', "update={}", "agents do not what is told"),
        Mutation("after_seconds=after_ms / 1000", "after_seconds=0", "a caller leaves at once"),
        Mutation("limit_seconds=limit_ms / 1000", "limit_seconds=limit_ms", "a stream is too long"),
        Mutation("hangs_up=leaving", "hangs_up=None", "a caller stays who is told to leave"),
        Mutation("sorted(dice.whole(0, 5000)", "list(dice.whole(0, 5000)", "odd frames jump back"),
    ),
)

_DICE = Module(
    f"{_SIMULATOR}/flows/dice.py",
    (f"{_TESTS}/flows/test_faults.py",),
    (
        Mutation("random.Random(seed).random", "random.Random().random", "a seed repeats nothing"),
        Mutation("< probability", "> probability", "what is rare is common"),
        Mutation("(most - least + 1)", "(most - least)", "the greatest never comes"),
        Mutation("left.pop(", "left.__getitem__(", "one thing comes twice"),
        Mutation("len(found) < count", "len(found) <= count", "one thing too many"),
    ),
)

_DIAL_ANSWER = Module(
    f"{_SIMULATOR}/flows/dial_answer.py",
    (f"{_TESTS}/flows/test_walk_answers.py",),
    (
        Mutation("[1-9][0-9]{6,14}", "[0-9]{6,14}", "a number begins with +0"),
        Mutation("[1-9][0-9]{6,14}", "[1-9][0-9]{6,24}", "a number has 25 digits"),
        Mutation(
            "if status != 200:\n        return DialAnswer(None, (Breach(Rule.DIAL_STATUS, "
            'f"status {status}"),))\n    breaches = _wrong_kind(kind, "text/plain")',
            'breaches = _wrong_kind(kind, "text/plain")',
            "a text's status does not count",
        ),
        Mutation(
            "if status != 200:\n        return DialAnswer(None, (Breach(Rule.DIAL_STATUS, "
            'f"status {status}"),))\n    breaches = _wrong_kind(kind, "application/json")',
            'breaches = _wrong_kind(kind, "application/json")',
            "a JSON answer's status does not count",
        ),
        Mutation(
            "any(part and not _WRITTEN.fullmatch(part) for part in written)",
            "False",
            "words are told as bad numbers, not as a bad body",
        ),
        Mutation("[part for part in written if part]", "written", "a trailing comma dials nobody"),
        Mutation("DialOrder(numbers, again=again)", "DialOrder(numbers)", "a text is asked once"),
        Mutation(
            "(*breaches, *wrong))\n\n\ndef read_json",
            "wrong)\n\n\ndef read_json",
            "a text may be of any type",
        ),
        Mutation(
            "    if breaches:\n        return DialAnswer(None, breaches)\n",
            "",
            "JSON that is said to be text is used",
        ),
        Mutation(
            'destination is None or "numbers" not in destination.values',
            "destination is None",
            "an answer without numbers raises",
        ),
        Mutation(
            "    if not isinstance(listed, list):",
            "    if listed is None:",
            "a text of numbers is dialled letter by letter",
        ),
        Mutation(
            "return DialAnswer(order, (*breaches, *given.breaches))",
            "return DialAnswer(order, breaches)",
            "wrong values are not told",
        ),
        Mutation(
            "for key in sorted(given.values.keys() - set(KEYS)):",
            "for key in ():",
            "keys that are not documented are not told",
        ),
        Mutation(
            '        given.wrong("outgoing_phone_number", "is not E.164")\n', "", "no word of it"
        ),
        Mutation(
            "if number and not E164.fullmatch(number):",
            "if not E164.fullmatch(number):",
            "who names no number of theirs is told off",
        ),
        Mutation(
            'return (kind, url) if url else (MUSIC[0], "")',
            "return (kind, url)",
            "music is silence",
        ),
        Mutation('if kind != "custom_tone":', "if True:", "a custom tone is never played"),
        Mutation(
            'most if given.flag("activate") else 1', "most", "all ring though they are not to"
        ),
        Mutation(
            '"both" if to == "both" else "callee"', '"callee"', "the caller hears no playback"
        ),
        Mutation("if not value.strip():", "if not value:", "blanks are played to an agent"),
        Mutation("kind == wanted else", "kind else", "any content type will do"),
        Mutation(
            "if wrong:\n        return (), (",
            "if False:\n        return (), (",
            "one of several is no number, and is dialled",
        ),
        Mutation(
            ", RecursionError):\n        return None", "):\n        return None", "depth raises"
        ),
        Mutation("isinstance(content, dict) else None", "content else None", "a list is an object"),
        Mutation(
            "not isinstance(value, bool):\n            self.wrong",
            "False:\n            self.wrong",
            "1 is true",
        ),
        Mutation("return value is True", "return bool(value)", "no is yes"),
        Mutation("isinstance(value, bool) or not", "not", "true is one second"),
        Mutation("elif not 1 <= value <= largest:", "elif value > largest:", "0 s of ringing"),
        Mutation("elif not 1 <= value <= largest:", "elif value < 1:", "an hour of ringing"),
        Mutation(
            '        self.wrong(key, f"is none of',
            '        (key, f"is none of',
            "a wrong word is fine",
        ),
        Mutation('parts.scheme in ("http", "https") and ', "", "an ftp URL is asked"),
        Mutation(
            "        except ValueError:\n            usable = False",
            "        except IndexError:\n            usable = False",
            "a URL that cannot be read raises",
        ),
        Mutation(
            'f"{self.within}{key[:40]!r} {problem}"', 'f"{key[:40]!r} {problem}"', "which table?"
        ),
        Mutation(
            "DEFAULT_RING_S, MAX_RING_S = 30, 60",
            "DEFAULT_RING_S, MAX_RING_S = 60, 60",
            "it rings long",
        ),
        Mutation("MAX_TALK_S = 900, 4500", "MAX_TALK_S = 900, 3600", "75 minutes are refused"),
    ),
)

_AUDIO = Module(
    f"{_SIMULATOR}/flows/audio.py",
    (f"{_TESTS}/flows/test_walk_answers.py",),
    (
        Mutation("wav.sample_rate != SAMPLE_RATE or ", "", "16 kHz are played"),
        Mutation("len(wav.channels) != 1 or ", "", "stereo is played"),
        Mutation(" or not deep", "", "8 bits are played"),
        Mutation(
            "wav.duration_ms / 1000", "wav.duration_ms", "a whisper lasts a thousand times longer"
        ),
        Mutation("data = data[10 + size :]", "data = data[size:]", "a tag counts as audio"),
        Mutation("size << 7", "size << 8", "a large tag is not passed over"),
        Mutation("data[1] & 0xE6 != 0xE2", "data[1] & 0xE0 != 0xE0", "other layers are MP3"),
        Mutation("len(data) < 4 or ", "", "a short file raises"),
        Mutation("not 0 < index < 15", "not 0 <= index < 15", "a free bit rate divides by zero"),
        Mutation("not 0 < index < 15", "not 0 < index <= 15", "the last index raises"),
        Mutation("rates is None or ", "", "a version that there is not raises"),
        Mutation("2: (0, 8, 16,", "2: (0, 16, 16,", "MPEG 2 has another rate"),
        Mutation("len(data) * 8", "len(data)", "audio lasts an eighth"),
    ),
)

_AGENTS = Module(
    f"{_SIMULATOR}/flows/agents.py",
    (f"{_TESTS}/flows/test_walk_answers.py",),
    (
        Mutation("before + 1", "before", "an agent does the same each time"),
        Mutation(
            "min(before, len(agent.does) - 1)", "before % len(agent.does)", "doings begin anew"
        ),
        Mutation(
            "phone = same_phone(number)",
            "phone = number",
            "a number that is written otherwise is nobody's",
        ),
        Mutation("ring_s=agent.ring_seconds", "ring_s=0.0", "phones do not ring"),
        Mutation("talk_s=agent.talk_seconds", "talk_s=0.0", "agents do not talk"),
        Mutation(
            "leaves_first=agent.leaves_first", "leaves_first=True", "the caller never leaves first"
        ),
        Mutation(
            'normalise(number) or "".join(filter(str.isdigit, number))',
            'normalise(number) or ""',
            "all short numbers are one phone",
        ),
    ),
)

_CROWD = Module(
    f"{_SIMULATOR}/flows/crowd.py",
    (f"{_TESTS}/flows/test_crowd.py",),
    (
        Mutation("math.ceil(percent", "math.floor(percent", "p99 of ten is the ninth"),
        Mutation("max(1, math", "max(2, math", "one value has no percentiles"),
        Mutation("ordered[rank - 1]", "ordered[rank]", "percentiles are one too high"),
        Mutation("ordered = sorted(values)", "ordered = list(values)", "percentiles are by time"),
        Mutation("ordered[-1])", "ordered[0])", "the greatest is the smallest"),
        Mutation(
            "self.well == self.wanted", "self.well == self.done", "calls not placed went well"
        ),
        Mutation("-failure.calls", "failure.calls", "the rarest problem comes first"),
        Mutation(
            "max(self.most_at_once, self.begun - self.done)",
            "self.begun - self.done",
            "the last count is the most",
        ),
        Mutation("self.begun - self.done)", "self.begun)", "all calls were at once"),
        Mutation(
            'dict.fromkeys(_MEASURED.sub("…", each) for each in report.problems)',
            '[_MEASURED.sub("…", each) for each in report.problems]',
            "a call has a problem twice",
        ),
        Mutation('_MEASURED.sub("…", each)', "each", "each call has a problem of its own"),
        Mutation("self.well += report.went_well", "self.well += 1", "all calls went well"),
        Mutation("problem not in self._failures and len", "len", "known problems are put together"),
        Mutation("len(self._failures) >= MAX_PROBLEMS", "False", "problems fill the memory"),
        Mutation(
            "first.calls + 1, first.example",
            "first.calls + 1, report.call_sid",
            "the last is the example",
        ),
        Mutation(
            "known or Failure(problem, 0, report.call_sid, report.seed)",
            "known or Failure(problem, 0, report.call_sid)",
            "no seed to repeat it by",
        ),
        Mutation("if ms is not None]", "]", "an answer that never came is measured"),
        Mutation(
            "each.what in _REQUESTS and each.ms is not None",
            "each.what in _REQUESTS",
            "a request without an answer is measured",
        ),
        Mutation(
            "if stream.handshake_ms is not None:", "if True:", "a handshake that failed is measured"
        ),
        Mutation(
            "if stream.greeting_ms is not None:",
            "if True:",
            "a greeting that was not heard is measured",
        ),
        Mutation("% 10 ** len(end)", "", "a number grows by a digit"),
        Mutation(":0{len(end)}}", "}", "a number loses its noughts"),
        Mutation("(int(end) + number)", "int(end)", "all callers are one"),
        Mutation(
            '("+", whole[1:]) if whole.startswith("+") else ("", whole)',
            '("", whole.lstrip("+"))',
            "a number loses its plus",
        ),
        Mutation("began + number / rate", "began + number * rate", "calls begin at another rate"),
        Mutation("                crowd.interrupted = True\n", "", "an interrupted crowd is whole"),
        Mutation(
            "                crowd.interrupted = True\n                break\n",
            "                crowd.interrupted = True\n",
            "Ctrl-C places the rest at once",
        ),
        Mutation(
            "tasks.create_task(one(number))", "await one(number)", "callers wait for one another"
        ),
        Mutation("round(at, 1) for percent", "at for percent", "figures have sixteen digits"),
    ),
)

_TOLD = Module(
    f"{_SIMULATOR}/told.py",
    (f"{_TESTS}/test_told.py",),
    (
        Mutation("*report.faults]", "]", "faults of the line are not shown"),
        Mutation("[*_violations(report), *", "[*", "broken rules are not shown"),
        Mutation(
            "if report.handshake_ms is not None:", "if True:", "a stream that was not is told"
        ),
        Mutation("sorted(shifted, key=lambda entry: entry.at_ms)", "shifted", "the story jumps"),
        Mutation("counts[each.rule] -= 1", "pass", "what is shown is counted as more"),
        Mutation("if more > 0:", "if more > 100:", "what is beyond the first ten is not told"),
        Mutation(
            "report.handshake_attempts > 1",
            "report.handshake_attempts > 2",
            "a second try is not told",
        ),
        Mutation("if turn.keys:", "if False:", "keys are words"),
        Mutation(
            '"interrupted" if turn.interrupted', '"" if turn.interrupted', "nobody interrupts"
        ),
        Mutation(
            'if turn.role == "caller" else',
            'if turn.role == "bot" else',
            "each says what the other said",
        ),
        Mutation("cut, turn.end_ms)", "cut)", "speech takes no time"),
        Mutation("if mark.returned else", "if not mark.returned else", "marks go the other way"),
        Mutation(
            '        yield Entry(at_ms, _SERVER, _EXOTEL, Kind.EVENT, "clear")',
            '        yield Entry(at_ms, _EXOTEL, _SERVER, Kind.EVENT, "clear")',
            "Exotel clears",
        ),
        Mutation('("stop", _EXOTEL, _SERVER)', '("stop", _SERVER, _EXOTEL)', "the server stops"),
        Mutation("entry.until_ms + ms", "entry.until_ms", "a span ends before it begins"),
        Mutation(
            "at_ms=entry.at_ms + ms", "at_ms=entry.at_ms", "a stream is told at the run's beginning"
        ),
    ),
)

_CHART = Module(
    f"{_SIMULATOR}/chart.py",
    (f"{_TESTS}/test_chart.py",),
    (
        Mutation(
            "for party in NAMES if party in acting", "for party in acting", "lanes change places"
        ),
        Mutation(
            "for party in NAMES if party in acting", "for party in NAMES", "a lane for nobody"
        ),
        Mutation("ms / 1000:.3f", "ms / 1000:.1f", "times are rounded"),
        Mutation(
            "if entry.kind is Kind.SPEECH:\n        return",
            "if False:\n        return",
            "speech has no colour",
        ),
        Mutation("visible(entry.label), [", "entry.label, [", "a label moves the cursor"),
        Mutation("[visible(entry.detail)]", "[entry.detail]", "a detail moves the cursor"),
        Mutation('if label else "speaks"', "", "words that are not known are two quotes"),
        Mutation(
            "(entry.until_ms - entry.at_ms) / 1000",
            "entry.until_ms / 1000",
            "a span is as long as the run",
        ),
        Mutation("more.insert(0,", "more.insert(9,", "how long it took comes last"),
        Mutation(
            "_ASCII if options.ascii_only else _UNICODE",
            "_UNICODE",
            "a terminal without Unicode breaks",
        ),
        Mutation(
            "options.max_width - _TIME - LANE * len(self._lanes)",
            "options.max_width - _TIME",
            "words run out of the terminal",
        ),
        Mutation('overflow="fold"', 'overflow="ellipsis"', "long words are cut"),
        Mutation(
            'time = seconds(entry.at_ms) if number == 0 else ""',
            "time = seconds(entry.at_ms)",
            "each line of a text has a time",
        ),
        Mutation(
            "self._arrow(entry, signs) if number == 0 else self._lifelines(signs)",
            "self._arrow(entry, signs)",
            "each line of a text has an arrow",
        ),
        Mutation(
            "signs.to_right if end > start else",
            "signs.to_left if end > start else",
            "arrows point back",
        ),
        Mutation("drawn[start] = signs.tail", "drawn[end] = signs.tail", "an arrow has no tail"),
        Mutation(
            "left, right = min(start, end), max(start, end)",
            "left, right = start, end",
            "arrows to the left have no line",
        ),
        Mutation('"backslashreplace"', '"ignore"', "words vanish from a terminal"),
        Mutation(
            "if not self._entries:\n            return",
            "if False:\n            return",
            "nothing has a heading",
        ),
        Mutation("signs.points.get(entry.kind) or ", "", "a violation looks like any event"),
        Mutation("(LANE - 1) // 2", "LANE // 2", "arrows miss their lanes"),
    ),
)

_LINE = Module(
    f"{_SIMULATOR}/line_faults.py",
    (f"{_TESTS}/test_line_faults.py",),
    (
        Mutation(
            "self._last_ms = max(self._last_ms, at_ms)",
            "self._last_ms = at_ms",
            "frames overtake one another",
        ),
        Mutation("now_ms + self._delay_ms + self", "now_ms + self", "no delay"),
        Mutation(" + self._jitter_ms * self._random()", "", "no jitter"),
        Mutation(
            "self._jitter_ms * self._random()",
            "self._jitter_ms * (self._random() - 0.5)",
            "frames come early",
        ),
        Mutation("stall.at_ms <= at_ms <", "stall.at_ms < at_ms <", "a stall begins late"),
        Mutation("< stall.at_ms + stall.ms:", "<= stall.at_ms:", "a stall holds nothing up"),
        Mutation("random.Random(seed)", "random.Random()", "a seed does not repeat the jitter"),
        Mutation(
            "self._count % self._every == 0",
            "self._count % self._every == 1",
            "the first mark is lost, not the last",
        ),
        Mutation(
            "                self.lost += 1\n",
            "                pass\n",
            "lost marks are not counted",
        ),
        Mutation("now_ms + self._late_ms, name", "now_ms, name", "marks are not late"),
        Mutation(
            "self._late[0][0] <= now_ms", "self._late[0][0] < now_ms", "marks are never quite due"
        ),
        Mutation(
            "self._late[0][0] if self._late else None]", "None]", "late marks are never asked for"
        ),
        Mutation("[self._playout.next_mark_ms(), ", "[", "marks are never asked for"),
        Mutation(
            "int(self._gone / self._bytes_per_ms)",
            "int(self._cut * 20)",
            "payloads have another's time",
        ),
        Mutation("self._cut % len(self._sizes)", "0", "all payloads have one size"),
        Mutation("            self._gone += size\n", "", "each payload is the first"),
        Mutation(
            "bool(self.delay_ms or self.jitter_ms or self.stalls)",
            "bool(self.delay_ms)",
            "a stall is not carried out",
        ),
        Mutation(
            '_media({"chunk": "1", "timestamp": "0", "payload": _LOUD}, "another-stream")',
            '_media({"chunk": "1", "timestamp": "0", "payload": _LOUD})',
            "audio of another stream is this one's",
        ),
        Mutation('"track": "outbound", ', "", "the bot's own audio is the caller's"),
        Mutation(
            "[:tries] if _FATES[each]", " if _FATES[each]", "tries are told that were not made"
        ),
        Mutation("if each.at_ms <= until_ms]", "]", "what came after the end is told"),
        Mutation("    if until_ms >= 0:\n", "    if True:\n", "faults of no stream are told"),
        Mutation("    if lost:\n", "    if True:\n", "no mark lost is told"),
        Mutation(
            "until_ms=each.at_ms + each.ms", "until_ms=each.ms", "a stall ends before it begins"
        ),
        Mutation("if faults.handshake_delay_ms:", "if False:", "a late handshake is not told"),
        Mutation(
            "if faults.half_open_at_ms is not None:", "if False:", "a silent line is not told"
        ),
        Mutation(
            "for label, much, unit in lasting if much]",
            "for label, much, unit in lasting]",
            "what did not happen is told",
        ),
    ),
)

_TOML_FILE = Module(
    f"{_SIMULATOR}/toml_file.py",
    (f"{_TESTS}/flows/test_load.py",),
    (
        Mutation("if path.stat().st_size > MAX_BYTES:", "if False:", "a file of any size is read"),
        Mutation("except UnicodeDecodeError:", "except UnicodeEncodeError:", "Latin-1 raises"),
        Mutation(
            "except tomllib.TOMLDecodeError as error:",
            "except KeyError as error:",
            "a slip in TOML raises",
        ),
        Mutation("except OSError as error:", "except KeyError as error:", "a missing file raises"),
        Mutation(
            "for problem in found]", "for problem in found[:1]]", "only the first problem is told"
        ),
        Mutation("rest[1] + 1", "rest[1]", "the wrong step is named"),
        Mutation(
            "while len(rest) > 1 and", "if len(rest) > 1 and", "a step of a talk is not named"
        ),
        Mutation(
            "problem.cure or self._cure(problem, place)",
            "problem.cure or self.reference",
            "a slip has no cure",
        ),
        Mutation(
            "return self.missing[str(place.keys[0])]",
            "return self.reference",
            "a missing table has no cure",
        ),
        Mutation("if problem.problem in _TYPE_PROBLEMS:", "if False:", "the types are not named"),
        Mutation("known = [info.alias or name", "known = [name", "a key is known by another name"),
        Mutation(
            'return f"Did you mean {near[0]}?" if near else', "return", "nothing is suggested"
        ),
        Mutation(
            "int(step) if in_list and str(step).isdecimal() else step",
            "step",
            "a validator's step is not found",
        ),
        Mutation("len(kinds) > 1 and step in kinds", "False", "the type stands in the message"),
    ),
)

_TOML_LINES = Module(
    f"{_SIMULATOR}/toml_lines.py",
    (f"{_TESTS}/test_toml_lines.py",),
    (
        Mutation(
            "return index + 1\n    return begin + 1",
            "return index\n    return begin + 1",
            "the line before is named",
        ),
        Mutation(
            "    return begin + 1\n", "    return begin\n", "the line before the table is named"
        ),
        Mutation(
            "for name in reversed(names):", "for name in names:", "a table's line, not its key's"
        ),
        Mutation("if index > begin and _TABLE", "if _TABLE", "no key of a table is found"),
        Mutation(
            "                break\n            if key",
            "                continue\n            if key",
            "a key of another table is named",
        ),
        Mutation("re.escape(name)", "name", "a name with a dot matches others"),
        Mutation(
            "if common > _common(best[1], path):",
            "if common >= _common(best[1], path):",
            "the last table is named",
        ),
        Mutation(
            "path = (*path, counts[path] - 1)\n        path = (*path, *names",
            "path = (*path, counts[path])\n        path = (*path, *names",
            "a table of the next entry is named",
        ),
        Mutation(
            "counts[path] = counts.get(path, 0) + 1", "counts[path] = 1", "each entry is the first"
        ),
        Mutation("        return (), False", "        raise", "a head that is no TOML raises"),
    ),
)

MODULES = (
    _FAULTS,
    _DICE,
    _DIAL_ANSWER,
    _AUDIO,
    _AGENTS,
    _CROWD,
    _TOLD,
    _CHART,
    _LINE,
    _TOML_FILE,
    _TOML_LINES,
)
