"""The wire itself: bytes, headers, times. Standard library only; no client library smooths anything over."""

import concurrent.futures
import gzip
import http.client
import json
import socket
import time
import urllib.parse

from harness import *

HOST = urllib.parse.urlparse(GATEWAY)
MODEL = "claude-sonnet-4-5"
BODY = {"model": MODEL, "max_tokens": 500, "messages": [{"role": "user", "content": "Hello"}]}


def call_gateway(method, path, body=None, headers=None, key=KEY):
    """One request; returns status, headers (lower case) and the body's bytes."""
    connection = http.client.HTTPConnection(HOST.hostname, HOST.port, timeout=30)
    sent = {"content-type": "application/json", "anthropic-version": "2023-06-01"}
    if key:
        sent["x-api-key"] = key
    sent.update(headers or {})
    data = json.dumps(body).encode() if isinstance(body, dict) else body
    connection.request(method, path, body=data, headers=sent)
    answer = connection.getresponse()
    got = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, got


def stream(body=None, path="/v1/messages", headers=None):
    status, got, data = call_gateway("POST", path, {**(body or BODY), "stream": True}, headers)
    assert status == 200, (status, data)
    return got, events_of(data)


def events_of(data):
    """A strict reader: each event is one `event:` and one `data:` line and a blank line, and their types agree."""
    assert data.endswith(b"\n\n"), data[-40:]
    events = []
    for part in data[:-2].split(b"\n\n"):
        first, second = part.split(b"\n")
        assert first.startswith(b"event: ") and second.startswith(b"data: "), part
        event = json.loads(second[6:])
        assert event["type"] == first[7:].decode(), part
        events.append(event)
    return events


def grammar(events):
    """message_start, blocks 0.. each started, filled and stopped, message_delta, message_stop; pings anywhere."""
    events = [event for event in events if event["type"] != "ping"]
    assert events[0]["type"] == "message_start", events
    start = events[0]["message"]
    assert start["content"] == [] and start["stop_reason"] is None and start["role"] == "assistant", start
    assert start["usage"]["input_tokens"] > 0, start
    index, kind = -1, None
    for event in events[1:-2]:
        if event["type"] == "content_block_start":
            assert kind is None and event["index"] == index + 1, event
            index, kind = event["index"], event["content_block"]["type"]
            if kind == "tool_use":
                assert event["content_block"]["input"] == {}, event
        elif event["type"] == "content_block_delta":
            allowed = {
                "text": ["text_delta"],
                "tool_use": ["input_json_delta"],
                "thinking": ["thinking_delta", "signature_delta"],
            }
            assert event["index"] == index and event["delta"]["type"] in allowed[kind], event
        else:
            assert event["type"] == "content_block_stop" and event["index"] == index and kind, event
            kind = None
    assert kind is None, "a block was left open"
    assert events[-2]["type"] == "message_delta" and events[-2]["delta"]["stop_reason"], events[-2]
    assert events[-2]["usage"]["output_tokens"] > 0 and events[-2]["usage"]["input_tokens"] > 0, events[-2]
    assert events[-1] == {"type": "message_stop"}, events[-1]


def error_of(status, headers, data, want):
    assert status == want, (status, data)
    assert headers["content-type"].startswith("application/json"), headers
    body = json.loads(data)
    assert body["type"] == "error" and body["error"]["type"] and body["error"]["message"], body
    assert body["request_id"] == headers["request-id"], (body, headers)
    return body["error"]


# --- streams -------------------------------------------------------------------------------------------------------


@check
def event_grammar():
    headers, events = stream()
    grammar(events)
    assert headers["content-type"].startswith("text/event-stream"), headers
    assert headers["request-id"] and headers["x-request-id"] == headers["request-id"], headers
    assert "content-encoding" not in headers and "no-cache" in headers.get("cache-control", ""), headers


@check
def event_grammar_with_everything():
    """Thinking, text, two tools."""
    tool = {"name": "weather", "description": "d", "input_schema": {"type": "object", "properties": {}}}
    play(
        think("Let me see.", "c2ln"),
        say("I ask."),
        call("weather", {"city": "Oslo"}, "tooluse_1"),
        call("weather", {}, "tooluse_2"),
    )
    _, events = stream({**BODY, "model": "claude-opus-5-5", "max_tokens": 9000, "tools": [tool],
                        "thinking": {"type": "adaptive", "display": "summarized"}})
    grammar(events)
    blocks = [event["content_block"]["type"] for event in events if event["type"] == "content_block_start"]
    assert blocks == ["thinking", "text", "tool_use", "tool_use"], blocks
    assert events[-2]["delta"]["stop_reason"] == "tool_use", events[-2]


@check
def whole_equals_stream():
    play(say("Twice the same, Zürich."), times=2)
    _, events = stream()
    streamed = "".join(event["delta"].get("text", "") for event in events if event["type"] == "content_block_delta")
    status, _, data = call_gateway("POST", "/v1/messages", BODY)
    assert status == 200 and json.loads(data)["content"] == [{"type": "text", "text": streamed}], data


@check
def pings_during_silence():
    """The runner sets the interval to one second."""
    play(say("half"), pause(3500), say("whole"))
    connection = socket.create_connection((HOST.hostname, HOST.port), timeout=10)
    data = json.dumps({**BODY, "stream": True}).encode()
    head = f"POST /v1/messages HTTP/1.1\r\nhost: g\r\nx-api-key: {KEY}\r\ncontent-type: application/json\r\n"
    connection.sendall(f"{head}content-length: {len(data)}\r\nconnection: close\r\n\r\n".encode() + data)
    start, arrivals, got = time.monotonic(), [], b""
    while piece := connection.recv(65536):
        got += piece
        arrivals.append(time.monotonic() - start)
    gaps = [later - earlier for earlier, later in zip(arrivals, arrivals[1:])]
    between = got[got.index(b"half"):got.index(b"whole")]
    assert between.count(b"event: ping\ndata: {\"type\":") >= 2, got
    assert max(gaps) < 2.0, gaps
    assert b"message_stop" in got


@check
def events_are_not_held_back():
    """Each piece arrives when it was said, not when the answer ends."""
    play(say("first"), pause(600), say("second"))
    connection = http.client.HTTPConnection(HOST.hostname, HOST.port, timeout=10)
    headers = {"content-type": "application/json", "authorization": f"Bearer {KEY}"}
    connection.request("POST", "/v1/messages", json.dumps({**BODY, "stream": True}), headers)
    answer = connection.getresponse()
    first = second = None
    got = b""
    while piece := answer.read1(65536):
        got += piece
        first = first or (b"first" in got and time.monotonic())
        second = second or (b"second" in got and time.monotonic())
    assert second - first > 0.4, second - first


@check
def broken_streams_end_with_an_error_event():
    for ending in (CUT, DROP, RESET, END, exception("InternalServerException", "Internal error.")):
        play(say("Half of it"), ending)
        _, events = stream()
        kinds = [event["type"] for event in events]
        assert kinds[-1] == "error" and "message_stop" not in kinds and "message_delta" not in kinds, (ending, kinds)
        assert events[-1]["error"]["type"].endswith("_error") and events[-1]["error"]["message"], events[-1]


@check
def stalled_stream_ends_with_an_error_event():
    play(say("Half of it"), STALL)
    start = time.monotonic()
    _, events = stream()
    assert events[-1]["type"] == "error", events
    assert time.monotonic() - start < 10
    wait_until(client_gone, 1.0, "the upstream call ends")


@check
def leaving_stops_the_upstream_call():
    play(say("A first word"), STALL)
    connection = socket.create_connection((HOST.hostname, HOST.port), timeout=10)
    data = json.dumps({**BODY, "stream": True}).encode()
    head = f"POST /v1/messages HTTP/1.1\r\nhost: g\r\nx-api-key: {KEY}\r\ncontent-length: {len(data)}\r\n\r\n"
    connection.sendall(head.encode() + data)
    got = b""
    while b"first" not in got:
        got += connection.recv(65536)
    assert not client_gone()
    connection.close()
    wait_until(client_gone, 1.0, "the upstream call ends")


# --- headers, keys, routes -----------------------------------------------------------------------------------------


@check
def keys():
    bearer = {"authorization": f"Bearer {KEY}"}
    for headers, key in (({}, KEY), (bearer, None), (bearer, KEY), (bearer, "wrong-one"),
                         ({"authorization": "Bearer wrong-one"}, KEY)):
        status, _, data = call_gateway("GET", "/v1/models", headers=headers, key=key)
        assert status == 200, (headers, data)
    for headers, key in (({}, None), ({}, "wrong-one"), ({"authorization": "Bearer wrong-one"}, None),
                         ({"authorization": KEY[:-1]}, None), ({"authorization": "Basic Zm9vOmJhcg=="}, None)):
        for method, path in (("GET", "/v1/models"), ("POST", "/v1/messages"), ("POST", "/v1/messages/count_tokens")):
            status, got, data = call_gateway(method, path, BODY if method == "POST" else None, headers, key)
            error = error_of(status, got, data, 401)
            assert error["type"] == "authentication_error" and got["x-should-retry"] == "false", (error, got)
    assert not chats()


@check
def both_api_versions_and_betas():
    for version in ("2023-06-01", "2026-10-21", "2099-01-01"):
        play(say("Yes."))
        headers = {"anthropic-version": version, "anthropic-beta": "one-2026-01-01,two-2027-02-02"}
        status, _, data = call_gateway("POST", "/v1/messages?beta=true&x=y", BODY, headers)
        assert status == 200, data
    assert call_gateway("GET", "/v1/models?limit=1000&beta=true")[0] == 200


@check
def health_routes_need_no_key():
    for path in ("/healthz", "/livez", "/readyz", "/health"):
        status, _, _ = call_gateway("GET", path, key=None)
        assert status == 200, path


@check
def unknown_paths():
    for method, path in (("GET", "/v1/nothing"), ("POST", "/v1/nothing"), ("GET", "/../etc/passwd"), ("DELETE", "/x")):
        status, headers, data = call_gateway(method, path)
        error = error_of(status, headers, data, 404)
        assert error["type"] == "not_found_error", error
    status, _, _ = call_gateway("GET", "/v1/messages")
    assert status in (404, 405), status


@check
def root_answers_quickly():
    """Claude Code asks `HEAD /` first."""
    for method in ("HEAD", "GET"):
        start = time.monotonic()
        status, _, _ = call_gateway(method, "/", key=None)
        assert status < 500 and time.monotonic() - start < 1, status


@check
def retry_hints():
    play(refuse(429, "ThrottlingException", "Too many requests, please wait before trying again.",
                "USER_REQUEST_RATE_EXCEEDED", {"retry-after": "9"}), times=12)
    status, headers, data = call_gateway("POST", "/v1/messages", BODY)
    error_of(status, headers, data, 429)
    assert headers["retry-after"] == "9", headers


@check
def no_answer_in_time():
    """Silence before the first event: 504 after the runner's ten seconds, and the upstream call is stopped."""
    play(STALL_BEFORE_HEADERS)
    start = time.monotonic()
    status, headers, data = call_gateway("POST", "/v1/messages", {**BODY, "stream": True})
    error = error_of(status, headers, data, 504)
    assert error["type"] == "timeout_error" and 9 < time.monotonic() - start < 15, error
    wait_until(client_gone, 1.0, "the upstream call ends")


@check
def models_have_both_shapes():
    status, _, data = call_gateway("GET", "/v1/models")
    page = json.loads(data)
    assert status == 200 and page["data"] and page["has_more"] is False, page
    assert all(model["type"] == "model" and model["display_name"] for model in page["data"]), page
    model = urllib.parse.quote(page["data"][0]["id"], safe="")
    assert json.loads(call_gateway("GET", f"/v1/models/{model}")[2])["id"] == page["data"][0]["id"]


# --- bodies --------------------------------------------------------------------------------------------------------


@check
def compressed_bodies():
    plain = json.dumps(BODY).encode()
    play(say("Unpacked."), times=2)
    for name, data in (("gzip", gzip.compress(plain)), ("zstd", zstd_stored(plain))):
        status, _, got = call_gateway("POST", "/v1/messages", data, {"content-encoding": name})
        assert status == 200 and b"Unpacked." in got, (name, got)
    status, headers, got = call_gateway("POST", "/v1/messages", b"no gzip at all", {"content-encoding": "gzip"})
    error_of(status, headers, got, 400)


def zstd_stored(data):
    """A zstd frame with one stored block, for less than 256 bytes (RFC 8878): enough for a test, without a library."""
    single_segment = bytes([0b0010_0000, len(data)])
    last_raw_block = ((len(data) << 3) | 1).to_bytes(3, "little")
    return bytes.fromhex("28b52ffd") + single_segment + last_raw_block + data


@check
def a_small_bomb_is_refused():
    """33 MiB that fit into 33 KiB on the wire."""
    bomb = gzip.compress(b'{"model":"' + b"x" * (33 << 20) + b'"}')
    assert len(bomb) < 100_000
    status, headers, data = call_gateway("POST", "/v1/messages", bomb, {"content-encoding": "gzip"})
    error_of(status, headers, data, 413)


@check
def size_limit():
    """Just under 32 MiB is read (and then found too long or fine); above is 413, announced or not."""
    big = {**BODY, "messages": [{"role": "user", "content": "x" * ((32 << 20) - 1000)}]}
    status, _, data = call_gateway("POST", "/v1/messages/count_tokens", big)
    assert status == 200 and json.loads(data)["input_tokens"] > 1_000_000, data[:200]
    over = json.dumps({**BODY, "messages": [{"role": "user", "content": "x" * (33 << 20)}]}).encode()
    status, headers, data = call_gateway("POST", "/v1/messages", over)
    assert error_of(status, headers, data, 413)["type"] == "request_too_large"
    chunks = (over[at:at + (1 << 20)] for at in range(0, len(over), 1 << 20))
    connection = http.client.HTTPConnection(HOST.hostname, HOST.port, timeout=30)
    try:
        connection.request("POST", "/v1/messages", body=chunks, headers={"x-api-key": KEY}, encode_chunked=False)
    except (BrokenPipeError, ConnectionResetError):
        pass  # refused before all was sent; the answer may still be there
    assert connection.getresponse().status == 413


@check
def many_headers():
    """At least 16 KiB of headers are taken."""
    headers = {f"x-extra-{n}": "v" * 1000 for n in range(16)}
    assert call_gateway("GET", "/v1/models", headers=headers)[0] == 200


@check
def parallel_counts():
    """Claude Code's /context asks 27 times at once."""
    tools = [{"name": f"t{n}", "description": "d" * 500, "input_schema": {"type": "object"}} for n in range(20)]
    body = {"model": MODEL, "messages": BODY["messages"], "tools": tools}
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(lambda _: call_gateway("POST", "/v1/messages/count_tokens?beta=true", body), range(30)))
    assert all(status == 200 for status, _, _ in answers), [status for status, _, _ in answers]
    assert len({data for _, _, data in answers}) == 1, "the same question was counted differently"
    assert time.monotonic() - start < 5
    assert call_gateway("POST", "/v1/messages/count_tokens", {**body, "tools": []})[0] == 200


@check
def garbage():
    for data in (b"", b"{", b"[]", b"null", b'{"model":1}', b"\xff\xfe", b'{"a":' * 100_000, b'"' + b"\\u0000" * 9):
        status, headers, got = call_gateway("POST", "/v1/messages", data)
        error = error_of(status, headers, got, 400)
        assert error["type"] == "invalid_request_error", error
    assert not chats()


@check
def keep_alive():
    """Ten requests over one connection."""
    connection = http.client.HTTPConnection(HOST.hostname, HOST.port, timeout=10)
    connection.connect()
    port = connection.sock.getsockname()[1]
    for _ in range(10):
        play(say("Again."))
        headers = {"x-api-key": KEY, "content-type": "application/json"}
        connection.request("POST", "/v1/messages", json.dumps({**BODY, "stream": True}), headers)
        answer = connection.getresponse()
        assert answer.status == 200 and b"Again." in answer.read()
        assert connection.sock.getsockname()[1] == port, "the connection was closed"


if __name__ == "__main__":
    main()
