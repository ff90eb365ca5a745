"""What the suites of command line agents share: a room to work in, and an environment in which only loopback is in reach."""

import json
import os
import pathlib
import shutil
import subprocess

from harness import SCRATCH

QUESTION = "Read note.txt and say what it says."


def room(name):
    """A fresh project folder with the note, and a home of its own."""
    place = pathlib.Path(SCRATCH) / name
    shutil.rmtree(place, ignore_errors=True)
    for folder in ("home", "work", "tmp"):
        (place / folder).mkdir(parents=True)
    # A project of its own: agents look for a root above, for its instructions and to leave their histories there.
    subprocess.run(["git", "init", "--quiet", place / "work"], check=True)
    (place / "work/note.txt").write_text("The secret word is zebra.\n")
    return place


def environment(place, **settings):
    """What a program is told; Node is where the runner found it."""
    node = os.path.dirname(os.environ.get("E2E_NODE", ""))
    return {
        "PATH": os.pathsep.join(part for part in (node, os.environ["PATH"]) if part),
        "HOME": str(place / "home"),
        "TMPDIR": str(place / "tmp"),
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1,localhost",
        **settings,
    }


def run(place, command, seconds=60, **settings):
    """Runs a program once, in the project folder."""
    return subprocess.run(
        [str(word) for word in command], cwd=place / "work", env=environment(place, **settings),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds,
    )


def lines(done):
    """The JSON lines that a program printed."""
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def said(done):
    """What a program that went wrong printed, for a failure's message."""
    return f"exit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-2000:]}"
