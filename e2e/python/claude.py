"""The real Claude Code CLI, headless, against the gateway."""

import base64
import json
import os
import pathlib
import shutil
import signal
import subprocess

from harness import *

CLAUDE = os.environ["E2E_CLAUDE"]
QUESTION = "Read the file note.txt and tell me what it says."


def room(name):
    """A fresh project folder with the note, and a home of its own."""
    place = pathlib.Path(SCRATCH) / name
    shutil.rmtree(place, ignore_errors=True)
    for folder in ("home", "work", "tmp"):
        (place / folder).mkdir(parents=True)
    (place / "work/note.txt").write_text("The secret word is zebra.\n")
    return place


def environment(place, **settings):
    """What the CLI is told. Nothing but loopback can be reached."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(place / "home"),
        "TMPDIR": str(place / "tmp"),
        "ANTHROPIC_BASE_URL": GATEWAY,
        "ANTHROPIC_AUTH_TOKEN": KEY,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_TELEMETRY": "1",
        "DISABLE_AUTOUPDATER": "1",
        "IS_SANDBOX": "1",
        "CLAUDE_CODE_MAX_RETRIES": "2",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1,localhost",
        **settings,
    }


def claude(place, *arguments, prompt=QUESTION, seconds=60, **settings):
    """Runs the CLI once."""
    return subprocess.run(
        [CLAUDE, "-p", prompt, *arguments], cwd=place / "work", env=environment(place, **settings),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds,
    )


def turn(place, *arguments, **more):
    """A run that must succeed: the parsed result."""
    done = claude(place, *arguments, "--output-format", "json", **more)
    try:
        result = json.loads(done.stdout)
    except ValueError:
        raise AssertionError(f"exit {done.returncode}: {done.stdout[-2000:]} {done.stderr[-2000:]}") from None
    assert done.returncode == 0 and result["is_error"] is False, (result, outcomes())
    return result


def agentic(place, *arguments, **more):
    """A run that read the note with a tool."""
    result = turn(place, *arguments, **more)
    assert "zebra" in result["result"] and result["num_turns"] >= 2, result
    assert result["usage"]["input_tokens"] > 0 and result["usage"]["output_tokens"] > 0, result["usage"]
    return result


def conversation(chat):
    return chat["body"]["conversationState"]["conversationId"]


@check
def reads_a_file_with_its_tool():
    agentic(room("plain"))
    seen = chats()
    assert len(seen) == 2, outcomes()
    assert len({conversation(chat) for chat in seen}) == 1, "two conversation ids in one run"
    assert "zebra" in texts(message(seen[-1])["userInputMessageContext"]["toolResults"])
    assert "x-anthropic-billing-header" not in texts(seen[0]["body"])


@check
def goes_on_with_the_same_conversation():
    place = room("resumed")
    first = agentic(place)
    before = chats()
    second = turn(place, "--resume", first["session_id"], prompt="Thank you. What was my first question?")
    after = chats()[len(before):]
    assert second["session_id"] == first["session_id"] and after, (first, second)
    history = texts(after[0]["body"]["conversationState"]["history"])
    assert QUESTION in history and "zebra" in history, "the earlier turns did not reach the upstream"
    assert {conversation(chat) for chat in after} == {conversation(before[0])}, "the conversation id changed"
    third = turn(place, "--continue", prompt="And once more?")
    assert third["session_id"] == first["session_id"], third
    assert conversation(chats()[-1]) == conversation(before[0])


@check
def streams():
    """Partial messages arrive as Anthropic's own events."""
    done = claude(room("streams"), "--output-format", "stream-json", "--include-partial-messages", "--verbose")
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
    events = [line["event"] for line in lines if line["type"] == "stream_event"]
    deltas = [event for event in events if event["type"] == "content_block_delta"]
    assert sum(delta["delta"]["type"] == "text_delta" for delta in deltas) > 3, "the answer did not stream"
    assert any(delta["delta"]["type"] == "input_json_delta" for delta in deltas), "the tool input did not stream"
    assert lines[-1]["type"] == "result" and "zebra" in lines[-1]["result"], lines[-1]


@check
def any_model_name():
    """A name nobody knows goes to the gateway's default model."""
    agentic(room("model"), "--model", "my-gateway-model")
    assert {message(chat)["modelId"] for chat in chats()} == {"claude-sonnet-4.5"}, [message(c) for c in chats()]


@check
def aliases_and_older_models():
    for model in ("sonnet", "haiku", "claude-sonnet-4-5"):
        reset()
        agentic(room(f"model-{model}"), "--model", model)


@check
def without_experimental_betas():
    agentic(room("betas"), CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS="1")


@check
def with_model_discovery():
    agentic(room("discovery"), "--model", "claude-sonnet-4-5", CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY="1")


@check
def with_all_tools_at_once():
    agentic(room("tools"), ENABLE_TOOL_SEARCH="false")


@check
def with_an_api_key():
    """`x-api-key` instead of Bearer."""
    agentic(room("key"), ANTHROPIC_AUTH_TOKEN="", ANTHROPIC_API_KEY=KEY)


@check
def parallel_tools():
    """Two files in one step."""
    place = room("parallel")
    (place / "work/other.txt").write_text("The other word is tapir.\n")
    read = lambda name, number: call("Read", {"file_path": str(place / "work" / name)}, f"tooluse_{number}")
    play(say("I read both."), read("note.txt", 1), read("other.txt", 2))
    play(say("They say zebra and tapir."))
    result = turn(place, prompt="Read both files.")
    assert "tapir" in result["result"], result
    results = message(chats()[-1])["userInputMessageContext"]["toolResults"]
    assert "zebra" in texts(results) and "tapir" in texts(results) and len(results) == 2, results


@check
def reads_an_image():
    """The image of a tool result reaches the upstream as an image."""
    place = room("image")
    (place / "work/dot.png").write_bytes(base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP4z8CAFWEXHbQSACj/P8Fu7N9hAAAAAElFTkSuQmCC"))
    play(call("Read", {"file_path": str(place / "work/dot.png")}, "tooluse_1"))
    play(say("A red square."))
    result = turn(place, prompt="What is in the picture?")
    assert "A red square." in result["result"], result
    assert message(chats()[-1])["images"][0]["source"]["bytes"], message(chats()[-1])


@check
def sub_agent():
    """An agent of the agent reads the note and reports; the first agent goes on with the report."""
    place = room("sub-agent")
    play(call("Agent", {"description": "Read it", "prompt": QUESTION, "subagent_type": "general-purpose",
                        "run_in_background": False}, "tooluse_1"))
    result = turn(place, prompt="Let an agent read the note.")
    assert "zebra" in result["result"], (result, outcomes())
    assert len(chats()) == 4, outcomes()


@check
def wrong_key_is_told_at_once():
    """401 with `x-should-retry: false`: no three minutes of retries."""
    done = claude(room("wrong-key"), "--output-format", "json", ANTHROPIC_AUTH_TOKEN="wrong-key-00000000",
                  CLAUDE_CODE_MAX_RETRIES="10", seconds=20)
    result = json.loads(done.stdout)
    assert result["is_error"] is True and "401" in json.dumps(result), result


@check
def overlong_conversation_is_understood():
    """A window smaller than the first request: the client reads the numbers and says what it is."""
    knobs(window_tokens=2000)
    done = claude(room("overlong"), "--output-format", "json")
    result = json.loads(done.stdout)
    assert result["is_error"] is True and "rompt is too long" in result["result"], result
    assert len(chats()) <= 2, "the client did not understand the 400 and tried variants"


@check
def overlong_conversation_is_compacted():
    """The upstream refuses a resumed conversation once: the client compacts it by itself and finishes the turn."""
    place = room("compact")
    first = agentic(place)
    before = len(chats())
    play(refuse(400, "ValidationException", "Input is too long.", "CONTENT_LENGTH_EXCEEDS_THRESHOLD"))
    play(say("<summary>The user asked about note.txt; it says zebra.</summary>"))
    play(say("Carried on after the summary."))
    result = turn(place, "--resume", first["session_id"], prompt="Go on.")
    assert "Carried on" in result["result"], result
    after = chats()[before:]
    assert "summary" in texts(after[1]["body"]).lower(), "no request for a summary followed"


# --- faults: the turn must still complete ----------------------------------------------------------------------------


@check
def upstream_throttles_once():
    play(refuse(429, "ThrottlingException", "Too many requests, please wait before trying again.",
                "USER_REQUEST_RATE_EXCEEDED", {"retry-after": "1"}))
    agentic(room("throttled"))


@check
def upstream_fails_twice():
    play(refuse(500, "InternalServerException", "Internal error."), times=2)
    agentic(room("fails"))


@check
def upstream_is_overloaded_twice():
    play(refuse(500, "InternalServerException",
                "Encountered unexpectedly high load when processing the request, please try again."), times=2)
    agentic(room("overloaded"))


@check
def stream_is_cut_once():
    for ending in (CUT, RESET, END, exception("InternalServerException", "Internal error.")):
        reset()
        play(say("I will now read"), ending)
        agentic(room("cut"))
        assert len(chats()) >= 3, "the broken answer was not repeated"


@check
def stream_is_cut_after_a_tool_call():
    """The tool that was complete runs once."""
    place = room("cut-tool")
    play(call("Read", {"file_path": str(place / "work/note.txt")}, "tooluse_once"), say("and"), CUT)
    result = turn(place)
    assert "zebra" in result["result"], result
    runs = texts(chats()[-1]["body"]["conversationState"]).count("The secret word is zebra.")
    assert runs == 1, f"the tool ran {runs} times"


@check
def stream_stalls_once():
    play(say("I will now read"), STALL)
    agentic(room("stall"))
    assert len(chats()) >= 3 and chats()[0]["outcome"] == "client_gone", outcomes()


@check
def leaving_stops_the_upstream_call():
    """Ctrl-C in the client ends the upstream call within a second."""
    place = room("leaves")
    play(say("A long answer begins"), STALL)
    run = subprocess.Popen(
        [CLAUDE, "-p", "Talk", "--output-format", "stream-json", "--include-partial-messages", "--verbose"],
        cwd=place / "work", env=environment(place), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    )
    try:
        assert any("A long answer begins" in line for line in run.stdout), "the answer did not begin"
        assert not client_gone()
        run.send_signal(signal.SIGINT)
        wait_until(client_gone, 1.5, "the upstream call ends")
    finally:
        run.kill()
        run.wait()


if __name__ == "__main__":
    main()
