"""OpenAI's Python SDK: errors as its own types, and streams that break, in both of its formats."""

import json
import time
import urllib.error
import urllib.request

import openai
from harness import *
from openai_client import *

BOTH = (ask, respond)
LIMITED = "Too many requests, please wait before trying again.", "USER_REQUEST_RATE_EXCEEDED"


# --- errors as the SDK's own types ---------------------------------------------------------------------------------


@check
def error_400_of_our_own():
    for function in BOTH:
        limit = "max_tokens" if function is ask else "max_output_tokens"
        error = refused(lambda: function("Hello", **{limit: 0}), limit)
        assert error.type == "invalid_request_error", error.body


@check
def error_400_of_the_upstream():
    for function in BOTH:
        reset()
        play(refuse(400, "ValidationException", "Improperly formed request.", "REQUEST_BODY_INVALID"))
        raised(openai.BadRequestError, lambda: function("Hello"), 400)
        assert len(chats()) == 1, "a malformed request was repeated"


@check
def error_400_too_long():
    for function in BOTH:
        play(refuse(400, "ValidationException", "Input is too long.", "CONTENT_LENGTH_EXCEEDS_THRESHOLD"))
        error = raised(openai.BadRequestError, lambda: function("Hello"), 400)
        assert error.code == "context_length_exceeded", error.body


@check
def error_401():
    stranger = openai.OpenAI(base_url=GATEWAY + "/v1", api_key="wrong-key-0000000000")
    for function in BOTH:
        start = time.monotonic()
        error = raised(openai.AuthenticationError, lambda: function("Hello", of=stranger), 401)
        assert error.response.headers["x-should-retry"] == "false" and time.monotonic() - start < 1.0
        assert "wrong-key" not in error.message, error.message
    assert not chats(), "an unknown key reached the upstream"


@check
def error_403():
    for function in BOTH:
        raised(openai.PermissionDeniedError, lambda: function("Hello", extra_headers={"X-Account-ID": "1"}), 403)
    assert not chats(), "a refused request reached the upstream"


@check
def error_404():
    for function in BOTH:
        error = raised(openai.NotFoundError, lambda: function("Hello", model="no-such-model"), 404)
        assert error.code == "model_not_found" and "no-such-model" in error.message, error.body
    raised(openai.NotFoundError, lambda: client.models.retrieve("a/b:c"), 404)
    raised(openai.NotFoundError, lambda: client.embeddings.create(model=MODEL, input="Hello"), 404)


@check
def error_413():
    for function in BOTH:
        raised(openai.APIStatusError, lambda: function("x" * (33 << 20)), 413)


@check
def error_429():
    for function in BOTH:
        reset()
        play(refuse(429, "ThrottlingException", *LIMITED, {"retry-after": "7"}), times=12)
        error = raised(openai.RateLimitError, lambda: function("Hello"), 429)
        assert 0 < int(error.response.headers["retry-after"]) <= 60, dict(error.response.headers)


@check
def error_429_is_retried_by_the_sdk():
    patient = openai.OpenAI(base_url=GATEWAY + "/v1", api_key=KEY, max_retries=4)
    play(refuse(429, "ThrottlingException", *LIMITED, {"retry-after": "1"}))
    play(say("At last."))
    assert ask("Hello", of=patient).choices[0].message.content == "At last."


@check
def error_5xx():
    """An upstream that is down, fails, or answers without sense."""
    down = refuse(503, "ServiceUnavailableException", "Service unavailable.")
    fails = refuse(500, "InternalServerException", "Internal error.")
    for function in BOTH:
        for step, statuses in ((down, (503,)), (fails, range(500, 505)), (END, (502,)), (RST, range(500, 505))):
            reset()
            play(step, times=12)
            try:
                function("Hello")
            except openai.InternalServerError as error:
                assert error.status_code in statuses and error.body["message"], (step, error)
            else:
                raise AssertionError(f"no error for {step}")


@check
def passing_failures_are_hidden():
    for function in BOTH:
        play(refuse(500, "InternalServerException", "Internal error."))
        play(RST)
        play(say("All is well."))
        assert "All is well." in function("Hello").model_dump_json()


@check
def bodies_that_make_no_sense():
    """Not JSON, not an object, no messages: each is a 400 in OpenAI's shape."""
    for path in ("chat/completions", "responses"):
        for body in (b"{", b"[]", b'"x"', b'{"model": 5}', b"\xff\xfe", b'{"model": "claude-sonnet-4-5"}'):
            request = urllib.request.Request(
                f"{GATEWAY}/v1/{path}", data=body,
                headers={"authorization": f"Bearer {KEY}", "content-type": "application/json"},
            )
            try:
                urllib.request.urlopen(request, timeout=10)
            except urllib.error.HTTPError as error:
                told = json.load(error)["error"]
                assert error.code == 400 and told["type"] == "invalid_request_error", (path, body, told)
                assert set(told) >= {"message", "type", "param", "code"}, told
            else:
                raise AssertionError((path, body))


# --- streams that break --------------------------------------------------------------------------------------------


def chat_helper(got):
    with client.chat.completions.stream(model=MODEL, messages=[user("Hello")]) as stream:
        for event in stream:
            if event.type == "content.delta":
                got.append(event.delta)
        stream.get_final_completion()


def chat_raw(got):
    for chunk in ask("Hello", stream=True):
        got.extend(choice.delta.content for choice in chunk.choices if choice.delta.content)


def responses_helper(got):
    with client.responses.stream(model=MODEL, input="Hello") as stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                got.append(event.delta)
        stream.get_final_response()


def responses_raw(got):
    for event in respond("Hello", stream=True):
        if event.type == "response.output_text.delta":
            got.append(event.delta)


def breaks(*ending):
    """Half an answer, then `ending`: the helpers, the raw streams and the whole answers must all raise."""
    start = "Here is the first half of an answer that never"
    play(say(start), *ending, times=6)
    for read in (chat_helper, chat_raw, responses_helper, responses_raw):
        got = []
        try:
            read(got)
        except openai.APIError as error:
            assert "".join(got) and start.startswith("".join(got)), (read.__name__, got)
            assert not isinstance(error, openai.APITimeoutError), error
        else:
            raise AssertionError(f"{read.__name__}: a broken answer ended as a good one")
    for function in BOTH:
        try:
            function("Hello")
        except openai.APIStatusError as error:
            assert error.status_code >= 500, error
        else:
            raise AssertionError("a broken whole answer was given out")


@check
def cut_within_a_frame():
    breaks(CUT)


@check
def reset_mid_stream():
    breaks(RESET)


@check
def clean_end_without_an_end():
    breaks(END)


@check
def exception_mid_stream():
    breaks(exception("InternalServerException", "Internal error."))


@check
def truncated_tool_call():
    """Half a tool call must never reach a tool."""
    play(say("I read."), call("read_file", {"path": "a/long/path/note.txt"}, "tooluse_half", "cut"), END, times=2)
    for stream in (
        lambda: ask("Read it", tools=[chat_tool("read_file", "path")], stream=True),
        lambda: respond("Read it", tools=[response_tool("read_file", "path")], stream=True),
    ):
        try:
            list(stream())
        except openai.APIError:
            continue
        raise AssertionError("a truncated tool call ended as a good one")


@check
def client_that_leaves():
    """The upstream call is stopped within a second."""
    for function in BOTH:
        reset()
        play(say("A first word"), STALL)
        with function("Hello", stream=True) as stream:
            for piece in stream:
                if "A first word"[:4] in piece.model_dump_json():
                    break
        wait_until(client_gone, 1.0, "the upstream call ends")
