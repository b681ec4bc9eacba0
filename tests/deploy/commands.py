"""Whether commands written in files and documents exist, asked of the programs' own parsers."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import typer

from etl.cli import command

if TYPE_CHECKING:
    from tests.deploy.conftest import Image

# Prints the positions of those that Airflow's own parser, the providers' commands included, does not take.
_AIRFLOW = """
import contextlib, io, json, sys
from airflow.cli.cli_parser import get_parser
for position, arguments in enumerate(json.loads(sys.argv[1])):
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        try:
            get_parser().parse_args(arguments)
        except SystemExit:
            refused = True
        else:
            refused = False
    if refused:
        print(position)
"""
# Typer carries a click of its own; this is that one's error of a wrong call.
USAGE_ERROR: Any = typer.BadParameter.__base__


def in_shell(text: str) -> Iterator[list[str]]:
    """Commands of ours in a piece of shell: continued lines joined, comments and what follows a pipe left out."""
    for line in text.replace("\\\n", " ").splitlines():
        found = re.match(r"(?:\$ )?(?:\S*/)?(airflow|jiancha) (?P<rest>.*)", line.strip())
        if found:
            # What follows a pipe, a redirection or a semicolon is not ours.
            yield [found[1], *shlex.split(re.sub(r"\s*[|>&;].*", "", found["rest"]), comments=True)]


def in_page(text: str) -> Iterator[list[str]]:
    """Commands in a document's fenced blocks, those given to a container of the compose file included."""
    for language, block in re.findall(r"^```(\w*)\n(.+?)^```", text, re.DOTALL | re.MULTILINE):
        if language not in ("", "sh"):
            continue
        shell = re.sub(r"docker compose (?:run --rm|exec)( --\S+)* [a-z-]+ ", "", block)
        yield from in_shell(shell)


def unknown(commands: Iterable[list[str]], image: Image) -> list[list[str]]:
    """Those whose program does not have them, or does not take these options."""
    told = list(commands)
    airflow = [command for command in told if command[0] == "airflow"]
    refused = image.python(_AIRFLOW, json.dumps([command[1:] for command in airflow])).split() if airflow else []
    bad = [airflow[int(position)] for position in refused]
    return [command for command in told if (command in bad if command[0] == "airflow" else not _is_ours(command[1:]))]


def _is_ours(arguments: list[str]) -> bool:
    found: Any = command
    words = list(arguments)
    while words and hasattr(found, "commands"):
        found = found.commands.get(words.pop(0))
        if found is None:
            return False
    if hasattr(found, "commands"):
        return False
    try:
        # Parsed, not run.
        found.make_context(found.name, words)
    except USAGE_ERROR:
        return False
    return True
