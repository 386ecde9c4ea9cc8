"""Faults in what is kept of a call's wire, read again and compared."""

from __future__ import annotations

from tests.mutations.mutation import Module, Mutation

_MASKING = Module(
    "bridge/exobridge/wire/masking.py",
    ("tests/wire/test_masking.py",),
    (
        Mutation("from to callfrom", "to callfrom", "the caller's number is passed on"),
        Mutation("callfrom callto caller", "callfrom caller", "a number called is passed on"),
        Mutation("outgoingphonenumber ", "", "the ExoPhone is passed on"),
        Mutation(
            '"customparameters", "customfield"', '"customfield"', "a user's token is passed on"
        ),
        Mutation('"customparameters", "customfield"', '"customparameters"', "a token is passed on"),
        Mutation('_NOTHING = ("", "null")', '_NOTHING = ("",)', "null is masked"),
        Mutation("(?=.*[0-9])(?=.*[A-Za-z])", "(?=.*[A-Za-z])", "a long word is masked"),
        Mutation("{16,}", "{32,}", "a short token is passed on"),
        Mutation("and len(self._shown) < MAX_NUMBERS", "", "numbers fill the memory"),
        Mutation('f"{plain}/{alike + 1}" if alike else plain', "plain", "two numbers are one"),
        Mutation('each.partition("/")[0] == plain', "each == plain", "the third is the second"),
        Mutation(
            'self._shown.get(normal, "***")', "self._shown.get(normal, number)", "the rest is shown"
        ),
        Mutation(
            "if _USUAL_MEDIA.fullmatch(text):",
            "if _USUAL_MEDIA.match(text):",
            "what follows audio is passed on",
        ),
        Mutation(
            "if _USUAL_MEDIA.fullmatch(text):",
            "if '\"media\"' in text:",
            "what stands beside audio is passed on",
        ),
        Mutation("except (ValueError, RecursionError):", "except ValueError:", "depth raises"),
        Mutation(
            "            return value if masked == text else masked\n",
            "            return value\n",
            "a number without quotes is passed on",
        ),
        Mutation("not isinstance(value, bool)", "True", "true becomes a text"),
        Mutation('name.rstrip("]").rpartition("[")[2]', "name", "a leg's number is passed on"),
        Mutation('if value[:1] in ("{", "["):', "if False:", "a secret in JSON is passed on"),
        Mutation(
            "users_own=called in _USERS_OWN)",
            "users_own=False)",
            "a custom field's token is passed on",
        ),
        Mutation(
            "users_own=users_own or name in _USERS_OWN",
            "users_own=users_own",
            "custom parameters are passed on",
        ),
        Mutation(
            "users_own=users_own or name in _USERS_OWN",
            "users_own=name in _USERS_OWN",
            "a user's token in a table is passed on",
        ),
        Mutation(
            'return self._string("", key, users_own=users_own)',
            "return key",
            "a key may be a token",
        ),
        Mutation(
            'if name == "payload" and isinstance(value, str) and _is_base64(value):',
            "if False:",
            "audio is masked",
        ),
        Mutation(" and _is_base64(value)", "", "a secret called payload is passed on"),
        Mutation(
            "self._walk(name, item, users_own=users_own) for item",
            'self._walk("", item, users_own=False) for item',
            "numbers in a list are passed on",
        ),
        Mutation(
            '",".join(self._number(part.strip()) or part for part in text.split(","))',
            "self._number(text)",
            "several numbers are one",
        ),
        Mutation(
            "if users_own and _TOKEN.fullmatch(text):",
            "if _TOKEN.fullmatch(text):",
            "a CallSid is masked",
        ),
        Mutation(
            'name.lower().replace("_", "")', "name.lower()", "custom_parameters are passed on"
        ),
        Mutation("plain = name.lower()", "plain = name", "From is passed on"),
        Mutation(
            "_writable(self._redactor.text(text))",
            "self._redactor.text(text)",
            "half a character stops the file",
        ),
        Mutation(
            "return _writable(str(self._redactor.named(name, text)))",
            "return _writable(text)",
            "secrets are passed on",
        ),
    ),
)

_READING = Module(
    "bridge/exobridge/wire/reading.py",
    ("tests/wire/test_reading.py",),
    (
        Mutation("st_size > MAX_FILE_BYTES", "st_size > MAX_FILE_BYTES * 4", "a huge file is read"),
        Mutation("if size > self._max_bytes:", "if False:", "a bomb is unpacked"),
        Mutation("if len(rest) > MAX_LINE_BYTES:", "if False:", "a line without end is read"),
        Mutation(
            "member.decompress(data, _PART)", "member.decompress(data)", "a bomb goes off at once"
        ),
        Mutation("self.torn = self.torn or bool(rest)", "pass", "a torn line is not told"),
        Mutation(
            "self.torn = self.torn or bool(rest)",
            "self.torn = bool(rest)",
            "a torn batch is not told",
        ),
        Mutation(
            "zlib.error:\n                lines.torn = True\n",
            "zlib.error:\n",
            "what is damaged is whole",
        ),
        Mutation(
            "not part and not member.eof:\n                lines.torn = True\n",
            "not part and not member.eof:\n",
            "a file that was cut is whole",
        ),
        Mutation(
            "        data = member.unused_data\n",
            '        data = b""\n',
            "only the first batch is read",
        ),
        Mutation("    file.seek(0)\n", "", "a file begins with its third byte"),
        Mutation(
            "elif record is None:\n            unknown += 1",
            "elif record is None:\n            pass",
            "unknown lines are not counted",
        ),
        Mutation(
            "if not isinstance(kind, str) or kind in _KINDS:",
            "if not isinstance(kind, str):",
            "a damaged line is of a newer version",
        ),
        Mutation(
            "if not isinstance(kind, str) or kind in _KINDS:",
            "if True:",
            "a newer file cannot be read",
        ),
        Mutation("if number == 1 else", "if number == 0 else", "a picture is a damaged file"),
        Mutation(
            "if not isinstance(record, Header):", "if False:", "a file without a header raises"
        ),
        Mutation(
            "record.format > FORMAT",
            "record.format > FORMAT + 1",
            "a format that is not known is read",
        ),
        Mutation("record.format > FORMAT", "record.format >= FORMAT", "no file can be read"),
        Mutation(
            "msgspec.ValidationError, msgspec.DecodeError, UnicodeError, RecursionError",
            "msgspec.ValidationError, msgspec.DecodeError, UnicodeError",
            "depth raises",
        ),
        Mutation(
            "sorted(webhooks, key=lambda webhook: webhook.at)", "webhooks", "webhooks change places"
        ),
        Mutation(
            "sorted(streams, key=lambda stream: stream.opened_at)",
            "streams",
            "streams change places",
        ),
        Mutation("sorted(frames, key=lambda frame: frame.ms)", "frames", "frames change places"),
        Mutation(
            "of_streams.setdefault(record.stream, [])",
            'of_streams.setdefault("", [])',
            "two streams are one",
        ),
        Mutation('cut=cuts[0] if cuts else ""', 'cut=""', "a file that is full is whole"),
        Mutation("closed[0] if closed else None", "None", "no stream has an end"),
        Mutation('named[0] if named else ""', '""', "no stream has a template"),
        Mutation("opened[0] if opened else 0.0", "0.0", "all streams began in 1970"),
        Mutation(
            "if frame.by is side)", "if frame.by is not side)", "each side sent what the other did"
        ),
    ),
)

_COMPARE = Module(
    "bridge/exobridge/replay/compare.py",
    ("tests/replay/test_seen.py",),
    (
        Mutation("if then != now:", "if False:", "nothing differs"),
        Mutation(
            "if then is None and now is None:",
            "if then is None or now is None:",
            "a greeting that is missing is the same",
        ),
        Mutation(
            "abs(then - now) > tolerance_ms", "then - now > tolerance_ms", "later is the same"
        ),
        Mutation(
            "abs(then - now) > tolerance_ms", "now - then > tolerance_ms", "earlier is the same"
        ),
        Mutation("abs(then - now) > tolerance_ms", "abs(then - now) > 0", "a millisecond differs"),
        Mutation(
            'with_times.near("greeting"',
            'Comparison("").near("greeting"',
            "a late greeting is the same",
        ),
        Mutation(
            'with_times.same("spans',
            'Comparison("").same("spans',
            "an answer that is missing is the same",
        ),
        Mutation(
            'with_times.near(f"{span}: begins"',
            'Comparison("").near(f"{span}: begins"',
            "a late answer is the same",
        ),
        Mutation(
            'with_times.near(f"{span}: length"',
            'Comparison("").near(f"{span}: length"',
            "a short answer is the same",
        ),
        Mutation(
            'with_times.near(f"clear {number}"',
            'Comparison("").near(f"clear {number}"',
            "a late clear is the same",
        ),
        Mutation(
            'with_times.near("duration"',
            'Comparison("").near("duration"',
            "a short call is the same",
        ),
        Mutation(" + compare_kinds(where, then, now)", "", "who ended it is the same"),
        Mutation(
            "if then.encoding is not None and now.encoding is not None:",
            "if True:",
            "a bot that was not heard has another format",
        ),
        Mutation('kinds.same("marks"', 'Comparison("").same("marks"', "missing marks are the same"),
        Mutation(
            'kinds.same("clears"', 'Comparison("").same("clears"', "missing clears are the same"
        ),
        Mutation('kinds.same("ended by"', 'Comparison("").same("ended by"', "any end is the same"),
        Mutation(
            'kinds.same("close code"',
            'Comparison("").same("close code"',
            "any close code is the same",
        ),
        Mutation(
            'kinds.same("rules broken"',
            'Comparison("").same("rules broken"',
            "broken rules are the same",
        ),
        Mutation('answers.same("status"', 'Comparison("").same("status"', "any status is the same"),
        Mutation(
            'answers.same("content type"',
            'Comparison("").same("content type"',
            "any type is the same",
        ),
        Mutation("now.body.replace(played, kept)", "now.body", "a new id differs"),
        Mutation(
            "_body(Masker().json(now.body))", "_body(now.body)", "a number differs from its mask"
        ),
        Mutation('.partition(";")[0].strip().lower()', ".strip().lower()", "a charset differs"),
        Mutation('_URL_HEAD.sub("https://…", text)', "text", "another host differs"),
        Mutation(", sort_keys=True", "", "keys in another order differ"),
        Mutation("text if len(text) <= MAX_SHOWN else", "text if True else", "a book is shown"),
    ),
)

_SEEN = Module(
    "bridge/exobridge/replay/seen.py",
    ("tests/replay/test_seen.py",),
    (
        Mutation(
            "self._stopped_ms = frame.ms - self._start_ms", "pass", "audio after the stop is fine"
        ),
        Mutation(
            "            self._log.add(breach, now)",
            "            pass",
            "broken rules are not seen",
        ),
        Mutation(
            "                self._marks += 1\n", "                pass\n", "marks are not seen"
        ),
        Mutation("                self._earpiece.clear(now)\n", "", "what was taken back is heard"),
        Mutation("                self._clears.append(now)\n", "", "clears are not seen"),
        Mutation(
            "now > self._stopped_ms + STOP_GRACE_MS",
            "now > self._stopped_ms",
            "a frame on its way breaks a rule",
        ),
        Mutation(
            "if not self._earpiece.receive(now, audio):",
            "if self._earpiece.receive(now, audio) and False:",
            "a full line is not seen",
        ),
        Mutation("> MAX_LEAD_MS", "> MAX_LEAD_MS * 10", "a lead is not seen"),
        Mutation("if leads and not self._led_too_far:", "if leads:", "one lead is many"),
        Mutation(
            "self._led_too_far = leads", "self._led_too_far = True", "a second lead is not seen"
        ),
        Mutation(
            "self._earpiece.end(ended) and ended_by is End.SERVER",
            "self._earpiece.end(ended)",
            "a caller who hangs up is the server's fault",
        ),
        Mutation(
            "self._earpiece.end(ended) and ended_by is End.SERVER",
            "ended_by is End.SERVER",
            "any close is in the middle of a word",
        ),
        Mutation(
            "stream.closed is not None and ended_by is End.SERVER",
            "stream.closed is not None",
            "the caller has a close code",
        ),
        Mutation(
            "spans[0].start_ms if spans",
            "spans[-1].start_ms if spans",
            "the last word is the greeting",
        ),
        Mutation(
            "stream.by(Side.SERVER):\n        try:",
            "stream.by(Side.EXOTEL):\n        try:",
            "the caller's format is the bot's",
        ),
        Mutation("if 0 < ms <= 1000:", "if ms <= 1000:", "two chunks at one time raise"),
        Mutation("if 0 < ms <= 1000:", "if 0 < ms:", "a pause changes the format"),
        Mutation("median(paces)", "max(paces)", "one large chunk changes the format"),
        Mutation(
            "round(median(paces) / 8) * 8", "median(paces)", "a format must be met to the byte"
        ),
    ),
)

MODULES = (_MASKING, _READING, _COMPARE, _SEEN)
