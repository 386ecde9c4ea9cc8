"""``python -m tests.web.control.api_page`` (``make api-page``): ``docs/reference/api.md``, anew."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from exobridge.web.control.reference import markdown
from tests.server import http_client, serving

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "api.md"


async def made(folder: Path) -> str:
    """The page, as a server of today has it."""
    async with serving(folder) as server, http_client(server.url) as client:
        return markdown((await client.get("/api/v1/openapi.json")).json())


def main() -> None:
    """Write it."""
    with TemporaryDirectory() as folder:
        PAGE.write_text(asyncio.run(made(Path(folder))), "utf-8")


if __name__ == "__main__":
    main()
