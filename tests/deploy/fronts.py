"""nginx and Caddy as ``deploy/`` sets them up, on a port of this machine, before a tap."""

from __future__ import annotations

import re
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.deploy.conftest import tool
from tests.deploy.files import DEPLOY
from tests.deploy.processes import free_port, listens, plain_environment, run, running, until

SINCE_2_7 = "stream_close_delay"
"""A line of the Caddyfile that older ones do not know, as it says itself."""


@dataclass(frozen=True, slots=True)
class Front:
    """A proxy as it runs.

    Attributes:
        ca: The certificate to trust.
        logs: What it writes, all of it.
    """

    port: int
    ca: Path
    logs: tuple[Path, ...]

    @property
    def url(self) -> str:
        """As Exotel would be given it."""
        return f"https://localhost:{self.port}"

    def client(self) -> httpx.Client:
        """Asks it, and trusts its certificate alone."""
        trusted = ssl.create_default_context(cafile=str(self.ca))
        return httpx.Client(base_url=self.url, verify=trusted, trust_env=False)

    def written(self) -> str:
        """Its logs so far."""
        return "\n".join(log.read_text("utf-8") for log in self.logs if log.exists())


@contextmanager
def nginx(port: int, upstream: int, folder: Path, certificate: Path) -> Generator[Front]:
    """nginx with the file as its only server, the rest as Debian sets it up."""
    program = tool("nginx")
    site = _replaced(
        (DEPLOY / "nginx.conf").read_text("utf-8"),
        {
            "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
            "listen [::]:443 ssl;": "",
            "bot.example.com;": "localhost;",
            "/etc/letsencrypt/live/bot.example.com/fullchain.pem": f"{certificate}/cert.pem",
            "/etc/letsencrypt/live/bot.example.com/privkey.pem": f"{certificate}/key.pem",
            "127.0.0.1:8080": f"127.0.0.1:{upstream}",
            "/var/log/nginx/": f"{folder}/",
        },
    )
    (folder / "site.conf").write_text(site, "utf-8")
    places = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{each}_temp_path {folder}/{each};\n" for each in places)
    main = folder / "nginx.conf"
    main.write_text(
        f"daemon off;\npid {folder}/pid;\nerror_log {folder}/main-error.log;\n"
        "events { worker_connections 768; }\n"
        f"http {{\nssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;\n{temporary}"
        f"access_log {folder}/main.log;\ninclude {folder}/site.conf;\n}}\n",
        "utf-8",
    )
    command = [program, "-e", str(folder / "start.log"), "-c", str(main)]
    tested = run([*command, "-t"])
    assert tested.status == 0, tested.text
    names = ("exobridge.log", "exobridge-error.log", "main.log", "main-error.log", "start.log")
    front = Front(port, certificate / "cert.pem", tuple(folder / name for name in names))
    with running(command, folder / "out", env=plain_environment(), cwd=folder):
        until(lambda: listens(port), front.written)
        yield front


@contextmanager
def caddy(port: int, upstream: int, folder: Path, certificate: Path) -> Generator[Front]:
    """Caddy with the file as it is. ``localhost`` makes it issue a certificate of its own."""
    program = tool("caddy")
    text = (DEPLOY / "Caddyfile").read_text("utf-8")
    if _caddy_version(program) < (2, 7):
        text = _replaced(text, {f"\t\t\t{SINCE_2_7} 3700s\n": ""})
    config = folder / "Caddyfile"
    config.write_text(text, "utf-8")
    env = plain_environment(
        EXOBRIDGE_PUBLIC_URL=f"https://localhost:{port}",
        EXOBRIDGE_UPSTREAM=f"127.0.0.1:{upstream}",
        CADDY_ADMIN=f"127.0.0.1:{free_port()}",
        XDG_DATA_HOME=str(folder),
        XDG_CONFIG_HOME=str(folder),
    )
    options = ["--config", str(config), "--adapter", "caddyfile"]
    tested = run([program, "validate", *options], env=env)
    assert tested.status == 0, tested.text
    root = folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"
    front = Front(port, root, (folder / "log",))
    with running([program, "run", *options], folder / "log", env=env, cwd=folder):
        until(lambda: root.exists() and listens(port), front.written)
        yield front


FRONTS = {"nginx": nginx, "caddy": caddy}


def _caddy_version(program: str) -> tuple[int, ...]:
    found = re.search(r"v?(\d+)\.(\d+)", run([program, "version"]).out)
    assert found
    return tuple(map(int, found.groups()))


def _replaced(text: str, changes: dict[str, str]) -> str:
    """Each must be there: a file that was changed must not be tested by halves."""
    for old, new in changes.items():
        assert old in text, f"{old!r} is not there"
        text = text.replace(old, new)
    return text
