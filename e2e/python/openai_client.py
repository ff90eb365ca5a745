"""The client of the OpenAI suite and what its checks ask with it."""

import base64
import struct
import zlib

import openai
from harness import GATEWAY, KEY
from openai import OpenAI
from pydantic import BaseModel

MODEL = "claude-sonnet-4-5"
# A model with controls of its own for thinking.
THINKER = "claude-opus-5-5"
QUESTION = "Read the file note.txt and tell me what it says."

client = OpenAI(base_url=GATEWAY + "/v1", api_key=KEY, max_retries=0, timeout=30)


class Found(BaseModel):
    """What the structured answers hold."""

    word: str
    letters: int


FOUND = '{"word": "zebra", "letters": 5}'


def schema(property):
    properties = {property: {"type": "string"}}
    return {"type": "object", "properties": properties, "required": [property], "additionalProperties": False}


def chat_tool(name, property):
    return {"type": "function", "function": {"name": name, "description": f"Does {name}.", "parameters": schema(property)}}


def response_tool(name, property):
    return {"type": "function", "name": name, "description": f"Does {name}.", "parameters": schema(property), "strict": True}


def ask(content, of=client, **more):
    """One whole or streamed Chat answer."""
    return of.chat.completions.create(**{"model": MODEL, "messages": [user(content)], **more})


def respond(content, of=client, **more):
    """One whole or streamed Responses answer."""
    return of.responses.create(**{"model": MODEL, "input": content, **more})


def user(content):
    return {"role": "user", "content": content}


def png():
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\x00\xff\x80\x00")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def image_url():
    return "data:image/png;base64," + base64.b64encode(png()).decode()


def raised(kind, function, status):
    """The error of this SDK that `function` must raise."""
    try:
        function()
    except kind as error:
        assert error.status_code == status, error
        assert error.body["message"] and error.body["type"], error.body
        assert error.request_id, "no request id"
        return error
    raise AssertionError(f"no {kind.__name__}")


def refused(function, *words):
    """A 400 whose message holds all the words."""
    error = raised(openai.BadRequestError, function, 400)
    assert all(word in error.message for word in words), error.message
    return error
