"""Every environment variable, typed, in one place.

``load_settings`` reads the environment and, below it, the file ``.env`` of the working directory.
A variable that is empty, or only spaces, counts as not set. What is wrong stops the start with a
:class:`~exobridge.errors.ConfigError` that names the variable and the cure and never the value.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    PrivateAttr,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from exobridge import setting_checks as check
from exobridge.addresses import Network
from exobridge.api_keys import THE_KEY, ApiKey, Role, conflict
from exobridge.errors import ConfigError
from exobridge.numbers import NumberBook
from exobridge.recordings.rules import DEFAULT_HOSTS, Rules
from exobridge.validation import Problem, problems, wrong
from exobridge_providers.registry import Kind

DOTENV = Path(".env")
"""The file read below the environment; relative to the working directory."""

OUR_PREFIXES = ("EXOBRIDGE_", "EXOTEL_")
"""A variable that begins so and is not known is taken for a typing error."""

MAX_WORKERS = 64


def _variable(name: str, example: str, default: Any = None, **bounds: Any) -> Any:
    """A field that is read from the variable ``name``; ``example`` is a value that works."""
    if "default_factory" not in bounds:
        bounds["default"] = default
    return Field(validation_alias=name, examples=[example], **bounds)


class Settings(BaseSettings):
    """The settings of one process. ``docs/reference/settings.md`` explains each.

    Made by hand (``Settings(port=0)``) it looks at nothing but its arguments.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        validate_by_name=True,
        validate_by_alias=True,
    )

    exotel_api_key: Annotated[SecretStr, AfterValidator(check.credential)] | None = _variable(
        "EXOTEL_API_KEY", "..."
    )
    exotel_api_token: Annotated[SecretStr, AfterValidator(check.credential)] | None = _variable(
        "EXOTEL_API_TOKEN", "..."
    )
    exotel_sid: Annotated[str, AfterValidator(check.identifier)] | None = _variable(
        "EXOTEL_SID", "yourcompany1"
    )
    exotel_api_url: Annotated[str, AfterValidator(check.exotel_api_url)] = _variable(
        "EXOTEL_API_URL", "mumbai", check.EXOTEL_REGIONS["singapore"]
    )
    exotel_stream_check_seconds: int = _variable(
        "EXOTEL_STREAM_CHECK_SECONDS", "30", 30, ge=0, le=3600
    )
    exotel_template_applet_app_id: Annotated[str, AfterValidator(check.identifier)] | None = (
        _variable("EXOTEL_TEMPLATE_APPLET_APP_ID", "123456")
    )
    numbers: Annotated[NumberBook, PlainValidator(check.number_book)] = _variable(
        "EXOTEL_NUMBERS", "+918047112233=reception", default_factory=NumberBook
    )
    public_url: Annotated[str, AfterValidator(check.public_url)] | None = _variable(
        "EXOBRIDGE_PUBLIC_URL", "https://bot.example.com"
    )
    secret: Annotated[SecretStr, AfterValidator(check.secret)] | None = _variable(
        "EXOBRIDGE_SECRET", "..."
    )
    allowed_networks: Annotated[tuple[Network, ...], PlainValidator(check.networks)] = _variable(
        "ALLOWED_NETWORKS", "203.0.113.0/24,2001:db8::/32", ()
    )
    trusted_proxies: Annotated[tuple[Network, ...], PlainValidator(check.networks)] = _variable(
        "TRUSTED_PROXIES", "127.0.0.1,10.0.0.0/8", ()
    )
    request_rate: int = _variable("REQUEST_RATE", "1000", 1000, ge=0, le=1_000_000)
    templates_dir: Path | None = _variable("EXOBRIDGE_TEMPLATES_DIR", "./templates")
    data_dir: Annotated[Path, AfterValidator(check.data_dir)] = _variable(
        "EXOBRIDGE_DATA_DIR", "./data", Path("data")
    )
    wire_dir: Annotated[Path, AfterValidator(check.wire_dir)] | None = _variable(
        "EXOBRIDGE_WIRE_DIR", "./wire"
    )
    database_url: Annotated[SecretStr, AfterValidator(check.database_url)] = _variable(
        "DATABASE_URL",
        "sqlite+aiosqlite:///data/exobridge.sqlite3",
        default_factory=check.default_database_url,
    )
    recordings_url: Annotated[str, AfterValidator(check.recordings_url)] | None = _variable(
        "RECORDINGS_URL", "s3://bucket/recordings"
    )
    recording_hosts: Annotated[Rules, PlainValidator(check.recording_hosts)] = _variable(
        "RECORDING_HOSTS",
        DEFAULT_HOSTS,
        default_factory=lambda: check.recording_hosts(DEFAULT_HOSTS),
    )
    recording_max_mb: int = _variable("RECORDING_MAX_MB", "200", 200, ge=1, le=10_000)
    host: Annotated[str, AfterValidator(check.host)] = _variable(
        "EXOBRIDGE_HOST", "127.0.0.1", "127.0.0.1"
    )
    port: int = _variable("EXOBRIDGE_PORT", "8080", 8080, ge=0, le=65535)
    workers: Annotated[int, BeforeValidator(check.workers)] = _variable(
        "EXOBRIDGE_WORKERS", "4", 1, ge=1, le=MAX_WORKERS
    )
    max_calls: int = _variable(
        "MAX_CALLS",
        "200",
        default_factory=check.default_max_calls,
        ge=1,
        le=100_000,
    )
    outbound_calls_per_minute: int = _variable("OUTBOUND_CALLS_PER_MINUTE", "60", 200, ge=1, le=200)
    outbound_reserve: int = _variable(
        "OUTBOUND_RESERVE", "20", default_factory=check.default_outbound_reserve, ge=0, le=100_000
    )
    stt_provider: Annotated[str, AfterValidator(check.providers(Kind.STT))] = _variable(
        "STT_PROVIDER", "moonshine", "moonshine"
    )
    tts_provider: Annotated[str, AfterValidator(check.providers(Kind.TTS))] = _variable(
        "TTS_PROVIDER", "hibari", "hibari"
    )
    dialogue_provider: Annotated[str, AfterValidator(check.providers(Kind.DIALOGUE))] = _variable(
        "DIALOGUE_PROVIDER", "scripted", "scripted"
    )
    vad_provider: Annotated[str, AfterValidator(check.provider(Kind.VAD))] = _variable(
        "VAD_PROVIDER", "silero", "silero"
    )
    metrics_token: (
        Annotated[SecretStr, AfterValidator(check.bearer_token("METRICS_TOKEN"))] | None
    ) = _variable("METRICS_TOKEN", "...")
    api_key: (
        Annotated[SecretStr, AfterValidator(check.bearer_token("EXOBRIDGE_API_KEY"))] | None
    ) = _variable("EXOBRIDGE_API_KEY", "...")
    api_keys: Annotated[tuple[ApiKey, ...], PlainValidator(check.api_keys)] = _variable(
        "EXOBRIDGE_API_KEYS", "reports:viewer:...,desk:operator:...", ()
    )
    webhook_url: Annotated[SecretStr, AfterValidator(check.webhook_url)] | None = _variable(
        "WEBHOOK_URL", "https://crm.example.com/calls"
    )
    webhook_signing_secret: Annotated[SecretStr, AfterValidator(check.webhook_secret)] | None = (
        _variable("WEBHOOK_SIGNING_SECRET", "whsec_...")
    )
    webhook_events: Annotated[tuple[str, ...], PlainValidator(check.webhook_events)] = _variable(
        "WEBHOOK_EVENTS", "call.started,call.ended", ()
    )
    webhook_keep_days: int = _variable("WEBHOOK_KEEP_DAYS", "30", 7, ge=1, le=365)
    store_transcripts: Annotated[Literal["on", "off"], BeforeValidator(check.lower_case)] = (
        _variable("STORE_TRANSCRIPTS", "off", "on")
    )
    transcript_days: int = _variable("TRANSCRIPT_DAYS", "400", 0, ge=0, le=36_500)
    recording_days: int = _variable("RECORDING_DAYS", "400", 0, ge=0, le=36_500)
    log_format: Annotated[Literal["auto", "console", "json"], BeforeValidator(check.lower_case)] = (
        _variable("LOG_FORMAT", "json", "auto")
    )
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(check.upper_case)
    ] = _variable("LOG_LEVEL", "INFO", "INFO")
    stream_encoding: Annotated[
        Literal["auto", "mulaw", "pcm16"], BeforeValidator(check.lower_case)
    ] = _variable("STREAM_ENCODING", "mulaw", "auto")
    stream_token_seconds: int = _variable("STREAM_TOKEN_SECONDS", "300", 300, ge=1, le=86_400)
    unused_slot_seconds: int = _variable("UNUSED_SLOT_SECONDS", "30", 30, ge=1, le=600)
    drain_seconds: int = _variable("DRAIN_SECONDS", "300", 300, ge=0, le=3600)

    _unknown: tuple[str, ...] = PrivateAttr(default=())

    @model_validator(mode="after")
    def _key_and_token_go_together(self) -> Self:
        if (self.exotel_api_key is None) != (self.exotel_api_token is None):
            absent = "EXOTEL_API_TOKEN" if self.exotel_api_key else "EXOTEL_API_KEY"
            raise wrong(
                "is missing, while the other half of the pair is set",
                "Set both, from Exotel's page of API settings, or neither.",
                absent,
            )
        return self

    @model_validator(mode="after")
    def _keys_differ(self) -> Self:
        if problem := conflict(self.keys()):
            cure = f"EXOBRIDGE_API_KEY is the key named {THE_KEY}: choose others beside it."
            raise wrong(f"cannot be used: {problem}", cure, "EXOBRIDGE_API_KEYS")
        return self

    @model_validator(mode="after")
    def _webhooks_are_signed(self) -> Self:
        if self.webhook_url is not None and self.webhook_signing_secret is None:
            raise wrong(
                "is missing, while WEBHOOK_URL is set: what is sent there is signed",
                check.NEW_SIGNING_SECRET,
                "WEBHOOK_SIGNING_SECRET",
            )
        return self

    @model_validator(mode="after")
    def _calls_can_be_placed(self) -> Self:
        if self.outbound_reserve >= self.max_calls:
            raise wrong(
                "is not below MAX_CALLS, so that nobody could ever be called",
                "Write a smaller number, or unset it.",
                "OUTBOUND_RESERVE",
            )
        return self

    @model_validator(mode="after")
    def _the_public_is_kept_out(self) -> Self:
        if self.secret or not self.public_url or check.is_loopback_url(self.public_url):
            return self
        if not self.allowed_networks:
            raise wrong(
                "is missing, while EXOBRIDGE_PUBLIC_URL opens the server to the world",
                check.NEW_SECRET,
                "EXOBRIDGE_SECRET",
            )
        if not self.trusted_proxies:
            raise wrong(
                "is missing, while ALLOWED_NETWORKS alone decides who is served: of what a proxy "
                "passes on, the proxy alone knows the address",
                "Set it to the proxy's own address, or set EXOBRIDGE_SECRET too.",
                "TRUSTED_PROXIES",
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments only: ``load_settings`` decides what is read, so that tests can too."""
        return (init_settings,)

    @classmethod
    def variables(cls) -> tuple[str, ...]:
        """The names of all environment variables, in the order of the reference page."""
        return tuple(str(field.validation_alias) for field in cls.model_fields.values())

    def keys(self) -> tuple[ApiKey, ...]:
        """All keys of the API, ``EXOBRIDGE_API_KEY`` as an administrator's."""
        if self.api_key is None:
            return self.api_keys
        return (ApiKey(THE_KEY, Role.ADMIN, self.api_key), *self.api_keys)

    def secrets(self) -> list[str]:
        """The values that must never be shown."""
        known = (
            self.secret,
            self.exotel_api_key,
            self.exotel_api_token,
            self.metrics_token,
            self.webhook_signing_secret,
            self.webhook_url,  # its path or its query may be what lets in
            *(key.secret for key in self.keys()),
        )
        return [each.get_secret_value() for each in known if each is not None]

    def unknown_variables(self) -> tuple[str, ...]:
        """Variables that look like ours and are not: typing errors, with what may be meant."""
        return self._unknown

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Settings:
        """Settings from variables by name; the others' variables are left alone.

        Raises:
            ConfigError: A variable is wrong; all wrong ones are named.
        """
        known = set(cls.variables())
        trimmed = {name: value.strip() for name, value in variables.items()}
        ours = {name: value for name, value in trimmed.items() if name in known and value}
        try:
            settings = cls.model_validate(ours)
        except ValidationError as error:
            found = problems(error)
        else:
            settings._unknown = tuple(_typing_errors(variables, known))
            return settings
        # Raised out here, so that pydantic's error, which holds the values, is not its context.
        raise ConfigError.of([cls._config_error(problem) for problem in found])

    @classmethod
    def _config_error(cls, problem: Problem) -> ConfigError:
        where = str(problem.path[0])
        examples = {
            field.validation_alias: (field.examples or [""])[0]
            for field in cls.model_fields.values()
        }
        cure = problem.cure or f"Write it like {where}={examples.get(where, '...')}"
        return ConfigError(where, problem.problem, cure)


def load_settings(
    environ: Mapping[str, str] | None = None, env_file: Path | None = DOTENV
) -> Settings:
    """The settings of this process: :meth:`Settings.read` of :func:`load_variables`.

    Raises:
        ConfigError: A variable is wrong, or the file cannot be read.
    """
    return Settings.read(load_variables(environ, env_file))


def load_variables(
    environ: Mapping[str, str] | None = None, env_file: Path | None = DOTENV
) -> dict[str, str]:
    """All variables by name, others' too.

    Args:
        environ: In place of ``os.environ``.
        env_file: Read below the environment. ``.env`` may be absent, any other must exist;
            ``None``: no file.

    Raises:
        ConfigError: The file cannot be read.
    """
    from_file = _file_variables(env_file) if env_file else {}
    from_environment = {
        name: value
        for name, value in (os.environ if environ is None else environ).items()
        if value.strip()
    }
    return {**from_file, **from_environment}


def _file_variables(env_file: Path) -> dict[str, str]:
    if env_file != DOTENV and not env_file.is_file():
        raise ConfigError(str(env_file), "there is no such file", "Check the path.")
    try:
        source = DotEnvSettingsSource(
            Settings, env_file=env_file, env_file_encoding="utf-8", case_sensitive=True
        )
    except UnicodeDecodeError:
        problem, cure = "is not written in UTF-8", "Save it as UTF-8."
    except OSError as error:
        problem, cure = f"cannot be read ({error.strerror})", "Check who may read it."
    else:
        return {name: value for name, value in source.env_vars.items() if value is not None}
    raise ConfigError(str(env_file), problem, cure)


def _typing_errors(variables: Iterable[str], known: set[str]) -> Iterable[str]:
    for name in sorted(set(variables) - known):
        if name.startswith(OUR_PREFIXES):
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
            yield f"{name} (did you mean {near[0]}?)" if near else name
