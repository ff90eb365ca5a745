"""The client of the Python suite and what its checks ask with it."""

import base64
import struct
import warnings
import zlib

from anthropic import Anthropic
from harness import GATEWAY, KEY

# The SDK says of some models that Anthropic will retire them; the gateway serves what its upstream serves.
warnings.simplefilter("ignore", DeprecationWarning)

MODEL = "claude-sonnet-4-5"
# A model with controls of its own for thinking; MODEL has none and is asked by tags.
THINKER = "claude-opus-5-5"

client = Anthropic(base_url=GATEWAY, api_key=KEY, max_retries=0, timeout=30)

READ_FILE = {
    "name": "read_file",
    "description": "Reads a file of the project and returns its text.",
    "input_schema": {
        "type": "object",
        "properties": {"path": {"type": "string", "description": "where the file is"}},
        "required": ["path"],
    },
}
WEATHER = {
    "name": "weather",
    "description": "The weather of a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def user(content):
    return {"role": "user", "content": content}


def assistant(content):
    return {"role": "assistant", "content": content}


def ask(content, of=client, **more):
    return of.messages.create(**{"model": MODEL, "max_tokens": 1024, "messages": [user(content)], **more})


def text_of(answer):
    return "".join(block.text for block in answer.content if block.type == "text")


def png():
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\x00\xff\x80\x00")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def image():
    data = base64.b64encode(png()).decode()
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}
