"""Limits of keys under a hundred clients at once: exact counts, the right refusal in each format, SDKs that understand it."""

import asyncio
import time
from collections import Counter
from datetime import datetime

import anthropic
import openai
from admin import manage, new_key, wait_for_receipts
from harness import *
from load import CHAT, FORMATS, MESSAGES, MODEL, RESPONSES, Gone, ask, ended_well, race

CLIENTS = 100
# What the simulated upstream is told to say for ever, until its caller leaves.
ENDLESS = "[[script:stall]]"


def most_at_once():
    return control("GET", "/_sim/accounts/0")["counts"]["most_in_flight"]


def refused(format, answer, words):
    """A 429 in the client's own format, whose message holds these words."""
    assert answer.status == 429 and answer.headers["content-type"].startswith("application/json"), answer
    body = answer.json()
    if format == MESSAGES:
        assert body["type"] == "error" and body["request_id"] == answer.headers["request-id"], body
    else:
        assert set(body["error"]) == {"message", "type", "param", "code"}, body
    assert answer.headers["x-request-id"], answer.headers
    assert words in body["error"]["message"], body
    return body["error"]


def waits(answer, most):
    """`retry-after` is whole seconds and no longer than the limit needs."""
    assert 1 <= int(answer.headers["retry-after"]) <= most, answer.headers


def tells_requests(format, answer, limit, remaining):
    """The limit of requests, in the words of each vendor's headers."""
    headers = answer.headers
    if format == MESSAGES:
        told = [headers[f"anthropic-ratelimit-requests-{what}"] for what in ("limit", "remaining")]
        assert datetime.fromisoformat(headers["anthropic-ratelimit-requests-reset"]).timestamp() > time.time() - 1, headers
        assert not any(name.startswith("x-ratelimit-") for name in headers), headers
    else:
        told = [headers[f"x-ratelimit-{what}-requests"] for what in ("limit", "remaining")]
        assert headers["x-ratelimit-reset-requests"].endswith("s"), headers
        assert not any(name.startswith("anthropic-ratelimit-") for name in headers), headers
    assert told[0] == str(limit) and int(told[1]) <= remaining, (told, headers)


def sixty(format):
    """A hundred at once, half of them streams: sixty are answered, forty refused, and the upstream saw sixty."""
    id, key = new_key(f"sixty a minute, {format}", rpm=60)

    async def one(line, n):
        return n % 2 == 0, await ask(line, format, key, stream=n % 2 == 0)

    answers = asyncio.run(race(CLIENTS, one))
    assert Counter(answer.status for _, answer in answers) == {200: 60, 429: 40}
    for stream, answer in answers:
        if answer.status == 200:
            assert ended_well(format, stream, answer), answer
            tells_requests(format, answer, 60, 59)
        else:
            assert refused(format, answer, "60 requests per minute")["type"] == "rate_limit_error"
            waits(answer, 60)
            tells_requests(format, answer, 60, 0)
    assert len(chats()) == 60, len(chats())
    found = wait_for_receipts(CLIENTS, key=id)
    told = Counter((one["outcome"], one["status"], one["code"]) for one in found)
    assert told == {("ok", 200, ""): 60, ("refused", 429, "key/limit"): 40}, told


@check
def sixty_a_minute_in_messages():
    sixty(MESSAGES)


@check
def sixty_a_minute_in_chat():
    sixty(CHAT)


@check
def sixty_a_minute_in_responses():
    sixty(RESPONSES)


@check
def sixty_a_minute_over_all_formats_together():
    """One key has one minute, whichever format its clients speak."""
    _, key = new_key("sixty a minute", rpm=60)

    async def one(line, n):
        return await ask(line, FORMATS[n % 3], key)

    assert Counter(answer.status for answer in asyncio.run(race(CLIENTS, one))) == {200: 60, 429: 40}
    assert len(chats()) == 60, len(chats())


@check
def five_at_once_and_no_more():
    """Five of a hundred get in and stay; all others are told so at once; when they leave, there is room again."""
    id, key = new_key("five at once", concurrency=5)

    async def scene():
        turned_away, stayed = [], asyncio.Event()

        async def one(line, n):
            task = asyncio.create_task(ask(line, FORMATS[n % 3], key, ENDLESS, stream=True))
            left = asyncio.create_task(stayed.wait())
            await asyncio.wait({task, left}, return_when=asyncio.FIRST_COMPLETED)
            left.cancel()
            if not task.done():
                task.cancel()
                return None
            turned_away.append(n)
            if len(turned_away) == CLIENTS - 5:
                # The five may still be on their way to the upstream.
                await asyncio.to_thread(wait_until, lambda: len(chats()) == 5, 10, "five before the upstream")
                stayed.set()
            return FORMATS[n % 3], task.result()

        return await asyncio.wait_for(race(CLIENTS, one), 30)

    answers = [answer for answer in asyncio.run(scene()) if answer]
    assert len(answers) == CLIENTS - 5
    for format, answer in answers:
        refused(format, answer, "5 requests at once")
        waits(answer, 1)
    assert (most_at_once(), len(chats())) == (5, 5), (most_at_once(), len(chats()))
    wait_until(lambda: manage("GET", f"/api/v1/keys/{id}/standing")["limits"][0]["used"] == 0, 10, "all places free")
    found = wait_for_receipts(CLIENTS, key=id)
    assert Counter(one["outcome"] for one in found) == {"refused": 95, "client_gone": 5}


def until(words, key, tries, **more):
    """A hundred clients who ask again and again until they are refused with these words; the answers that they got."""

    async def one(line, n):
        format, answered = FORMATS[n % 3], []
        while True:
            answer = await ask(line, format, key, **more)
            if answer.status == 200:
                assert ended_well(format, False, answer), answer
                answered.append(answer)
                continue
            message = answer.json()["error"]["message"]
            if words in message:
                refused(format, answer, words)
                return answered
            assert any(other in message for other in tries), message
            # A client waits a second here, as `retry-after` says; a hundred eager ones press harder.
            await asyncio.sleep(0.01)

    return [answer for answers in asyncio.run(race(CLIENTS, one)) for answer in answers]


AT_ONCE, RESERVED = "requests at once of this API key", "is reserved by requests under way"


@check
def a_hundred_clients_through_five_places():
    """Everybody is served in the end, and the upstream never has more than five of them before it."""
    _, key = new_key("five places", concurrency=5)
    # So that answers last, and places are wanted.
    knobs(pace_ms=3)

    async def one(line, n):
        while True:
            answer = await ask(line, FORMATS[n % 3], key, stream=n % 2 == 0)
            if answer.status == 200:
                return ended_well(FORMATS[n % 3], n % 2 == 0, answer)
            refused(FORMATS[n % 3], answer, "5 requests at once")
            await asyncio.sleep(0.01)

    assert all(asyncio.run(race(CLIENTS, one)))
    assert (most_at_once(), len(chats())) == (5, CLIENTS), (most_at_once(), len(chats()))


@check
def a_budget_of_tokens_is_never_passed():
    """A hundred clients spend until nothing is left; what they were billed for fits."""
    knobs(token_usage=True)
    budget = 20_000
    id, key = new_key("budget", budgets=[{"unit": "tokens", "period": "day", "hard": budget}])
    answered = until(f"budget of {budget} tokens per day", key, [RESERVED], most=600)
    served = control("GET", "/_sim/served")["finished"]
    spent = served["input_tokens"] + served["output_tokens"]
    assert served["answers"] == len(answered) and 0 < spent <= budget, (served, len(answered))
    # Nobody was turned away for good while an answer of the size that he asked for would still have fitted.
    assert budget - spent < 600 + 200, (spent, budget)
    [standing] = manage("GET", f"/api/v1/keys/{id}/standing")["budgets"]
    assert (standing["spent"], standing["reserved"]) == (spent, 0), (standing, spent)
    answer = asyncio.run(race(1, lambda line, _: ask(line, CHAT, key, most=600)))[0]
    assert refused(CHAT, answer, "budget")["type"] == "insufficient_quota"
    waits(answer, 86_400)


@check
def all_limits_together():
    """Sixty a minute through five places with a budget: sixty are answered, and no limit is passed on the way."""
    knobs(token_usage=True)
    budgets = [{"unit": "tokens", "period": "day", "hard": 60_000}, {"unit": "credits", "period": "month", "hard": 50}]
    id, key = new_key("all", rpm=60, concurrency=5, tpm=1_000_000, budgets=budgets)
    began = time.monotonic()
    answered = until("60 requests per minute", key, [AT_ONCE], most=300)
    assert len(answered) == 60 and time.monotonic() - began < 60, (len(answered), time.monotonic() - began)
    assert most_at_once() <= 5 and len(chats()) == 60, (most_at_once(), len(chats()))
    served = control("GET", "/_sim/served")["finished"]
    standing = manage("GET", f"/api/v1/keys/{id}/standing")
    used = {limit["name"]: limit["used"] for limit in standing["limits"]}
    assert (used["rpm"], used["concurrency"]) == (60, 0), used
    tokens, credits = standing["budgets"]
    assert tokens["spent"] == served["input_tokens"] + served["output_tokens"] <= 60_000, (tokens, served)
    assert round(credits["spent"] * 1e6) == served["credits_micro"], (credits, served)
    assert tokens["reserved"] == credits["reserved"] == 0, standing


@check
def the_sdks_raise_their_rate_limit_errors():
    _, minute = new_key("one a minute", rpm=1)
    _, spent = new_key("spent", budgets=[{"unit": "tokens", "period": "month", "hard": 60}])
    said = [{"role": "user", "content": "Hello"}]
    for key, times in ((minute, 60), (spent, 31 * 86_400)):
        claude = anthropic.Anthropic(base_url=GATEWAY, api_key=key, max_retries=0)
        gpt = openai.OpenAI(base_url=GATEWAY + "/v1", api_key=key, max_retries=0)
        ways = (
            (anthropic.RateLimitError, lambda: claude.messages.create(model=MODEL, max_tokens=100, messages=said)),
            (openai.RateLimitError, lambda: gpt.chat.completions.create(model=MODEL, messages=said)),
            (openai.RateLimitError, lambda: gpt.responses.create(model=MODEL, input="Hello")),
        )
        # The only request that the key may make; the second one's answer takes more than there is.
        ways[1][1]()
        for kind, way in ways:
            try:
                way()
            except kind as error:
                assert error.status_code == 429 and error.request_id, error
                assert 1 <= int(error.response.headers["retry-after"]) <= times, error.response.headers
            else:
                raise AssertionError(f"no {kind.__module__}.{kind.__name__}")


if __name__ == "__main__":
    main()
