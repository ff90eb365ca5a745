"""schemathesis against the committed OpenAPI document, on the binary that people run."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from admin import ADMIN, manage, status
from harness import *

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "api/admin.openapi.json"
SECONDS = 150

# Those that answer 5xx when the upstream refuses a renewal. Here it refuses none.
RENEWALS = ["/v2/accounts/{}/refresh", "/admin/accounts/{}/refresh-token"]


@check
def no_answer_breaks_the_document():
    """All checks on, the same cases in every run: no 5xx, nothing that the document does not say."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml")),
        *("run", str(DOCUMENT), "--url", GATEWAY, "--header", f"Authorization: Bearer {ADMIN}"),
        *("--checks", "all", "--seed", "5", "--generation-deterministic", "--max-examples", "8"),
        *("--workers", "2", "--no-color", "--request-timeout", "20", "--warnings", "off"),
    ]
    # An upstream that is well: somebody logs in as soon as a login begins, so that who claims it need not wait, and the
    # logins that schemathesis makes up are taken. What the routes say when one is refused, crates/admin/tests knows.
    knobs(pending_polls=0, device_interval_s=1, any_refresh=True)
    answers = Path(SCRATCH, "answers.json")
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(HERE)}
    environment["E2E_ANSWERS"] = str(answers)
    report = Path(SCRATCH, "report.txt")
    with report.open("w") as out:
        given = {"stdout": out, "stderr": subprocess.STDOUT, "timeout": SECONDS, "cwd": SCRATCH, "env": environment}
        code = subprocess.run(command, **given).returncode
    told = report.read_text()
    assert code == 0, told[-20_000:]
    counted = json.loads(answers.read_text())
    assert counted and not [row for row in counted if row[1] >= 500], counted
    print(told[-1500:])
    print(f"{sum(times for *_, times in counted)} answers, none of them 5xx")
    print("renewed:", renew_what_is_left())


def renew_what_is_left():
    """Both routes renew each account that schemathesis found or made: it met few of them itself."""
    accounts = manage("GET", "/v2/accounts")["accounts"]
    statuses = Counter((route, status("POST", route.format(account["id"]))) for account in accounts for route in RENEWALS)
    for route in RENEWALS:
        assert statuses[route, 200] > 0, statuses
    # 400: one that was made without what a renewal takes.
    assert {code for _, code in statuses} <= {200, 400}, statuses
    return dict(statuses)


if __name__ == "__main__":
    main()
