"""The wire itself, in OpenAI's formats: bytes, headers, times. Standard library only."""

import http.client
import json
import time
import urllib.parse

from harness import *

HOST = urllib.parse.urlparse(GATEWAY)
MODEL = "claude-sonnet-4-5"
CHAT = "/v1/chat/completions", {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]}
RESPONSES = "/v1/responses", {"model": MODEL, "input": "Hello"}
BOTH = (CHAT, RESPONSES)


def ask(method, path, body=None, **headers):
    """One request; returns status, headers (lower case), and the pieces of the body with the times at which they came."""
    connection = http.client.HTTPConnection(HOST.hostname, HOST.port, timeout=30)
    sent = {"content-type": "application/json", "authorization": f"Bearer {KEY}", **headers}
    connection.request(method, path, body=None if body is None else json.dumps(body), headers=sent)
    answer = connection.getresponse()
    pieces = []
    try:
        while piece := answer.read1(65536):
            pieces.append((time.monotonic(), piece))
    finally:
        connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, pieces


def stream(api):
    path, body = api
    status, headers, pieces = ask("POST", path, {**body, "stream": True})
    data = b"".join(piece for _, piece in pieces)
    assert status == 200 and data.endswith(b"\n\n"), (status, data[-200:])
    assert headers["content-type"].startswith("text/event-stream") and headers["x-request-id"], headers
    assert "content-encoding" not in headers, headers
    return pieces, data[:-2].decode().split("\n\n")


def error_of(data):
    error = json.loads(data)["error"]
    assert error["message"] and error["type"] and set(error) >= {"param", "code"}, error
    return error


@check
def chat_lines():
    """Data lines alone, and `[DONE]` after a good end."""
    _, events = stream(CHAT)
    assert all(event.startswith("data: ") and "\n" not in event for event in events), events
    assert events[-1] == "data: [DONE]", events[-1]
    chunks = [json.loads(event[6:]) for event in events[:-1]]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}, chunks[0]
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}) == 1, chunks[:2]


@check
def responses_lines():
    """Each event has its name beside its data, and the numbers rise by one."""
    _, events = stream(RESPONSES)
    told = []
    for event in events:
        first, second = event.split("\n")
        told.append(json.loads(second.removeprefix("data: ")))
        assert first == f"event: {told[-1]['type']}", event
    assert [one["sequence_number"] for one in told] == list(range(len(told))), told
    assert told[0]["type"] == "response.created" and told[-1]["type"] == "response.completed", told


@check
def signs_of_life_during_silence():
    """Comments in Chat; events in Responses, where a client counts nothing else. The runner sets a second between them."""
    for api, sign in ((CHAT, b"\n: "), (RESPONSES, b'event: keepalive\ndata: {"type":"keepalive","sequence_number":')):
        play(say("half"), pause(3500), say("whole"))
        pieces, _ = stream(api)
        data = b"".join(piece for _, piece in pieces)
        between = data[data.index(b"half"):data.index(b"whole")]
        assert between.count(sign) >= 2, between
        gaps = [later - earlier for (earlier, _), (later, _) in zip(pieces, pieces[1:])]
        assert max(gaps) < 2.0, gaps


@check
def broken_streams_never_end_well():
    for ending in (CUT, RESET, END, exception("InternalServerException", "Internal error."), STALL):
        play(say("half"), ending, times=2)
        _, events = stream(CHAT)
        assert "[DONE]" not in events[-1] and error_of(events[-1].removeprefix("data: ")), (ending, events[-1])
        _, events = stream(RESPONSES)
        kinds = [event.split("\n")[0].removeprefix("event: ") for event in events]
        assert kinds[-2:] == ["response.failed", "error"] and "response.completed" not in kinds, (ending, kinds)
        last = json.loads(events[-1].split("data: ")[1])
        assert error_of(json.dumps(last)) and last["message"] == last["error"]["message"], last


@check
def websockets_are_turned_away():
    upgrade = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}
    status, _, pieces = ask("GET", "/v1/responses", **upgrade, **{"sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="})
    assert status == 426, status
    error_of(pieces[0][1])


@check
def refusals_are_in_openais_form():
    for path, body in BOTH:
        for headers, wrong, status in (
            ({"authorization": "Bearer wrong-key-0000000000"}, body, 401),
            ({}, {**body, "model": "no-such-model"}, 404),
            ({}, {**body, "tools": 7}, 400),
        ):
            found, told, pieces = ask("POST", path, wrong, **headers)
            assert found == status and told["content-type"].startswith("application/json"), (path, found)
            error_of(pieces[0][1])
            assert told["x-request-id"], told
    assert ask("GET", CHAT[0])[0] == 405 and ask("POST", "/v1/nowhere", body)[0] == 404


if __name__ == "__main__":
    main()
