"""The Python SDK: errors as its own types, and streams that break."""

import time

import anthropic
from anthropic import Anthropic
from harness import *
from sdk_client import *

# --- errors as the SDK's own types ---------------------------------------------------------------------------------


def raised(kind, function, status):
    try:
        function()
    except kind as error:
        assert error.status_code == status, error
        assert error.body["type"] == "error" and error.body["error"]["message"], error.body
        assert error.request_id, "no request id"
        return error
    raise AssertionError(f"no {kind.__name__}")


@check
def error_400_of_our_own():
    error = raised(anthropic.BadRequestError, lambda: ask("Hello", max_tokens=0), 400)
    assert error.body["error"]["type"] == "invalid_request_error" and "max_tokens" in error.message, error


@check
def error_400_of_the_upstream():
    play(refuse(400, "ValidationException", "Improperly formed request.", "REQUEST_BODY_INVALID"))
    raised(anthropic.BadRequestError, lambda: ask("Hello"), 400)
    assert len(chats()) == 1, "a malformed request was repeated"


@check
def error_401():
    stranger = Anthropic(base_url=GATEWAY, api_key="wrong-key-0000000000")
    start = time.monotonic()
    error = raised(anthropic.AuthenticationError, lambda: ask("Hello", of=stranger), 401)
    assert error.response.headers["x-should-retry"] == "false" and time.monotonic() - start < 1.0
    assert not chats(), "an unknown key reached the upstream"


@check
def error_403():
    """Only an admin's key may choose the account."""
    choosing = {"X-Account-ID": "1"}
    error = raised(anthropic.PermissionDeniedError, lambda: ask("Hello", extra_headers=choosing), 403)
    assert error.body["error"]["type"] == "permission_error", error.body
    assert not chats(), "a refused request reached the upstream"


@check
def error_404():
    error = raised(anthropic.NotFoundError, lambda: ask("Hello", model="no-such-model"), 404)
    assert "no-such-model" in error.message, error
    raised(anthropic.NotFoundError, lambda: client.models.retrieve("a/b:c"), 404)


@check
def error_413():
    error = raised(anthropic.RequestTooLargeError, lambda: ask("x" * (33 << 20)), 413)
    assert error.body["error"]["type"] == "request_too_large", error.body


@check
def error_429():
    limited = refuse(
        429, "ThrottlingException", "Too many requests, please wait before trying again.",
        "USER_REQUEST_RATE_EXCEEDED", {"retry-after": "7"},
    )
    play(limited, times=12)
    error = raised(anthropic.RateLimitError, lambda: ask("Hello"), 429)
    assert error.body["error"]["type"] == "rate_limit_error", error.body
    assert 0 < int(error.response.headers["retry-after"]) <= 60, dict(error.response.headers)


@check
def error_429_is_retried_by_the_sdk():
    limited = refuse(
        429, "ThrottlingException", "Too many requests, please wait before trying again.",
        "USER_REQUEST_RATE_EXCEEDED", {"retry-after": "1"},
    )
    play(limited)
    play(say("At last."))
    patient = Anthropic(base_url=GATEWAY, api_key=KEY, max_retries=4)
    assert text_of(ask("Hello", of=patient)) == "At last."


@check
def error_503():
    """An upstream that is down."""
    play(refuse(503, "ServiceUnavailableException", "Service unavailable."), times=12)
    error = raised(anthropic.InternalServerError, lambda: ask("Hello"), 503)
    assert error.body["error"]["type"] == "api_error", error.body
    assert len(chats()) > 1, "a passing failure was not repeated"


@check
def error_500_of_the_upstream():
    play(refuse(500, "InternalServerException", "Internal error."), times=12)
    error = raised_5xx(lambda: ask("Hello"))
    assert error.body["error"]["type"] == "api_error", error.body


@check
def error_502():
    """An answer that makes no sense: a stream without a single event."""
    play(END, times=12)
    raised(anthropic.InternalServerError, lambda: ask("Hello"), 502)


@check
def error_before_headers():
    play(RST, times=12)
    raised_5xx(lambda: ask("Hello"))


@check
def passing_failures_are_hidden():
    play(refuse(500, "InternalServerException", "Internal error."))
    play(RST)
    play(say("All is well."))
    assert text_of(ask("Hello")) == "All is well."


@check
def error_529():
    busy = refuse(500, "InternalServerException",
                  "Encountered unexpectedly high load when processing the request, please try again.")
    play(busy, times=12)
    error = raised(anthropic.OverloadedError, lambda: ask("Hello"), 529)
    assert error.body["error"]["type"] == "overloaded_error", error.body


@check
def error_429_quota():
    """A used-up month: told at once, and no retry is suggested within it."""
    gone = refuse(402, "ServiceQuotaExceededException", "You have reached the limit for this month.",
                  "MONTHLY_REQUEST_COUNT")
    play(gone, times=12)
    raised(anthropic.RateLimitError, lambda: ask("Hello"), 429)


@check
def error_of_context():
    """The wording that clients compact on."""
    play(refuse(400, "ValidationException", "Input is too long.", "CONTENT_LENGTH_EXCEEDS_THRESHOLD"), times=2)
    error = raised(anthropic.BadRequestError, lambda: ask("Hello"), 400)
    words = error.body["error"]["message"].split()
    assert words[:4] == ["prompt", "is", "too", "long:"] and int(words[4]) > int(words[7]), words
    assert len(chats()) == 1, "an overlong request was repeated"


def raised_5xx(function):
    try:
        function()
    except anthropic.InternalServerError as error:
        assert error.status_code in (500, 502, 503) and error.request_id, error
        return error
    raise AssertionError("no InternalServerError")


# --- streams that break --------------------------------------------------------------------------------------------


def breaks(*ending):
    """Half an answer, then `ending`: the helper, the raw stream and the whole answer must all raise."""
    start = "Here is the first half of an answer that never"
    play(say(start), *ending, times=3)
    got = []
    for read in (read_with_helper, read_raw):
        try:
            read(got)
        except (anthropic.APIStatusError, anthropic.APIError) as error:
            assert "".join(got) and start.startswith("".join(got)), got
            assert not isinstance(error, anthropic.APITimeoutError), error
        else:
            raise AssertionError(f"{read.__name__}: a broken answer ended as a good one")
        got.clear()
    try:
        ask("Hello")
    except anthropic.APIStatusError as error:
        assert error.status_code >= 500, error
    else:
        raise AssertionError("a broken whole answer was given out")


def read_with_helper(got):
    with client.messages.stream(model=MODEL, max_tokens=500, messages=[user("Hello")]) as stream:
        for text in stream.text_stream:
            got.append(text)
        stream.get_final_message()


def read_raw(got):
    for event in ask("Hello", stream=True):
        if event.type == "content_block_delta":
            got.append(event.delta.text)


@check
def cut_within_a_frame():
    breaks(CUT)


@check
def dropped_within_a_frame():
    breaks(DROP)


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
def stall_mid_stream():
    breaks(STALL)


@check
def truncated_tool_input():
    """Half a tool call must never reach a tool."""
    play(say("I read."), call("read_file", {"path": "a/long/path/note.txt"}, "tooluse_half", "cut"), END)
    try:
        with client.messages.stream(
            model=MODEL, max_tokens=500, tools=[READ_FILE], messages=[user("Read it")]
        ) as stream:
            stream.get_final_message()
    except anthropic.APIError:
        return
    raise AssertionError("a truncated tool call ended as a good one")


@check
def client_that_leaves():
    """The upstream call is stopped within a second."""
    play(say("A first word"), STALL)
    with client.messages.stream(model=MODEL, max_tokens=500, messages=[user("Hello")]) as stream:
        for _ in stream.text_stream:
            break
    wait_until(client_gone, 1.0, "the upstream call ends")


@check
def client_that_leaves_before_the_first_word():
    play(STALL_BEFORE_HEADERS)
    hasty = Anthropic(base_url=GATEWAY, api_key=KEY, max_retries=0, timeout=0.5)
    try:
        ask("Hello", of=hasty)
    except anthropic.APITimeoutError:
        pass
    wait_until(client_gone, 1.0, "the upstream call ends")
