"""litellm, as a library, against the gateway in each of its three formats."""

import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import json

import litellm
from harness import *
from pydantic import BaseModel

litellm.telemetry = False
litellm.suppress_debug_info = True

OPENAI = {"model": "openai/gw-model", "api_base": GATEWAY + "/v1", "api_key": KEY, "num_retries": 0}
ANTHROPIC = {"model": "anthropic/claude-sonnet-4-5", "api_base": GATEWAY, "api_key": KEY, "num_retries": 0}
QUESTION = [{"role": "user", "content": "Read the file note.txt and tell me what it says."}]
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
READ_FILE = {"type": "function", "function": {"name": "read_file", "description": "Reads a file.", "parameters": SCHEMA}}


class Found(BaseModel):
    """What the structured answers hold."""

    word: str
    letters: int


def both(function):
    """A check of Chat and of Messages."""

    def run():
        for more in (OPENAI, ANTHROPIC):
            reset()
            function(more)

    run.__name__, run.__doc__ = function.__name__, function.__doc__
    return check(run)


@both
def answers(more):
    answer = litellm.completion(messages=[{"role": "user", "content": "Hello there"}], **more)
    assert len(answer.choices[0].message.content) > 20 and answer.choices[0].finish_reason == "stop", answer
    assert answer.usage.prompt_tokens > 0 and answer.usage.completion_tokens > 0, answer.usage


@both
def streams(more):
    hello = [{"role": "user", "content": "Hello there"}]
    options = {"include_usage": True}
    chunks = list(litellm.completion(messages=hello, stream=True, stream_options=options, **more))
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert len(pieces) > 3, "the answer did not come in pieces"
    assert [chunk.usage for chunk in chunks if getattr(chunk, "usage", None)][-1].prompt_tokens > 0


@both
def tool_turn(more):
    """The history that goes back carries keys of litellm's own."""
    for stream in (False, True):
        first = litellm.completion(messages=QUESTION, tools=[READ_FILE], stream=stream, **more)
        first = litellm.stream_chunk_builder(list(first), messages=QUESTION) if stream else first
        assert first.choices[0].finish_reason == "tool_calls", first
        (use,) = first.choices[0].message.tool_calls
        assert json.loads(use.function.arguments) == {"path": "note.txt"}, use
        result = {"role": "tool", "tool_call_id": use.id, "content": "The secret word is zebra."}
        messages = [*QUESTION, first.choices[0].message.model_dump(), result]
        second = litellm.completion(messages=messages, tools=[READ_FILE], **more)
        assert "zebra" in second.choices[0].message.content, second


@both
def structured(more):
    play(say('{"word": "zebra", "letters": 5}'))
    answer = litellm.completion(messages=QUESTION, response_format=Found, **more)
    assert Found.model_validate_json(answer.choices[0].message.content).word == "zebra", answer


@both
def errors(more):
    play(refuse(400, "ValidationException", "Improperly formed request.", "REQUEST_BODY_INVALID"))
    try:
        litellm.completion(messages=QUESTION, **more)
    except litellm.BadRequestError:
        pass
    else:
        raise AssertionError("no error")
    try:
        litellm.completion(messages=QUESTION, **{**more, "api_key": "wrong-key-00000000"})
    except litellm.AuthenticationError:
        return
    raise AssertionError("no error")


@both
def broken_stream(more):
    """This client takes a clean end for a good one: the gateway must not give it one."""
    for ending in (CUT, END):
        play(say("Half an answer"), ending)
        try:
            list(litellm.completion(messages=QUESTION, stream=True, **more))
        except Exception:
            continue
        raise AssertionError("a broken answer ended as a good one")


@check
def responses():
    tool = {"type": "function", **READ_FILE["function"]}
    first = litellm.responses(input=QUESTION[0]["content"], tools=[tool], **OPENAI)
    (made,) = [item for item in first.output if item.type == "function_call"]
    result = {"type": "function_call_output", "call_id": made.call_id, "output": "The secret word is zebra."}
    called = {"type": "function_call", "call_id": made.call_id, "name": made.name, "arguments": made.arguments}
    second = litellm.responses(input=[*QUESTION, called, result], tools=[tool], **OPENAI)
    assert "zebra" in second.model_dump_json(), second
    kinds = [str(event.type) for event in litellm.responses(input="Hello there", stream=True, **OPENAI)]
    assert "completed" in kinds[-1].lower(), kinds


if __name__ == "__main__":
    main()
