"""Many clients in one process: requests over kept connections, in each format. Standard library only."""

import asyncio
import json
import urllib.parse
from dataclasses import dataclass

from harness import GATEWAY

MODEL = "claude-sonnet-4.5"
MESSAGES, CHAT, RESPONSES = "messages", "chat", "responses"
FORMATS = (MESSAGES, CHAT, RESPONSES)
PATHS = {MESSAGES: "/v1/messages", CHAT: "/v1/chat/completions", RESPONSES: "/v1/responses"}


@dataclass
class Answer:
    """What came back; `whole` is false if the connection ended before the body did, or the client left."""

    status: int
    headers: dict
    data: bytes
    whole: bool

    @property
    def id(self):
        return self.headers.get("x-request-id")

    def json(self):
        return json.loads(self.data)


class Gone(Exception):
    """The connection ended before there was an answer."""


class Line:
    """A connection that is kept from request to request, and opened anew when it has ended."""

    def __init__(self, base=GATEWAY):
        place = urllib.parse.urlparse(base)
        self.host, self.port = place.hostname, place.port
        self.reader = self.writer = None

    async def open(self):
        if self.writer is None:
            try:
                self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
            except OSError as error:
                raise Gone from error

    def leave(self):
        """Closes the connection at once, whatever is under way."""
        if self.writer is not None:
            self.writer.transport.abort()
        self.reader = self.writer = None

    async def ask(self, method, path, body=None, headers=None, leave_at=None):
        """One request. With `leave_at` the client leaves as soon as these bytes have come."""
        await self.open()
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"host": "gateway", "content-type": "application/json", "content-length": len(data), **(headers or {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        try:
            self.writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + data)
            start, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
        except (asyncio.IncompleteReadError, OSError) as error:
            self.leave()
            raise Gone from error
        told = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        got, whole = await self._body(told, leave_at)
        if not whole or told.get("connection") == "close":
            self.leave()
        return Answer(int(start.split(" ")[1]), told, got, whole)

    async def _body(self, headers, leave_at):
        got = bytearray()
        try:
            if "content-length" in headers:
                return await self.reader.readexactly(int(headers["content-length"])), True
            if headers.get("transfer-encoding") != "chunked":
                return b"", True
            while size := int(await self.reader.readuntil(b"\r\n"), 16):
                got += (await self.reader.readexactly(size + 2))[:-2]
                if leave_at and leave_at in got:
                    return bytes(got), False
            await self.reader.readexactly(2)
            return bytes(got), True
        except (asyncio.IncompleteReadError, OSError):
            return bytes(got), False


def body(format, text="Hello", stream=False, model=MODEL, most=None):
    """A request in one of the formats."""
    said = [{"role": "user", "content": text}]
    asked = {"model": model, "stream": stream}
    if format == MESSAGES:
        return {**asked, "messages": said, "max_tokens": most or 2000}
    if format == CHAT:
        return {**asked, "messages": said, **({"max_completion_tokens": most} if most else {})}
    return {**asked, "input": text, **({"max_output_tokens": most} if most else {})}


def key_of(format, key):
    """The header in which clients of this format send their key."""
    return {"x-api-key": key} if format == MESSAGES else {"authorization": f"Bearer {key}"}


async def ask(line, format, key, text="Hello", stream=False, leave_at=None, **more):
    request = body(format, text, stream, **more)
    return await line.ask("POST", PATHS[format], request, key_of(format, key), leave_at)


def ended_well(format, stream, answer):
    """Whether a client of this format takes the answer for whole."""
    if answer.status != 200 or not answer.whole:
        return False
    if not stream:
        return answer.json().get("type", answer.json().get("object")) in ("message", "chat.completion", "response")
    last = {MESSAGES: b"event: message_stop\n", CHAT: b"data: [DONE]\n", RESPONSES: b"event: response.completed\n"}
    return last[format] in answer.data


async def race(count, one):
    """Runs `one(line, n)` for so many clients at once, each connected before the first of them begins."""
    lines = [Line() for _ in range(count)]
    await asyncio.gather(*(line.open() for line in lines))
    try:
        return await asyncio.gather(*(one(line, n) for n, line in enumerate(lines)))
    finally:
        for line in lines:
            line.leave()
