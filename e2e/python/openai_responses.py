"""OpenAI's Python SDK: Responses."""

import base64
import json

import openai
from harness import *
from openai.lib.responses_tool_runner import RegisteredFunction, ResponsesToolRunner
from openai_client import *

READ_FILE = response_tool("read_file", "path")
WEATHER = response_tool("weather", "city")
FREE = {"type": "custom", "name": "run", "description": "Runs a program.", "format": {"type": "text"}}


def calls(response):
    return [item for item in response.output if item.type in ("function_call", "custom_tool_call")]


def output(made, text):
    return {"type": "function_call_output", "call_id": made.call_id, "output": text}


# --- answers -----------------------------------------------------------------------------------------------------


@check
def responses_whole_answer():
    answer = respond("Hello there, who are you?")
    assert answer.object == "response" and answer.id.startswith("resp_") and answer.status == "completed", answer
    assert len(answer.output_text) > 20 and answer.model == MODEL and answer.error is None, answer
    usage = answer.usage
    assert usage.input_tokens > 0 and usage.output_tokens > 0, usage
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens, usage
    assert answer._request_id, "no request id"


@check
def responses_stream_raw():
    play(say("One piece."))
    events = list(respond("Hello", stream=True))
    kinds = [event.type for event in events]
    assert kinds == [
        "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
        "response.output_text.delta", "response.output_text.done", "response.content_part.done",
        "response.output_item.done", "response.completed",
    ], kinds
    assert [event.sequence_number for event in events] == list(range(len(events))), "the numbers do not rise by one"
    assert events[4].delta == events[5].text == events[-1].response.output_text == "One piece.", events
    assert len({event.item_id for event in events[3:7]} | {events[2].item.id, events[7].item.id}) == 1, "ids change"
    assert events[0].response.id == events[-1].response.id and events[-1].response.usage.total_tokens > 0


@check
def responses_stream_helper():
    with client.responses.stream(model=MODEL, input="Hello there") as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert kinds.count("response.output_text.delta") > 3, "the answer did not come in pieces"
    assert final.status == "completed" and len(final.output_text) > 20, final


@check
def responses_input_items():
    """Instructions, roles, and the items of an earlier turn with and without their ids."""
    earlier = respond("Hi")
    items = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        *earlier.output,
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Go on"}]},
    ]
    play(say("Yes."))
    assert respond(items, instructions="Speak like a pirate.").output_text == "Yes."
    body = texts(chats()[-1]["body"])
    assert "Be brief." in body and "Speak like a pirate." in body and earlier.output_text[:40] in body, body


# --- tools -------------------------------------------------------------------------------------------------------


@check
def responses_tool_turn_by_hand():
    first = respond(QUESTION, tools=[READ_FILE])
    (made,) = calls(first)
    assert made.name == "read_file" and json.loads(made.arguments) == {"path": "note.txt"}, made
    items = [{"role": "user", "content": QUESTION}, *first.output, output(made, "The secret word is zebra.")]
    second = respond(items, tools=[READ_FILE])
    assert "zebra" in second.output_text, second
    sent = message(chats()[-1])["userInputMessageContext"]["toolResults"][0]
    history = chats()[-1]["body"]["conversationState"]["history"]
    assert sent["toolUseId"] == history[-1]["assistantResponseMessage"]["toolUses"][0]["toolUseId"], sent


@check
def responses_tool_runner():
    """The SDK's own loop, which looks closely at every item that it is given."""
    for stream in (False, True):
        reset()
        asked = []
        read = lambda given: asked.append(given) or "The secret word is zebra."
        runner = ResponsesToolRunner(functions=[RegisteredFunction(READ_FILE, read)])
        final = runner.run(client, {"model": MODEL, "input": QUESTION}, stream=stream)
        assert asked == [{"path": "note.txt"}] and "zebra" in final.output_text, (asked, final)


@check
def responses_tool_call_streams():
    given = {"path": "deep/ünder/note.txt"}
    play(say("Let me look."), call("read_file", given, "tooluse_abc"))
    with client.responses.stream(model=MODEL, input="Read the note", tools=[READ_FILE]) as stream:
        events = list(stream)
        final = stream.get_final_response()
    pieces = [event.delta for event in events if event.type == "response.function_call_arguments.delta"]
    (done,) = [event for event in events if event.type == "response.function_call_arguments.done"]
    assert pieces and json.loads("".join(pieces)) == json.loads(done.arguments) == given, (pieces, done)
    assert [item.type for item in final.output] == ["message", "function_call"], final.output


@check
def responses_parallel_tools():
    play(call("weather", {"city": "Oslo"}, "tooluse_1"), call("weather", {"city": "Rome"}, "tooluse_2"))
    with client.responses.stream(model=MODEL, input="Compare the weather.", tools=[WEATHER]) as stream:
        first = stream.get_final_response()
    made = calls(first)
    assert [json.loads(one.arguments)["city"] for one in made] == ["Oslo", "Rome"], made
    plain = [{"type": "function_call", "call_id": o.call_id, "name": o.name, "arguments": o.arguments} for o in made]
    items = [user("Compare the weather."), *plain, output(made[1], "sunny"), output(made[0], "rain"), user("Go on.")]
    play(say("Rome is sunny."))
    assert respond(items, tools=[WEATHER]).output_text == "Rome is sunny."
    sent = message(chats()[-1])
    assert len(sent["userInputMessageContext"]["toolResults"]) == 2 and "Go on." in sent["content"], sent


@check
def responses_custom_tool():
    """A tool whose input is free text."""
    program = 'print("zebra")\n'
    name = lambda: message(chats()[-1])["userInputMessageContext"]["tools"][0]["toolSpecification"]
    play(say("Wait."))
    respond("Run it", tools=[FREE])
    (property,) = name()["inputSchema"]["json"]["properties"]
    play(call(name()["name"], {property: program}, "tooluse_1"), times=2)
    (made,) = calls(respond("Run it", tools=[FREE]))
    assert made.type == "custom_tool_call" and made.name == "run" and made.input == program, made
    with client.responses.stream(model=MODEL, input="Run it", tools=[FREE]) as stream:
        events = list(stream)
    pieces = [event.delta for event in events if event.type == "response.custom_tool_call_input.delta"]
    assert "".join(pieces) == program, [event.type for event in events]
    result = {"type": "custom_tool_call_output", "call_id": made.call_id, "output": "zebra"}
    again = {"type": "custom_tool_call", "call_id": made.call_id, "name": "run", "input": program}
    assert "zebra" in respond([user("Run it"), again, result], tools=[FREE]).output_text


@check
def responses_tool_choice():
    play(say("Without tools."))
    respond("Hello", tools=[READ_FILE, WEATHER], tool_choice="none")
    assert not message(chats()[-1]).get("userInputMessageContext", {}).get("tools"), "tools were sent"
    play(call("weather", {"city": "Oslo"}, "tooluse_1"))
    respond("Hello", tools=[READ_FILE, WEATHER], tool_choice={"type": "function", "name": "weather"})
    sent = message(chats()[-1])["userInputMessageContext"]["tools"]
    assert [tool["toolSpecification"]["name"] for tool in sent] == ["weather"], sent


# --- structured answers --------------------------------------------------------------------------------------------


@check
def responses_parse():
    play(say(FOUND))
    answer = client.responses.parse(model=MODEL, input="Find it", text_format=Found)
    assert answer.output_parsed == Found(word="zebra", letters=5), answer
    assert "letters" in texts(chats()[-1]["body"]), "the schema did not reach the model"


@check
def responses_parse_streams():
    play(say(FOUND, chars=4))
    with client.responses.stream(model=MODEL, input="Find it", text_format=Found) as stream:
        final = stream.get_final_response()
    assert final.output_parsed == Found(word="zebra", letters=5), final


# --- content -----------------------------------------------------------------------------------------------------


@check
def responses_image():
    play(say("An orange dot."))
    parts = [{"type": "input_image", "image_url": image_url(), "detail": "high"}, {"type": "input_text", "text": "What?"}]
    assert respond([user(parts)]).output_text == "An orange dot."
    assert base64.b64decode(message(chats()[-1])["images"][0]["source"]["bytes"]) == png()


@check
def responses_reasoning():
    """Reasoning comes as an item of its own and can be sent back as it came."""
    more = {"model": THINKER, "reasoning": {"effort": "high", "summary": "auto"}, "store": False,
            "include": ["reasoning.encrypted_content"]}
    first = respond("Why is the sky blue?", **more)
    assert [item.type for item in first.output] == ["reasoning", "message"], first.output
    with client.responses.stream(input="Why is the sky blue?", **more) as stream:
        final = stream.get_final_response()
    assert [item.type for item in final.output] == ["reasoning", "message"], final.output
    items = [user("Why is the sky blue?"), *final.output, user("And at night?")]
    assert respond(items, **more).output_text


# --- limits and refusals -------------------------------------------------------------------------------------------


@check
def responses_token_limit():
    play(say("word " * 400, chars=5), times=2)
    answer = respond("Talk", max_output_tokens=20)
    assert answer.status == "incomplete" and answer.incomplete_details.reason == "max_output_tokens", answer
    assert 0 < len(answer.output_text) < 200, answer
    last = list(respond("Talk", max_output_tokens=20, stream=True))[-1]
    assert last.type == "response.incomplete" and last.response.status == "incomplete", last


@check
def responses_refuses_what_it_cannot_do():
    refused(lambda: respond("Hello", previous_response_id="resp_123"), "previous_response_id")
    refused(lambda: respond([{"type": "item_reference", "id": "msg_1"}]), "stored item")
    refused(lambda: respond("Hello", background=True), "background")
    refused(lambda: client.responses.retrieve("resp_123"), "stored")
    refused(lambda: client.responses.delete("resp_123"), "stored")
    assert not chats()
