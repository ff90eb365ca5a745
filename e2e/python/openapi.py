"""schemathesis against the committed OpenAPI document, on the binary that people run."""

import os
import subprocess
import sys
from pathlib import Path

from admin import ADMIN
from harness import *

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "api/admin.openapi.json"
SECONDS = 150


@check
def no_answer_breaks_the_document():
    """All checks on, the same cases in every run: no 5xx, nothing that the document does not say."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml")),
        *("run", str(DOCUMENT), "--url", GATEWAY, "--header", f"Authorization: Bearer {ADMIN}"),
        *("--checks", "all", "--seed", "5", "--generation-deterministic", "--max-examples", "8"),
        *("--workers", "2", "--no-color", "--request-timeout", "20", "--warnings", "off"),
    ]
    # Somebody logs in as soon as a login begins: who claims it need not wait.
    knobs(pending_polls=0, device_interval_s=1)
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(HERE)}
    report = Path(SCRATCH, "report.txt")
    with report.open("w") as out:
        given = {"stdout": out, "stderr": subprocess.STDOUT, "timeout": SECONDS, "cwd": SCRATCH, "env": environment}
        code = subprocess.run(command, **given).returncode
    told = report.read_text()
    assert code == 0, told[-20_000:]
    print(told[-1500:])


if __name__ == "__main__":
    main()
