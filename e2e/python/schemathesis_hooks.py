"""For schemathesis: every request comes from an address of its own, and every answer's status is written down.

It tries wrong keys at every route, and whoever does that from one address is told to wait, as it must be. The runner lets
the gateway believe what its peer says of addresses.
"""

import atexit
import itertools
import json
import os
from collections import Counter
from pathlib import Path

import schemathesis

_numbers = itertools.count(1)
_answers = []


@schemathesis.hook
def before_call(context, case, kwargs):
    high, low = divmod(next(_numbers), 256)
    case.headers["X-Forwarded-For"] = f"10.{high // 256 % 256}.{high % 256}.{low}"


@schemathesis.hook
def after_call(context, case, response):
    _answers.append((case.operation.label, response.status_code))


@atexit.register
def write_answers():
    """`[route, status, how often]` of each that came."""
    counted = [[route, status, times] for (route, status), times in sorted(Counter(_answers).items())]
    Path(os.environ["E2E_ANSWERS"]).write_text(json.dumps(counted))
