"""Faults in where recordings are fetched from, when, where they are put, and in our own ones."""

from __future__ import annotations

from tests.mutations.mutation import Module, Mutation

_RULES = Module(
    "bridge/exobridge/recordings/rules.py",
    ("tests/recordings/test_rules.py",),
    (
        Mutation(
            'host.endswith(f".{self.host}") if',
            "host.endswith(self.host) if",
            "notexotel.com is taken for one of Exotel's",
        ),
        Mutation(
            'name.endswith(f".{EXOTEL}")',
            "name.endswith(EXOTEL)",
            "notexotel.com is told Exotel's credentials",
        ),
        Mutation(
            'name.endswith(f".{EXOTEL}")',
            'f".{EXOTEL}" in name',
            "recordings.exotel.com.example.com is told Exotel's credentials",
        ),
        Mutation("named and port == self.port", "named", "any port of a host may be asked"),
        Mutation(
            "given = None if port == standard else port",
            "given = port",
            "a URL that names port 443 is refused",
        ),
        Mutation(
            'if parts.scheme not in ("http", "https"):',
            "if False:",
            "another scheme is asked for",
        ),
        Mutation(
            'if parts.scheme == "http" and not is_this_machine(name):',
            "if False:",
            "a recording is fetched in the clear",
        ),
        Mutation(
            'if "@" in parts.netloc:',
            "if False:",
            "a stranger's user name and password are sent",
        ),
        Mutation("len(url) > MAX_URL_CHARS or", "", "a URL of any length is asked for"),
        Mutation(
            'not re.fullmatch(r"[!-~]+", url) or',
            "",
            "a URL that breaks its line is asked for",
        ),
        Mutation(
            "if address is None and not _NAME.fullmatch(name):",
            "if False:",
            "an empty label is below a domain",
        ),
        Mutation(
            'if below and (address is not None or "." not in host):',
            "if False:",
            "*.com may be listed",
        ),
        Mutation(' or "@" in text', "", "an entry with a user's name lists another host"),
        Mutation(
            "for address in addresses:\n            if not is_public",
            "for address in addresses[:1]:\n            if not is_public",
            "the second address of a name is asked, and is inside",
        ),
        Mutation(
            "if not is_public(address) and",
            "if False and",
            "a name leads to the cloud's metadata",
        ),
        Mutation(
            " and not is_in(address, rules.networks)",
            "",
            "a network that is listed is refused",
        ),
        Mutation(
            "if not target.is_listed_address and",
            "if",
            "an address that is listed itself is refused",
        ),
        Mutation(
            "address is not None, exotel)",
            "True, exotel)",
            "every name that is listed may lead inside",
        ),
        Mutation(
            "if address.is_multicast or not address.is_global:",
            "if not address.is_global:",
            "a multicast group is asked",
        ),
        Mutation(
            "if address.is_multicast or not address.is_global:",
            "if address.is_multicast or address.is_private:",
            "the shared addresses of a carrier's network are public",
        ),
        Mutation("if address in _NAT64 or", "if", "a private address hides behind NAT64"),
        Mutation(" or address in _IPV4_COMPATIBLE", "", "a private address hides in ::/96"),
        Mutation(
            "return address.ipv4_mapped or address",
            "return address",
            "an IPv4 address in an IPv6 one is not what is listed",
        ),
        Mutation(
            "if address.scope_id:\n            return None",
            "if address.scope_id:\n            pass",
            "an address with a zone is asked",
        ),
    ),
)

_SCHEDULE = Module(
    "bridge/exobridge/recordings/schedule.py",
    ("tests/recordings/test_schedule.py",),
    (
        Mutation(
            "if at - age >= _SOON_SECONDS:",
            "if at > age:",
            "Exotel is asked twice for each look that came a little early",
        ),
        Mutation("return at - age", "return at", "a late look shifts all the others"),
        Mutation("(3600.0, 600.0)", "(3600.0, 3600.0)", "a recording comes an hour late"),
        Mutation("if age < until", "if age <= until", "the first hour has a look too many"),
        Mutation("GIVE_UP_SECONDS = 24 *", "GIVE_UP_SECONDS = 48 *", "it is looked for two days"),
    ),
)

_KEYS = Module(
    "bridge/exobridge/recordings/keys.py",
    ("tests/recordings/test_keys.py",),
    (
        Mutation("-{safe(name)}", "-{name}", "a stranger's name leads out of the folder"),
        Mutation("/{safe(call_sid)}/", "/{call_sid}/", "a CallSid leads out of the folder"),
        Mutation(".astimezone(UTC)", "", "one recording is in two days' folders"),
        Mutation(".{digest}", "", "two calls' recordings are one file"),
        Mutation("text)[:40]}", "text)}", "a file's name is longer than a disk takes"),
        Mutation("if re.fullmatch(", "if re.match(", "a name that begins well is not looked at"),
    ),
)

_AUDIO = Module(
    "bridge/exobridge/recordings/audio.py",
    ("tests/recordings/test_audio.py",),
    (
        Mutation('and head[8:12] == b"WAVE"', "", "a film is taken for a recording"),
        Mutation("layer == 1 and", "", "a sound that is no MP3 is taken for one"),
        Mutation(
            "if not seconds or not 0 < seconds <= MAX_SECONDS:",
            "if seconds is None:",
            "a file without sound is a recording, and is not looked for again",
        ),
        Mutation(
            "except Exception as error:",
            "except OSError as error:",
            "half a file ends the job, not the look",
        ),
        Mutation("round(seconds * 1000)", "round(seconds)", "a recording lasts milliseconds"),
    ),
)

_MIX = Module(
    "bridge/exobridge/own_recording/mix.py",
    ("tests/own_recording/test_mix.py",),
    (
        Mutation(
            "if abs(begin - end) <= self._samples(JOINT_MS):",
            "if False:",
            "the bot clicks between its chunks",
        ),
        Mutation(
            "pcm = pcm[-2 * begin :]",
            "pass",
            "what came late pushes all that follows out of its place",
        ),
        Mutation(
            "del self._bot[2 * max(0, self._samples(at_ms) - self._given) :]",
            "pass",
            "words are recorded that nobody heard",
        ),
        Mutation(
            "return self._give(min(now, len(self._caller) // 2))",
            "return self._give(now)",
            "the caller's late audio is recorded as silence",
        ),
        Mutation(
            "if len(self._lags) == LOST_LOOKS and",
            "if",
            "a line that is held up leaves a hole",
        ),
        Mutation(
            "lost = min(self._lags)",
            "lost = lag",
            "a line that is held up once more leaves a hole",
        ),
        Mutation(
            "lost > self._samples(LOST_MS):",
            "lost > 0:",
            "frames on their way are taken for lost",
        ),
        Mutation(
            "elif lag < -self._samples(AHEAD_MS):",
            "elif False:",
            "a caller faster than time fills the memory",
        ),
        Mutation(
            "min(end, max(len(self._caller), len(self._bot)) // 2)",
            "max(len(self._caller), len(self._bot)) // 2",
            "what the bot had sent and nobody heard is recorded",
        ),
        Mutation(
            "bytearray(2 * self._samples(max(0.0, heard_from_ms)))",
            "bytearray()",
            "the two sides are not in step",
        ),
    ),
)

MODULES = (_RULES, _SCHEDULE, _KEYS, _AUDIO, _MIX)
