"""A real SMTP server that misbehaves as told: ``python -m tests.faults.nasty_smtp`` serves, `NastySmtp` is its owner.

What it took is in its own journal, a file of JSON lines that outlives every client: ``conn``; ``dot`` (a mail arrived
whole); ``queued`` (the server has it and will deliver it, whatever it says next); ``refused`` (it told the client no,
for good); ``impatient`` (it hung up on a slow client); ``end``. A mail counts by its lines ``queued``, nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import re
import socket
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from email import message_from_bytes
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_ANYWHERE = ("drop", "reset", "delay", "sleep", "421")
TROUBLES = {
    **dict.fromkeys(("connect", "ehlo"), (*_ANYWHERE, "half", "garbage")),
    **dict.fromkeys(("mail", "rcpt", "data"), (*_ANYWHERE, "half", "garbage", "451")),
    "text": _ANYWHERE,
    "dot": (*_ANYWHERE, "half", "garbage", "451", "550"),
    "queued": ("drop", "reset", "delay", "sleep", "half", "garbage", "252", "451"),
    "quit": _ANYWHERE,
}
"""What can go wrong, by step. ``dot``: the mail is there, the server has not taken it; ``queued``: it has."""
SILENT = ("drop", "reset", "half", "garbage", "sleep")
"""Troubles that leave a client without a word (``sleep`` is longer than it waits)."""
HANGS_UP = ("drop", "reset", "sleep", "421")


class NastySmtp:
    """The server process; one story at a time."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", __name__], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.port = int(self._answer())

    def tell(
        self,
        journal: Path,
        troubles: Mapping[int, tuple[str, str, float]],
        refuse: Sequence[str] = (),
        patience_s: float | None = None,
    ) -> None:
        """From now on write to `journal` and misbehave so.

        Args:
            troubles: by number of the connection, from 1: (what, at which step, seconds). What: ``drop``, ``reset``
                (TCP), ``delay`` and go on, ``sleep`` and hang up, ``half`` a reply, ``garbage``, or a reply code to
                give instead (421 hangs up too). ``451`` at step ``queued`` is a lie.
            refuse: recipients that get 550, always.
            patience_s: hang up on a client silent for so long.
        """
        assert self._server.stdin is not None
        story = {"journal": str(journal), "troubles": dict(troubles), "refuse": list(refuse), "patience_s": patience_s}
        self._server.stdin.write(json.dumps(story) + "\n")
        self._server.stdin.flush()
        assert self._answer() == "ready"

    def close(self) -> None:
        self._server.communicate()

    def _answer(self) -> str:
        assert self._server.stdout is not None
        return self._server.stdout.readline().strip()


class _Gone(Exception):
    """The conversation is over."""


class _Story:
    """What `tell` said, and how many connections there were since."""

    def __init__(self, journal: str, troubles: Mapping[str, Any], refuse: Sequence[str], patience_s: float | None):
        self.troubles, self.refuse, self.patience_s = troubles, refuse, patience_s
        self.connections = 0
        self._journal = Path(journal)

    def note(self, **line: Any) -> None:
        with self._journal.open("ab", buffering=0) as file:
            file.write(json.dumps(line).encode() + b"\n")


class _Conversation:
    def __init__(self, story: _Story, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._story, self._reader, self._writer = story, reader, writer
        story.connections += 1
        self._number = story.connections
        self._what, self._where, self._seconds = story.troubles.get(str(self._number), ("", "", 0.0))
        self._recipients: list[str] = []

    async def run(self) -> None:
        self._note("conn")
        try:
            await self._say("connect", "220 nasty.example ESMTP")
            while True:
                line = (await self._patiently(self._reader.readuntil(b"\r\n"))).decode("ascii", "replace").strip()
                await self._obey(line)
        except (_Gone, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._note("end")
            self._writer.close()

    async def _obey(self, line: str) -> None:
        verb = line[:4].upper()
        if verb in ("EHLO", "HELO"):
            await self._say("ehlo", "250-nasty.example\r\n250 8BITMIME")
        elif verb == "MAIL":
            await self._say("mail", "250 ok")
        elif verb == "RCPT":
            address = re.sub(r".*<(.*)>.*", r"\1", line)
            if address in self._story.refuse:
                self._note("refused", to=address)
                await self._send("550 5.1.1 no such user")
                raise _Gone  # refuses and hangs up, as servers under attack do
            self._recipients.append(address)
            await self._say("rcpt", "250 ok")
        elif verb == "DATA":
            await self._say("data", "354 go ahead")
            await self._take()
        elif verb == "QUIT":
            await self._say("quit", "221 bye")
            raise _Gone
        else:
            await self._send("500 what?")

    async def _take(self) -> None:
        head = b""
        if self._where == "text":
            head = await self._reader.readexactly(1000)
            await self._disturb("")
        text = head + await self._patiently(self._reader.readuntil(b"\r\n.\r\n"))
        content = re.sub(rb"(?m)^\.", b"", text[:-3])
        mail = {
            "id": str(message_from_bytes(content)["Message-ID"]),
            "to": self._recipients,
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        self._note("dot", **mail)
        if self._where == "dot":
            if self._what.startswith("5"):
                self._note("refused", to=self._recipients[0])
            if not await self._disturb("451 later"):
                return
        self._note("queued", **mail)
        await self._say("queued", "250 queued")

    async def _say(self, step: str, reply: str) -> None:
        if step != self._where or await self._disturb(reply):
            await self._send(reply)

    async def _disturb(self, reply: str) -> bool:
        """The planned trouble; True when the usual reply is still to be given."""
        what = self._what
        if what == "delay":
            await asyncio.sleep(self._seconds)
            return True
        if what == "sleep":
            await asyncio.sleep(self._seconds)
        elif what == "half":
            await self._send(reply[:2], end="")
        elif what == "garbage":
            await self._send("\x16\x03 no reply at all")
        elif what == "reset":
            # Linger 0: closing sends RST and throws away what was not delivered.
            tcp: socket.socket = self._writer.get_extra_info("socket")
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif what != "drop":
            await self._send(f"{what} as told")
            if what != "421":
                return False
        raise _Gone

    async def _send(self, reply: str, end: str = "\r\n") -> None:
        self._writer.write((reply + end).encode())
        await self._writer.drain()

    async def _patiently(self, reading: Any) -> bytes:
        try:
            return bytes(await asyncio.wait_for(reading, self._story.patience_s))
        except TimeoutError:
            self._note("impatient")
            await self._send("421 4.4.2 too slow")
            raise _Gone from None

    def _note(self, event: str, **more: Any) -> None:
        self._story.note(event=event, conn=self._number, **more)


async def serve() -> None:
    """Port on standard output, then ``ready`` for each story read from standard input; ends with it."""
    story: list[_Story] = []

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _Conversation(story[-1], reader, writer).run()

    server = await asyncio.start_server(converse, "127.0.0.1", 0, limit=2**26)
    print(server.sockets[0].getsockname()[1], flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        story.append(_Story(**json.loads(line)))
        print("ready", flush=True)
    server.close()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())
