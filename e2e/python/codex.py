"""The real Codex CLI, headless (`codex exec`), against the gateway's Responses."""

import json
import os
import signal
import subprocess

import cli
from harness import *

CODEX = os.environ["E2E_CODEX"]
CONFIG = """
model_provider = "gateway"
check_for_update_on_startup = false

[analytics]
enabled = false

[features]
plugins = false
apps = false

[model_providers.gateway]
name = "gateway"
base_url = "{base}/v1"
env_key = "GATEWAY_KEY"
wire_api = "responses"
"""


def command(place, model, *arguments, prompt=cli.QUESTION):
    """Writes the configuration and says what to run."""
    (place / "home/config.toml").write_text(CONFIG.format(base=GATEWAY))
    return [CODEX, "exec", "--json", "--skip-git-repo-check", "-m", model, *arguments, prompt]


def settings(place, **more):
    return {"CODEX_HOME": str(place / "home"), "GATEWAY_KEY": KEY, **more}


def codex(place, model, *arguments, seconds=60, key=KEY, **more):
    line = command(place, model, *arguments, **more)
    return cli.run(place, line, seconds, **settings(place, GATEWAY_KEY=key))


def turn(place, model, *arguments, **more):
    """A run that must succeed: its last words, and what was counted."""
    done = codex(place, model, *arguments, **more)
    seen = cli.lines(done)
    troubles = [line for line in seen if line["type"] in ("error", "turn.failed")]
    assert done.returncode == 0 and not troubles, cli.said(done)
    assert "Reconnecting" not in done.stdout + done.stderr, cli.said(done)
    ends = [line for line in seen if line["type"] == "turn.completed"]
    assert ends and ends[-1]["usage"]["input_tokens"] > 0, cli.said(done)
    items = [line["item"] for line in seen if line["type"] == "item.completed"]
    return [item["text"] for item in items if item["type"] == "agent_message"][-1]


def agentic(place, model, *arguments, **more):
    """A run that read the note with a tool."""
    words = turn(place, model, *arguments, **more)
    assert "zebra" in words, words
    results = message(chats()[-1])["userInputMessageContext"]["toolResults"]
    assert "zebra" in texts(results), results


def persistent(place):
    """A run that must come to its end, with or without what the client says on the way there."""
    done = codex(place, "my-gateway-model")
    ends = [line for line in cli.lines(done) if line["type"] == "turn.completed"]
    assert done.returncode == 0 and ends and "zebra" in done.stdout, cli.said(done)


@check
def reads_a_file_with_a_shell():
    """A model that the client does not know: functions, and a namespace of them."""
    agentic(cli.room("plain"), "my-gateway-model")
    assert len(chats()) == 2, outcomes()


@check
def reads_a_file_as_a_known_model():
    """Custom tools with a grammar, and a tool that searches tools."""
    agentic(cli.room("known"), "gpt-5.5")


@check
def reads_a_file_by_a_program():
    """All tools come as items of the input, and the main one takes a program."""
    agentic(cli.room("program"), "gpt-6.1-sol")


@check
def falls_back_from_websockets():
    """The gateway answers 426, and the client goes on over HTTP at once."""
    agentic(cli.room("websockets"), "my-gateway-model", "-c", "model_providers.gateway.supports_websockets=true")


@check
def keeps_one_conversation():
    """A resumed session is the same conversation upstream and brings the earlier turns."""
    place = cli.room("resumed")
    agentic(place, "my-gateway-model")
    line = [CODEX, "exec", "resume", "--last", "--json", "--skip-git-repo-check", "-m", "my-gateway-model", "And again?"]
    done = cli.run(place, line, **settings(place))
    assert done.returncode == 0, cli.said(done)
    history = texts(chats()[-1]["body"]["conversationState"]["history"])
    assert cli.QUESTION in history and "zebra" in history, "the earlier turns did not reach the upstream"
    ids = {chat["body"]["conversationState"]["conversationId"] for chat in chats()}
    assert len(ids) == 1, f"{len(ids)} conversation ids in one session"


@check
def answers_in_a_form():
    place = cli.room("form")
    properties = {"word": {"type": "string"}}
    schema = {"type": "object", "properties": properties, "required": ["word"], "additionalProperties": False}
    (place / "work/schema.json").write_text(json.dumps(schema))
    play(say('{"word": "zebra"}'))
    words = turn(place, "my-gateway-model", "--output-schema", place / "work/schema.json", prompt="Find the word.")
    assert json.loads(words) == {"word": "zebra"}, words


# --- faults: the turn must still complete ----------------------------------------------------------------------------


@check
def upstream_fails_twice():
    play(refuse(500, "InternalServerException", "Internal error."), times=2)
    agentic(cli.room("fails"), "my-gateway-model")


@check
def upstream_throttles_once():
    """The client is told when to come again, and comes, which it reports as a reconnection."""
    play(refuse(429, "ThrottlingException", "Too many requests, please wait before trying again.",
                "USER_REQUEST_RATE_EXCEEDED", {"retry-after": "1"}))
    persistent(cli.room("throttled"))


@check
def stream_is_cut_once():
    """The client asks again by itself, which it reports as a reconnection."""
    for ending in (CUT, END, exception("InternalServerException", "Internal error.")):
        reset()
        play(say("I will now read"), ending)
        persistent(cli.room("cut"))
        assert len(chats()) >= 3, "the broken answer was not repeated"


@check
def wrong_key_is_told():
    done = codex(cli.room("wrong-key"), "my-gateway-model", key="wrong-key-00000000", seconds=30)
    assert done.returncode != 0 and "401" in done.stdout, cli.said(done)
    assert not chats(), "an unknown key reached the upstream"


@check
def overlong_conversation_is_understood():
    play(refuse(400, "ValidationException", "Input is too long.", "CONTENT_LENGTH_EXCEEDS_THRESHOLD"), times=3)
    done = codex(cli.room("overlong"), "my-gateway-model", seconds=30)
    assert done.returncode != 0 and "context" in done.stdout.lower(), cli.said(done)
    assert len(chats()) == 1, "the client did not understand the refusal and tried again"


@check
def leaving_stops_the_upstream_call():
    """Ctrl-C in the client ends the upstream call."""
    place = cli.room("leaves")
    play(say("A long answer begins"), STALL)
    run = subprocess.Popen(
        command(place, "my-gateway-model"), cwd=place / "work", env=cli.environment(place, **settings(place)),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(chats, 20, "the client calls")
        assert not client_gone()
        run.send_signal(signal.SIGINT)
        wait_until(client_gone, 3, "the upstream call ends")
    finally:
        run.kill()
        run.wait()


if __name__ == "__main__":
    main()
