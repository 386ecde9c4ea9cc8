"""Settings: what is read, what is refused, and that no secret is ever repeated."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import pytest
from pydantic import ValidationError

from exobridge.errors import ConfigError
from exobridge.settings import Settings, load_settings

SECRET = "planted-secret-0123456789"
PAIR = {"EXOTEL_API_KEY": "key1", "EXOTEL_API_TOKEN": "token1"}


def load(**variables: str) -> Settings:
    return load_settings(variables, None)


def refused(**variables: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(**variables)
    return caught.value


def test_without_any_variable_a_laptop_gets_a_working_server() -> None:
    """Every variable has a default; the server then listens on loopback with local speech."""
    settings = load()
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert (settings.workers, settings.max_calls) == (1, 100)
    assert settings.secret is None
    assert not settings.numbers.is_set
    assert settings.database_url.get_secret_value() == (
        "sqlite+aiosqlite:///data/exobridge.sqlite3"
    )


def test_a_crowd_of_keys_is_refused() -> None:
    """A hundred can be had; the key of ``EXOBRIDGE_API_KEY`` counts among them."""
    keys = ",".join(f"k{number}:viewer:a-key-to-read-with-{number}" for number in range(100))
    assert len(load(EXOBRIDGE_API_KEYS=keys).keys()) == 100
    assert refused(EXOBRIDGE_API_KEYS=f"{keys},k:viewer:a-key-to-read-with-x").where == (
        "EXOBRIDGE_API_KEYS"
    )
    assert refused(
        EXOBRIDGE_API_KEYS=keys, EXOBRIDGE_API_KEY="a-key-of-the-api-of-tests"
    ).where == ("EXOBRIDGE_API_KEYS")


def test_the_one_key_is_an_administrators() -> None:
    """Beside those that have names; none of them is in sight."""
    settings = load(
        EXOBRIDGE_API_KEY="a-key-of-the-api-of-tests",
        EXOBRIDGE_API_KEYS="reports:viewer:a-key-to-read-with, desk:Operator:a-key-to-call-with",
    )
    keys = settings.keys()
    found = [(key.name, key.role.name) for key in keys]
    assert found == [("admin", "ADMIN"), ("reports", "VIEWER"), ("desk", "OPERATOR")]
    assert "a-key-to" not in repr(settings)
    assert "a-key-to-call-with" in settings.secrets()
    for also in ("admin:viewer:a-key-to-read-with", "x:viewer:a-key-of-the-api-of-tests"):
        error = refused(EXOBRIDGE_API_KEY="a-key-of-the-api-of-tests", EXOBRIDGE_API_KEYS=also)
        assert error.where == "EXOBRIDGE_API_KEYS"


def test_every_variable_is_read() -> None:
    """No variable is known and ignored: each one changes the settings."""
    values = {
        **PAIR,
        "EXOTEL_SID": "acme1",
        "EXOTEL_API_URL": "mumbai",
        "EXOTEL_STREAM_CHECK_SECONDS": "60",
        "EXOTEL_TEMPLATE_APPLET_APP_ID": "12345",
        "EXOTEL_NUMBERS": "+918047112233=reception",
        "EXOBRIDGE_PUBLIC_URL": "https://bot.example.com/voice/",
        "EXOBRIDGE_SECRET": SECRET,
        "ALLOWED_NETWORKS": "203.0.113.0/24, 2001:db8::7",
        "TRUSTED_PROXIES": "127.0.0.1",
        "REQUEST_RATE": "50",
        "EXOBRIDGE_TEMPLATES_DIR": "/etc/templates",
        "EXOBRIDGE_DATA_DIR": "/var/lib/bot",
        "EXOBRIDGE_WIRE_DIR": "/var/lib/bot/wire",
        "DATABASE_URL": "sqlite:////var/lib/bot/calls.db",
        "RECORDINGS_URL": "s3://bucket/prefix",
        "RECORDING_HOSTS": "*.exotel.com",
        "RECORDING_MAX_MB": "50",
        "EXOBRIDGE_HOST": "0.0.0.0",
        "EXOBRIDGE_PORT": "9000",
        "EXOBRIDGE_WORKERS": "3",
        "MAX_CALLS": "7",
        "OUTBOUND_CALLS_PER_MINUTE": "30",
        "OUTBOUND_RESERVE": "2",
        "STT_PROVIDER": "moonshine",
        "TTS_PROVIDER": "hibari",
        "DIALOGUE_PROVIDER": "echo",
        "VAD_PROVIDER": "none",
        "LOG_FORMAT": "JSON",
        "LOG_LEVEL": "debug",
        "STREAM_ENCODING": "MULAW",
        "STREAM_TOKEN_SECONDS": "60",
        "UNUSED_SLOT_SECONDS": "20",
        "DRAIN_SECONDS": "60",
        "METRICS_TOKEN": "a-token-of-the-metrics",
        "EXOBRIDGE_API_KEY": "a-key-of-the-api-of-tests",
        "EXOBRIDGE_API_KEYS": "reports:viewer:a-key-to-read-with",
        "WEBHOOK_URL": "https://crm.example.com/calls?key=17",
        "WEBHOOK_SIGNING_SECRET": "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "WEBHOOK_EVENTS": "call.ended, call.started",
        "WEBHOOK_KEEP_DAYS": "30",
        "STORE_TRANSCRIPTS": "OFF",
        "TRANSCRIPT_DAYS": "400",
        "RECORDING_DAYS": "30",
    }
    assert set(values) == set(Settings.variables())
    settings = load(**values)
    assert settings.exotel_api_key is not None
    assert settings.exotel_api_key.get_secret_value() == "key1"
    assert settings.exotel_api_token is not None
    assert settings.exotel_api_token.get_secret_value() == "token1"
    assert settings.exotel_sid == "acme1"
    assert settings.exotel_template_applet_app_id == "12345"
    assert settings.numbers.template_for("08047112233") == "reception"
    assert settings.public_url == "https://bot.example.com/voice"
    assert settings.secret is not None
    assert settings.secret.get_secret_value() == SECRET
    assert [str(each) for each in settings.allowed_networks] == [
        "203.0.113.0/24",
        "2001:db8::7/128",
    ]
    assert [str(each) for each in settings.trusted_proxies] == ["127.0.0.1/32"]
    assert settings.request_rate == 50
    assert settings.templates_dir == Path("/etc/templates")
    assert settings.data_dir == Path("/var/lib/bot")
    assert settings.database_url.get_secret_value() == ("sqlite+aiosqlite:////var/lib/bot/calls.db")
    assert settings.recordings_url == "s3://bucket/prefix"
    assert (str(settings.recording_hosts), settings.recording_max_mb) == ("*.exotel.com", 50)
    assert (settings.host, settings.port, settings.max_calls) == ("0.0.0.0", 9000, 7)
    assert settings.workers == 3
    assert (settings.outbound_calls_per_minute, settings.outbound_reserve) == (30, 2)
    assert (settings.stt_provider, settings.tts_provider) == ("moonshine", "hibari")
    assert (settings.dialogue_provider, settings.vad_provider) == ("echo", "none")
    assert (settings.log_format, settings.log_level) == ("json", "DEBUG")
    assert (settings.stream_token_seconds, settings.unused_slot_seconds) == (60, 20)
    assert settings.drain_seconds == 60
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "a-key-of-the-api-of-tests"
    assert settings.webhook_url is not None
    assert settings.webhook_url.get_secret_value() == "https://crm.example.com/calls?key=17"
    assert settings.webhook_signing_secret is not None
    assert settings.webhook_signing_secret.get_secret_value().startswith("whsec_MfKQ")
    assert settings.webhook_events == ("call.started", "call.ended")
    assert settings.webhook_keep_days == 30
    assert settings.store_transcripts == "off"
    assert (settings.transcript_days, settings.recording_days) == (400, 30)
    assert settings.metrics_token is not None
    assert settings.metrics_token.get_secret_value() == "a-token-of-the-metrics"


def test_places_are_kept_for_people_who_call_us() -> None:
    """A tenth, at least one, and never all: somebody can always be called."""
    found = {calls: load(MAX_CALLS=str(calls)).outbound_reserve for calls in (1, 2, 9, 100)}
    assert found == {1: 0, 2: 1, 9: 1, 100: 10}


def test_an_empty_variable_counts_as_not_set() -> None:
    """`NAME=` in a file, and spaces around a value, change nothing."""
    blank = {name: "  " for name in Settings.variables()}
    assert load(**blank) == load()
    assert load(EXOBRIDGE_PORT=" 9000 ").port == 9000


def test_the_database_moves_with_the_data_directory(tmp_path: Path) -> None:
    """Whoever sets one directory finds all state in it."""
    settings = load(EXOBRIDGE_DATA_DIR=str(tmp_path))
    assert settings.database_url.get_secret_value() == (
        f"sqlite+aiosqlite:///{tmp_path}/exobridge.sqlite3"
    )


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """.env holds what is usual; a variable of the shell overrides it; an empty one does not."""
    file = tmp_path / "settings.env"
    file.write_text("EXOBRIDGE_PORT=9001\nMAX_CALLS=5\nUNUSED_SLOT_SECONDS=9 # comment\n")
    settings = load_settings({"EXOBRIDGE_PORT": "9002", "MAX_CALLS": ""}, file)
    assert (settings.port, settings.max_calls) == (9002, 5)
    assert settings.unused_slot_seconds == 9


def test_the_file_is_found_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`exobridge serve` reads ./.env without being told, and needs none."""
    monkeypatch.chdir(tmp_path)
    assert load_settings({}).port == 8080
    Path(".env").write_text("EXOBRIDGE_PORT=9003\n")
    assert load_settings({}).port == 9003


def test_without_arguments_the_process_environment_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variables of the shell are what counts in production."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.variables():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("EXOBRIDGE_PORT", "9004")
    assert load_settings().port == 9004


def test_settings_made_by_hand_look_at_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test's settings do not depend on the machine it runs on."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EXOBRIDGE_PORT", "9005")
    Path(".env").write_text("EXOBRIDGE_PORT=9006\n")
    assert Settings().port == 8080
    assert Settings(port=0).port == 0


def test_a_file_that_was_asked_for_has_to_exist(tmp_path: Path) -> None:
    """A wrong path is no silent start with defaults."""
    with pytest.raises(ConfigError, match="no such file"):
        load_settings({}, tmp_path / "absent.env")


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 give an error with the file's name, not a traceback."""
    file = tmp_path / "binary.env"
    file.write_bytes(b"EXOBRIDGE_HOST=\xff\xfe\n")
    with pytest.raises(ConfigError, match="UTF-8") as caught:
        load_settings({}, file)
    assert caught.value.where == str(file)


def test_a_key_in_the_wrong_place_is_not_repeated() -> None:
    """Whoever writes it first has it where the name should be."""
    key = "a-key-to-call-with-00"
    for rest in ("operator:desk", "desk:operator", "operator:a b, and more than sixteen"):
        error = refused(EXOBRIDGE_API_KEYS=f"reports:viewer:a-key-to-read-with,{key}:{rest}")
        assert key not in str(error)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EXOTEL_API_KEY", "has space"),
        ("EXOTEL_API_TOKEN", "umläut"),
        ("EXOTEL_SID", "a/b"),
        ("EXOTEL_API_URL", "pune"),
        ("EXOTEL_API_URL", "http://api.exotel.com"),
        ("EXOTEL_API_URL", "https://key:token@api.exotel.com"),
        ("EXOTEL_API_URL", "https://api.exotel.com?x=1"),
        ("EXOTEL_STREAM_CHECK_SECONDS", "-1"),
        ("EXOTEL_STREAM_CHECK_SECONDS", "3601"),
        ("EXOTEL_TEMPLATE_APPLET_APP_ID", "https://my.exotel.com/x"),
        ("EXOTEL_NUMBERS", "reception"),
        ("EXOBRIDGE_PUBLIC_URL", "bot.example.com"),
        ("EXOBRIDGE_PUBLIC_URL", "http://bot.example.com"),
        ("EXOBRIDGE_PUBLIC_URL", "wss://bot.example.com"),
        ("EXOBRIDGE_PUBLIC_URL", "https://user:word@bot.example.com"),
        ("EXOBRIDGE_PUBLIC_URL", "https://bot.example.com/?x=1"),
        ("EXOBRIDGE_PUBLIC_URL", "https://bot.example.com?"),
        ("EXOBRIDGE_PUBLIC_URL", "https://bot.example.com/#top"),
        ("EXOBRIDGE_PUBLIC_URL", "https://bot.example.com:99999"),
        ("EXOBRIDGE_PUBLIC_URL", "https://[bad"),
        ("EXOBRIDGE_PUBLIC_URL", "https://bot example.com"),
        ("EXOBRIDGE_PUBLIC_URL", "https://bot.example.com/" + "a" * 300),
        ("EXOBRIDGE_SECRET", "short"),
        ("EXOBRIDGE_SECRET", "long-enough-but/with&things"),
        ("EXOBRIDGE_SECRET", "long-enough-but-ünsafe"),
        ("EXOBRIDGE_DATA_DIR", __file__),
        ("EXOBRIDGE_WIRE_DIR", __file__),
        ("EXOBRIDGE_DATA_DIR", "what?"),
        ("RECORDINGS_URL", "/var/lib/recordings"),
        ("RECORDINGS_URL", "file://recordings"),
        ("RECORDINGS_URL", "file:relative"),
        ("RECORDINGS_URL", "https://bucket.example.com"),
        ("RECORDINGS_URL", "s3://Bad_Bucket/prefix"),
        ("RECORDINGS_URL", "s3://key:secret@bucket"),
        ("RECORDINGS_URL", "s3://bucket/a?region=x"),
        ("RECORDING_HOSTS", "https://recordings.exotel.com"),
        ("RECORDING_HOSTS", "*.com"),
        ("RECORDING_HOSTS", "10.0.0.1/8"),
        ("RECORDING_MAX_MB", "0"),
        ("EXOBRIDGE_API_KEY", "short"),
        ("EXOBRIDGE_API_KEY", "sixteen characters, with spaces"),
        ("EXOBRIDGE_API_KEYS", "reports:viewer"),
        ("EXOBRIDGE_API_KEYS", "reports:viewer:short"),
        ("EXOBRIDGE_API_KEYS", "reports:reader:a-key-to-read-with"),
        ("EXOBRIDGE_API_KEYS", "Reports!:viewer:a-key-to-read-with"),
        ("EXOBRIDGE_API_KEYS", "a:viewer:a-key-to-read-with,a:admin:another-key-to-read"),
        ("EXOBRIDGE_API_KEYS", "a:viewer:a-key-to-read-with,b:admin:a-key-to-read-with"),
        ("EXOBRIDGE_API_KEYS", "a:viewer:a-key-to-read-with spaces"),
        ("STORE_TRANSCRIPTS", "sometimes"),
        ("TRANSCRIPT_DAYS", "-1"),
        ("RECORDING_DAYS", "a year"),
        ("DATABASE_URL", "postgresql://user:word@host/db"),
        ("DATABASE_URL", "data.db"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "sqlite:////var/calls.db?timeout=30"),
        ("EXOBRIDGE_HOST", "http://0.0.0.0"),
        ("EXOBRIDGE_HOST", "0.0.0.0:8080"),
        ("EXOBRIDGE_PORT", "http"),
        ("EXOBRIDGE_PORT", "65536"),
        ("EXOBRIDGE_PORT", "-1"),
        ("ALLOWED_NETWORKS", "203.0.113.7/24"),
        ("ALLOWED_NETWORKS", "10.0.0.0/8,office"),
        ("TRUSTED_PROXIES", "0.0.0.0/0"),
        ("REQUEST_RATE", "-1"),
        ("EXOBRIDGE_WORKERS", "0"),
        ("EXOBRIDGE_WORKERS", "65"),
        ("EXOBRIDGE_WORKERS", "many"),
        ("MAX_CALLS", "0"),
        ("MAX_CALLS", "many"),
        ("OUTBOUND_CALLS_PER_MINUTE", "201"),
        ("OUTBOUND_RESERVE", "100"),
        ("STT_PROVIDER", "moonshin"),
        ("TTS_PROVIDER", "moonshine"),
        ("DIALOGUE_PROVIDER", "chatty"),
        ("VAD_PROVIDER", "off"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "LOUD"),
        ("STREAM_ENCODING", "opus"),
        ("STREAM_TOKEN_SECONDS", "0"),
        ("UNUSED_SLOT_SECONDS", "601"),
    ],
)
def test_a_wrong_variable_is_named_with_a_cure_and_without_its_value(name: str, value: str) -> None:
    """The start stops with the variable, the problem and the cure; the value is not repeated."""
    error = refused(**{**PAIR, "EXOBRIDGE_SECRET": SECRET, name: value})
    assert error.where == name
    assert error.problem
    assert error.cure.endswith((".", "EXOBRIDGE_SECRET to it.")) or f"{name}=" in error.cure
    assert f"{name}: " in str(error)
    assert not error.also
    if len(value) > 6 and value not in error.cure:
        assert value not in str(error)


def test_a_provider_that_does_not_exist_is_answered_with_those_that_do() -> None:
    """A typing error in a provider's name is mended without looking anything up."""
    assert "moonshine" in refused(STT_PROVIDER="moonshin").cure
    assert "none" in refused(VAD_PROVIDER="off").cure
    cure = refused(DIALOGUE_PROVIDER="chatty").cure
    assert "scripted" in cure
    assert "echo" in cure


def test_several_providers_may_be_named() -> None:
    """The preferred first, with or without spaces; each is looked for, and once is enough."""
    fake = "exobridge_providers.testing.fakes:FakeStt"
    assert load(STT_PROVIDER=f"moonshine , {fake}").stt_provider == f"moonshine,{fake}"
    assert "moonshine" in refused(STT_PROVIDER="moonshine,moonshin").cure
    assert "one,another" in refused(TTS_PROVIDER="hibari,").cure
    assert "once" in refused(TTS_PROVIDER="hibari,hibari").cure
    assert "alone" in refused(DIALOGUE_PROVIDER="scripted,echo").cure
    assert "silero" in refused(VAD_PROVIDER="silero,none").cure


def test_all_wrong_variables_are_named_at_once() -> None:
    """Three mistakes take one start to find, not three."""
    error = refused(EXOBRIDGE_PORT="x", MAX_CALLS="0", LOG_LEVEL="LOUD")
    assert [error.where, *(other.where for other in error.also)] == [
        "EXOBRIDGE_PORT",
        "MAX_CALLS",
        "LOG_LEVEL",
    ]
    assert len(str(error).splitlines()) == 3


def test_key_and_token_go_together() -> None:
    """Half a pair is a mistake that would else show only at the first outbound call."""
    assert refused(EXOTEL_API_KEY="key1").where == "EXOTEL_API_TOKEN"
    assert refused(EXOTEL_API_TOKEN="token1").where == "EXOTEL_API_KEY"


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("singapore", "https://api.exotel.com"),
        ("Mumbai", "https://api.in.exotel.com"),
        ("https://api.in.exotel.com/", "https://api.in.exotel.com"),
        ("http://127.0.0.1:8099", "http://127.0.0.1:8099"),
    ],
)
def test_exotels_api_is_named_by_its_region_or_its_url(written: str, url: str) -> None:
    """Plain http for this machine alone."""
    assert load(EXOTEL_API_URL=written).exotel_api_url == url


@pytest.mark.parametrize("url", ["file:///var/lib/recordings", "s3://bucket", "s3://my.bucket/a/b"])
def test_recordings_go_to_a_folder_or_a_bucket(url: str) -> None:
    """As it is written."""
    assert load(RECORDINGS_URL=url).recordings_url == url


def test_recordings_are_fetched_from_the_hosts_that_are_listed() -> None:
    """In place of those that are known."""
    assert str(load().recording_hosts).startswith("*.exotel.com,")
    hosts = load(RECORDING_HOSTS="127.0.0.1:9000, *.example.com").recording_hosts
    assert str(hosts) == "127.0.0.1:9000,*.example.com"


def test_a_public_server_without_a_secret_needs_both_lists() -> None:
    """Who is allowed, and whose word on addresses counts: behind a proxy one is nothing without
    the other."""
    public = {"EXOBRIDGE_PUBLIC_URL": "https://bot.example.com"}
    networks, proxies = {"ALLOWED_NETWORKS": "203.0.113.0/24"}, {"TRUSTED_PROXIES": "127.0.0.1"}
    assert load(**public, **networks, **proxies).secret is None
    with pytest.raises(ConfigError, match="TRUSTED_PROXIES: is missing"):
        load(**public, **networks)
    with pytest.raises(ConfigError, match="EXOBRIDGE_SECRET: is missing"):
        load(**public, **proxies)
    assert load(**public, **networks, EXOBRIDGE_SECRET=SECRET).trusted_proxies == ()


def test_a_public_server_needs_a_secret() -> None:
    """A URL the world can reach without a secret would let anybody place calls on it."""
    error = refused(EXOBRIDGE_PUBLIC_URL="https://bot.example.com")
    assert error.where == "EXOBRIDGE_SECRET"
    assert "token_urlsafe" in error.cure
    for url in ("http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080"):
        assert load(EXOBRIDGE_PUBLIC_URL=url).public_url == url


PLANTED = [
    {"EXOTEL_API_KEY": SECRET, "EXOTEL_API_TOKEN": f"{SECRET} with space"},
    {"EXOTEL_API_KEY": f"{SECRET}:colon", "EXOTEL_API_TOKEN": SECRET},
    {"EXOTEL_API_TOKEN": SECRET},
    {"EXOBRIDGE_SECRET": f"{SECRET}/&"},
    {"EXOBRIDGE_SECRET": SECRET, "EXOBRIDGE_PORT": SECRET},
    {"EXOBRIDGE_PUBLIC_URL": f"https://user:{SECRET}@example.com"},
    {"DATABASE_URL": f"postgresql://user:{SECRET}@host/db"},
    *({name: f"{SECRET} {name}"} for name in Settings.variables() if not name.endswith("_DIR")),
]


@pytest.mark.parametrize("variables", PLANTED)
def test_a_refused_secret_stands_in_no_message_and_no_traceback(
    variables: dict[str, str],
) -> None:
    """Whatever is wrong, the value is neither in the error nor in anything chained to it."""
    error = refused(**variables)
    assert SECRET not in "".join(traceback.format_exception(error))
    assert SECRET not in repr(error)
    assert error.__cause__ is None
    assert error.__context__ is None


def test_settings_do_not_print_their_secrets() -> None:
    """A log line or a debugger that shows the settings shows no secret and no number."""
    settings = load(
        EXOTEL_API_KEY=SECRET,
        EXOTEL_API_TOKEN=SECRET,
        EXOBRIDGE_SECRET=SECRET,
        DATABASE_URL=f"sqlite:///{SECRET}.db",
        EXOTEL_NUMBERS="+918047112233=reception",
    )
    for shown in (repr(settings), str(settings)):
        assert SECRET not in shown
        assert "8047112233" not in shown


def test_settings_do_not_change() -> None:
    """What was checked at the start holds until the end."""
    with pytest.raises(ValidationError):
        load().port = 1


def test_names_that_look_like_ours_and_are_not_are_reported(tmp_path: Path) -> None:
    """A typing error gives a hint; other programs' variables are left alone."""
    file = tmp_path / "settings.env"
    file.write_text("EXOTEL_NUMBER=+918047112233=reception\nSARVAM_API_KEY=x\n")
    settings = load_settings({"EXOBRIDGE_PROT": "1", "EXOBRIDGE_ZZZZZZ": "1", "PATH": "/"}, file)
    assert settings.unknown_variables() == (
        "EXOBRIDGE_PROT (did you mean EXOBRIDGE_PORT?)",
        "EXOBRIDGE_ZZZZZZ",
        "EXOTEL_NUMBER (did you mean EXOTEL_NUMBERS?)",
    )
    assert load().unknown_variables() == ()


def test_as_many_workers_as_there_are_cores() -> None:
    """``auto`` counts those that this process may run on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    for auto in ("auto", "AUTO"):
        assert load(EXOBRIDGE_WORKERS=auto).workers == cores


def test_the_default_of_max_calls_follows_the_workers() -> None:
    """Each uses one core, however many there are."""
    assert load(EXOBRIDGE_WORKERS="3").max_calls == 300
    assert load(EXOBRIDGE_WORKERS="3", MAX_CALLS="5").max_calls == 5
