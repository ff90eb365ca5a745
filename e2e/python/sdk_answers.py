"""The Python SDK: answers, tools, content, thinking, limits, and the other routes."""

import base64

import anthropic
from anthropic import Anthropic, beta_tool
from harness import *
from sdk_client import *

# --- answers -----------------------------------------------------------------------------------------------------


@check
def whole_answer():
    answer = ask("Hello there, who are you?")
    assert answer.type == "message" and answer.role == "assistant" and answer.id.startswith("msg_"), answer
    assert answer.stop_reason == "end_turn" and answer.stop_sequence is None, answer
    assert len(text_of(answer)) > 20, answer
    assert answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0, answer.usage
    assert answer.model == MODEL, answer.model
    assert answer._request_id, "no request id"


@check
def stream_helper():
    seen = []
    with client.messages.stream(model=MODEL, max_tokens=1024, messages=[user("Hello there")]) as stream:
        for event in stream:
            seen.append(event.type)
        final = stream.get_final_message()
    assert seen[0] == "message_start" and seen[-1] == "message_stop", seen
    assert seen.count("text") > 3, "the answer did not come in pieces"
    assert final.stop_reason == "end_turn" and len(text_of(final)) > 20, final
    assert final.usage.input_tokens > 0 and final.usage.output_tokens > 0, final.usage


@check
def stream_raw():
    play(say("One piece."))
    events = list(ask("Hello", stream=True))
    kinds = [event.type for event in events]
    assert kinds[:2] == ["message_start", "content_block_start"], kinds
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"], kinds
    text = "".join(event.delta.text for event in events if event.type == "content_block_delta")
    assert text == "One piece.", text
    assert events[0].message.usage.input_tokens > 0
    assert events[-2].usage.output_tokens > 0 and events[-2].usage.input_tokens > 0, events[-2].usage


@check
def async_client():
    import asyncio

    async def both():
        async with anthropic.AsyncAnthropic(base_url=GATEWAY, api_key=KEY, max_retries=0) as eager:
            one = {"model": MODEL, "max_tokens": 100, "messages": [user("Hello")]}
            return await asyncio.gather(*(eager.messages.create(**one) for _ in range(8)))

    answers = asyncio.run(both())
    assert all(len(text_of(answer)) > 20 for answer in answers)
    assert len({answer.id for answer in answers}) == 8, "ids repeat"


@check
def text_survives_unchanged():
    """Every script of Unicode, controls and quotes, in both directions."""
    told = 'Zürich 日本語 🦓 "quoted" \\back\\ \t tab\n line \u2028 end \u0000 nul'
    play(say(told))
    assert text_of(ask(told)) == told
    assert told in message(chats()[-1])["content"]


# --- tools -------------------------------------------------------------------------------------------------------


@check
def tool_turn_by_hand():
    question = user("Read the file note.txt and tell me what it says.")
    first = ask("", messages=[question], tools=[READ_FILE])
    assert first.stop_reason == "tool_use", first
    use = next(block for block in first.content if block.type == "tool_use")
    assert use.name == "read_file" and use.input == {"path": "note.txt"} and use.id.startswith("toolu_"), use
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "The secret word is zebra."}
    second = ask("", messages=[question, assistant(first.content), user([result])], tools=[READ_FILE])
    assert second.stop_reason == "end_turn" and "zebra" in text_of(second), second
    sent = message(chats()[-1])["userInputMessageContext"]["toolResults"][0]
    history = chats()[-1]["body"]["conversationState"]["history"]
    assert sent["toolUseId"] == history[-1]["assistantResponseMessage"]["toolUses"][0]["toolUseId"], sent
    assert sent["status"] == "success", sent


@check
def tool_runner():
    asked = []

    @beta_tool
    def read_file(path: str) -> str:
        """Reads a file.

        Args:
            path: where the file is
        """
        asked.append(path)
        return "The secret word is zebra."

    runner = client.beta.messages.tool_runner(
        model=MODEL, max_tokens=500, tools=[read_file], messages=[user("Read note.txt and tell me what it says.")]
    )
    final = runner.until_done()
    assert asked == ["note.txt"], asked
    assert "zebra" in "".join(block.text for block in final.content if block.type == "text"), final


@check
def tool_input_streams():
    given = {"path": "deep/ünder/note.txt"}
    play(say("Let me look."), call("read_file", given, "tooluse_abc"))
    with client.messages.stream(
        model=MODEL, max_tokens=500, tools=[READ_FILE], messages=[user("Read the note")]
    ) as stream:
        pieces = [event.partial_json for event in stream if event.type == "input_json"]
        final = stream.get_final_message()
    assert pieces, "no input_json_delta"
    assert [block.type for block in final.content] == ["text", "tool_use"], final.content
    assert final.content[1].input == given and final.stop_reason == "tool_use", final


@check
def parallel_tools():
    play(call("weather", {"city": "Oslo"}, "tooluse_1"), call("weather", {"city": "Rome"}, "tooluse_2"))
    question = user("Compare the weather.")
    first = ask("", messages=[question], tools=[WEATHER])
    uses = [block for block in first.content if block.type == "tool_use"]
    assert [use.input["city"] for use in uses] == ["Oslo", "Rome"], first
    assert len({use.id for use in uses}) == 2 and first.stop_reason == "tool_use", first
    # Results may come in any order and with text behind them; one of them failed.
    answers = [
        {"type": "tool_result", "tool_use_id": uses[1].id, "content": [{"type": "text", "text": "sunny"}]},
        {"type": "tool_result", "tool_use_id": uses[0].id, "content": "no such city", "is_error": True},
        {"type": "text", "text": "Go on."},
    ]
    play(say("Rome is sunny."))
    second = ask("", messages=[question, assistant(first.content), user(answers)], tools=[WEATHER])
    assert text_of(second) == "Rome is sunny.", second
    sent = message(chats()[-1])
    states = [result["status"] for result in sent["userInputMessageContext"]["toolResults"]]
    assert sorted(states) == ["error", "success"] and "Go on." in sent["content"], sent


@check
def tool_without_arguments():
    play(call("now", {}, "tooluse_now"))
    tool = {"name": "now", "description": "The time.", "input_schema": {"type": "object", "properties": {}}}
    with client.messages.stream(model=MODEL, max_tokens=99, tools=[tool], messages=[user("Time?")]) as stream:
        final = stream.get_final_message()
    assert final.content[0].input == {} and final.stop_reason == "tool_use", final


@check
def tool_choice_none_and_named():
    play(say("Without tools."))
    ask("Hello", tools=[READ_FILE, WEATHER], tool_choice={"type": "none"})
    assert not message(chats()[-1]).get("userInputMessageContext", {}).get("tools"), "tools were sent"
    play(call("weather", {"city": "Oslo"}, "tooluse_1"))
    ask("Hello", tools=[READ_FILE, WEATHER], tool_choice={"type": "tool", "name": "weather"})
    sent = message(chats()[-1])["userInputMessageContext"]["tools"]
    assert [tool["toolSpecification"]["name"] for tool in sent] == ["weather"], sent


# --- content -----------------------------------------------------------------------------------------------------


@check
def image_of_user():
    play(say("An orange dot."))
    assert text_of(ask([image(), {"type": "text", "text": "What is this?"}])) == "An orange dot."
    sent = message(chats()[-1])
    assert sent["images"][0]["format"] == "png", sent["images"]
    assert base64.b64decode(sent["images"][0]["source"]["bytes"]) == png()


@check
def image_in_tool_result():
    use = {"type": "tool_use", "id": "toolu_shot", "name": "weather", "input": {"city": "Oslo"}}
    result = {"type": "tool_result", "tool_use_id": "toolu_shot", "content": [{"type": "text", "text": "map"}, image()]}
    play(say("A map."))
    ask("", messages=[user("Show it"), assistant([use]), user([result])], tools=[WEATHER])
    sent = message(chats()[-1])
    assert len(sent["images"]) == 1 and sent["userInputMessageContext"]["toolResults"], sent


@check
def pdf_document():
    data = base64.b64encode(b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n").decode()
    source = {"type": "base64", "media_type": "application/pdf", "data": data}
    play(say("A report."))
    ask([{"type": "document", "source": source, "title": "Report 2026"}, {"type": "text", "text": "Sum it up"}])
    documents = message(chats()[-1])["documents"]
    assert len(documents) == 1 and documents[0]["format"] == "pdf", documents


@check
def text_document():
    source = {"type": "text", "media_type": "text/plain", "data": "The password is tapir."}
    play(say("Tapir."))
    ask([{"type": "document", "source": source}, {"type": "text", "text": "What is it?"}])
    assert "tapir" in texts(message(chats()[-1]))


@check
def system_forms():
    """System as text, as blocks, and as messages of their own: all reach the upstream."""
    play(say("Yes."), times=3)
    ask("Hi", system="Speak like a pirate.")
    assert "Speak like a pirate." in texts(chats()[-1]["body"])
    blocks = [
        {"type": "text", "text": "Be kind."},
        {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}},
    ]
    ask("Hi", system=blocks)
    assert "Be kind." in texts(chats()[-1]["body"]) and "Be brief." in texts(chats()[-1]["body"])
    ask("", messages=[user("Hi"), {"role": "system", "content": "From now on rhyme."}, user("Go")])
    assert "From now on rhyme." in texts(chats()[-1]["body"])


# --- thinking ----------------------------------------------------------------------------------------------------


def thinking_round(model, thinking):
    question = user("Why is the sky blue?")
    with client.messages.stream(model=model, max_tokens=20000, thinking=thinking, messages=[question]) as stream:
        kinds = [event.delta.type for event in stream if event.type == "content_block_delta"]
        final = stream.get_final_message()
    assert [block.type for block in final.content] == ["thinking", "text"], final.content
    assert "thinking_delta" in kinds and final.content[0].thinking, kinds
    assert text_of(final) and "<thinking>" not in text_of(final), final
    whole = ask("", model=model, max_tokens=16000, thinking=thinking, messages=[question])
    assert [block.type for block in whole.content] == ["thinking", "text"], whole.content
    # Clients send the thinking back unchanged.
    turns = [question, assistant(final.content), user("And at night?")]
    second = ask("", model=model, max_tokens=16000, thinking=thinking, messages=turns)
    assert text_of(second), second
    return final


@check
def thinking_adaptive():
    """On a model with its own controls: they are set, and the signature comes with the thinking."""
    final = thinking_round(THINKER, {"type": "adaptive", "display": "summarized"})
    assert final.content[0].signature, "no signature"
    assert chats()[-1]["body"]["additionalModelRequestFields"]["thinking"]["type"] == "adaptive", chats()[-1]["body"]


@check
def thinking_with_budget():
    """On a model without controls: asked and answered by tags, which the client never sees."""
    thinking_round(MODEL, {"type": "enabled", "budget_tokens": 4000})
    assert "<thinking_mode>" in texts(chats()[-1]["body"]) and "additionalModelRequestFields" not in chats()[-1]["body"]


@check
def thinking_not_asked_for():
    answer = ask("Why is the sky blue?", thinking={"type": "disabled"})
    assert [block.type for block in answer.content] == ["text"], answer.content


# --- limits that the gateway enforces -----------------------------------------------------------------------------


@check
def stop_sequences():
    play(say("one two STOP three"), times=2)
    answer = ask("Count", stop_sequences=["STOP", "NEVER"])
    assert text_of(answer) == "one two " and answer.stop_reason == "stop_sequence", answer
    assert answer.stop_sequence == "STOP", answer
    with client.messages.stream(
        model=MODEL, max_tokens=99, stop_sequences=["STOP"], messages=[user("Count")]
    ) as stream:
        final = stream.get_final_message()
    assert text_of(final) == "one two " and final.stop_sequence == "STOP", final


@check
def max_tokens():
    play(say("word " * 400, chars=5), times=2)
    answer = ask("Talk", max_tokens=20)
    assert answer.stop_reason == "max_tokens" and 0 < len(text_of(answer)) < 200, answer
    with client.messages.stream(model=MODEL, max_tokens=20, messages=[user("Talk")]) as stream:
        final = stream.get_final_message()
    assert final.stop_reason == "max_tokens" and 0 < len(text_of(final)) < 200, final


# --- the other routes ----------------------------------------------------------------------------------------------


@check
def count_tokens():
    short = client.messages.count_tokens(model=MODEL, messages=[user("Hello")]).input_tokens
    long = client.messages.count_tokens(model=MODEL, messages=[user("Hello " * 1000)], tools=[WEATHER]).input_tokens
    assert 0 < short < 100 and long > 800, (short, long)


@check
def models():
    page = client.models.list(limit=1000)
    ids = [model.id for model in page]
    assert any("claude" in name for name in ids), ids
    one = client.models.retrieve(ids[0])
    assert one.id == ids[0] and one.type == "model" and one.display_name, one


@check
def both_ways_to_give_the_key():
    for keys in ({"api_key": KEY}, {"auth_token": KEY}, {"api_key": KEY, "auth_token": KEY}):
        play(say("Welcome."))
        with_keys = Anthropic(base_url=GATEWAY, max_retries=0, **keys)
        assert text_of(ask("Hello", of=with_keys)) == "Welcome.", keys
