"""Flows are read strictly: what is wrong is named by line and key, with its cure."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.errors import ConfigError
from exobridge.simulator.flows.load import load_flow, warnings
from exobridge.simulator.flows.model import Connect, Flow, Gather, Passthru
from exobridge.simulator.flows.paths import TRANSITIONS, name_of, paths
from exobridge.simulator.toml_file import MAX_BYTES

WHOLE = """\
[flow]
start = "route"
app_id = "4711"
description = "To a human, by the bot."

[call]
from = "+919811122233"
to = "+918047112233"
direction = "outgoing"
custom_field = "order 17"
timeout_seconds = 60

[server]
url = "http://127.0.0.1:9000"

[serve]
environment = { TRANSFER = "on" }
templates = "templates"
kill_after = "stream"

[webhooks]
times = "iso"
stream = "json"
outgoing = "outgoing"
nulls = true

[stream]
encoding = "mulaw"
parameters = { lang = "hi" }
limit_seconds = 2.5

[speech]
voice = "hibari"

[caller]
presses = { menu = ["", "1", "41#"] }
hangs_up = { during = "agents", after_seconds = 2 }

[applet.route]
type = "passthru"
url = "/exotel/passthru"
method = "POST"
ok = "menu"
other = "bye"
bodies = { vip-connect = "agents" }
on_timeout = "agents"
on_error = "bye"
timeout_seconds = 3

[applet.menu]
type = "gather"
text = "Press one for the bot."
max_digits = 2
finish_key = "#"
next = "bot"
on_timeout = "menu"

[applet.menu.branches]
1 = "bot"
41 = "agents"

[applet.bot]
type = "voicebot"
url = "wss://bot.example.com/stream?sample-rate=16000"
next = "agents"

[applet.agents]
type = "connect"
url = "/exotel/dial-up"
fallback_url = "https://example.com/fallback"
nobody_answers = "sorry"

[applet.sorry]
type = "greeting"
url = "/text"
next = "voicemail"

[applet.voicemail]
type = "voicemail"
next = "tape"

[applet.tape]
type = "stream"
url = "ws://127.0.0.1:9000/tape"
next = "bye"

[applet.bye]
type = "hangup"

[[talk]]
[[talk.step]]
expect.says = "Hello"

[[talk.step]]
say = "A human, please."

[[agent]]
number = "+918041112233"
does = ["busy", "answers"]

[[agent]]
number = "08041112244"

[callback]
content_type = "json"
events = ["answered", "terminal"]

[recording]
not_ready = 2

[expect]
path = ["route", "menu", "bot", "agents"]
dialled = ["+918041112233"]
ends = "caller"
whisper = "shoes"
recording_fetched = true
violations = 0
"""


def load(folder: Path, text: str) -> Flow:
    """A flow of this text."""
    path = folder / "flow.toml"
    path.write_text(text, "utf-8")
    return load_flow(path)


def with_applet(*lines: str) -> str:
    """A flow that begins with an applet of these lines and can go on to ``end``."""
    return "\n".join(['[flow]\nstart = "one"\n[applet.end]\ntype = "hangup"\n[applet.one]', *lines])


END = with_applet('type = "hangup"')


def test_every_table_can_be_written(tmp_path: Path) -> None:
    """Applets are told apart by their type, and nothing is warned of where all is connected."""
    flow = load(tmp_path, WHOLE)
    assert isinstance(flow.applet["route"], Passthru)
    assert flow.applet["route"].bodies == {"vip-connect": "agents"}
    assert isinstance(flow.applet["menu"], Gather)
    assert flow.applet["menu"].branches == {"1": "bot", "41": "agents"}
    assert isinstance(flow.applet["agents"], Connect)
    assert flow.talk[0].step[1].say == "A human, please."
    assert [agent.does for agent in flow.agent] == [["busy", "answers"], ["answers"]]
    assert flow.expect.whisper == ["shoes"]
    assert warnings(flow) == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: flow: is missing. Name the applet that a call begins with"),
        ("[flow]\nstart = 'x'", "line 1: applet: is missing. A flow has at least one applet"),
        ("[flow]\n[applet.x]\ntype = 'hangup'", "line 1: flow.start: is missing"),
        ("[flow\n", "is no TOML"),
        (END + "\n[flwo]", "line 7: flwo: there is no such key. Did you mean flow?"),
        (
            END + "\n[call]\nform = '1'",
            "line 8: call.form: there is no such key. Did you mean from",
        ),
        ("[flow]\nstart='End'\n[applet.end]\ntype='hangup'", "line 2: flow.start: is no name of"),
        ("[flow]\nstart='enD'\n[applet.enD]\ntype='hangup'", "line 3: applet.enD: is no name of"),
        (
            "[flow]\nstart='ende'\n[applet.end]\ntype='hangup'",
            "line 2: flow.start: names no applet",
        ),
        ("[flow]\nstart='ende'\n[applet.end]\ntype='hangup'", "Did you mean end?"),
        (
            with_applet("type = 'hang'"),
            "line 5: applet.one: has a type that there is not. Its type",
        ),
        (
            with_applet("url = '/x'"),
            "line 5: applet.one: has no type. Its type is one of passthru,",
        ),
        (with_applet("type='passthru'"), "line 5: applet.one.url: is missing"),
        (with_applet("type='passthru'", "url=''"), "line 7: applet.one.url: is empty"),
        (
            with_applet("type='passthru'", "urll='/'"),
            "line 7: applet.one.urll: there is no such key",
        ),
        (with_applet("type='passthru'", "url='x'"), "one.url: is no URL that can be asked. Begin"),
        (with_applet("type='passthru'", "url='ws://x'"), "one.url: is no URL that can be asked"),
        (with_applet("type='passthru'", "url='//x'"), "one.url: is no URL that can be asked"),
        (with_applet("type='passthru'", "url='http:///x'"), "one.url: is no URL that can be"),
        (with_applet("type='passthru'", "url='http://x:0/'"), "one.url: is no URL that can be"),
        (with_applet("type='voicebot'", "url='ftp://x'"), "Begin it with / for a path"),
        (with_applet("type='voicebot'", "url='ws://[x'"), "one.url: is no URL that can be asked"),
        (
            with_applet("type='passthru'", "url='/x'", "mode='async'", "on_error='end'"),
            "line 9: applet.one.on_error: is never taken: an async Passthru goes on at once",
        ),
        (
            with_applet("type='passthru'", "url='/x'", "mode='async'", "other='end'"),
            "line 9: applet.one.other: is never taken",
        ),
        (
            with_applet("type='passthru'", "url='/x'", "bodies={ a='b' }"),
            "line 8: applet.one.bodies.a: names no applet of this file. Known here: end, one.",
        ),
        (with_applet("type='greeting'"), "line 5: applet.one: has neither text nor url. Add"),
        (
            with_applet("type='greeting'", "text='x'", "url='/y'"),
            "line 8: applet.one.url: does not go",
        ),
        (
            with_applet("type='greeting'", "text='x'", "on_error='end'"),
            "applet.one.on_error: is never taken: the text is there",
        ),
        (with_applet("type='gather'", "text='x'", "url='/y'"), "one.url: does not go with text"),
        (
            with_applet("type='gather'", "branches={x='end'}"),
            "branches.x: are no keys of a telephone",
        ),
        (
            with_applet("type='gather'", "branches={1='b'}"),
            "line 7: applet.one.branches.1: names no applet",
        ),
        (with_applet("type='voicemail'", "seconds=-1"), "line 7: applet.one.seconds"),
        (END + f"\n[applet.{'a' * 65}]\ntype='hangup'", "is no name of an applet"),
        (
            with_applet("type='gather'", "branches={12='end'}"),
            "branches.12: has more keys than max",
        ),
        (
            with_applet("type='gather'", "finish_key='#'", "branches={'#'='end'}"),
            "line 8: applet.one.branches.#: holds finish_key",
        ),
        (with_applet("type='gather'", "finish_key='12'"), "finish_key: is more than one key"),
        (with_applet("type='connect'"), "line 5: applet.one: has neither url nor numbers"),
        (
            with_applet("type='connect'", "url='/x'", "numbers=['08041112233']"),
            "line 8: applet.one.numbers: does not go with url",
        ),
        (
            with_applet("type='connect'", "numbers=['08041112233']", "contract='text'"),
            "line 8: applet.one.contract: does not go with numbers",
        ),
        (
            with_applet("type='connect'", "url='/x'", "fetch_after_attempt=true"),
            "line 8: applet.one.fetch_after_attempt: belongs to the text contract",
        ),
        (with_applet("type='connect'", "numbers=['+91 80']"), "numbers[0]: is no phone number"),
        (
            with_applet("type='connect'", "url='/x'", "nobody_answers='e'"),
            "line 8: applet.one.nobody",
        ),
        (END + "\n[server]\nurl='/x'", "line 8: server.url: is no whole URL"),
        (END + "\n[callback]\ntimes=4", "line 8: callback.times: "),
        (
            END + "\n[stream]\nencoding='mulaw'\nsample_rate=16000",
            "line 9: stream.sample_rate: does",
        ),
        (
            END + "\n[call]\ncustom_field='x'",
            "line 8: call.custom_field: does not go with an incom",
        ),
        (END + "\n[call]\ncustomer='busy'", "line 8: call.customer: does not go with an incoming"),
        (
            END + "\n[caller]\npresses={one=['1']}",
            "line 8: caller.presses.one: is no Gather applet",
        ),
        (END + "\n[caller]\npresses={two=['1']}", "line 8: caller.presses.two: names no applet"),
        (END + "\n[caller.hangs_up]\nduring='two'", "line 8: caller.hangs_up.during: names no"),
        (
            END + "\n[[talk]]\n[[talk.step]]\nsay='x'",
            "line 7, talk 1: is never held. Add an applet",
        ),
        (END + "\n[[talk]]\nstep=[]", "line 8, talk 1: step: list should have at least 1"),
        (
            END + "\n[[talk]]\n[[talk.step]]\nsay='x'\n[[talk.step]]\nsya='x'",
            "line 11, talk 1, step 2: sya: there is no such key. Did you mean say?",
        ),
        (
            END + "\n[[talk]]\n[[talk.step]]\nhang_up=true\n[[talk.step]]\nsay='x'",
            "line 9, talk 1, step 1: hang_up: is not the last step",
        ),
        (
            END + "\n[[agent]]\nnumber='08041112233'\n[[agent]]\nnumber='+918041112233'",
            "line 10, agent 2: number: is the phone of agent 1",
        ),
        (END + "\n[[agent]]\nnumber='x'", "line 8, agent 1: number: is no phone number"),
        (END + "\n[[agent]]\nnumber='121'\ndoes=[]", "line 9, agent 1: does: "),
        (END + "\n[[agent]]\nnumber='12'", "line 8, agent 1: number: is no phone number"),
        (
            END + "\n[serve]\nkill_after='stream'",
            "line 8: serve.kill_after: never happens: there is",
        ),
        (END + "\n[serve]\nkill_after='callback'", "Add a table [callback]."),
        (END + "\n[expect]\npath=['one', 'two']", "line 8: expect.path[1]: names no applet"),
        (
            END + "\n[expect]\nrecording_fetched=true",
            "line 8: expect.recording_fetched: needs a rec",
        ),
    ],
)
def test_what_is_wrong_is_named(text: str, message: str, tmp_path: Path) -> None:
    """By line, table and key, and with what to do about it."""
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, text)
    assert message in str(raised.value)
    assert raised.value.cure


def test_what_one_encoding_or_contract_lacks_the_other_has(tmp_path: Path) -> None:
    """PCM16 has other rates; the text contract can be told to ask once."""
    assert load(tmp_path, END + "\n[stream]\nsample_rate=16000").stream.sample_rate == 16000
    lines = ("type='connect'", "url='/x'", "contract='text'", "fetch_after_attempt=false")
    applet = load(tmp_path, with_applet(*lines)).applet["one"]
    assert isinstance(applet, Connect)
    assert not applet.fetch_after_attempt


def test_all_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    """Whoever mends a flow does it once."""
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, END + "\n[call]\nx=1\n[expect]\ny=1\n[applet.two]\ntype='greeting'")
    assert len(str(raised.value).splitlines()) == 3
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, END + "\n[caller]\npresses={two=[]}\n[expect]\npath=['x', 'y']")
    assert len(str(raised.value).splitlines()) == 3


def test_a_refused_value_is_not_repeated(tmp_path: Path) -> None:
    """It may be a number or a secret."""
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, with_applet("type='passthru'", "url='ftp://user:secret@x'"))
    assert "secret" not in str(raised.value)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    """Missing, too large, of another encoding."""
    large, latin = tmp_path / "large.toml", tmp_path / "latin.toml"
    large.write_bytes(b"#" * (MAX_BYTES + 1))
    latin.write_bytes(b"# \xe9")
    for path, problem in (
        (large, "is larger than 1 MB"),
        (latin, "is not written in UTF-8"),
        (tmp_path / "none.toml", "cannot be read"),
    ):
        with pytest.raises(ConfigError, match=f"{path.name}.* {problem}"):
            load_flow(path)


@pytest.mark.parametrize(
    ("lines", "warned"),
    [
        (
            ["type = 'passthru'", "url = '/x'"],
            ['"200"', '"302"', '"On Timeout"', '"On Error"'],
        ),
        (["type = 'passthru'", "url = '/x'", "mode = 'async'"], ['"200"']),
        (["type = 'voicebot'", "url = '/x'"], ['"next applet"']),
        (["type = 'voicebot'", "url = '/x'", "on_error = ''"], ['"next applet"', '"On Error"']),
        (["type = 'gather'"], ['"next applet"', '"On Timeout"']),
        (
            ["type = 'gather'", "next = 'end'", "on_timeout = 'end'", "branches = { 7 = '' }"],
            ['"the keys 7"'],
        ),
        (["type = 'connect'", "url = '/x'"], ['"nobody answers"', '"we didn\'t dial anyone"']),
        (["type = 'connect'", "url = '/x'", "nobody_answers = 'end'"], []),
        (["type = 'connect'", "numbers = ['08041112233']"], ['"nobody answers"']),
        (["type = 'voicemail'"], ['"next applet"']),
        (["type = 'stream'", "url = '/x'"], ['"next applet"']),
    ],
)
def test_paths_that_lead_nowhere_are_warned_of(
    lines: list[str], warned: list[str], tmp_path: Path
) -> None:
    """Each that can be taken, by the name that Exotel gives it: a call is dropped there."""
    said = warnings(load(tmp_path, with_applet(*lines)))
    nowhere = "leads nowhere: the call is dropped silently"
    found = [each for each in said if nowhere in each]
    assert found == [f'applet "one": {name} {nowhere}' for name in warned]


def test_applets_that_are_never_reached_are_warned_of(tmp_path: Path) -> None:
    """And nothing else is said of them."""
    unreached = with_applet("type = 'hangup'", "[applet.two]", "type = 'voicemail'")
    assert warnings(load(tmp_path, unreached)) == tuple(
        f'applet "{name}" is never reached: no path leads to it' for name in ("end", "two")
    )


@pytest.mark.parametrize(
    "lines",
    [
        ["type = 'passthru'", "url = '/x'", "bodies = { a = 'end' }"],
        ["type = 'gather'", "branches = { 1 = 'end' }"],
    ],
)
def test_a_body_and_keys_lead_to_applets_too(lines: list[str], tmp_path: Path) -> None:
    """What they alone lead to is reached."""
    said = warnings(load(tmp_path, with_applet(*lines)))
    assert not [each for each in said if "never reached" in each]


def test_every_path_of_an_applet_is_in_the_table_of_transitions(tmp_path: Path) -> None:
    """Whoever adds one to an applet names it."""
    flow = load(tmp_path, WHOLE)
    assert {applet.type for applet in flow.applet.values()} == set(TRANSITIONS)
    for applet in flow.applet.values():
        fields = type(applet).model_fields.items()
        told = {name: f"{info.annotation!r} {info.metadata!r}" for name, info in fields}
        keys = {name for name, text in told.items() if "_name_or_nothing" in text}
        assert {each.key for each in TRANSITIONS[applet.type]} == keys - {"bodies", "branches"}
        for path in paths(applet):
            assert path.name
    assert name_of(flow.applet["agents"], "not_dialled") == "we didn't dial anyone"
    assert name_of(flow.applet["menu"], "branches") == "branches"


@given(st.lists(st.sampled_from([*WHOLE.splitlines(), "x = 1", "type = 5", "[[applet]]", "]"])))
def test_no_text_is_too_strange(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    """It is a flow, or what is wrong with it is told."""
    with suppress(ConfigError):
        warnings(load(tmp_path_factory.getbasetemp(), "\n".join(lines)))


@given(st.data())
def test_a_flow_that_was_tampered_with_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Lines of a good one left out, twice, or with another value."""
    lines = [str(line) for line in WHOLE.splitlines()]
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        key = lines[at].partition("=")[0]
        value = data.draw(st.sampled_from(["", "= ''", "= 1", "= ['x']", "= { a = 1 }", "= true"]))
        lines[at : at + 1] = [key + value] * data.draw(st.integers(0, 2))
    with suppress(ConfigError):
        warnings(load(tmp_path_factory.getbasetemp(), "\n".join(lines)))
