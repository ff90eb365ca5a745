"""aider, headless, against the gateway's Chat and Messages."""

import os
import sys

import cli
from harness import *

AIDER = os.path.join(os.path.dirname(sys.executable), "aider")
SWITCHES = [
    "--yes-always", "--no-git", "--no-check-update", "--no-show-model-warnings", "--no-pretty", "--analytics-disable",
    "--no-detect-urls",
]
OPENAI = {"OPENAI_API_BASE": GATEWAY + "/v1", "OPENAI_API_KEY": KEY}
ANTHROPIC = {"ANTHROPIC_API_BASE": GATEWAY, "ANTHROPIC_API_KEY": KEY}


def aider(place, model, settings, *arguments, form="ask", prompt="Say hi"):
    words = [AIDER, "--model", model, "--message", prompt, *SWITCHES, "--edit-format", form, *arguments, "note.txt"]
    return cli.run(place, words, 90, LITELLM_LOCAL_MODEL_COST_MAP="True", **settings)


def answers(model, settings):
    """It exits with 0 even when it failed: its words say how it went."""
    play(say("Hi from the upstream."))
    done = aider(cli.room(model.replace("/", "-")), model, settings)
    assert "Hi from the upstream." in done.stdout and "Tokens:" in done.stdout, cli.said(done)
    assert "zebra" in texts(chats()[-1]["body"]), "the file did not reach the upstream"


@check
def answers_over_chat():
    answers("openai/gw-model", OPENAI)


@check
def answers_over_messages():
    answers("anthropic/claude-sonnet-4-5", ANTHROPIC)


@check
def edits_a_file():
    place = cli.room("edits")
    edit = "note.txt\n```\n<<<<<<< SEARCH\nThe secret word is zebra.\n=======\nThe secret word is tapir.\n>>>>>>> REPLACE\n```\n"
    play(say(edit, chars=9))
    done = aider(place, "openai/gw-model", OPENAI, form="diff", prompt="Change the word to tapir.")
    assert "tapir" in (place / "work/note.txt").read_text(), cli.said(done)


@check
def wrong_key_is_told():
    done = aider(cli.room("wrong-key"), "openai/gw-model", {**OPENAI, "OPENAI_API_KEY": "wrong-key-00000000"})
    assert "AuthenticationError" in done.stdout, cli.said(done)
    assert not chats(), "an unknown key reached the upstream"


if __name__ == "__main__":
    main()
