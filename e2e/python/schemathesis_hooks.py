"""For schemathesis: every request comes from an address of its own.

It tries wrong keys at every route, and whoever does that from one address is told to wait, as it must be. The runner lets
the gateway believe what its peer says of addresses.
"""

import itertools

import schemathesis

_numbers = itertools.count(1)


@schemathesis.hook
def before_call(context, case, kwargs):
    high, low = divmod(next(_numbers), 256)
    case.headers["X-Forwarded-For"] = f"10.{high // 256 % 256}.{high % 256}.{low}"
