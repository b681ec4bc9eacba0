"""One SHA-256 over a canonical dump of the ledger."""

from __future__ import annotations

import hashlib
from typing import Literal

from sqlalchemy import Engine

from etl.store.statements import sql


def digest(engine: Engine, what: Literal["facts", "ledger"] = "ledger") -> str:
    """`facts`: messages without knowledge time. `ledger`: everything but the columns listed in the statement."""
    running = hashlib.sha256()
    with engine.connect().execution_options(yield_per=10_000) as connection:
        for line in connection.execute(sql(f"ledger/digest_{what}")).scalars():
            running.update(line.encode())
            running.update(b"\n")
    return running.hexdigest()
