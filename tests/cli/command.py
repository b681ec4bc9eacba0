"""The command `jiancha` in this process: the real entry point, its exit code and what it printed."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import orjson

from etl.cli import main


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        """Standard output as JSON Lines."""
        return [orjson.loads(line) for line in self.out.splitlines()]

    @property
    def only(self) -> Any:
        """Standard output as the one JSON document it has to be."""
        (answer,) = self.lines
        return answer


def jiancha(*arguments: object, stdin: bytes = b"") -> Ended:
    """Run ``jiancha <arguments>`` to its end."""
    streams = {name: io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for name in ("stdout", "stderr")}
    given = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
    with patch.multiple(sys, argv=["jiancha", *map(str, arguments)], stdin=given, **streams):
        try:
            main()
            code: object = 0
        except SystemExit as end:
            code = end.code
    texts = []
    for stream in streams.values():
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())
    return Ended(code if isinstance(code, int) else int(code is not None), *texts)
