"""Frameworks on top of the SDKs, each in every format that it speaks: LangChain, pydantic-ai, openai-agents, llm."""

import asyncio
import json
import os
import sys

import cli
from agents import Agent, ModelSettings, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner, function_tool
from agents import set_tracing_disabled
from harness import *
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai import NativeOutput
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel as PydanticResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

set_tracing_disabled(True)

BASE = GATEWAY + "/v1"
MODEL = "claude-sonnet-4-5"
QUESTION = "Read the file note.txt and tell me what it says."
NOTE = "The secret word is zebra."
FOUND = {"word": "zebra", "letters": 5}


class Found(BaseModel):
    """What the structured answers hold."""

    word: str
    letters: int


def checks(models):
    """A check for each of these models; it is called with the model's name and what makes it."""

    def register(function):
        for name, make in models.items():

            def run(name=name, make=make):
                function(name, make())

            run.__name__, run.__doc__ = f"{function.__name__}_{name}", function.__doc__
            check(run)
        return function

    return register


# --- LangChain -----------------------------------------------------------------------------------------------------

LANGCHAIN = {
    "chat": lambda: ChatOpenAI(model="gw-model", base_url=BASE, api_key=KEY, max_retries=0, stream_usage=True),
    "responses": lambda: ChatOpenAI(
        model="gw-model", base_url=BASE, api_key=KEY, max_retries=0, use_responses_api=True),
    "messages": lambda: ChatAnthropic(model=MODEL, base_url=GATEWAY, api_key=KEY, max_retries=0),
}


@tool
def read_file(path: str) -> str:
    """Reads a file."""
    return NOTE if path == "note.txt" else "no such file"


@checks(LANGCHAIN)
def langchain_answers(name, model):
    answer = model.invoke([SystemMessage("Be brief."), HumanMessage("Hello there")])
    assert len(answer.text) > 20, answer
    assert answer.usage_metadata["input_tokens"] > 0 and answer.usage_metadata["output_tokens"] > 0, answer
    assert "Be brief." in texts(chats()[-1]["body"])


@checks(LANGCHAIN)
def langchain_streams(name, model):
    chunks = list(model.stream("Hello there"))
    assert sum(bool(chunk.text) for chunk in chunks) > 3, "the answer did not come in pieces"
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    play(say(whole.text))
    again = model.invoke("Hello there")
    counted = whole.usage_metadata["input_tokens"], again.usage_metadata["input_tokens"]
    assert 0 < counted[0] < 2 * counted[1], f"tokens counted of the stream and of the whole answer: {counted}"


@checks(LANGCHAIN)
def langchain_tool_turn(name, model):
    with_tools = model.bind_tools([read_file])
    for stream in (False, True):
        turns = [HumanMessage(QUESTION)]
        if stream:
            pieces = list(with_tools.stream(turns))
            first = pieces[0]
            for piece in pieces[1:]:
                first += piece
        else:
            first = with_tools.invoke(turns)
        (made,) = first.tool_calls
        assert made["name"] == "read_file" and made["args"] == {"path": "note.txt"}, made
        second = with_tools.invoke([*turns, first, ToolMessage(read_file.invoke(made["args"]), tool_call_id=made["id"])])
        assert "zebra" in second.text, second


@checks(LANGCHAIN)
def langchain_structured(name, model):
    play(call("Found", FOUND, "tooluse_1") if name == "messages" else say(json.dumps(FOUND)))
    assert model.with_structured_output(Found).invoke("Find it") == Found(**FOUND)


@checks(LANGCHAIN)
def langchain_broken_stream(name, model):
    """This client takes a clean end for a good one: the gateway must not give it one."""
    for ending in (CUT, END):
        play(say("Half an answer"), ending)
        try:
            list(model.stream("Hello"))
        except Exception:
            continue
        raise AssertionError("a broken answer ended as a good one")


# --- pydantic-ai ---------------------------------------------------------------------------------------------------

PYDANTIC = {
    "chat": lambda: OpenAIChatModel("gw-model", provider=OpenAIProvider(base_url=BASE, api_key=KEY)),
    "responses": lambda: PydanticResponsesModel("gw-model", provider=OpenAIProvider(base_url=BASE, api_key=KEY)),
    "messages": lambda: AnthropicModel(MODEL, provider=AnthropicProvider(base_url=GATEWAY, api_key=KEY)),
}


def pydantic_agent(model, **more):
    agent = PydanticAgent(model, **more)

    @agent.tool_plain
    def read_file(path: str) -> str:
        """Reads a file."""
        return NOTE if path == "note.txt" else "no such file"

    return agent


@checks(PYDANTIC)
def pydantic_ai_tool_turn(name, model):
    result = pydantic_agent(model, instructions="Be brief.").run_sync(QUESTION)
    assert "zebra" in result.output, result
    assert result.usage.input_tokens > 0 and result.usage.output_tokens > 0, result.usage
    assert len(chats()) == 2 and "Be brief." in texts(chats()[0]["body"])


@checks(PYDANTIC)
def pydantic_ai_streams(name, model):
    async def run():
        async with PydanticAgent(model).run_stream("Hello there") as result:
            return [piece async for piece in result.stream_text(delta=True, debounce_by=None)], result.usage

    pieces, usage = asyncio.run(run())
    assert len(pieces) > 3, pieces
    assert 0 < usage.input_tokens < 1000, usage


@checks(PYDANTIC)
def pydantic_ai_structured(name, model):
    """By a forced tool, which is this framework's own way, and by a form for the answer."""
    play(call("final_result", FOUND, "tooluse_1"))
    assert PydanticAgent(model, output_type=Found).run_sync("Find it").output == Found(**FOUND)
    play(say(json.dumps(FOUND)))
    assert PydanticAgent(model, output_type=NativeOutput(Found)).run_sync("Find it").output == Found(**FOUND)


# --- openai-agents -------------------------------------------------------------------------------------------------

AGENTS = {
    "chat": lambda: OpenAIChatCompletionsModel("gw-model", AsyncOpenAI(base_url=BASE, api_key=KEY, max_retries=0)),
    "responses": lambda: OpenAIResponsesModel("gw-model", AsyncOpenAI(base_url=BASE, api_key=KEY, max_retries=0)),
}


@function_tool(name_override="read_file")
def agents_read_file(path: str) -> str:
    """Reads a file."""
    return NOTE if path == "note.txt" else "no such file"


@checks(AGENTS)
def openai_agents_tool_turn(name, model):
    agent = Agent("reader", instructions="Be brief.", model=model, tools=[agents_read_file])
    result = Runner.run_sync(agent, QUESTION)
    assert "zebra" in result.final_output, result
    assert len(chats()) == 2 and "Be brief." in texts(chats()[0]["body"])


@checks(AGENTS)
def openai_agents_streams(name, model):
    async def run():
        agent = Agent("reader", model=model, tools=[agents_read_file], model_settings=ModelSettings(include_usage=True))
        result = Runner.run_streamed(agent, QUESTION)
        kinds = [event.type async for event in result.stream_events()]
        return kinds, result

    kinds, result = asyncio.run(run())
    assert kinds.count("raw_response_event") > 5 and "zebra" in result.final_output, kinds
    assert result.context_wrapper.usage.input_tokens > 0, result.context_wrapper.usage


@checks(AGENTS)
def openai_agents_structured(name, model):
    play(say(json.dumps(FOUND)))
    assert Runner.run_sync(Agent("finder", model=model, output_type=Found), "Find it").final_output == Found(**FOUND)


@checks(AGENTS)
def openai_agents_hand_over(name, model):
    """One agent hands over to another, which is a tool call without arguments."""
    reader = Agent("reader", model=model, tools=[agents_read_file])
    first = Agent("first", model=model, handoffs=[reader])
    play(call("transfer_to_reader", {}, "tooluse_1"))
    play(call("read_file", {"path": "note.txt"}, "tooluse_2"))
    result = Runner.run_sync(first, QUESTION)
    assert result.last_agent.name == "reader" and "zebra" in result.final_output, result


# --- llm -----------------------------------------------------------------------------------------------------------

FUNCTIONS = '''
def read_file(path: str) -> str:
    "Reads a file."
    return open(path).read()
'''
MODELS = """
- model_id: gw
  model_name: gw-model
  api_base: "{base}"
  api_key_name: gateway
  supports_tools: true
  supports_schema: true
"""


def llm(model, *arguments):
    place = cli.room(f"llm-{model}")
    (place / "home/extra-openai-models.yaml").write_text(MODELS.format(base=BASE))
    (place / "home/keys.json").write_text(json.dumps({"gateway": KEY, "anthropic": KEY}))
    (place / "work/f.py").write_text(FUNCTIONS)
    program = os.path.join(os.path.dirname(sys.executable), "llm")
    done = cli.run(place, [program, "-m", model, *arguments], LLM_USER_PATH=str(place / "home"), ANTHROPIC_BASE_URL=GATEWAY)
    assert done.returncode == 0, cli.said(done)
    return done.stdout


@check
def llm_tool_turn_chat():
    assert "zebra" in llm("gw", "--functions", "f.py", QUESTION)


@check
def llm_tool_turn_messages():
    assert "zebra" in llm("claude-sonnet-4.5", "--functions", "f.py", QUESTION)


@check
def llm_structured():
    play(say(json.dumps({"word": "zebra", "n": 5})))
    assert json.loads(llm("gw", "--schema", "word, n int", "Find it"))["word"] == "zebra"


if __name__ == "__main__":
    main()
