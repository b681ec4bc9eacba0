"""`python -m city build --into DIR` and `python -m city serve --data DIR`."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from datetime import datetime
from pathlib import Path

from city.build import build
from city.provincial_platform import Platform, server


def main() -> int:
    """Parse the command line and run it; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m city", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("build", help="write the city's data")
    one.add_argument("--into", type=Path, required=True)
    one.add_argument("--seed", type=int, default=1)
    one.add_argument("--database-url", default="", help="receives rsj's ten tables; default: SQLite under --into")
    one.add_argument("--scale", type=int, default=0, help="open cases besides the usual few; a million is fine")
    two = commands.add_parser("serve", help="answer for the provincial platform")
    two.add_argument("--data", type=Path, required=True)
    two.add_argument("--port", type=int, default=0)
    two.add_argument("--data-until", default="", help="pretend that the platform's data ends here (RFC 3339)")
    options = parser.parse_args()
    if options.command == "build":
        summary = build(options.into, options.seed, options.database_url, options.scale)
        print(json.dumps(summary["rows"], ensure_ascii=False))
        return 0
    return serve(options.data, options.port, options.data_until)


def serve(data: Path, port: int, data_until: str) -> int:
    """Run until SIGINT or SIGTERM. The first line on standard output is the address; departments are paths below it."""
    horizon = data_until or json.loads((data / "city.json").read_text(encoding="utf-8"))["data_until"]
    running = server(Platform(data, datetime.fromisoformat(horizon)), port)

    def stop(*_: object) -> None:
        threading.Thread(target=running.shutdown).start()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    print(f"http://127.0.0.1:{running.server_port}", flush=True)
    running.serve_forever(poll_interval=0.1)
    running.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
