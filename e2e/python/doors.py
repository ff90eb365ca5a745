"""Every management route from outside: who is let in and who is not, and what each answer carries."""

import http.client
import json
import urllib.parse
from pathlib import Path

from admin import ADMIN, manage, new_key
from harness import *

HOST = urllib.parse.urlparse(GATEWAY)
DOCUMENT = json.loads((Path(__file__).parents[2] / "api/admin.openapi.json").read_text())
# There is nothing of this name: whoever is let in finds nothing, and nothing is changed.
NOBODY = "00000000-0000-4000-8000-000000000000"
# Where one shows who one is, and what every key's holder may ask of himself.
OPEN = {("POST", "/api/v1/session"), ("POST", "/api/login")}
OWN = {("GET", "/api/v1/session"), ("DELETE", "/api/v1/session"), ("GET", "/api/v1/me")}
# Removes or spends for real, whatever the id.
WAITS_OR_ENDS = {("DELETE", "/api/v1/sessions")}


def call(method, path, headers=None, body=None):
    """One request; status, headers in lower case (those of one name joined), bytes."""
    connection = http.client.HTTPConnection(HOST.hostname, HOST.port, timeout=30)
    data = None if body is None else json.dumps(body)
    sent = {"content-type": "application/json"} if body is not None else {}
    connection.request(method, path, data, {**sent, **(headers or {})})
    answer = connection.getresponse()
    data, told = answer.read(), {}
    for name, value in answer.getheaders():
        told[name.lower()] = f"{told[name.lower()]}, {value}" if name.lower() in told else value
    connection.close()
    return answer.status, told, data


def routes():
    """Every method and path of the document, with ids that nobody has."""
    for path, methods in DOCUMENT["paths"].items():
        for method in methods:
            yield method.upper(), path, path.replace("{id}", NOBODY).replace("{key}", NOBODY)


def bearer(key):
    return {"authorization": f"Bearer {key}"}


def hardened(method, path, headers):
    """What every answer of management has (E16)."""
    where = (method, path, headers)
    assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY", where
    assert "frame-ancestors 'none'" in headers["content-security-policy"], where
    assert "unsafe" not in headers["content-security-policy"], where
    assert headers["referrer-policy"] == "no-referrer", where
    assert headers["x-request-id"], where
    assert "access-control-allow-origin" not in headers, where


@check
def e5_nothing_of_management_opens_without_a_key():
    """Without one and with a wrong one: 401, which names its scheme."""
    for n, (method, path, asked) in enumerate(routes()):
        status, headers, data = call(method, asked)
        hardened(method, path, headers)
        if (method, path) in OPEN:
            continue
        assert status == 401 and "bearer" in headers["www-authenticate"].lower(), (method, path, status, data)
        # The query is no place for a key: it would be in every log on the way.
        assert call(method, f"{asked}?key={ADMIN}")[0] == 401, (method, path)
    # Wrong ones are counted, so that few of them are tried; the right one opens all the same.
    assert call("GET", "/api/v1/keys", bearer("amq-" + "x" * 64))[0] == 401
    assert call("GET", "/api/v1/keys", bearer(ADMIN))[0] == 200


@check
def a_key_of_a_client_opens_its_own_page_and_nothing_else():
    _, key = new_key("client")
    for method, path, asked in routes():
        if (method, path) in OPEN:
            continue
        status, headers, data = call(method, asked, bearer(key))
        hardened(method, path, headers)
        if (method, path) in OWN:
            assert status < 500 and status not in (401, 403), (method, path, status, data)
        else:
            assert status == 403 and b"Admin privileges required" in data, (method, path, status, data)
    # A key of the configuration is no other.
    assert call("GET", "/api/v1/keys", bearer(KEY))[0] == 403


@check
def a_key_that_may_read_reads_and_changes_nothing():
    """Nor does it carry files away."""
    _, key = new_key("reader", scopes=["read"])
    read = 0
    for method, path, asked in routes():
        if (method, path) in OPEN | OWN:
            continue
        status, headers, data = call(method, asked, bearer(key), {} if method in ("POST", "PUT", "PATCH") else None)
        hardened(method, path, headers)
        if method == "GET" and not path.endswith("/export"):
            assert status < 500 and status not in (401, 403), (method, path, status, data)
            read += 1
        else:
            assert status == 403, (method, path, status, data)
    assert read > 20, read


@check
def what_management_shows_holds_no_secret():
    """E: no answer to any GET has a key, a token or a client's secret in it."""
    _, key = new_key("kept")
    secrets = [ADMIN, KEY, key, "sim-refresh-token", "sim-client-secret"]
    account = manage("GET", "/api/v1/accounts")["accounts"][0]["id"]
    for method, path, _ in routes():
        if method == "GET":
            _, _, data = call(method, path.replace("{id}", account), bearer(ADMIN))
            assert not [secret for secret in secrets if secret.encode() in data], path


@check
def another_method_than_a_path_takes_is_told_which_it_does():
    for path, methods in DOCUMENT["paths"].items():
        asked = path.replace("{id}", NOBODY)
        status, headers, _ = call("TRACE", asked, bearer(ADMIN))
        assert status == 405, (path, status)
        assert {method.upper() for method in methods} <= set(headers["allow"].split(",")), (path, headers["allow"])
        hardened("TRACE", path, headers)


@check
def a_session_writes_only_with_what_its_page_alone_knows():
    """E16: the cookie is out of scripts' reach and other sites' way, and without the token it changes nothing."""
    status, headers, data = call("POST", "/api/v1/session", body={"key": ADMIN})
    assert status in (200, 201), (status, data)
    cookie, *traits = headers["set-cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(traits), headers["set-cookie"]
    csrf, shown = json.loads(data)["csrf"], {"cookie": cookie}
    assert call("GET", "/api/v1/keys", shown)[0] == 200
    made = {"name": "by a page"}
    for more in ({}, {"x-csrf-token": "wrong"}):
        status, _, data = call("POST", "/api/v1/keys", {**shown, **more}, made)
        assert status == 403 and json.loads(data)["code"] == "csrf", (status, data)
    assert call("POST", "/api/v1/keys", {**shown, "x-csrf-token": csrf}, made)[0] == 201
    assert call("DELETE", "/api/v1/session", {**shown, "x-csrf-token": csrf})[0] < 300
    assert call("GET", "/api/v1/keys", shown)[0] == 401


@check
def e16_pages_and_clients_routes_are_hardened_too():
    for path in ("/admin/login", "/login", "/admin", "/admin/dashboard", "/docs"):
        status, headers, _ = call("GET", path, {"accept": "text/html"})
        assert status in (200, 302, 303, 307), (path, status)
        hardened("GET", path, headers)
    # In a URL a key opens nothing: the page to sign in comes, and does not repeat it.
    status, headers, data = call("GET", f"/admin?key={ADMIN}", {"accept": "text/html"})
    assert ADMIN.encode() not in data and ADMIN not in str(headers) and b"<form" in data.lower() or status in (302, 303), status
    assert call("GET", "/openapi.json")[0] == 401 and call("GET", "/docs")[0] == 401
    status, _, data = call("GET", "/openapi.json", bearer(ADMIN))
    assert status == 200 and json.loads(data) == DOCUMENT, "the document that is served is not the one in the tree"
    for method, path in (("GET", "/health"), ("GET", "/"), ("GET", "/v1/models"), ("POST", "/v1/messages")):
        _, headers, _ = call(method, path, bearer(KEY))
        assert headers["x-content-type-options"] == "nosniff" and headers["x-request-id"], (path, headers)
        assert "access-control-allow-origin" not in headers, (path, headers)


if __name__ == "__main__":
    main()
