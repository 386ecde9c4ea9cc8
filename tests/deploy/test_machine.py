"""The systemd unit, the Compose file and the settings' example agree with the code."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from exobridge.settings import Settings, load_settings
from tests.deploy.files import DEPLOY, ROOT, assignments, compose, dockerfile, read_yaml, unit

ROOM_FOR_GOODBYES = 60
"""Seconds that a stop needs besides the drain."""


def test_the_example_has_only_settings() -> None:
    """Each variable exists, and nothing is set twice."""
    names = [name for name, _, _ in assignments(DEPLOY / "exobridge.env")]
    assert len(names) == len(set(names))
    ours = {name for name in names if not name.startswith("AWS_")}  # of the storage's own library
    assert ours <= set(Settings.variables())


def test_the_example_works_once_the_secret_is_in() -> None:
    """All its lines, those that are commented out too, are read without a word."""
    lines = {name: value for name, value, _ in assignments(DEPLOY / "exobridge.env")}
    assert lines["EXOBRIDGE_SECRET"] == ""
    settings = load_settings({**lines, "EXOBRIDGE_SECRET": "a-secret-of-the-test"}, None)
    assert settings.public_url
    assert settings.numbers.is_set
    assert not settings.unknown_variables()


def test_the_example_shows_the_default_of_the_drain() -> None:
    """Taking the hash sign away changes nothing by itself."""
    lines = {name: value for name, value, _ in assignments(DEPLOY / "exobridge.env")}
    assert int(lines["DRAIN_SECONDS"]) == _drain()


def test_a_stop_waits_for_the_drain() -> None:
    """Neither systemd nor Compose kills what still says goodbye."""
    assert int(unit()["TimeoutStopSec"][0]) >= _drain() + ROOM_FOR_GOODBYES
    grace = compose()["services"]["exobridge"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) >= _drain() + ROOM_FOR_GOODBYES


def test_the_unit_starts_what_the_installer_leaves() -> None:
    """With the signals that the server knows: TERM to the main process alone, HUP to reload."""
    keys = unit()
    assert keys["ExecStart"] == ["/opt/exobridge/bin/exobridge serve"]
    assert keys["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert keys["KillMode"] == ["mixed"]
    assert keys["EnvironmentFile"] == ["/etc/exobridge/exobridge.env"]
    assert keys["Environment"][0].startswith(f"EXOBRIDGE_DATA_DIR=/var/lib/{keys['User'][0]} ")
    assert keys["StateDirectory"] == keys["User"]


def test_the_calls_drain_before_the_proxy_goes() -> None:
    """What starts last stops first, under systemd and under Compose."""
    assert {"nginx.service", "caddy.service"} <= set(unit()["After"][0].split())
    services = compose()["services"]
    assert services["exobridge"]["depends_on"] == ["caddy"]
    assert "depends_on" not in services["caddy"]


def test_only_the_proxy_is_open_to_the_world() -> None:
    """Of all services one publishes a port on all addresses: 443."""
    published = {
        name: service["ports"]
        for name, service in compose()["services"].items()
        if any(not port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    }
    assert published == {"caddy": ["443:443"]}


def test_compose_builds_the_image_and_keeps_its_data() -> None:
    """With the Dockerfile's own paths, a read-only root and no capabilities."""
    service = compose()["services"]["exobridge"]
    _, image = dockerfile()
    assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
    assert f"data:{image.only('VOLUME')}" in service["volumes"]
    assert service["environment"]["EXOBRIDGE_DATA_DIR"] == image.only("VOLUME")
    assert set(service["environment"]) <= set(Settings.variables())
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]


def test_everything_in_compose_is_bounded_and_comes_back() -> None:
    """Each service is restarted, and its log cannot fill the disk."""
    for name, service in compose()["services"].items():
        assert service["restart"] == "unless-stopped", name
        assert set(service["logging"]["options"]) == {"max-size", "max-file"}, name
        assert service["ulimits"]["nofile"] >= 65536, name


def test_what_compose_mounts_and_names_is_there() -> None:
    """Files of the repository exist; volumes, configs and secrets are declared."""
    whole = compose()
    for name, service in whole["services"].items():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source != "./templates":  # the user's own
                there = (DEPLOY / source).exists() if source.startswith(".") else None
                assert there or source in whole["volumes"], f"{name}: {source}"
        assert {each["source"] for each in service.get("configs", ())} <= set(whole["configs"])
        assert set(service.get("secrets", ())) <= set(whole["secrets"])


def test_the_configs_in_compose_are_yaml() -> None:
    """Prometheus and Grafana can read what stands inside; the rules that it names are there."""
    configs = {name: read_yaml(each["content"]) for name, each in compose()["configs"].items()}
    (rules,) = configs["prometheus"]["rule_files"]
    assert (DEPLOY / "prometheus" / PurePosixPath(rules).name).is_file()
    (scraped,) = configs["prometheus"]["scrape_configs"]
    assert scraped["static_configs"] == [{"targets": ["exobridge:8080"]}]
    rules_text = (DEPLOY / "prometheus" / PurePosixPath(rules).name).read_text("utf-8")
    assert set(re.findall(r'job="(\w+)"', rules_text)) == {scraped["job_name"]}
    assert configs["dashboards"]["providers"][0]["options"]["path"] in str(
        compose()["services"]["grafana"]["volumes"]
    )


def test_the_filled_in_example_is_never_committed() -> None:
    """deploy/.env has the secret in it."""
    assert ".env" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


def _drain() -> int:
    return load_settings({}, None).drain_seconds
