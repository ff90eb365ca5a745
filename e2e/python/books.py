"""Ten thousand requests of every kind, and books that agree with what was served."""

import asyncio
import random
import time
from collections import Counter

from admin import manage, new_key, wait_for_receipts
from harness import *
from load import FORMATS, PATHS, Line, ask, body, ended_well, key_of

REQUESTS = 10_000
CLIENTS = 64

OK, FAILED, REFUSED, GONE = "ok", "failed", "refused", "client_gone"

# What becomes of a request: what asks for it, the word in its receipt, the status that its client sees (a stream that
# breaks off has its status already, a whole answer has none yet), and how often in a hundred.
KINDS = (
    ("Hello there, say something", OK, 200, 70),
    ("[[script:plain]]", OK, 200, 8),
    ("[[script:token-usage]]", OK, 200, 4),
    ("[[script:drop]]", FAILED, None, 2),
    ("[[script:cut]]", FAILED, None, 2),
    ("[[script:exception]]", FAILED, None, 2),
    ("[[script:http-500]]", FAILED, None, 1),
    ("leave", GONE, 200, 4),
    ("unknown model", REFUSED, 404, 2),
    ("forbidden model", REFUSED, 403, 2),
    ("no JSON", REFUSED, 400, 1),
    ("no key", None, 401, 2),
)
# What the simulated upstream says before it says nothing more.
STALLED = b"And then nothing"
SUMS = ("input", "output", "cache_read", "cache_write", "credits_micro", "total_ms")


async def put(line, text, format, stream, free, narrow):
    """One request of this kind."""
    if text == "leave":
        return await ask(line, format, free, "[[script:stall]]", True, leave_at=STALLED)
    if text == "no JSON":
        return await line.ask("POST", PATHS[format], b'{"model": ', key_of(format, free))
    if text == "no key":
        return await line.ask("POST", PATHS[format], body(format))
    if text == "unknown model":
        return await ask(line, format, free, stream=stream, model="no-such-model")
    if text == "forbidden model":
        return await ask(line, format, narrow, stream=stream)
    return await ask(line, format, free, text, stream)


async def all_of_them(free, narrow):
    """Puts them all, and gives back what each client knows: id, kind, format."""
    dice = random.Random(5)
    kinds = dice.choices(KINDS, [share for *_, share in KINDS], k=REQUESTS)
    waiting = iter([(kind, dice.choice(FORMATS), dice.random() < 0.5) for kind in kinds])
    known = []

    async def client():
        line = Line()
        for (text, outcome, status, _), format, stream in waiting:
            answer = await put(line, text, format, stream, free, narrow)
            assert answer.status == status or (status is None and (answer.status == 200) == (stream and "http" not in text)), (
                text, format, stream, answer)
            assert ended_well(format, stream, answer) == (outcome == OK), (text, format, stream, answer)
            known.append((answer.id, outcome, format, answer.status))
        line.leave()

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return known


def added_up(rows):
    return {name: sum(row[name] for row in rows) for name in SUMS}


@check
def ten_thousand_mixed_requests():
    """Each request with a key has one receipt, sums equal what was served, and roll-ups equal the receipts."""
    knobs(token_usage=True)
    id, free = new_key("everything")
    narrow_id, narrow = new_key("one model", models=["claude-opus-4.5"])
    began = time.monotonic()
    known = asyncio.run(all_of_them(free, narrow))
    print(f"{len(known)} requests in {time.monotonic() - began:.1f} s", flush=True)
    with_key = {request: rest for request, *rest in known if rest[0]}
    assert len(known) == REQUESTS and len(with_key) == sum(outcome is not None for _, outcome, *_ in known), "an id came twice"

    found = wait_for_receipts(len(with_key), 20)
    assert len(found) == len(with_key), (len(found), len(with_key))
    told = {one["request_id"]: [one["outcome"], one["protocol"], one["status"]] for one in found}
    wrong = [(request, with_key[request], told.get(request)) for request in with_key if told.get(request) != with_key[request]]
    assert not wrong, (len(wrong), wrong[:5])
    assert manage("GET", "/api/v1/requests/live")["requests"] == []

    served, answered = control("GET", "/_sim/served"), [one for one in found if one["outcome"] == OK]
    sums = added_up(answered)
    assert {one["basis"] for one in answered} == {"reported"}, Counter(one["basis"] for one in answered)
    billed = [served["finished"][name] for name in ("input_tokens", "output_tokens", "credits_micro")]
    assert billed == [sums[name] for name in ("input", "output", "credits_micro")], (served, sums)
    # What broke off, or was left, was never billed.
    assert all(one["credits_micro"] == 0 for one in found if one["outcome"] != OK)
    assert served["client_gone"]["answers"] == sum(one["outcome"] == GONE for one in found), served

    agree(found)
    for key in (id, narrow_id):
        own, shown = [one for one in found if one["key"] == key], manage("GET", f"/api/v1/keys/{key}")
        # What was written to the upstream's cache was read for it; what came out of it was not.
        tokens = sum(one["input"] + one["output"] + one["cache_write"] for one in own)
        assert (shown["total_requests"], shown["total_tokens"]) == (len(own), tokens), (shown, len(own), tokens)


def agree(found):
    """The roll-ups add up to the receipts, over all and for each of every group."""
    for group, field in (("none", None), ("key", "key"), ("account", "account"), ("model", "model"), ("protocol", "protocol")):
        answer = manage("GET", "/api/v1/usage", group=group, step="hour")
        rows = {}
        for row in answer["rows"]:
            if row["sums"]["requests"]:
                rows.setdefault(row["name"], []).append(row["sums"])
        names = Counter(name_of(one, field) for one in found)
        assert {name: sum(row["requests"] for row in own) for name, own in rows.items()} == names, (group, rows, names)
        for name, own in rows.items():
            theirs = [one for one in found if name_of(one, field) == name]
            assert added_up(own) == added_up(theirs), (group, name, added_up(own), added_up(theirs))
            words = {"succeeded": OK, "client_gone": GONE, "refused": REFUSED, "failed": FAILED}
            for word, outcome in words.items():
                counted = sum(one["outcome"] == outcome for one in theirs)
                assert sum(row[word] for row in own) == counted, (group, name, word)


def name_of(receipt, field):
    value = "" if field is None else receipt[field]
    return "" if value in (None, 0) else str(value)


if __name__ == "__main__":
    main()
