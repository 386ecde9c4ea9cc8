"""The tables of the rules in a template's file: what is refused, and the files of lists."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from exobridge.errors import ConfigError
from exobridge.settings import Settings
from exobridge.templates import Template, in_use, languages_of, load_templates
from exobridge.templates.lists import MAX_NUMBERS

SETTINGS = Settings.read({"DIALOGUE_PROVIDER": "echo", "VAD_PROVIDER": "none"})
RULE = '[[routes]]\nname = "r"\n'
LOOKUP = '[lookup]\nurl = "https://crm.example.com/"\n'


def load(folder: Path, text: str) -> Template:
    """The template of one file with this content."""
    (folder / "reception.toml").write_text(text, "utf-8")
    return load_templates(folder, SETTINGS)["reception"]


WRONG = {
    "name": ("[[routes]]\n", "routes[0].name: is missing"),
    "one-table": ('[routes]\nname = "r"\n', "routes: is one table"),
    "name-form": ('[[routes]]\nname = "R 1"\n', "routes[0].name"),
    "when-key": (f"{RULE}when = {{ colour = 1 }}\n", "routes[0].when.colour: there is no such key"),
    "caller": (
        f'{RULE}when = {{ caller = "99887" }}\n',
        "routes[0].when.caller: is no phone number",
    ),
    "called": (f'{RULE}when = {{ called = ["x"] }}\n', "routes[0].when.called: is no phone"),
    "region": (f'{RULE}when = {{ region = "Delhi" }}\n', "routes[0].when.region: is no region"),
    "digits": (f'{RULE}when = {{ digits = "12y" }}\n', "routes[0].when.digits: are no keys"),
    "hours": (f'{RULE}when = {{ hours = "open" }}\n', "rule r: when.hours is never true"),
    "hours-word": (f'{RULE}when = {{ hours = "late" }}\n', "routes[0].when.hours"),
    "endpoint": (f'{RULE}when = {{ endpoint = "stream" }}\n', "routes[0].when.endpoint"),
    "list": (f'{RULE}when = {{ caller_in = "vip" }}\n', "rule r: there is no list vip"),
    "lookup": (f"{RULE}when = {{ answered = true }}\n", "rule r: nobody is asked"),
    "branch": (f'{RULE}then = {{ branch = "c" }}\n', "routes[0].then.branch"),
    "both": (f'{RULE}then = {{ branch = "b", applet = "x" }}\n', "routes[0].then.applet"),
    "refuse-b": (f'{RULE}then = {{ branch = "b", refuse = "busy" }}\n', "routes[0].then.refuse"),
    "refuse-applet": (f'{RULE}then = {{ applet = "x", refuse = "busy" }}\n', "then.applet"),
    "refuse": (f'{RULE}then = {{ refuse = "angry" }}\n', "routes[0].then.refuse"),
    "applet": (f'{RULE}then = {{ applet = "http://x/y" }}\n', "routes[0].then.applet"),
    "language": (f'{RULE}then = {{ language = "Tamil" }}\n', "then.language: is no BCP-47"),
    "variable": (f'{RULE}then = {{ variables = {{ Tier = "x" }} }}\n', "is no name for a variable"),
    "say": (f'{RULE}then = {{ say = "Hi {{x." }}\n', "routes[0].then.say: a lone brace"),
    "say-unknown": (f'{RULE}then = {{ say = "Hi {{x}}" }}\n', "rule r: say uses {x}"),
    "template": (f'{RULE}then = {{ template = "gold" }}\n', "there is no template named gold"),
    "template-form": (f'{RULE}then = {{ template = "../x" }}\n', "is no template's name"),
    "many": (RULE * 101, "routes"),
    "slow": (f"{LOOKUP}timeout_ms = 2501\n", "lookup.timeout_ms"),
    "quick": (f"{LOOKUP}timeout_ms = 49\n", "lookup.timeout_ms"),
    "http": ('[lookup]\nurl = "http://crm.example.com/"\n', "lookup.url: is not https"),
    "url": ('[lookup]\nurl = "crm"\n', "lookup.url: is no URL"),
    "userinfo": ('[lookup]\nurl = "https://a:b@crm.example.com/"\n', "holds credentials"),
    "hook": ('[lookup]\nhook = "my-rules"\n', "lookup.hook"),
    "two": (f'{LOOKUP}hook = "a:b"\n', "lookup.hook: is not used while url is set"),
    "no-url": ('[lookup]\nsecret_env = "X"\n', "lookup.secret_env: is not used without url"),
    "log": ('[log]\nheaders = { a = "b" }\n', "log.headers: is not used without url"),
    "failure": (
        f'{LOOKUP}on_failure = {{ say = "{{tier}}" }}\n',
        "lookup.on_failure.say: say uses {tier}",
    ),
    "lookup-template": (f'{LOOKUP}templates = ["gold"]\n', "there is no template named gold"),
    "list-entry": ('[lists]\nvip = ["+919811122233", "99887"]\n', "lists.vip: entry 2 is no phone"),
    "list-type": ('[lists]\nvip = "99887"\n', "lists.vip: must be a list"),
    "list-name": ('[lists]\n"My VIPs" = []\n', "lists"),
    "file": ('[lists]\nvip = ["file:no.csv"]\n', "lists.vip: no.csv cannot be read"),
    "file-name": ('[lists]\nvip = ["file:"]\n', "lists.vip: names no file"),
    "file-folder": ('[lists]\nvip = ["file:."]\n', "lists.vip: . cannot be read"),
    "file-nul": ('[lists]\nvip = ["file:a\\u0000b"]\n', "cannot be read"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_stops_the_start(case: str, tmp_path: Path) -> None:
    """With the file, the key and a cure, and never the number that was refused."""
    text, expected = WRONG[case]
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    message = str(caught.value)
    assert expected in message
    assert "reception.toml" in message
    assert caught.value.cure
    assert "99887" not in message


def test_a_list_is_read_in_any_spelling(tmp_path: Path) -> None:
    """From the template and from files: with the columns' names, with comments, quotes and a
    byte-order mark, separated by commas, semicolons or tabs."""
    (tmp_path / "vip.csv").write_text(
        "\ufeffPhone,Name\r\n09811122233,Asha\r\n\r\n# left\r\n"
        '"+91 98111-22244";Ravi\r\n919811122255\tX\r\n044 2812 3456\r\n',
        "utf-8",
    )
    lists = load(tmp_path, '[lists]\nvip = ["+4930901820", "file:vip.csv"]\nnone = []\n').lists
    assert lists == {
        "vip": {
            "+4930901820",
            "+919811122233",
            "+919811122244",
            "+919811122255",
            "+914428123456",
        },
        "none": set(),
    }


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"09811122233\nAsha\n", "vip.csv, line 2: there is no phone number"),
        (b"99887\n", "vip.csv, line 1: there is no phone number"),
        (b"\n# x\nname\nother\n", "vip.csv, line 4: there is no phone number"),
        (b"\xff\xfe0\x009\x00", "vip.csv is not written in UTF-8"),
    ],
)
def test_a_bad_file_is_named_with_its_line(content: bytes, expected: str, tmp_path: Path) -> None:
    """And what to do about it."""
    (tmp_path / "vip.csv").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, '[lists]\nvip = ["file:vip.csv"]\n')
    assert expected in str(caught.value)
    assert caught.value.cure


def test_a_list_has_an_end(tmp_path: Path) -> None:
    """More numbers than that are a look-up's work."""
    (tmp_path / "vip.csv").write_text(
        "".join(f"+91{9_000_000_000 + at}\n" for at in range(MAX_NUMBERS + 1)), "utf-8"
    )
    with pytest.raises(ConfigError, match="more than 100000 numbers"):
        load(tmp_path, '[lists]\nvip = ["file:vip.csv"]\n')
    (tmp_path / "vip.csv").write_bytes(b"#" * (16 * 1024 * 1024 + 1))
    with pytest.raises(ConfigError, match="more than 16 MiB"):
        load(tmp_path, '[lists]\nvip = ["file:vip.csv"]\n')


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=100) | st.text(max_size=100).map(str.encode))
def test_any_file_is_read_or_refused(content: bytes, tmp_path: Path) -> None:
    """Nothing but a ConfigError is raised, and what is read is E.164."""
    (tmp_path / "vip.csv").write_bytes(content)
    try:
        lists = load(tmp_path, '[lists]\nvip = ["file:vip.csv"]\n').lists
    except ConfigError:
        return
    assert all(number.startswith("+") for number in lists["vip"])


def test_templates_that_rules_name_are_in_use(tmp_path: Path) -> None:
    """Their providers are started as those of the numbers' templates are, for each language that
    their calls may be held in."""
    (tmp_path / "gold.toml").write_text('language = "hi-IN"\n', "utf-8")
    (tmp_path / "other.toml").write_text("", "utf-8")
    (tmp_path / "reception.toml").write_text(
        '[lookup]\nurl = "https://crm.example.com/"\nlanguages = ["ta-IN"]\ntemplates = ["demo"]\n'
        f'{RULE}then = {{ template = "gold", language = "te-IN" }}\n'
        f'{RULE}then = {{ language = "hi-IN" }}\n',
        "utf-8",
    )
    templates = load_templates(tmp_path, SETTINGS)
    names = {"reception"}
    assert in_use(names, templates) == {"reception", "gold", "demo"}
    assert languages_of("reception", names, templates) == ["en-IN", "hi-IN", "ta-IN"]
    assert languages_of("gold", names, templates) == ["hi-IN", "te-IN"]
    assert languages_of("demo", names, templates) == ["en-IN"]
