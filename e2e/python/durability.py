"""What the ledger keeps when the gateway is killed, and when it is asked to stop, under load."""

import asyncio
import time
from collections import Counter
from contextlib import suppress

from admin import manage, receipts
from gateway import Gateway
from harness import *
from load import FORMATS, Gone, Line, ask, ended_well

CLIENTS = 24
# What a receipt may be late at most, in seconds; younger ones may be lost with the power.
LATE_S = 1.0


@check
def killed_under_load_it_misses_the_last_second_at_most():
    """`kill -9`: all that clients had whole a second before is in the ledger, once, and in the sums."""
    with Gateway("killed") as gateway:
        finished = {}

        async def client(n, ended):
            line, format = Line(gateway.base), FORMATS[n % 3]
            for turn in range(1_000_000):
                if ended.is_set():
                    return
                answer = await ask(line, format, KEY, stream=turn % 2 == 0)
                if ended_well(format, turn % 2 == 0, answer):
                    finished[answer.id] = time.monotonic()

        async def load():
            ended = asyncio.Event()
            clients = [asyncio.create_task(client(n, ended)) for n in range(CLIENTS)]
            began = time.monotonic()
            # Long enough that there is something older than what may be lost, whatever the machine.
            while len(finished) < 500 or time.monotonic() - began < 3 * LATE_S:
                await asyncio.sleep(0.01)
            gateway.kill()
            killed = time.monotonic()
            ended.set()
            for outcome in await asyncio.gather(*clients, return_exceptions=True):
                assert outcome is None or isinstance(outcome, Gone), outcome
            return killed

        killed = asyncio.run(load())
        gateway.start()
        found = receipts(base=gateway.base)
        kept = Counter(one["request_id"] for one in found)
        assert max(kept.values()) == 1, "a receipt was written twice"
        old = {id for id, at in finished.items() if at < killed - LATE_S}
        missing = sorted(killed - at for id, at in finished.items() if id not in kept)
        print(f"{len(finished)} finished, {len(old)} of them {LATE_S} s before; missing {len(missing)}, "
              f"the oldest {max(missing, default=0):.3f} s", flush=True)
        assert len(old) > 100 and not old - set(kept), (len(old), len(old - set(kept)))
        total = manage("GET", "/api/v1/usage", base=gateway.base)["total"]
        assert (total["requests"], total["succeeded"]) == (len(found), sum(one["outcome"] == "ok" for one in found)), total
        assert total["output"] == sum(one["output"] for one in found), total
        # And it serves on.
        assert ended_well(FORMATS[0], True, asyncio.run(ask(Line(gateway.base), FORMATS[0], KEY, stream=True)))


@check
def asked_to_stop_under_load_it_loses_nothing():
    """SIGTERM: streams go on to their end, whoever comes then is turned away, each request has its receipt, the code is 0."""
    # Silence ends what would keep the gateway from ending for long.
    with Gateway("stopped", QM_IDLE_TIMEOUT="4s") as gateway:
        knobs(pace_ms=100)
        finished, broken, left = set(), set(), set()

        async def steady(line, n):
            """Asks again and again until there is nobody to ask."""
            format = FORMATS[n % 3]
            with suppress(Gone):
                for turn in range(1_000_000):
                    stream = (n + turn) % 2 == 0
                    answer = await ask(line, format, KEY, stream=stream)
                    assert ended_well(format, stream, answer), answer
                    finished.add(answer.id)

        async def unlucky(line, n):
            """Its upstream falls silent, or it leaves itself, when the gateway has been asked to stop."""
            leave = n % 2 == 0
            text = "[[script:slow]]" if leave else "[[script:stall]]"
            answer = await ask(line, FORMATS[n % 3], KEY, text, True, leave_at=b" sur" if leave else None)
            (left if leave else broken).add(answer.id)

        async def load():
            lines = [Line(gateway.base) for _ in range(CLIENTS)]
            clients = [asyncio.create_task((unlucky if n < 6 else steady)(line, n)) for n, line in enumerate(lines)]
            live = lambda: manage("GET", "/api/v1/requests/live", base=gateway.base)["requests"]
            under_way = lambda: sum(one["first_event_ms"] is not None for one in live()) >= CLIENTS // 2
            await asyncio.to_thread(wait_until, under_way, 10, "answers under way")
            gateway.asked_to_stop()
            await asyncio.wait_for(asyncio.gather(*clients), 25)
            return await asyncio.to_thread(gateway.exit_code, 15)

        code = asyncio.run(load())
        assert code == 0, code
        gateway.start()
        found = {one["request_id"]: one["outcome"] for one in receipts(base=gateway.base)}
        known = {**dict.fromkeys(finished, "ok"), **dict.fromkeys(broken, "failed"), **dict.fromkeys(left, "client_gone")}
        print(f"{len(finished)} finished, {len(broken)} broke off, {len(left)} were left", flush=True)
        assert found == known, (len(found), len(known), {id: (known.get(id), found.get(id)) for id in found.keys() ^ known.keys()})
        assert len(finished) >= CLIENTS - 6 and len(broken) == len(left) == 3, (len(finished), broken, left)


if __name__ == "__main__":
    main()
