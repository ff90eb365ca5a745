"""OpenAI's Python SDK: Chat Completions."""

import asyncio
import base64
import json

import openai
from harness import *
from openai_client import *

READ_FILE = chat_tool("read_file", "path")
WEATHER = chat_tool("weather", "city")


def said(answer):
    return answer.choices[0].message.content


# --- answers -----------------------------------------------------------------------------------------------------


@check
def chat_whole_answer():
    answer = ask("Hello there, who are you?")
    assert answer.object == "chat.completion" and answer.id.startswith("chatcmpl-"), answer
    assert answer.model == MODEL and answer.created > 1_700_000_000, answer
    assert answer.choices[0].finish_reason == "stop" and answer.choices[0].index == 0, answer
    assert len(said(answer)) > 20 and answer.choices[0].message.role == "assistant", answer
    usage = answer.usage
    assert usage.prompt_tokens > 0 and usage.completion_tokens > 0, usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens, usage
    assert answer._request_id, "no request id"


@check
def chat_stream_raw():
    chunks = list(ask("Hello there", stream=True, stream_options={"include_usage": True}))
    assert chunks[0].choices[0].delta.role == "assistant", chunks[0]
    assert len({chunk.id for chunk in chunks}) == 1, "the id changes"
    pieces = [choice.delta.content for chunk in chunks for choice in chunk.choices if choice.delta.content]
    assert len(pieces) > 3, "the answer did not come in pieces"
    ends = [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason]
    assert ends == ["stop"], ends
    with_usage = [chunk for chunk in chunks if chunk.usage]
    assert with_usage == [chunks[-1]] and chunks[-1].choices == [], with_usage
    assert chunks[-1].usage.prompt_tokens > 0 and chunks[-1].usage.completion_tokens > 0, chunks[-1]


@check
def chat_stream_without_usage():
    assert not [chunk for chunk in ask("Hello there", stream=True) if chunk.usage]


@check
def chat_stream_helper():
    with client.chat.completions.stream(model=MODEL, messages=[user("Hello there")]) as stream:
        events = list(stream)
        final = stream.get_final_completion()
    deltas = [event.delta for event in events if event.type == "content.delta"]
    done = [event.content for event in events if event.type == "content.done"]
    assert len(deltas) > 3 and done == ["".join(deltas)] == [said(final)], (deltas, done)
    assert final.choices[0].finish_reason == "stop", final


@check
def chat_async_client():
    async def many():
        async with openai.AsyncOpenAI(base_url=GATEWAY + "/v1", api_key=KEY, max_retries=0) as eager:
            one = {"model": MODEL, "messages": [user("Hello")]}
            return await asyncio.gather(*(eager.chat.completions.create(**one) for _ in range(8)))

    answers = asyncio.run(many())
    assert all(len(said(answer)) > 20 for answer in answers)
    assert len({answer.id for answer in answers}) == 8, "ids repeat"


@check
def chat_text_survives_unchanged():
    """Every script of Unicode, controls and quotes, in both directions, whole and streamed."""
    told = 'Zürich 日本語 🦓 "quoted" \\back\\ \t tab\n line \u2028 end \u0000 nul'
    play(say(told, chars=1), times=2)
    assert said(ask(told)) == told
    streamed = [chunk.choices[0].delta.content or "" for chunk in ask(told, stream=True)]
    assert "".join(streamed) == told, streamed
    assert told in message(chats()[-1])["content"]


# --- tools -------------------------------------------------------------------------------------------------------


@check
def chat_tool_turn_by_hand():
    first = ask(QUESTION, tools=[READ_FILE])
    assert first.choices[0].finish_reason == "tool_calls", first
    (use,) = first.choices[0].message.tool_calls
    assert use.type == "function" and use.function.name == "read_file" and use.id, use
    assert json.loads(use.function.arguments) == {"path": "note.txt"}, use
    result = {"role": "tool", "tool_call_id": use.id, "content": "The secret word is zebra."}
    messages = [user(QUESTION), first.choices[0].message, result]
    second = ask("", messages=messages, tools=[READ_FILE])
    assert second.choices[0].finish_reason == "stop" and "zebra" in said(second), second
    sent = message(chats()[-1])["userInputMessageContext"]["toolResults"][0]
    history = chats()[-1]["body"]["conversationState"]["history"]
    assert sent["toolUseId"] == history[-1]["assistantResponseMessage"]["toolUses"][0]["toolUseId"], sent


@check
def chat_tool_call_streams():
    given = {"path": "deep/ünder/note.txt"}
    play(say("Let me look."), call("read_file", given, "tooluse_abc"))
    chunks = list(ask("Read the note", tools=[READ_FILE], stream=True))
    pieces = [c for chunk in chunks for choice in chunk.choices for c in choice.delta.tool_calls or []]
    assert [piece.id for piece in pieces if piece.id] == [pieces[0].id], "the id is not told once"
    assert [piece.function.name for piece in pieces if piece.function.name] == ["read_file"], pieces
    assert pieces[0].type == "function" and {piece.index for piece in pieces} == {0}, pieces
    assert json.loads("".join(piece.function.arguments or "" for piece in pieces)) == given, pieces


@check
def chat_tool_helper():
    """The stream helper with a tool made from a class: its arguments come parsed."""

    class ReadFile(BaseModel):
        """Reads a file."""

        path: str

    tool = openai.pydantic_function_tool(ReadFile, name="read_file")
    with client.chat.completions.stream(model=MODEL, messages=[user(QUESTION)], tools=[tool]) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_completion()
    assert "tool_calls.function.arguments.done" in kinds, kinds
    assert final.choices[0].message.tool_calls[0].function.parsed_arguments == ReadFile(path="note.txt"), final


@check
def chat_parallel_tools():
    play(call("weather", {"city": "Oslo"}, "tooluse_1"), call("weather", {"city": "Rome"}, "tooluse_2"))
    chunks = list(ask("Compare the weather.", tools=[WEATHER], stream=True))
    pieces = [c for chunk in chunks for choice in chunk.choices for c in choice.delta.tool_calls or []]
    calls = {}
    for piece in pieces:
        one = calls.setdefault(piece.index, {"id": piece.id, "name": piece.function.name, "arguments": ""})
        one["arguments"] += piece.function.arguments or ""
    assert [json.loads(calls[index]["arguments"])["city"] for index in (0, 1)] == ["Oslo", "Rome"], calls
    made = [
        {"id": one["id"], "type": "function", "function": {"name": one["name"], "arguments": one["arguments"]}}
        for one in calls.values()
    ]
    messages = [
        user("Compare the weather."),
        {"role": "assistant", "content": None, "tool_calls": made},
        {"role": "tool", "tool_call_id": calls[1]["id"], "content": [{"type": "text", "text": "sunny"}]},
        {"role": "tool", "tool_call_id": calls[0]["id"], "content": "rain"},
        user("Go on."),
    ]
    play(say("Rome is sunny."))
    assert said(ask("", messages=messages, tools=[WEATHER])) == "Rome is sunny."
    sent = message(chats()[-1])
    assert len(sent["userInputMessageContext"]["toolResults"]) == 2 and "Go on." in sent["content"], sent


@check
def chat_tool_without_arguments():
    play(call("now", {}, "tooluse_now"))
    tool = {"type": "function", "function": {"name": "now"}}
    answer = ask("What time is it?", tools=[tool])
    assert json.loads(answer.choices[0].message.tool_calls[0].function.arguments) == {}, answer


@check
def chat_tool_choice():
    play(say("Without tools."))
    ask("Hello", tools=[READ_FILE, WEATHER], tool_choice="none")
    assert not message(chats()[-1]).get("userInputMessageContext", {}).get("tools"), "tools were sent"
    play(call("weather", {"city": "Oslo"}, "tooluse_1"))
    ask("Hello", tools=[READ_FILE, WEATHER], tool_choice={"type": "function", "function": {"name": "weather"}})
    sent = message(chats()[-1])["userInputMessageContext"]["tools"]
    assert [tool["toolSpecification"]["name"] for tool in sent] == ["weather"], sent
    assert ask(QUESTION, tools=[READ_FILE], tool_choice="required").choices[0].finish_reason == "tool_calls"


@check
def chat_legacy_functions():
    """The names of 2023: `functions`, and results with the role `function`."""
    function = READ_FILE["function"]
    first = ask(QUESTION, functions=[function], function_call="auto")
    assert first.choices[0].finish_reason == "function_call", first
    made = first.choices[0].message.function_call
    assert made.name == "read_file" and json.loads(made.arguments) == {"path": "note.txt"}, made
    result = {"role": "function", "name": "read_file", "content": "The secret word is zebra."}
    second = ask("", messages=[user(QUESTION), first.choices[0].message, result], functions=[function])
    assert "zebra" in said(second), second


# --- structured answers --------------------------------------------------------------------------------------------


@check
def chat_parse():
    play(say(FOUND))
    answer = client.chat.completions.parse(model=MODEL, messages=[user("Find it")], response_format=Found)
    assert answer.choices[0].message.parsed == Found(word="zebra", letters=5), answer
    assert "letters" in texts(chats()[-1]["body"]), "the schema did not reach the model"


@check
def chat_parse_streams():
    play(say(FOUND, chars=4))
    with client.chat.completions.stream(model=MODEL, messages=[user("Find it")], response_format=Found) as stream:
        stream.until_done()
        final = stream.get_final_completion()
    assert final.choices[0].message.parsed == Found(word="zebra", letters=5), final


@check
def chat_json_object():
    play(say('{"a": 1}'))
    assert json.loads(said(ask("Some JSON", response_format={"type": "json_object"}))) == {"a": 1}
    assert "JSON" in texts(chats()[-1]["body"])


# --- content -----------------------------------------------------------------------------------------------------


@check
def chat_image():
    play(say("An orange dot."))
    parts = [{"type": "image_url", "image_url": {"url": image_url(), "detail": "high"}}, {"type": "text", "text": "What?"}]
    assert said(ask(parts)) == "An orange dot."
    sent = message(chats()[-1])
    assert sent["images"][0]["format"] == "png" and base64.b64decode(sent["images"][0]["source"]["bytes"]) == png()


@check
def chat_image_elsewhere():
    """Nothing is fetched: the refusal says what to send instead."""
    refused(lambda: ask([{"type": "image_url", "image_url": {"url": "https://127.0.0.1:9/a.png"}}]), "data:")
    assert not chats()


@check
def chat_roles_anywhere():
    messages = [
        {"role": "system", "content": "Speak like a pirate."},
        {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
        user("Hi"),
        {"role": "assistant", "content": [{"type": "text", "text": "Ahoy"}]},
        {"role": "system", "content": "From now on rhyme."},
        user([{"type": "text", "text": "Go"}]),
    ]
    play(say("Yes."))
    ask("", messages=messages)
    body = texts(chats()[-1]["body"])
    assert all(text in body for text in ("Speak like a pirate.", "Be brief.", "Ahoy", "From now on rhyme.")), body


@check
def chat_reasoning():
    """The model's thinking comes beside the answer, under the name that the ecosystem reads."""
    answer = ask("Why is the sky blue?", model=THINKER, reasoning_effort="high")
    assert answer.choices[0].message.model_extra["reasoning_content"] and said(answer), answer
    chunks = list(ask("Why is the sky blue?", model=THINKER, reasoning_effort="high", stream=True))
    thoughts = [(choice.delta.model_extra or {}).get("reasoning_content") for chunk in chunks for choice in chunk.choices]
    assert any(thoughts), "no reasoning in the stream"
    # Clients of other makers send it back.
    turns = [user("Why is the sky blue?"), answer.choices[0].message, user("And at night?")]
    assert said(ask("", model=THINKER, reasoning_effort="low", messages=turns))


# --- limits that the gateway enforces -----------------------------------------------------------------------------


@check
def chat_stop():
    for stop in ("STOP", ["NEVER", "STOP"]):
        play(say("one two STOP three"))
        answer = ask("Count", stop=stop)
        assert said(answer) == "one two " and answer.choices[0].finish_reason == "stop", answer


@check
def chat_token_limits():
    for limit in ("max_tokens", "max_completion_tokens"):
        play(say("word " * 400, chars=5), times=2)
        answer = ask("Talk", **{limit: 20})
        assert answer.choices[0].finish_reason == "length" and 0 < len(said(answer)) < 200, answer
        ends = [c.finish_reason for chunk in ask("Talk", stream=True, **{limit: 20}) for c in chunk.choices]
        assert ends[-1] == "length", ends


@check
def chat_refuses_what_it_cannot_do():
    refused(lambda: ask("Hello", n=2), "n")
    refused(lambda: ask("Hello", logprobs=True), "logprobs")
    assert not chats()


@check
def chat_takes_what_it_does_not_need():
    """Fields that change nothing here are taken and left."""
    extra = {"metadata": {"a": "b"}, "store": True, "service_tier": "auto", "user": "somebody", "seed": 7}
    play(say("Fine."))
    assert said(ask("Hello", n=1, temperature=0.2, top_p=0.9, presence_penalty=0, **extra)) == "Fine."


# --- the other routes ----------------------------------------------------------------------------------------------


@check
def models():
    listed = list(client.models.list())
    assert any("claude" in model.id for model in listed) and listed[0].object == "model", listed
    one = client.models.retrieve(listed[0].id)
    assert one.id == listed[0].id and one.object == "model" and one.owned_by, one
