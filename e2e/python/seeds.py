"""The lines that users of the earlier systems have in their scripts: sh and curl, as they stand there but for the key.

Address and port too are theirs: curl is told beforehand (`.curlrc`) who answers at `localhost:8000` and `localhost:8080`.
"""

import json
import os
import subprocess
import urllib.parse
from pathlib import Path

from admin import ADMIN
from harness import *

HOST = urllib.parse.urlparse(GATEWAY)
Path(SCRATCH, ".curlrc").write_text(
    "".join(f'connect-to = "localhost:{port}:{HOST.hostname}:{HOST.port}"\n' for port in (8000, 8080))
)
ENVIRONMENT = {"PATH": os.environ["PATH"], "CURL_HOME": SCRATCH, "HOME": SCRATCH, "ADMIN": ADMIN, "KEY": KEY}


def start(lines, **variables):
    shell = ["sh", "-euc", lines]
    given = {"cwd": SCRATCH, "env": {**ENVIRONMENT, **variables}, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(shell, text=True, **given)


def end(process):
    out, said = process.communicate(timeout=30)
    assert process.returncode == 0, (process.args, process.returncode, out, said)
    return out


def run(lines, **variables):
    """What these lines print. A curl that got no answer fails."""
    return end(start(lines, **variables))


def told(lines, **variables):
    return json.loads(run(lines, **variables))


def status(lines, **variables):
    """The status that a line gets, whose body is not looked at."""
    return int(run(lines + " -s -o /dev/null -w '%{http_code}'", **variables))


def more_accounts(count=1):
    """The simulated upstream has so many accounts beside the first; their secrets end in their numbers."""
    names = {"refresh_token": "sim-refresh-token-{}", "client_id": "sim-client-id-{}", "client_secret": "sim-client-secret-{}"}
    numbered = [{name: text.format(n) for name, text in names.items()} for n in range(1, count + 1)]
    control("POST", "/_sim/accounts/add", numbered)


# --- S0 --------------------------------------------------------------------------------------------------------------


@check
def s0_accounts():
    """Created, listed, switched off, renewed, removed."""
    more_accounts()
    assert told("curl -s http://localhost:8000/healthz")["status"] == "ok"
    made = told("""
curl -s -X POST http://localhost:8000/v2/accounts \\
  -H "Content-Type: application/json" -H "Authorization: Bearer $ADMIN" \\
  -d '{
    "label": "Second account",
    "clientId": "sim-client-id-1",
    "clientSecret": "sim-client-secret-1",
    "refreshToken": "sim-refresh-token-1",
    "enabled": true
  }'""")
    id = made["id"]
    assert made["label"] == "Second account" and made["enabled"] is True and made["last_refresh_status"] == "never", made
    listed = told('curl -s http://localhost:8000/v2/accounts -H "Authorization: Bearer $ADMIN"')
    assert listed["count"] == len(listed["accounts"]) and id in [one["id"] for one in listed["accounts"]], listed
    changed = told("""
curl -s -X PATCH http://localhost:8000/v2/accounts/$ID \\
  -H "Content-Type: application/json" -H "Authorization: Bearer $ADMIN" \\
  -d '{"enabled": false}'""", ID=id)
    assert changed["enabled"] is False and changed["label"] == "Second account", changed
    renewed = told('curl -s -X POST http://localhost:8000/v2/accounts/$ID/refresh -H "Authorization: Bearer $ADMIN"', ID=id)
    assert renewed["last_refresh_status"] == "success" and renewed["last_refresh_time"], renewed
    shown = told('curl -s http://localhost:8000/v2/accounts/$ID -H "Authorization: Bearer $ADMIN"', ID=id)
    assert shown["hasRefreshToken"] and "sim-" not in shown.get("refreshToken", ""), shown
    gone = told('curl -s -X DELETE http://localhost:8000/v2/accounts/$ID -H "Authorization: Bearer $ADMIN"', ID=id)
    assert gone == {"deleted": id}, gone
    missing = told('curl -s http://localhost:8000/v2/accounts/$ID -H "Authorization: Bearer $ADMIN"', ID=id)
    assert missing["detail"] == "Account not found", missing


@check
def s0_login_by_url():
    """Started, opened in a browser, claimed: the account is there and switched on."""
    more_accounts()
    knobs(device="manual", device_interval_s=1)
    begun = told("""
curl -s -X POST http://localhost:8000/v2/auth/start \\
  -H "Content-Type: application/json" -H "Authorization: Bearer $ADMIN" \\
  -d '{"label": "New account", "enabled": true}'""")
    assert set(begun) >= {"authId", "verificationUriComplete", "userCode", "expiresIn", "interval"}, begun
    line = 'curl -s http://localhost:8000/v2/auth/status/$ID -H "Authorization: Bearer $ADMIN"'
    waiting = told(line, ID=begun["authId"])
    assert waiting["status"] == "pending" and 0 < waiting["remaining"] <= 300, waiting
    claim = start('curl -s -X POST http://localhost:8000/v2/auth/claim/$ID -H "Authorization: Bearer $ADMIN"', ID=begun["authId"])
    control("POST", f"/_sim/devices/{begun['userCode']}/approve", {"account": 1})
    claimed = json.loads(end(claim))
    account = claimed["account"]
    assert claimed["status"] == "completed" and account["label"] == "New account" and account["enabled"], claimed
    assert told(line, ID=begun["authId"])["accountId"] == account["id"]
    run('curl -s -X DELETE http://localhost:8000/v2/accounts/$ID -H "Authorization: Bearer $ADMIN"', ID=account["id"])


@check
def s0_chat():
    """Whole and streamed."""
    whole = told("""
curl -s -X POST http://localhost:8000/v1/chat/completions \\
  -H "Content-Type: application/json" \\
  -H "Authorization: Bearer $KEY" \\
  -d '{
    "model": "claude-sonnet-4",
    "stream": false,
    "messages": [
      {"role": "system", "content": "You help people."},
      {"role": "user", "content": "Hello, tell me a short story"}
    ]
  }'""")
    assert whole["object"] == "chat.completion" and "You wrote" in whole["choices"][0]["message"]["content"], whole
    streamed = run("""
curl -s -N -X POST http://localhost:8000/v1/chat/completions \\
  -H "Content-Type: application/json" \\
  -H "Authorization: Bearer $KEY" \\
  -d '{
    "model": "claude-sonnet-4",
    "stream": true,
    "messages": [
      {"role": "user", "content": "Tell me a joke"}
    ]
  }'""")
    assert '"object":"chat.completion.chunk"' in streamed and streamed.endswith("data: [DONE]\n\n"), streamed[-300:]
    assert status("curl -X POST http://localhost:8000/v1/chat/completions -d '{}'") == 401


# --- S1 and S4 -------------------------------------------------------------------------------------------------------


@check
def s1_health_and_messages():
    health = told("curl -s http://localhost:8080/health")
    assert health["status"] == "healthy" and health["active_accounts"] >= 1 and health["active_api_keys"] >= 1, health
    assert health["version"], health
    streamed = run("""
curl -s -X POST http://localhost:8080/v1/messages \\
  -H "Authorization: Bearer $KEY" \\
  -H "Content-Type: application/json" \\
  -d '{
    "model": "claude-sonnet-4.5",
    "messages": [{"role": "user", "content": "Hello"}],
    "max_tokens": 1024,
    "stream": true
  }'""")
    assert streamed.startswith("event: message_start\n") and "event: message_stop\n" in streamed, streamed
    whole = told("""
curl -s -X POST http://localhost:8080/v1/messages \\
  -H "x-api-key: $KEY" \\
  -H "Content-Type: application/json" \\
  -d '{
    "model": "claude-sonnet-4.5",
    "messages": [{"role": "user", "content": "Hello"}],
    "max_tokens": 1024,
    "temperature": 0.7,
    "system": "You help people.",
    "stream": false
  }'""")
    assert whole["type"] == "message" and whole["stop_reason"] == "end_turn", whole
    listed = told('curl -s http://localhost:8080/v1/models -H "Authorization: Bearer $KEY"')
    assert listed["object"] == "list" and "claude-sonnet-4.5" in [model["id"] for model in listed["data"]], listed


@check
def s1_accounts():
    more_accounts()
    made = told("""
curl -s -X POST http://localhost:8080/admin/accounts \\
  -H "Authorization: Bearer $ADMIN" \\
  -H "Content-Type: application/json" \\
  -d '{
    "name": "account-1",
    "refresh_token": "sim-refresh-token-1",
    "client_id": "sim-client-id-1",
    "client_secret": "sim-client-secret-1"
  }'""")
    assert isinstance(made["id"], int) and made["is_active"] and made["requests_per_minute"] == 10, made
    at = {"ID": str(made["id"])}
    listed = told('curl -s http://localhost:8080/admin/accounts -H "x-api-key: $ADMIN"')
    assert isinstance(listed, list) and "account-1" in [one["name"] for one in listed], listed
    renewed = told('curl -s -X POST http://localhost:8080/admin/accounts/$ID/refresh-token -H "Authorization: Bearer $ADMIN"', **at)
    assert renewed["account_name"] == "account-1" and renewed["expires_in"] > 0, renewed
    changed = told("""
curl -s -X PUT http://localhost:8080/admin/accounts/$ID \\
  -H "Authorization: Bearer $ADMIN" \\
  -H "Content-Type: application/json" \\
  -d '{"is_active": false, "requests_per_minute": 20, "notes": "resting"}'""", **at)
    assert (changed["is_active"], changed["requests_per_minute"], changed["notes"]) == (False, 20, "resting"), changed
    stats = told('curl -s http://localhost:8080/admin/accounts/$ID/stats -H "Authorization: Bearer $ADMIN"', **at)
    assert stats["account_name"] == "account-1" and stats["token_info"]["is_valid"] in (True, False), stats
    gone = told('curl -s -X DELETE http://localhost:8080/admin/accounts/$ID -H "Authorization: Bearer $ADMIN"', **at)
    assert gone == {"message": "Account deleted successfully"}, gone


@check
def s1_upload_of_a_login_file():
    more_accounts()
    kept = {"clientId": "sim-client-id-1", "clientSecret": "sim-client-secret-1", "refreshToken": "sim-refresh-token-1"}
    Path(SCRATCH, "kiro-auth-token.json").write_text(json.dumps({**kept, "region": "us-east-1"}))
    line = """
curl -s -X POST http://localhost:8080/admin/accounts/upload-json \\
  -H "Authorization: Bearer $ADMIN" \\
  -F "json_file=@kiro-auth-token.json" \\
  -F "name=uploaded" """
    made = told(line)
    assert made["success"] and made["account"]["name"] == "uploaded" and made["token_refresh"]["success"], made
    assert made["token_refresh"]["expires_in"] > 0, made
    assert status(line) in (400, 409), "the same file once more"
    at = {"ID": str(made["account"]["id"])}
    run('curl -s -X DELETE http://localhost:8080/admin/accounts/$ID -H "Authorization: Bearer $ADMIN"', **at)


@check
def s4_api_keys():
    """Created, used, changed, revoked at once, removed."""
    made = told("""
curl -s -X POST http://localhost:8080/admin/api-keys \\
  -H "Authorization: Bearer $ADMIN" \\
  -H "Content-Type: application/json" \\
  -d '{"name": "My App", "description": "of a script"}'""")
    assert made["key"].startswith("amq-") and len(made["key"]) == 68 and not made["is_admin"], made
    assert (made["requests_per_minute"], made["requests_per_day"]) == (60, 10_000), made
    at = {"ID": str(made["id"]), "MINE": made["key"]}
    chat = """
curl -s -X POST http://localhost:8080/v1/chat/completions \\
  -H "Authorization: Bearer $MINE" \\
  -H "Content-Type: application/json" \\
  -d '{
    "model": "gpt-4",
    "messages": [{"role": "user", "content": "Hello"}],
    "stream": false
  }'"""
    assert told(chat, **at)["choices"][0]["message"]["content"]
    assert status('curl http://localhost:8080/admin/api-keys -H "Authorization: Bearer $MINE"', **at) == 403
    listed = told('curl -s http://localhost:8080/admin/api-keys -H "Authorization: Bearer $ADMIN"')
    [own] = [one for one in listed if one["id"] == made["id"]]
    assert own["current_rpm"] == 1 and made["key"] not in json.dumps(listed), own
    changed = told("""
curl -s -X PUT http://localhost:8080/admin/api-keys/$ID \\
  -H "Authorization: Bearer $ADMIN" \\
  -H "Content-Type: application/json" \\
  -d '{"name": "My other App", "requests_per_minute": 120}'""", **at)
    assert (changed["name"], changed["requests_per_minute"]) == ("My other App", 120), changed
    revoked = told('curl -s -X POST http://localhost:8080/admin/api-keys/$ID/revoke -H "Authorization: Bearer $ADMIN"', **at)
    assert revoked == {"message": "API key revoked successfully"}, revoked
    assert status(chat, **at) == 401
    shown = told('curl -s http://localhost:8080/admin/api-keys/$ID -H "Authorization: Bearer $ADMIN"', **at)
    assert shown["is_active"] is False, shown
    run('curl -s -X DELETE http://localhost:8080/admin/api-keys/$ID -H "Authorization: Bearer $ADMIN"', **at)


@check
def s1_statistics():
    """What the charts of that console ask for; with something in them."""
    ask = """
curl -s -X POST http://localhost:8080/v1/messages -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\
  -d '{"model": "claude-sonnet-4.5", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}]}'"""
    assert told(ask)["type"] == "message"
    tokens = lambda: told('curl -s "http://localhost:8080/admin/stats/tokens?days=7" -H "Authorization: Bearer $ADMIN"')
    sums = wait_until(lambda: (found := tokens())["total"]["requests"] > 0 and found, 10, "a receipt in the sums")
    assert len(sums["daily"]) == 7 and sums["period"]["days"] == 7, sums
    assert sums["total"]["total_tokens"] == sums["total"]["input_tokens"] + sums["total"]["output_tokens"] > 0, sums
    assert sum(day["requests"] for day in sums["daily"]) == sums["total"]["requests"], sums
    accounts = told('curl -s http://localhost:8080/admin/stats/accounts -H "Authorization: Bearer $ADMIN"')
    assert accounts["total_accounts"] >= accounts["active_accounts"] >= 1 and accounts["total_requests"] >= 1, accounts
    keys = told('curl -s http://localhost:8080/admin/stats/api-keys -H "Authorization: Bearer $ADMIN"')
    assert set(keys) >= {"total_keys", "active_keys", "total_requests"}, keys
    used = told('curl -s "http://localhost:8080/admin/stats/account-usage?days=7" -H "Authorization: Bearer $ADMIN"')
    assert used["accounts"][0]["requests"] >= 1 and used["accounts"][0]["account_name"], used


# --- S3 --------------------------------------------------------------------------------------------------------------


@check
def s3_accounts_by_its_own_header():
    more_accounts()
    made = told("""
curl -s -X POST http://localhost:8080/v2/accounts \\
  -H "X-Admin-Key: $ADMIN" \\
  -H "Content-Type: application/json" \\
  -d '{"label": "third", "clientId": "sim-client-id-1", "clientSecret": "sim-client-secret-1", "refreshToken": "sim-refresh-token-1"}'""")
    at = {"ID": made["id"]}
    array = told('curl -s "http://localhost:8080/v2/accounts?format=array" -H "X-Admin-Key: $ADMIN"')
    assert isinstance(array, list) and made["id"] in [one["id"] for one in array], array
    stats = told('curl -s http://localhost:8080/v2/accounts/$ID/stats -H "X-Admin-Key: $ADMIN"', **at)
    assert stats["account_id"] == made["id"] and stats["calls_last_hour"] == 0 and not stats["is_rate_limited"], stats
    limited = told("""
curl -s -X PATCH http://localhost:8080/v2/accounts/$ID/rate-limit -H "X-Admin-Key: $ADMIN" \\
  -H "Content-Type: application/json" -d '{"rate_limit_per_hour": 50}'""", **at)
    assert limited["rate_limit_per_hour"] == 50, limited
    renewed = told('curl -s -X POST http://localhost:8080/v2/accounts/refresh-all -H "X-Admin-Key: $ADMIN"')
    assert renewed["total"] == len(renewed["results"]) == renewed["success_count"] >= 2, renewed
    config = told('curl -s http://localhost:8080/v2/config -H "X-Admin-Key: $ADMIN"')
    assert "claude-sonnet-4.5" in config["supported_models"], config
    gone = told('curl -s -X DELETE http://localhost:8080/v2/accounts/$ID -H "X-Admin-Key: $ADMIN"', **at)
    assert gone == {"deleted": made["id"]}, gone
    assert status("curl http://localhost:8080/v2/accounts") == 401


if __name__ == "__main__":
    main()
