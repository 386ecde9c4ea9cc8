"""Faults in how a flow is read, told and judged."""

from __future__ import annotations

from tests.mutations.mutation import Module, Mutation

_FLOWS = "bridge/exobridge/simulator/flows"
_TESTS = "tests/simulator/flows"

_LOAD = Module(
    f"{_FLOWS}/load.py",
    (f"{_TESTS}/test_load.py",),
    (
        Mutation(
            "if found := list(disagreements(flow)):",
            "if (found := list(disagreements(flow))) and False:",
            "a flow whose paths lead to nothing is walked",
        ),
        Mutation(
            "if name not in reached:", "if False:", "an applet that no path leads to is silent"
        ),
        Mutation(
            "            continue\n        said += [",
            "        said += [",
            "of an applet that is never reached each path is warned of",
        ),
        Mutation("if not path.to and", "if", "paths that are connected are warned of"),
        Mutation(
            ' and path.key != "after_conversation"',
            "",
            "a call that may end after a conversation is warned of",
        ),
    ),
)

_CHECKS = Module(
    f"{_FLOWS}/checks.py",
    (f"{_TESTS}/test_load.py",),
    (
        Mutation("    yield from _caller(flow)\n", "", "the caller presses keys in no applet"),
        Mutation(
            '    yield from _named(flow, flow.flow.start, "flow", "start")\n',
            "",
            "a call begins at an applet that is not there",
        ),
        Mutation(
            '("bodies", "branches")', '("bodies",)', "keys lead to an applet that is not there"
        ),
        Mutation(
            '("bodies", "branches")', '("branches",)', "a body leads to an applet that is not there"
        ),
        Mutation(
            '            yield from _named(flow, to, "applet", name, transition.key)\n',
            "            pass\n",
            "a path leads to an applet that is not there",
        ),
        Mutation(
            "in enumerate(flow.expect.path or [])",
            "in enumerate([])",
            "an expected applet that is not there is never mended",
        ),
        Mutation("if name and name not in", "if name not in", "a path cannot be left unconnected"),
        Mutation(
            "not isinstance(flow.applet[name], Gather)",
            "False",
            "keys that nobody gathers are pressed",
        ),
        Mutation(
            "if name in flow.applet and not",
            "if name not in flow.applet or not",
            "one slip is told twice",
        ),
        Mutation("same_phone(agent.number), index", "agent.number, index", "one phone is two"),
        Mutation("agent {first + 1}", "agent {first}", "the wrong agent is named"),
        Mutation("if first != index:", "if first > index:", "of two agents the last one holds"),
        Mutation(
            'if flow.call.direction == "incoming":',
            'if flow.call.direction == "outgoing":',
            "a key about outgoing calls is ignored",
        ),
        Mutation(
            "_OUTGOING & flow.call.model_fields_set",
            "_OUTGOING",
            "what nobody wrote is refused",
        ),
        Mutation("if flow.talk and not has_voicebot:", "if False:", "a talk is never held"),
        Mutation(
            'flow.serve.kill_after == "stream" and not has_voicebot',
            "False",
            "a server that was to be killed lives",
        ),
        Mutation(
            'flow.serve.kill_after == "callback" and flow.callback is None',
            "False",
            "a server that was to be killed after a callback lives",
        ),
        Mutation(
            "flow.expect.recording_fetched is not None and flow.recording is None",
            "False",
            "a recording is waited for that is never made",
        ),
    ),
)

_FIELDS = Module(
    f"{_FLOWS}/fields.py",
    (f"{_TESTS}/test_load.py",),
    (
        Mutation("parts.scheme in schemes and ", "", "an ftp URL is asked"),
        Mutation(" and bool(parts.hostname)", "", "a URL without a host is asked"),
        Mutation(" and parts.port != 0", "", "a URL of port 0 is asked"),
        Mutation(
            "    except ValueError:\n        usable = False",
            "    except ValueError:\n        usable = True",
            "a URL that cannot be read is asked",
        ),
        Mutation(' and not url.startswith("//")', "", "two slashes are a path of the server"),
        Mutation("if not url:\n        raise", "if False:\n        raise", "nothing is asked"),
        Mutation(
            '    if url.startswith("/"):\n        raise',
            "    if False:\n        raise",
            "the server under test is a path on itself",
        ),
        Mutation("if len(keys) != 1:", "if len(keys) > 2:", "two keys finish a gathering"),
        Mutation("{0,63}", "{0,640}", "an applet has a name of any length"),
        Mutation("_name(name) if name else name", "_name(name)", "no path can be left unconnected"),
        Mutation("{3,15}", "{1,15}", "a single digit is a phone number"),
        Mutation('r"\\+?[0-9]', 'r"[0-9]', "a number cannot be written in E.164"),
        Mutation("ge=0, le=14_400", "le=14_400", "time runs backwards"),
    ),
)

_MODEL = Module(
    f"{_FLOWS}/model.py",
    (f"{_TESTS}/test_load.py",),
    (
        Mutation(
            'if self.encoding == "mulaw" and self',
            "if self",
            "PCM16 has 8000 Hz alone",
        ),
        Mutation("not in (None, 8000):", "is None:", "mu-law of 16 kHz is streamed"),
        Mutation("        check_steps(self.step, self.expect)\n", "", "a caller talks who hung up"),
        Mutation(
            "step: list[ScriptStep] = Field(min_length=1,",
            "step: list[ScriptStep] = Field(",
            "a talk says nothing",
        ),
        Mutation(
            "applet: dict[Name, Applet] = Field(min_length=1)",
            "applet: dict[Name, Applet] = Field(default_factory=dict)",
            "a flow without applets",
        ),
        Mutation(
            'default="09811122233", alias="from")',
            'default="09811122233")',
            "the caller cannot be named",
        ),
        Mutation(
            "default_factory=_answers, min_length=1)",
            "default_factory=_answers)",
            "an agent does nothing at all",
        ),
        Mutation(
            "times: int = Field(default=1, ge=0, le=3)",
            "times: int = Field(default=1)",
            "a callback comes a thousand times",
        ),
    ),
)

_TABLES = Module(
    f"{_FLOWS}/applet_tables.py",
    (f"{_TESTS}/test_load.py",),
    (
        Mutation(
            "if getattr(table, one) and getattr(table, other):",
            "if False:",
            "of two things one is ignored",
        ),
        Mutation(
            "if not getattr(table, one) and not getattr(table, other):",
            "if False:",
            "an applet has nothing to do",
        ),
        Mutation(
            '("other", "bodies", "on_timeout", "on_error")',
            '("other", "bodies", "on_timeout")',
            "a path for errors is never taken",
        ),
        Mutation(
            '("other", "bodies", "on_timeout", "on_error")',
            '("on_error",)',
            "other paths are never taken",
        ),
        Mutation('if self.mode == "async" and getattr', "if getattr", "no Passthru has paths"),
        Mutation(
            "if self.text and self.on_error:",
            "if False:",
            "a greeting's path for errors is never taken",
        ),
        Mutation(
            "if self.text and self.url:", "if False:", "of a menu's two prompts one is ignored"
        ),
        Mutation(
            "if len(keys) > self.max_digits:", "if len(keys) > 20:", "a branch can never be reached"
        ),
        Mutation(
            "if self.finish_key is not None and self.finish_key in keys:",
            "if False:",
            "a branch holds a key that is not kept",
        ),
        Mutation(
            "if self.numbers and (unused", "if False and (unused", "a key of a URL is ignored"
        ),
        Mutation(
            '"fetch_after_attempt" in self.model_fields_set and self.contract != "text"',
            "False",
            "fetch_after_attempt is ignored",
        ),
        Mutation(
            ' and self.contract != "text":', ":", "the text contract cannot be told to ask once"
        ),
    ),
)

_PATHS = Module(
    f"{_FLOWS}/paths.py",
    (f"{_TESTS}/test_load.py",),
    (
        Mutation('return key == "ok"', "return True", "an async Passthru waits for its answer"),
        Mutation(
            'case Connect(numbers=[_, *_]):\n            return key != "not_dialled"',
            "case Connect(numbers=[_, *_]):\n            return True",
            "numbers that stand in the flow may be none",
        ),
        Mutation(
            'return key != "not_dialled"  # Exotel then takes the other',
            "return True",
            "a path is warned of that Exotel leads elsewhere",
        ),
        Mutation(" if to is not None and", " if", "a path that is not there is warned of"),
        Mutation(
            "for body, to in applet.bodies.items():",
            "for body, to in ():",
            "applets that a body leads to are called unreached",
        ),
        Mutation(
            "for keys, to in applet.branches.items():",
            "for keys, to in ():",
            "applets that keys lead to are called unreached",
        ),
        Mutation("name in flow.applet and name not in found", "name not in found", "a slip raises"),
        Mutation(
            "if each.key == key), key)",
            'if each.key == key), "")',
            "a path without a name is silent",
        ),
    ),
)

_FACTS = Module(
    f"{_FLOWS}/facts.py",
    (f"{_TESTS}/test_facts.py",),
    (
        Mutation(
            '"CallFrom": ours if self.outgoing else human,',
            '"CallFrom": human,',
            "an outgoing call comes from the customer",
        ),
        Mutation(
            '"CallTo": human if self.outgoing else ours,',
            '"CallTo": ours,',
            "an outgoing call goes to the ExoPhone",
        ),
        Mutation(
            '"EndTime": NO_END,',
            '"EndTime": self._time(self.created_at),',
            "a Passthru tells an end",
        ),
        Mutation(
            "if not (self.outgoing and self.custom_field):",
            "if not self.custom_field:",
            "an incoming call has a custom field",
        ),
        Mutation(
            "if not (self.outgoing and self.custom_field):",
            "if not self.outgoing:",
            "a call without a custom field tells an empty one",
        ),
        Mutation(
            "| legs(self.attempts)\n        if self.digits:",
            "| legs(self.attempts)\n        if True:",
            "a Passthru tells keys that nobody pressed",
        ),
        Mutation(
            "| legs(self.attempts)\n        if self.digits:\n"
            '            told["digits"] = f\'"{self.digits}"\'',
            "| legs(self.attempts)\n        if self.digits:\n"
            '            told["digits"] = self.digits',
            "keys come without their quotes",
        ),
        Mutation(
            "| self._dial_status | legs(self.attempts)",
            "| self._dial_status",
            "a Passthru tells no legs",
        ),
        Mutation(
            "            told |= self.stream.parameters(self.webhooks.stream)\n",
            "            pass\n",
            "a Passthru tells nothing of the stream",
        ),
        Mutation(
            "if first and self.digits:", "if self.digits:", "keys are told after every attempt"
        ),
        Mutation(
            "        self.attempts.clear()\n",
            "",
            "a second Connect applet tells of the first one's agents",
        ),
        Mutation(
            '        self.attempts.clear()\n        self.outgoing_number = ""\n',
            "        self.attempts.clear()\n",
            "a second Connect applet dials from the first one's number",
        ),
        Mutation(
            "cause or CAUSES[status]", "CAUSES[status]", "a rejected call has failed otherwise"
        ),
        Mutation(
            'if self._voicemail:\n            return "voicemail"',
            'if False:\n            return "voicemail"',
            "a voicemail is no voicemail",
        ),
        Mutation(
            'if self._left_connect:\n            return "client-hangup"',
            'if False:\n            return "client-hangup"',
            "who hung up in a Connect applet did not",
        ),
        Mutation(
            "if self._conversations:", "if False:", "a call in which an agent talked is incomplete"
        ),
        Mutation(
            '"incomplete" if self._connected or self._all_attempts',
            '"incomplete" if self._all_attempts',
            "a Connect applet that dialled nobody was none",
        ),
        Mutation(
            "if self._connected or self._all_attempts:",
            "if self._all_attempts:",
            "a call that dialled nobody talked all the time",
        ),
        Mutation(
            "        self._earlier += self.attempts\n",
            "",
            "a second Connect applet takes back a conversation in the first",
        ),
        Mutation(
            "[each for each in self._all_attempts if each.talked]",
            "self._all_attempts",
            "an agent who was busy is a leg of the call",
        ),
        Mutation(
            "_last([each for each in self.attempts if each.status])",
            "_last(self.attempts)",
            "an attempt that goes on has a status",
        ),
        Mutation("(talked or attempts)[-1]", "(talked or attempts)[0]", "the first number is told"),
        Mutation(
            "(talked or attempts)[-1]", "attempts[-1]", "of who rang together the last is told"
        ),
        Mutation(
            "_last(self.attempts) or _last(self._earlier)",
            "_last(self._earlier)",
            "the agent dialled now is not told",
        ),
        Mutation(
            "until - self.attempts[0].dialled_at",
            "until - self.created_at",
            "the dial duration counts from the call's beginning",
        ),
        Mutation(
            "max(each.over_at or self.now() for each",
            "max(self.now() for each",
            "the dial duration goes on after the attempt",
        ),
        Mutation(
            "max(each.over_at or self.now() for each",
            "min(each.over_at or self.now() for each",
            "the dial duration ends with the first attempt",
        ),
        Mutation(
            "        if not self.was_answered:\n            return 0\n",
            "",
            "a call that was not answered has a length",
        ),
        Mutation(
            "(self.over_at or self.now()) - self.created_at",
            "self.now() - self.created_at",
            "a late callback makes the call longer",
        ),
        Mutation(
            '"free" if event == "Terminal"', '"free" if event == "Ringing"', "agents are never free"
        ),
        Mutation('"AgentEmail": "null"', '"AgentEmail": ""', "an agent's address is not null"),
        Mutation(
            '"Status": "in-progress" if event == "answered" else self.status,',
            '"Status": self.status,',
            "an answered call is over",
        ),
        Mutation(
            'if self.recording_url and event != "answered":',
            "if self.recording_url:",
            "a recording is told while it is made",
        ),
        Mutation(
            "            told |= self._of_event(event)\n",
            "            pass\n",
            "a callback tells nothing of its event",
        ),
        Mutation(
            'if over and self.over_at else ""',
            'if self.over_at else ""',
            "an answered call has ended",
        ),
        Mutation(
            "self.conversation_seconds if over else 0",
            "self.conversation_seconds",
            "an answered call has a conversation",
        ),
        Mutation("sides if over else []", "sides", "an answered call has legs"),
        Mutation(
            "return with_nulls(told) if self.webhooks.nulls else told",
            "return told",
            "nothing is ever null",
        ),
        Mutation(
            'told[self.webhooks.call_from] = told.pop("CallFrom")',
            "pass",
            "a Connect applet writes CallFrom in one way",
        ),
        Mutation(
            'outgoing=flow.call.direction == "outgoing",',
            "outgoing=False,",
            "every call comes in",
        ),
    ),
)

_ATTEMPTS = Module(
    f"{_FLOWS}/attempts.py",
    (f"{_TESTS}/test_facts.py",),
    (
        Mutation(" and len(number) == 13", "", "a short number is shown as one of India"),
        Mutation("number[3:]", "number[2:]", "a number has a digit too many"),
        Mutation(
            "for each in attempts if each.status)", "for each in attempts)", "a leg is not over"
        ),
        Mutation('"parallel" if each.parallel', '"parallel" if False', "all ring one by one"),
        Mutation(
            'self.seconds > 0 or self.status == "completed"',
            'self.status == "completed"',
            "a conversation that broke was none",
        ),
        Mutation(
            'self.seconds > 0 or self.status == "completed"',
            "self.seconds > 0",
            "an agent who left at once did not answer",
        ),
        Mutation("str(int(each.seconds))", "str(each.seconds)", "a leg's seconds have decimals"),
        Mutation('("USER_BUSY", 17)', '("USER_BUSY", 19)', "a busy agent did not answer"),
        Mutation('("CALL_REJECTED", 21)', '("CALL_REJECTED", 17)', "who rejects a call is busy"),
    ),
)

_SPELLING = Module(
    f"{_FLOWS}/spelling.py",
    (f"{_TESTS}/test_spelling.py", f"{_TESTS}/test_facts.py"),
    (
        Mutation("at.astimezone(IST)", "at", "times are the server's"),
        Mutation(
            'form == "mixed" and created', 'form == "mixed"', "each time is written like Created"
        ),
        Mutation('EndedBy.BOT: "bot",', "", "the caller ended what the bot did"),
        Mutation('EndedBy.LIMIT: "NA",', "", "the caller ended what Exotel did"),
        Mutation(
            "(Outcome.COMPLETED, Outcome.TIMED_OUT)",
            "(Outcome.COMPLETED,)",
            "a call at its limit has failed",
        ),
        Mutation(
            "broke = report.outcome is Outcome.DROPPED",
            "broke = False",
            "a stream that broke never was",
        ),
        Mutation(
            'error="" if broke else NOT_ESTABLISHED',
            'error=""',
            "a stream that never was has no error",
        ),
        Mutation(
            "seconds=report.duration_ms / 1000,\n                disconnected_by=_ENDERS",
            "seconds=report.duration_ms,\n                disconnected_by=_ENDERS",
            "a stream lasts a thousand times longer",
        ),
        Mutation(
            'seconds=report.duration_ms / 1000,\n            disconnected_by="bot"',
            'seconds=report.duration_ms,\n            disconnected_by="bot"',
            "a stream that broke lasts a thousand times longer",
        ),
        Mutation("str(int(self.seconds))", "str(self.seconds)", "a stream's seconds have decimals"),
        Mutation('{"user": "caller", "NA": "system"}', "{}", "all forms have the same words"),
        Mutation("name.lower(): value", "name: value", "the lower form is not lower"),
        Mutation('value or "null"', "value", "an empty value stays empty"),
        Mutation(
            "len(members) != 2 or not members[0].isdecimal()",
            "len(members) != 2",
            "a name in two brackets raises",
        ),
        Mutation("len(members) != 2 or not", "not", "a name in one bracket raises"),
        Mutation(
            "entries += [{} for _ in range(index + 1 - len(entries))]",
            "entries += [{}]",
            "the values of one leg become several",
        ),
    ),
)

_JUDGE = Module(
    f"{_FLOWS}/judge.py",
    (f"{_TESTS}/test_judge.py",),
    (
        Mutation(
            "if report.seed is not None:\n        stuck",
            "if False:\n        stuck",
            "faults fail a flow",
        ),
        Mutation(
            "if report.ending is Ending.TIMEOUT else []",
            "if False else []",
            "a call that faults keep from ending is well",
        ),
        Mutation(
            "return (*stuck, *_streams(flow, report), ",
            "return (*stuck, ",
            "with faults no stream is judged",
        ),
        Mutation(
            ", *broken_rules(_counts(report).items()))", ")", "with faults any rule may be broken"
        ),
        Mutation("if wanted != report.ending:", "if False:", "a call ends as it likes"),
        Mutation(
            "elif report.ending in (Ending.DROPPED, Ending.TIMEOUT):",
            "elif report.ending is Ending.TIMEOUT:",
            "a call that is dropped went well",
        ),
        Mutation(
            "elif report.ending in (Ending.DROPPED, Ending.TIMEOUT):",
            "elif report.ending is Ending.DROPPED:",
            "a call that does not end went well",
        ),
        Mutation(
            "tuple(wanted) != report.path", "set(wanted) != set(report.path)", "any way is right"
        ),
        Mutation(
            "[*map(same_phone, wanted)] != [*map(same_phone, dialled)]",
            "wanted != dialled",
            "a number that is written otherwise is another",
        ),
        Mutation(
            "[*map(same_phone, wanted)] != [*map(same_phone, dialled)]",
            "{*map(same_phone, wanted)} != {*map(same_phone, dialled)}",
            "agents may be dialled in any order",
        ),
        Mutation(
            "if not any(contains(whisper, phrase)",
            "if not all(contains(whisper, phrase)",
            "all hear all",
        ),
        Mutation("if each.whisper]", "]", "an agent who heard nothing heard an empty text"),
        Mutation(
            "stream.outcome is Outcome.REFUSED or excuse(stream.faults)",
            "excuse(stream.faults)",
            "a server may not refuse a stream",
        ),
        Mutation(
            "stream.outcome is Outcome.REFUSED or excuse(stream.faults)",
            "stream.outcome is Outcome.REFUSED",
            "the server is to blame for the line",
        ),
        Mutation(
            " and number == len(report.streams))",
            ")",
            "who hangs up in the end waited for no answer before",
        ),
        Mutation(
            "flow.caller.hangs_up is not None and report.ending is Ending.CALLER",
            "flow.caller.hangs_up is not None",
            "who was to hang up and did not waited for no answer",
        ),
        Mutation("if each not in broken]", "]", "a broken rule is told twice"),
        Mutation("return [] if cut_short else said", "return said", "who left misses an answer"),
        Mutation(
            "return [] if cut_short else said", "return []", "an answer that is missing is not told"
        ),
        Mutation("ending = []  # told as the call's", "pass", "one ending is told twice"),
        Mutation(
            "return ending if cut_short else [*ending, *others]",
            "return [*ending, *others]",
            "who left misses an answer of a stream that broke",
        ),
        Mutation("if not finding.held:", "if finding.held:", "what was held is told as not"),
        Mutation("if report.unheld:", "if False:", "talks that were not held are forgotten"),
        Mutation(
            "len(flow.talk) - report.unheld", "report.unheld", "the number held is that not held"
        ),
        Mutation("wanted is None or wanted is fetched", "wanted is fetched", "no wish is a wish"),
        Mutation(
            "counts.total() > most", "counts.total() >= most", "as many as allowed are too many"
        ),
        Mutation(
            "    yield from broken_rules(counts.items())\n",
            "",
            "rules that spoil a call are let go",
        ),
        Mutation(
            'f" within {flow.expect.within_seconds:g} s" if wanted else ""',
            'f" within {flow.expect.within_seconds:g} s"',
            "what was not to be fetched was waited for",
        ),
    ),
)

MODULES = (_LOAD, _CHECKS, _FIELDS, _MODEL, _TABLES, _PATHS, _FACTS, _ATTEMPTS, _SPELLING, _JUDGE)
