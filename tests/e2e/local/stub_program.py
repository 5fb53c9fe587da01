"""Stands for the `earshot` program: `NAME serve` is a service with nothing but `/readyz`, `simulate` a feed that feeds nothing."""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Door(BaseHTTPRequestHandler):
    """Answers that it is ready."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""


def main() -> None:
    if sys.argv[1] == "simulate":
        signal.pause()
    port = int(os.environ[f"EARSHOT_{sys.argv[1].upper().replace('-', '_')}_PORT"])
    ThreadingHTTPServer(("127.0.0.1", port), Door).serve_forever()


if __name__ == "__main__":
    main()
