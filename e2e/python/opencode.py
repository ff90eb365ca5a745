"""The real opencode, headless, against the gateway in each of its three formats."""

import json
import os

import cli
from harness import *

OPENCODE = os.environ["E2E_OPENCODE"]
PROVIDERS = {"chat": "@ai-sdk/openai-compatible", "messages": "@ai-sdk/anthropic", "responses": "@ai-sdk/openai"}


def opencode(place, provider, prompt=cli.QUESTION, key=KEY, seconds=60):
    options = {"baseURL": GATEWAY + "/v1", "apiKey": key}
    mine = {"npm": PROVIDERS[provider], "name": "gateway", "options": options, "models": {"gw-model": {"name": "model"}}}
    (place / "work/opencode.json").write_text(json.dumps({"provider": {"gw": mine}}))
    home = place / "home"
    switches = ("AUTOUPDATE", "MODELS_FETCH", "LSP_DOWNLOAD", "DEFAULT_PLUGINS")
    settings = {f"OPENCODE_DISABLE_{switch}": "1" for switch in switches}
    settings |= {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "CACHE", "STATE")}
    return cli.run(place, [OPENCODE, "run", "--format", "json", "-m", "gw/gw-model", prompt], seconds, **settings)


def agentic(place, provider):
    """A run that read the note with a tool."""
    done = opencode(place, provider)
    seen = cli.lines(done)
    assert done.returncode == 0 and not [line for line in seen if line["type"] == "error"], cli.said(done)
    tools = [line["part"] for line in seen if line["type"] == "tool_use"]
    assert tools and tools[0]["state"]["status"] == "completed", cli.said(done)
    assert any("zebra" in line["part"]["text"] for line in seen if line["type"] == "text"), cli.said(done)
    ends = [line["part"] for line in seen if line["type"] == "step_finish"]
    assert ends[-1]["tokens"]["input"] > 0, ends


@check
def reads_a_file_over_chat():
    agentic(cli.room("chat"), "chat")


@check
def reads_a_file_over_messages():
    agentic(cli.room("messages"), "messages")


@check
def reads_a_file_over_responses():
    agentic(cli.room("responses"), "responses")


@check
def wrong_key_is_told():
    for provider in PROVIDERS:
        done = opencode(cli.room("wrong-key"), provider, key="wrong-key-00000000", seconds=30)
        errors = [line for line in cli.lines(done) if line["type"] == "error"]
        assert errors and "key" in json.dumps(errors).lower(), cli.said(done)
    assert not chats(), "an unknown key reached the upstream"


@check
def stream_is_cut_once():
    """Over Chat and Responses the client asks again by itself; over Messages it tells the error. None takes it for an end."""
    for provider in PROVIDERS:
        reset()
        # The request for a title comes beside the first one; whichever is cut is asked again.
        play(say("I will now read"), CUT, times=2)
        done = opencode(cli.room("cut"), provider)
        again = done.returncode == 0 and "zebra" in done.stdout
        told = done.returncode != 0 and "broke off" in done.stdout
        assert told if provider == "messages" else again, cli.said(done)


if __name__ == "__main__":
    main()
