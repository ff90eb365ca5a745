"""Gateways of a suite's own, before the runner's simulator, for suites that end them and start them again."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from admin import ADMIN
from harness import KEY, SCRATCH, SIMULATOR

READY_S = 20


class Gateway:
    """One gateway with a database of its own; started anew it finds that again."""

    def __init__(self, name, **settings):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"
        self.log = Path(SCRATCH, f"{name}.log").open("ab")
        self.environment = {
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "DATABASE_PATH": str(Path(SCRATCH, f"{name}.db")),
            "AMAZONQ_API_ENDPOINT": SIMULATOR,
            "AMAZONQ_TOKEN_ENDPOINT": SIMULATOR + "/token",
            "AMAZONQ_REFRESH_TOKEN": "sim-refresh-token",
            "AMAZONQ_CLIENT_ID": "sim-client-id",
            "AMAZONQ_CLIENT_SECRET": "sim-client-secret",
            "OPENAI_KEYS": KEY,
            "ADMIN_KEY": ADMIN,
            "CIRCUIT_BREAKER_ENABLED": "false",
            **settings,
        }
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def start(self):
        """Starts it and waits until it takes requests."""
        command = [os.environ["E2E_BINARY"], "serve"]
        given = {"cwd": SCRATCH, "env": self.environment, "stdout": self.log, "stderr": self.log}
        self.process = subprocess.Popen(command, **given)
        end = time.monotonic() + READY_S
        while True:
            try:
                with urllib.request.urlopen(self.base + "/healthz", timeout=2):
                    return
            except (OSError, urllib.error.URLError):
                assert self.process.poll() is None, f"the gateway ended at once; see {self.log.name}"
                assert time.monotonic() < end, f"the gateway was not ready; see {self.log.name}"
                time.sleep(0.01)

    def kill(self):
        """As a power cut does: nothing is tidied up."""
        self.process.kill()
        self.process.wait()

    def asked_to_stop(self):
        """As `systemctl stop` and `docker stop` do."""
        self.process.send_signal(signal.SIGTERM)

    def exit_code(self, seconds):
        return self.process.wait(seconds)
