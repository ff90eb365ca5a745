"""schemathesis against the committed OpenAPI document, on the binary that people run."""

import subprocess
import sys
from pathlib import Path

from admin import ADMIN
from harness import *

DOCUMENT = Path(__file__).parents[2] / "api/admin.openapi.json"
SECONDS = 90


@check
def no_answer_breaks_the_document():
    """All checks on, the same cases in every run: no 5xx, nothing that the document does not say."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", str(DOCUMENT), "--url", GATEWAY),
        *("--header", f"Authorization: Bearer {ADMIN}", "--checks", "all", "--seed", "5", "--generation-deterministic"),
        *("--max-examples", "12", "--workers", "2", "--no-color", "--request-timeout", "20"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS * 2, cwd=SCRATCH)
    report = done.stdout.replace(ADMIN, "[key]")
    Path(SCRATCH, "report.txt").write_text(report)
    assert done.returncode == 0, report[-20_000:] + done.stderr[-2_000:]
    print(report[-1500:])


if __name__ == "__main__":
    main()
