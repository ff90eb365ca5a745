"""A tiny test runner and the simulator's control, with the standard library only.

The runner (`cargo xtask e2e`) starts one simulator and one gateway per suite and names them by environment variables.
"""

import json
import os
import sys
import time
import traceback
import urllib.request

GATEWAY = os.environ["E2E_GATEWAY"]
SIMULATOR = os.environ["E2E_SIMULATOR"]
KEY = os.environ["E2E_KEY"]
SCRATCH = os.environ.get("E2E_SCRATCH", ".")

_checks = []


def check(function):
    """Registers a check. Its name is the function's, its first doc line is printed when it fails."""
    _checks.append(function)
    return function


def main():
    """Runs all checks, or those whose name holds one of the arguments. Every check begins with an empty simulator."""
    wanted = sys.argv[1:]
    passed = failed = 0
    for function in _checks:
        if wanted and not any(part in function.__name__ for part in wanted):
            continue
        start = time.monotonic()
        try:
            reset()
            function()
        except Exception:
            failed += 1
            print(f"FAIL {function.__name__}: {(function.__doc__ or '').strip()}")
            traceback.print_exc(file=sys.stdout)
        else:
            passed += 1
            print(f"ok {function.__name__} {time.monotonic() - start:.2f}s")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


# --- the simulator's control -------------------------------------------------------------------------------------


def control(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        SIMULATOR + path, data=data, method=method, headers={"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read()
    return json.loads(text) if text.strip() else None


def reset():
    """Forgets queued scripts, recorded requests and changed knobs."""
    control("POST", "/_sim/reset", {})


def knobs(**settings):
    control("POST", "/_sim/knobs", settings)


def play(*steps, times=1):
    """Queues a script: the next chat call plays it. `times` for calls that the gateway repeats by itself."""
    control("POST", "/_sim/script", {"steps": list(steps), "times": times})


def refuse(status, kind, message, reason=None, headers=None):
    """A reply that fails before any event, the way the upstream words it."""
    body = {"__type": f"com.amazon.aws.codewhisperer#{kind}", "message": message, "reason": reason}
    headers = {"x-amzn-errortype": kind, "content-type": "application/json", **(headers or {})}
    return {"reply": {"status": status, "headers": headers, "body": body}}


def requests():
    return control("GET", "/_sim/requests")


def chats():
    """The chat calls that the simulator saw, oldest first, save those whose token it refused.

    A reset also voids the tokens: the first call of each check is refused, and repeated with a fresh one.
    """
    seen = [call for call in requests() if isinstance(call["body"], dict) and "conversationState" in call["body"]]
    return [call for call in seen if (call["status"], call["reason"]) != (403, "AccessDeniedException")]


def message(chat):
    """The current message of a recorded chat call."""
    return chat["body"]["conversationState"]["currentMessage"]["userInputMessage"]


def wait_until(condition, seconds, what):
    """Waits for a condition and returns its value; fails after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"{what}: not within {seconds} s; recorded: {outcomes()}"
        time.sleep(0.02)


def outcomes():
    return [(r.get("operation"), r.get("outcome")) for r in requests()]


def client_gone():
    """Whether the newest chat call ended because its caller left."""
    seen = chats()
    return bool(seen) and seen[-1].get("outcome") == "client_gone"


def texts(value):
    """All strings anywhere in a JSON value, joined: to ask whether something was sent at all."""
    if isinstance(value, str):
        return value + "\n"
    if isinstance(value, dict):
        return "".join(texts(part) for part in value.values())
    if isinstance(value, list):
        return "".join(texts(part) for part in value)
    return ""


# --- scripts -----------------------------------------------------------------------------------------------------


def say(text, **how):
    return {"say": {"text": text, **how}}


def think(text, signature=None):
    return {"think": {"text": text, "signature": signature}}


def pause(ms):
    return {"pause": {"ms": ms}}


def call(name, given, tool_id, form="captured"):
    return {"call_tool": {"name": name, "input": given, "id": tool_id, "form": form}}


def exception(kind, text, reason=None):
    return {"exception": {"type": kind, "message": text, "reason": reason}}


CUT = "cut_mid_frame"
DROP = "drop"
RESET = "reset"
STALL = "stall"
STALL_BEFORE_HEADERS = "stall_before_headers"
HEADERS = "headers"
END = "end_clean"
RST = "rst_before_headers"
