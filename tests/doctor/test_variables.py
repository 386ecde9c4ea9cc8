"""The settings as the doctor reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from exobridge.doctor.finding import Level
from exobridge.doctor.variables import read, secret_values
from tests.doctor.looking import NUMBER, SECRET, levels, of, one

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]  # a fixture
    monkeypatch.chdir(tmp_path)


def test_everything_wrong_is_told_at_once_and_the_rest_is_read() -> None:
    """Each variable has its finding and its cure; one that is right is in force."""
    found = read({"EXOBRIDGE_PORT": "many", "MAX_CALLS": "0", "LOG_LEVEL": "debug"})
    wrong = of(found.findings, "settings.value")
    assert [each.found.partition(":")[0] for each in wrong] == ["EXOBRIDGE_PORT", "MAX_CALLS"]
    assert all(each.level is Level.ERROR and each.cure for each in wrong)
    assert found.settings is not None
    assert (found.settings.port, found.settings.log_level) == (8080, "DEBUG")


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"EXOTEL_API_KEY": "only-the-key"}, "EXOTEL_API_TOKEN"),
        ({"EXOBRIDGE_PUBLIC_URL": "https://voice.acme.in"}, "EXOBRIDGE_SECRET"),
        ({"EXOBRIDGE_PUBLIC_URL": "https://voice.acme.in", "EXOBRIDGE_SECRET": "short"}, "SECRET"),
        (
            {
                "EXOBRIDGE_PUBLIC_URL": "https://voice.acme.in",
                "ALLOWED_NETWORKS": "203.0.113.0/24",
            },
            "TRUSTED_PROXIES",
        ),
    ],
)
def test_what_is_missing_does_not_stop_the_reading(variables: dict[str, str], named: str) -> None:
    """A variable that another one asks for is named once, and the rest is read."""
    found = read({**variables, "EXOBRIDGE_PORT": "9000"})
    wrong = one(found.findings, "settings.value")
    assert named in wrong.found
    assert found.settings is not None
    assert found.settings.port == 9000


def test_a_typing_error_is_told_with_what_is_meant() -> None:
    """In the environment if it bears our name, in ``.env`` also without."""
    Path(".env").write_text("MAX_CALL=5\nOTHER=1\n")
    found = read({"EXOBRIDGE_PROT": "1", "MAX_CALSL": "5"})
    unknown = of(found.findings, "settings.unknown")
    assert [each.found.split()[0] for each in unknown] == ["EXOBRIDGE_PROT", "MAX_CALL"]
    assert "EXOBRIDGE_PORT" in unknown[0].cure
    assert "MAX_CALLS" in unknown[1].cure


def test_a_file_that_others_can_read_is_a_warning() -> None:
    """It may hold secrets; the cure is the command."""
    file = Path(".env")
    file.write_text("LOG_LEVEL=INFO\n")
    file.chmod(0o644)
    warned = one(read({}).findings, "settings.file")
    assert (warned.level, warned.cure) == (Level.WARNING, f"chmod 600 {file.resolve()}")
    file.chmod(0o600)
    assert one(read({}).findings, "settings.file").level is Level.OK


def test_a_file_that_cannot_be_read_is_an_error_and_the_environment_counts() -> None:
    """What is wrong with it is told, and how to mend it."""
    Path(".env").write_bytes(b"LOG_LEVEL=\xff\n")
    found = read({"EXOBRIDGE_PORT": "9000"})
    assert "UTF-8" in one(found.findings, "settings.file").found
    assert found.settings is not None
    assert found.settings.port == 9000


def test_values_left_from_the_example_are_told() -> None:
    """Those of the example file, and those that say that they are to be changed."""
    found = read(
        {
            "EXOTEL_NUMBERS": "08047112233=default",
            "EXOTEL_SID": "yourcompany1",
            "EXOBRIDGE_SECRET": "change-me-0123456789abcdef",
            "EXOBRIDGE_PUBLIC_URL": "https://bot.example.com",
        }
    )
    named = {each.found.split()[0] for each in of(found.findings, "settings.placeholder")}
    assert named == {
        "EXOTEL_NUMBERS",
        "EXOTEL_SID",
        "EXOBRIDGE_SECRET",
        "EXOBRIDGE_PUBLIC_URL",
    }


def test_the_example_file_as_it_stands_has_nothing_wrong() -> None:
    """Whoever copied it and filled in nothing is not scolded."""
    Path(".env").write_text((ROOT / ".env.example").read_text("utf-8"))
    Path(".env").chmod(0o600)
    assert set(levels(read({}).findings).values()) == {Level.OK}


def test_good_settings_have_nothing_wrong() -> None:
    """Own values are no examples, and defaults may be written out."""
    found = read(
        {
            "EXOTEL_NUMBERS": f"{NUMBER}=default",
            "EXOBRIDGE_SECRET": SECRET,
            "EXOBRIDGE_PUBLIC_URL": "https://voice.acme.in",
            "EXOBRIDGE_HOST": "127.0.0.1",
            "EXOBRIDGE_DATA_DIR": "./data",
            "EXOBRIDGE_TEMPLATES_DIR": "./templates",
            "MAX_CALLS": "200",
        }
    )
    assert levels(found.findings) == {"settings.value": Level.OK}


def test_every_secret_is_known_as_one_even_if_it_is_refused() -> None:
    """So that none is shown."""
    names = ("EXOBRIDGE_SECRET", "EXOTEL_API_KEY", "EXOTEL_API_TOKEN", "METRICS_TOKEN")
    assert sorted(secret_values({name: f"of {name}" for name in names})) == sorted(
        f"of {name}" for name in names
    )
