"""The management routes, for suites that need keys, receipts and sums. Standard library only."""

import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request

from harness import GATEWAY

ADMIN = os.environ["E2E_ADMIN"]


def manage(method, path, body=None, base=GATEWAY, **parameters):
    """One call that must succeed; gives back the answer's JSON."""
    if parameters:
        path += "?" + urllib.parse.urlencode(parameters)
    data = None if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {ADMIN}", "content-type": "application/json"}
    request = urllib.request.Request(base + path, data=data, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{method} {path}: {error.code} {error.read()[:500]}") from None
    return json.loads(text) if text.strip() else None


def status(method, path):
    """The status of a call without a body, whichever it is."""
    request = urllib.request.Request(GATEWAY + path, method=method, headers={"authorization": f"Bearer {ADMIN}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def new_key(name, scopes=("inference",), **limits):
    """A key with these limits: its id and the key itself."""
    made = manage("POST", "/api/v1/keys", {"name": name, "scopes": list(scopes), "limits": limits})
    return made["id"], made["key"]


def receipts(base=GATEWAY, **filters):
    """All receipts that the filters let through, page by page, those that ended last first."""
    found, place = [], {}
    while True:
        page = manage("GET", "/api/v1/requests", base=base, limit=500, **filters, **place)
        found += page["requests"]
        if page["next_cursor"] is None:
            return found
        place = {"cursor": page["next_cursor"]}


def wait_for_receipts(count, seconds=10, **filters):
    """The receipts, as soon as there are so many: they are written a quarter of a second after the fact."""
    end = time.monotonic() + seconds
    while len(found := receipts(**filters)) < count:
        assert time.monotonic() < end, f"{count} receipts expected, {len(found)} found"
        time.sleep(0.05)
    return found
