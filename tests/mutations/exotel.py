"""Faults in what is read of Exotel and said to it, and in phone numbers."""

from __future__ import annotations

from tests.mutations.mutation import Module, Mutation

_DETECTION = Module(
    "bridge/exobridge/exotel/detection.py",
    ("tests/exotel/test_detection.py",),
    (
        Mutation(
            "(SURE_WINDOWS if alone else 2)",
            "1",
            "one stall of the network overrules exact timestamps",
        ),
        Mutation(
            "return pace.reading or stamps if believed and not self._is_late() else stamps",
            "return stamps or (pace.reading if believed else None)",
            "timestamps that lie are believed for the whole call",
        ),
        Mutation(
            "if believed and not self._is_late() else",
            "if believed else",
            "a busy machine takes PCM16 for μ-law",
        ),
        Mutation(
            "if stated is not None and stated is clock:",
            "if False:",
            "a roar at the beginning is taken for another encoding",
        ),
        Mutation(
            "return sound or clock or",
            "return clock or sound or",
            "lost frames turn PCM16 into μ-law",
        ),
        Mutation(
            "confirmed = self._stamps.latest == chosen.format",
            "confirmed = self._stamps.latest is not None",
            "an interval that contradicts the strings ends the wait for more",
        ),
        Mutation(
            "(1 if agreed and heard else SURE_WINDOWS)",
            "1",
            "one measurement settles what the strings contradict",
        ),
        Mutation(
            "if self.decision is not None or now_ms < self.deadline_ms:",
            "if self.decision is not None:",
            "the strings decide before anything was measured",
        ),
        Mutation(
            "64: MULAW_8K, 128: pcm16(8000), 256",
            "64: pcm16(8000), 128: pcm16(8000), 256",
            "64 kbps are read as PCM16",
        ),
        Mutation(
            "pcm = pcm16(rate) if rate in _RATES else pcm16(8000)",
            "pcm = pcm16(8000)",
            "a stated 16 kHz is played at half its speed",
        ),
        Mutation(
            "return self._frames >= FRAMES_SHOWN",
            "return False",
            "every frame of a strange line is measured to its end",
        ),
    ),
)

_EVIDENCE = Module(
    "bridge/exobridge/exotel/evidence.py",
    ("tests/exotel/test_detection.py",),
    (
        Mutation("LEAD = 3", "LEAD = 1", "lost frames turn PCM16 into μ-law"),
        Mutation(
            "before_ms is None or at_ms is None or not same",
            "before_ms is None or at_ms is None",
            "frames of different sizes are taken for a measurement",
        ),
        Mutation(
            "_STAMPED_TOLERANCE = 0.1",
            "_STAMPED_TOLERANCE = 0.45",
            "what fits no format is taken for one",
        ),
        Mutation(
            "or self._frames < WINDOW_FRAMES",
            "",
            "one frame of 200 ms that is lost spoils each measurement of the arrival",
        ),
        Mutation(
            "self.agreed + 1 if reading == self.reading else 1",
            "self.agreed + 1",
            "one stall of the network overrules exact timestamps",
        ),
        Mutation(
            "upper = payload[1::2]",
            "upper = payload[::2]",
            "PCM16 sounds like nothing",
        ),
        Mutation(
            "0x40 <= byte < 0xC0",
            "0x40 <= byte < 0x50",
            "μ-law sounds like nothing",
        ),
    ),
)

_MESSAGES = Module(
    "bridge/exobridge/exotel/messages.py",
    ("tests/exotel/test_messages.py", "tests/exotel/test_messages_junk.py"),
    (
        Mutation(
            "track = media.track or media.Track or frame.track or frame.Track",
            "track = media.track or media.Track",
            "the bot hears itself where the track stands at the top",
        ),
        Mutation(
            'track.lower() == "outbound"',
            'track == "outbound"',
            "the bot hears itself where the track is spelled large",
        ),
        Mutation(
            "_number(media.timestamp), stream_sid[:MAX_TEXT])",
            "_number(media.timestamp), stream_sid)",
            "a long id makes the stream's media a stranger's",
        ),
        Mutation(
            "for key, value in inner.items() if value not in _NOTHING}",
            "for key, value in inner.items()}",
            "an empty id inside hides the one at the top",
        ),
        Mutation(
            "key not in fields or item not in _NOTHING",
            "key not in fields",
            "an empty spelling hides the one that says something",
        ),
        Mutation(
            "if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:",
            "if isinstance(value, int) and not isinstance(value, bool):",
            "a number of many digits raises, and ends the call",
        ),
        Mutation(
            "return int(value) if 0 <= value < 1e15 else None",
            "return int(value) if value < 1e15 else None",
            "a negative time stamp is believed",
        ),
        Mutation(
            'round(number * 1000 if unit.startswith("k") else number)',
            "round(number)",
            "128kbps are 128 bits a second: the format is not known",
        ),
        Mutation(
            'plain + "=" * (-len(plain) % 4)',
            "plain",
            "audio whose padding is left out is dropped",
        ),
        Mutation(
            "payload.strip().translate(_URL_SAFE)",
            "payload.strip()",
            "audio in the other base64 is dropped",
        ),
        Mutation(
            """.strip("\\"' ").upper()""",
            ".upper()",
            "a key in quotes is no key",
        ),
        Mutation(
            ".items())[:MAX_CUSTOM_PARAMETERS]",
            ".items())",
            "a stranger's frame holds any number of parameters in memory",
        ),
    ),
)

_STREAM = Module(
    "bridge/exobridge/exotel/stream.py",
    ("tests/exotel/test_stream.py",),
    (
        Mutation(
            "return (event, *held)",
            "return (event,)",
            "the caller's first word, sent before start, is lost",
        ),
        Mutation(
            "len(self._held) >= HELD_FRAMES",
            "len(self._held) > HELD_FRAMES",
            "more frames are held than promised",
        ),
        Mutation(
            "room = self._held_bytes + len(media.payload) <= HELD_BYTES",
            "room = len(media.payload) <= HELD_BYTES",
            "a peer that never starts holds fifty large frames in memory",
        ),
        Mutation(
            "if event.stream_sid and event.stream_sid != self._stream_sid:",
            "if event.stream_sid != self._stream_sid:",
            "audio without an id is not heard",
        ),
        Mutation(
            'if media.stream_sid in ("", event.stream_sid)]',
            "]",
            "another stream's audio is held for this caller's",
        ),
        Mutation(
            '"sequence_number":"{counters.sent}",',
            '"sequence_number":"{counters.media_sent}",',
            "a mark between two chunks leaves their numbers as they were",
        ),
        Mutation(
            '"chunk":"{counters.media_sent}"',
            '"chunk":"{counters.sent}"',
            "chunks are not numbered one after the other",
        ),
        Mutation(
            '"mark":{{"name":{_quoted(name)}}}',
            '"mark":{{"name":"{name}"}}',
            "a quote in a name breaks the frame",
        ),
        Mutation(
            "case Dtmf() | MarkPlayed() if self.phase is Phase.STREAMING:",
            "case Dtmf() | MarkPlayed():",
            "a key after stop reaches a call that is over",
        ),
        Mutation(
            'event = replace(event, stream_sid=next(told, ""))',
            "pass",
            "where start has no id, none of our frames has one",
        ),
        Mutation(
            "if not event.custom_parameters and self._connected.custom_parameters:",
            "if False:",
            "parameters that came with connected are lost",
        ),
        Mutation(
            "self.counters.misplaced += len(self._held)\n",
            "pass\n",
            "audio that was never heard is not counted anywhere",
        ),
    ),
)

_PASSTHRU = Module(
    "bridge/exobridge/exotel/passthru.py",
    ("tests/exotel/test_passthru.py",),
    (
        Mutation(
            "return (self.call_to, self.call_from)",
            "return (self.call_from, self.call_to)",
            "an incoming call gets the template of the caller's number",
        ),
        Mutation(
            'return self.call_to if self.direction == "outgoing" else self.call_from',
            "return self.call_from",
            "on an outgoing call the ExoPhone is taken for the human",
        ),
        Mutation(
            """.text("digits").strip('"')""",
            """.text("digits")""",
            "keys come with Exotel's quotes around them",
        ),
        Mutation(
            'recording_url: str = field(default="", repr=False)',
            'recording_url: str = ""',
            "the credentials of a recording's URL show where the parameters are printed",
        ),
    ),
)

_GIVEN = Module(
    "bridge/exobridge/exotel/given.py",
    ("tests/exotel/test_given.py",),
    (
        Mutation(
            "if text and plain not in values and plain not in _SECRETS:",
            "if text and plain not in _SECRETS:",
            "a repeated name overrules the first, which Exotel meant",
        ),
        Mutation(
            " and plain not in _SECRETS:",
            ":",
            "the secret of the webhooks is kept with every call",
        ),
        Mutation(
            "kept[clean(name)] = redact(text)",
            "kept[clean(name)] = text",
            "the credentials of a StreamUrl are kept with the call",
        ),
        Mutation(
            'return "" if value.lower() == "null" else value',
            "return value",
            "a number that is not known is called null",
        ),
        Mutation(
            'value.replace("\\0", "").encode',
            "value.encode",
            "a NUL in a value keeps the whole request out of the database",
        ),
        Mutation(
            "for index in sorted(found)[:MAX_ENTRIES]",
            "for index in list(found)[:MAX_ENTRIES]",
            "attempts to reach somebody are told in the wrong order",
        ),
        Mutation(
            "except (msgspec.DecodeError, UnicodeError, RecursionError):",
            "except UnicodeError:",
            "a Stream that is no JSON is a 500",
        ),
        Mutation(
            "islice(_flat(pairs), MAX_PARAMETERS)",
            "_flat(pairs)",
            "a stranger's request fills the memory",
        ),
    ),
)

_TIMES = Module(
    "bridge/exobridge/exotel/times.py",
    ("tests/exotel/test_times.py",),
    (
        Mutation(
            "return found if found.tzinfo else found.replace(tzinfo=IST)",
            "return found.replace(tzinfo=IST)",
            "a time with a zone is hours off",
        ),
        Mutation(
            "timedelta(hours=5, minutes=30)",
            "timedelta(hours=5)",
            "every time is half an hour off",
        ),
        Mutation(
            "range(1971, 9999)",
            "range(1970, 9999)",
            "EndTime's 1970 is taken for a time",
        ),
        Mutation(
            r'_LOST_PLUS.sub(r"\1+\2", text.strip())',
            "text.strip()",
            "a time whose plus was not encoded is lost",
        ),
    ),
)

_WORDS = Module(
    "bridge/exobridge/exotel/words.py",
    ("tests/exotel/test_words.py",),
    (
        Mutation(
            'spelled.startswith("out")',
            'spelled == "outgoing"',
            "outbound-dial is incoming: the caller and the ExoPhone are exchanged",
        ),
        Mutation(
            '| {"cancelled": "canceled"}',
            "",
            "a stream that was cancelled is something unheard of",
        ),
        Mutation(
            """text.strip(' "')""",
            "text",
            "a duration in quotes is none",
        ),
    ),
)

_STREAM_REPORT = Module(
    "bridge/exobridge/exotel/stream_report.py",
    ("tests/exotel/test_stream_report.py",),
    (
        Mutation(
            '"system": "network",',
            '"system": "bot",',
            "a stream that Exotel's system ended is a good end",
        ),
        Mutation(
            "if report == StreamReport() and given.text(",
            "if False and given.text(",
            "a report whose keys are in lower case is not seen",
        ),
        Mutation(
            "if text.lower() not in _NOTHING",
            "if text",
            "a stream without an error has the error NA",
        ),
        Mutation(
            'redact(told.get("error", ""))',
            'told.get("error", "")',
            "an error tells the credentials of the URL it names",
        ),
    ),
)

_REDACTION = Module(
    "bridge/exobridge/exotel/redaction.py",
    ("tests/exotel/test_redaction.py",),
    (
        Mutation(
            '.rpartition("@")[2]',
            '.partition("@")[2]',
            "half of a password with an @ stays",
        ),
        Mutation(
            "if not _HOST.fullmatch(host):",
            "if False:",
            "a password with a question mark stays",
        ),
        Mutation(
            r'path = _OUR_SECRET.sub(r"\1***", path)',
            "pass",
            "a stream's token stays in the path",
        ),
        Mutation(
            r'rest = unquote(rest).replace("\\/", "/")',
            "pass",
            "what is percent-encoded is not looked at",
        ),
    ),
)

_CALLBACK = Module(
    "bridge/exobridge/exotel/callback.py",
    ("tests/exotel/test_callback.py",),
    (
        Mutation(
            'given.text("Status", "CallStatus")',
            'given.text("Status")',
            "a callback whose key is CallStatus says nothing",
        ),
        Mutation(
            'given.text("Status", "CallStatus")',
            'given.text("CallStatus", "Status")',
            "an old CallStatus overrules the Status",
        ),
    ),
)

_ROLES = Module(
    "bridge/exobridge/exotel/roles.py",
    ("tests/exotel/test_roles.py",),
    (
        Mutation(
            "if ours and ours == first:",
            "if False:",
            "our own number is the caller",
        ),
        Mutation(
            '"called": ours or second or ""',
            '"called": second or ours or ""',
            "on a call that was handed over the human is the ExoPhone",
        ),
    ),
)

_STATUS_CALLBACKS = Module(
    "bridge/exobridge/status_callbacks.py",
    ("tests/test_status_callbacks.py",),
    (
        Mutation(
            'if ended_at is None and callback.event_type != "answered":',
            "if ended_at is None:",
            "a call that was answered has ended",
        ),
        Mutation(
            '"recording_url": redact(callback.recording_url)',
            '"recording_url": callback.recording_url',
            "the credentials of a recording's URL are kept with the call",
        ),
    ),
)

_NUMBERS = Module(
    "bridge/exobridge/numbers.py",
    ("tests/test_numbers.py",),
    (
        Mutation(
            'digits.startswith("091") and len(digits) == 13',
            "False",
            "a trunk 0 before the country code makes a number unknown",
        ),
        Mutation(
            "if parsed is None or not phonenumbers.is_valid_number(parsed):",
            "if parsed is None:",
            "what is no number is dialled",
        ),
        Mutation(
            '.removeprefix("+91")',
            "",
            "an Indian number is spoken with its country code",
        ),
        Mutation(
            "_VISIBLE_DIGITS = 3",
            "_VISIBLE_DIGITS = 8",
            "a log shows most of a caller's number",
        ),
        Mutation(
            'if normal is None or parsed is None:\n        return "***"',
            "if normal is None or parsed is None:\n        return number",
            "a log shows what could not be read as a number",
        ),
        Mutation(
            "if number in entries:",
            "if False:",
            "of a number listed twice the later template answers, without a word",
        ),
        Mutation(
            'return self.entries.get(normalise(number) or "")',
            'return self.entries.get(number or "")',
            "a national spelling of our number is not ours",
        ),
    ),
)

MODULES = (
    _DETECTION,
    _EVIDENCE,
    _MESSAGES,
    _STREAM,
    _PASSTHRU,
    _GIVEN,
    _TIMES,
    _WORDS,
    _STREAM_REPORT,
    _REDACTION,
    _CALLBACK,
    _ROLES,
    _STATUS_CALLBACKS,
    _NUMBERS,
)
