"""The limit on a whole pull, kept even when the other side sends just often enough never to time out.

The time-out of a socket runs anew with every byte, so a header, chunk length or ``100 Continue`` that
dribbles in, or a query that never ends, would hold a night for ever. One clock shuts down every socket of the pull.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any
from weakref import WeakSet

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from etl.errors import SourceUnavailable


class Deadline:
    """When a pull has to be over.

    Args:
        seconds: from now.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._at = time.monotonic() + seconds
        self._sockets: WeakSet[socket.socket] = WeakSet()

    def left(self) -> float:
        """Seconds left; never zero, which would mean "no time-out" to a socket."""
        return max(self._at - time.monotonic(), 0.001)

    def check(self) -> None:
        """Raise SourceUnavailable when the time is over."""
        if time.monotonic() >= self._at:
            raise SourceUnavailable(f"the pull took longer than its limit of {self.seconds:g} s")

    @contextmanager
    def enforced(self) -> Iterator[None]:
        """Inside, every watched socket is shut down when the time is over."""
        clock = threading.Timer(self.left(), self._cut)
        clock.daemon = True
        clock.start()
        try:
            yield
        finally:
            clock.cancel()

    def watch(self, watched: socket.socket) -> None:
        """Shut this socket down when the time is over, at the latest now."""
        self._sockets.add(watched)
        self.check()

    @contextmanager
    def watching(self, descriptor: int) -> Iterator[None]:
        """Watch, for a while, a socket that is not Python's own."""
        with closing(socket.socket(fileno=socket.dup(descriptor))) as twin:
            self.watch(twin)
            yield

    def _cut(self) -> None:
        for watched in list(self._sockets):
            with suppress(OSError):  # closed already
                socket.socket.shutdown(watched, socket.SHUT_RDWR)


class DeadlineAdapter(HTTPAdapter):
    """An adapter all of whose connections are watched, from the first byte of an answer to the end of the last body."""

    def __init__(self, deadline: Deadline, **options: Any) -> None:
        self._deadline = deadline
        super().__init__(**options)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """As the base class, with pools that open watched connections."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _pool(HTTPConnectionPool, HTTPConnection, self._deadline),
            "https": _pool(HTTPSConnectionPool, HTTPSConnection, self._deadline),
        }


def _pool(pool: type[HTTPConnectionPool], connection: type[HTTPConnection], deadline: Deadline) -> type:
    class Watched(connection):  # type: ignore[misc, valid-type]
        def connect(self) -> None:
            super().connect()  # bounded by its own time-out, a handshake included
            deadline.watch(self.sock)

    return type(pool.__name__, (pool,), {"ConnectionCls": Watched})
