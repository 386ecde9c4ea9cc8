"""A bucket that speaks S3, over a real socket.

Unrealistic: it believes every signature, keeps all in memory, and knows single objects only, which
are put in one piece.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.doctor.looking import accepting

NO_SUCH_KEY = (
    b'<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>There is none</Message></Error>'
)


@dataclass
class Bucket:
    """What it holds.

    Attributes:
        objects: By path, the bucket's name first.
        types: Their ``Content-Type``.
        signatures: The ``Authorization`` of each request.
        status: In place of every answer, while it is set.
        is_locked: Its objects cannot be deleted.
    """

    port: int = 0
    objects: dict[str, bytes] = field(default_factory=dict[str, bytes])
    types: dict[str, str] = field(default_factory=dict[str, str])
    signatures: list[str] = field(default_factory=list[str])
    status: int = 0
    is_locked: bool = False

    @property
    def environment(self) -> dict[str, str]:
        """What a process must be told to use it."""
        return {
            "AWS_ACCESS_KEY_ID": "key-of-the-bucket",
            "AWS_SECRET_ACCESS_KEY": "secret-of-the-bucket",
            "AWS_REGION": "ap-south-1",
            "AWS_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "AWS_ALLOW_HTTP": "true",
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, path, _ = head.split(" ", 2)
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.signatures.append(headers.get("authorization", ""))
        status, more, content = self._answer(method, path, headers, body)
        length = len(self.objects.get(path, b"")) if method == "HEAD" else len(content)
        lines = [f"HTTP/1.1 {status} Status", f"Content-Length: {length}", *more]
        answer = "\r\n".join([*lines, "Connection: close", "", ""]).encode()
        writer.write(answer if method == "HEAD" else answer + content)
        await writer.drain()

    def _answer(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, list[str], bytes]:
        if self.status:
            return self.status, [], b"<Error><Code>Refused</Code></Error>"
        if method == "PUT":
            self.objects[path], self.types[path] = body, headers.get("content-type", "")
            return 200, ['ETag: "one"'], b""
        if method == "POST" and path.endswith("?delete"):
            bucket = path.removesuffix("?delete")
            keys = re.findall(r"<Key>([^<]*)</Key>", body.decode())
            return 200, ["Content-Type: application/xml"], self._delete(bucket, keys)
        if path not in self.objects:
            return 404, ["Content-Type: application/xml"], NO_SUCH_KEY
        whole = self.objects[path]
        more = ['ETag: "one"', "Last-Modified: Sat, 21 Nov 2026 10:00:00 GMT"]
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("range", ""))
        if found is None:
            return 200, more, whole
        first, last = int(found[1]), min(int(found[2] or len(whole)), len(whole) - 1)
        part = [f"Content-Range: bytes {first}-{last}/{len(whole)}"]
        return 206, more + part, whole[first : last + 1]

    def _delete(self, bucket: str, keys: list[str]) -> bytes:
        told = ""
        for key in keys:
            if self.is_locked:
                told += f"<Error><Key>{key}</Key><Code>AccessDenied</Code></Error>"
            else:
                self.objects.pop(f"{bucket}/{key}", None)
                told += f"<Deleted><Key>{key}</Key></Deleted>"
        return f'<?xml version="1.0"?><DeleteResult>{told}</DeleteResult>'.encode()


@asynccontextmanager
async def bucket() -> AsyncGenerator[Bucket]:
    """Run one on a free port."""
    held = Bucket()
    async with accepting(held.serve) as held.port:
        yield held
