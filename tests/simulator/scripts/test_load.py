"""Scripts are read strictly: what is wrong is named by line, step and key, with its cure."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.errors import ConfigError
from exobridge.simulator.scripts import Script, load_script, script_files
from exobridge.simulator.toml_file import MAX_BYTES

WHOLE = """\
[call]
url = "ws://localhost:9000/stream"
from = "09811122233"
encoding = "mulaw"
parameters = { lang = "hi" }

[speech]
voice = "hibari"

[[step]]
expect = { says = "Hello", within_ms = 1000 }

[[step]]
say = "When do you open?"
expect = { says = ["nine", "/to (eight|8)/"], not_says = "sorry" }

[[step]]
say = "Stop!"
after_words = "nine"
expect = { silent_within_ms = 700, silent_for_ms = 2000 }

[[step]]
play = "cough.wav"
after_ms = 500
expect = { goes_on = true, says = "eight" }

[[step]]
press = "41#"
expect = { sends_keys = "1" }

[[step]]
wait_seconds = 5

[[step]]
hang_up = true

[expect]
ends = "caller"
says = "eight"
within_ms = 1500
max_gaps = 0
violations = 0
"""


def load(folder: Path, text: str) -> Script:
    """A script of this text."""
    path = folder / "script.toml"
    path.write_text(text, "utf-8")
    return load_script(path)


def test_every_key_can_be_written(tmp_path: Path) -> None:
    """A phrase may stand alone or in a list."""
    script = load(tmp_path, WHOLE)
    assert script.call.caller == "09811122233"
    assert [step.action for step in script.step] == [
        *("", "say", "say", "play", "press", "wait_seconds", "hang_up")
    ]
    assert [step.into for step in script.step][2:4] == ["after_words", "after_ms"]
    assert script.step[0].expect.says == ["Hello"]
    assert script.needs_ears


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ('[[step]]\nsay = "x"\nexpect.within_ms = 1', False),
        ('[[step]]\nsay = "x"\nexpect.not_says = "x"', True),
        ('[[step]]\nsay = "x"\nafter_words = "x"', True),
        ('[[step]]\nsay = "x"\n[expect]\nsays = "x"', True),
    ],
)
def test_words_need_ears(text: str, needs: bool, tmp_path: Path) -> None:
    """Nothing else does."""
    assert load(tmp_path, text).needs_ears is needs


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[step]", "is no TOML"),
        ("", "step: is missing. A script has at least one step"),
        ("step = []", "A script has at least one step"),
        ("[cal]\n[[step]]\nsay='x'", "line 1: cal: there is no such key. Did you mean call?"),
        ("[call]\nurll='x'\n[[step]]\nsay='x'", "line 2: call.urll: there is no such key. Did"),
        ("[[step]]\nsay='x'\n\n[[step]]\nsya='x'", "line 5, step 2: sya: there is no such key."),
        ("[[step]]\nsay='x'\nexpect={zz=1}", "line 3, step 1: expect.zz: there is no such key."),
        (
            "[call]\nparameters={a=1}\n[[step]]\nsay='x'",
            "line 2: call.parameters.a: must be a text",
        ),
        ("[[step]]\npress=5", "line 2, step 1: press: must be a text in quotes"),
        ("[[step]]\nsay='x'\nexpect={says=[5]}", "line 3, step 1: expect.says[0]: must be a text"),
        ("step = [1]", "step 1: must be a table"),
        ("step = 1", "step: must be a list"),
        ("call = 1\n[[step]]\nsay='x'", "line 1: call: must be a table"),
        ("[[step]]\nsay='x'\nplay='y'", "line 3, step 1: play: does not go with say."),
        ("[[step]]\nsay='x'\nafter_ms=1\nafter_words='y'", "line 4, step 1: after_words: does not"),
        ("[[step]]", "line 1, step 1: does nothing. Add one of say, play, press"),
        ("[[step]]\nsay=''", "line 2, step 1: say: string should have at least 1 character"),
        ("[[step]]\npress='12x'", "line 2, step 1: press: are no keys of a telephone"),
        (
            "[[step]]\nwait_seconds=1\nafter_ms=1",
            "line 3, step 1: after_ms: needs a step that says",
        ),
        (
            "[[step]]\nwait_seconds=1\npause_ms=1",
            "line 3, step 1: pause_ms: needs a step that says",
        ),
        (
            "[[step]]\nsay='x'\nafter_ms=1\npause_ms=1",
            "step 1: pause_ms: does not go with after_ms",
        ),
        (
            "[[step]]\nsay='x'\nexpect.silent_for_ms=2\n[[step]]\nsay='y'\npause_ms=1",
            "line 3, step 1: expect.silent_for_ms: is longer than the next step's pause_ms = 1",
        ),
        ("[[step]]\nhang_up=true\n[[step]]\nsay='x'", "step 1: hang_up: is not the last step"),
        ("[[step]]\nhang_up=true\nexpect.says='x'", "line 3, step 1: expect: comes too late"),
        ("[[step]]\nsay='x'\nexpect={goes_on=true}", "step 1: expect.goes_on: needs a step that"),
        ("[[step]]\nsay='x'\nexpect={silent_within_ms=1}", "expect.silent_within_ms: needs a step"),
        (
            "[[step]]\npress='1'\nafter_ms=1\nexpect={goes_on=true}",
            "goes_on: does not go with press",
        ),
        ("[[step]]\nwait_seconds=1\nexpect={within_ms=1}", "within_ms: does not go with wait_sec"),
        ("[[step]]\nsay='x'\nexpect={silent_for_ms=1,says='x'}", "silent_for_ms: does not go with"),
        ("[[step]]\nsay='x'\nexpect={says='/(a/'}", "expect.says: is no regular expression"),
        ("[[step]]\nsay='x'\nexpect={says='...'}", "expect.says: has no words"),
        ("[[step]]\nsay='x'\nexpect={within_ms='1'}", "expect.within_ms: must be a whole number"),
        ("[[step]]\nsay='x'\n[expect]\nends='me'", "line 4: expect.ends: input should be 'bot' or"),
        ("[[step]]\nhang_up=true\n[expect]\nends='bot'", 'line 4: expect.ends: is "bot", and the'),
    ],
)
def test_what_is_wrong_is_named(text: str, message: str, tmp_path: Path) -> None:
    """By line, step and key, and with what to do about it."""
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, text)
    assert message in str(raised.value)
    assert raised.value.cure


@given(st.lists(st.sampled_from([*WHOLE.splitlines(), "x = 1", "say = 5", "expect = 3"])))
def test_no_text_is_too_strange(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    """It is a script, or what is wrong with it is told."""
    with suppress(ConfigError):
        assert load(tmp_path_factory.getbasetemp(), "\n".join(lines)).step


def test_all_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    """Whoever mends a script does it once."""
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, "[[step]]\nsya='x'\n[[step]]\npress=''\n[expect]\nx=1")
    assert len(str(raised.value).splitlines()) >= 3


def test_a_folder_stands_for_its_scripts(tmp_path: Path) -> None:
    """In the order of their names; hidden files and others are none."""
    for name in ("b.toml", "a.toml", ".hidden.toml", "readme.md"):
        (tmp_path / name).write_text("x")
    assert [path.name for path in script_files([tmp_path])] == ["a.toml", "b.toml"]
    assert script_files([tmp_path / "readme.md"]) == [tmp_path / "readme.md"]


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    """Missing, empty, too large, of another encoding."""
    (tmp_path / "empty").mkdir()
    large, latin = tmp_path / "large.toml", tmp_path / "latin.toml"
    large.write_bytes(b"#" * (MAX_BYTES + 1))
    latin.write_bytes(b"# \xe9")
    for path in (tmp_path / "none.toml", tmp_path / "empty"):
        with pytest.raises(ConfigError, match=path.name):
            script_files([path])
    for path in (large, latin, tmp_path / "none.toml"):
        with pytest.raises(ConfigError, match=path.name):
            load_script(path)
