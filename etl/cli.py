"""The command `jiancha`. Progress goes to stderr, results to stdout; exit codes are in `etl.errors` and the README."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import IO, Annotated, Any, Literal

import orjson
import typer

from etl.errors import JianchaError, RecordRejected, UsageError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="行政审批电子监察")
source_app = typer.Typer(no_args_is_help=True, help="数据来源")
ledger_app = typer.Typer(no_args_is_help=True, help="台账与证据")
notices_app = typer.Typer(no_args_is_help=True, help="通知")
reference_app = typer.Typer(no_args_is_help=True, help="基础数据")
backfill_app = typer.Typer(no_args_is_help=True, help="补跑")
for name, group in (
    ("source", source_app),
    ("ledger", ledger_app),
    ("notices", notices_app),
    ("reference", reference_app),
    ("backfill", backfill_app),
):
    app.add_typer(group, name=name)

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
Sources = Annotated[list[str] | None, typer.Option("--source", help="Only this source; may be repeated.")]


@app.command()
def clock() -> None:
    """Answer clock requests: JSONL on standard input, JSONL on standard output."""
    from etl.domain.clock_request import answer_all
    from etl.store.calendars import packaged

    bad = 0
    for answer in answer_all((_json_or_text(line) for line in sys.stdin.buffer if line.strip()), packaged()):
        bad += "error" in answer
        _print(answer)
    raise typer.Exit(1 if bad else 0)


@app.command()
def judge(
    messages: Annotated[str, typer.Option(help="JSONL file of canonical messages, or - for standard input.")],
    as_of: Annotated[str | None, typer.Option(help="Moment to judge at; RFC 3339.")] = None,
    known_by: Annotated[list[str] | None, typer.Option(help="Knowledge cut; give it twice with --diff.")] = None,
    profile: Annotated[str, typer.Option(help="Profile name or .toml file.")] = "hunan",
    only_cases: Annotated[
        list[str] | None, typer.Option(help="Only these cases; repeat, or separate by commas.")
    ] = None,
    diff: Annotated[bool, typer.Option("--diff", help="What two knowledge times judge differently.")] = False,
) -> None:
    """Cards from messages, without a database."""
    from etl.runs import judging

    rows, rejected = _read_messages(messages, {case for text in only_cases or () for case in text.split(",")})
    known = [_moment(text, "--known-by") for text in known_by or ()]
    if diff:
        if len(known) != 2:
            raise UsageError("--diff needs --known-by twice")
        result = judging.diff(rows, _moment(as_of, "--as-of") if as_of else None, known[0], known[1], profile)
    else:
        if as_of is None or len(known) > 1:
            raise UsageError("give --as-of, and --known-by at most once")
        result = judging.cards(rows, _moment(as_of, "--as-of"), known[0] if known else None, profile)
    for card in result:
        _print(card)
    raise typer.Exit(1 if rejected else 0)


@app.command()
def explain(
    case_no: str,
    as_of: Annotated[str | None, typer.Option(help="Moment to judge at; default: the last judged night.")] = None,
    known_by: Annotated[str | None, typer.Option(help="Knowledge cut; default: --as-of.")] = None,
    messages: Annotated[str | None, typer.Option(help="JSONL of messages instead of the ledger.")] = None,
    profile: Annotated[str | None, typer.Option(help="Profile; default: the source's own, hunan for a file.")] = None,
    as_json: Json = False,
) -> None:
    """Explain one case day by day."""
    from etl.runs import judging, nightly
    from etl.supervision.explain import as_text

    rows = _read_messages(messages, {case_no})[0] if messages else None
    moment = _moment(as_of, "--as-of") if as_of else None
    ledger = judging.explain(case_no, moment, _moment(known_by, "--known-by") if known_by else moment, rows, profile)
    _print(ledger) if as_json else typer.echo(as_text(ledger, nightly.titles()))


@app.command()
def night(
    on: Annotated[str, typer.Option("--date", help="Business date of the night, e.g. 2026-11-22.")],
    source: Sources = None,
    notify: Annotated[Literal["auto", "never"], typer.Option(help="never: tell nobody, for good.")] = "auto",
    as_of: Annotated[str | None, typer.Option(help="Only report the cards as of this moment; writes nothing.")] = None,
) -> None:
    """Run one night: pull, admit, judge, trace, notify. Exit 3 when a source was incomplete."""
    from etl.runs import nightly

    if as_of is not None:
        _print(nightly.judge(_date(on), as_of=_moment(as_of, "--as-of")))
        return
    result = nightly.run(_date(on), source, mode=notify)
    _print(result)
    if result["incomplete"] or result["admit"].get("failed_sources"):
        raise typer.Exit(3)
    raise typer.Exit(1 if result["admit"].get("quarantined") else 0)


@app.command()
def week(week: Annotated[str, typer.Option(help="ISO week, e.g. 2026-W47.")]) -> None:
    """Compile the week's bulletin; an issued one is returned unchanged."""
    from etl.runs import weekly

    _print(weekly.compile_bulletin(week))


@app.command()
def status(as_json: Json = False) -> None:
    """Feeds, cards and outbox at a glance."""
    from etl.runs import overview

    facts = overview.status()
    _print(facts) if as_json else typer.echo(overview.as_text(facts))


@app.command()
def doctor() -> None:
    """Say what is missing: database, calendar, recipients, mail server, fonts. Exit 4 when a night would fail."""
    from etl.runs import checkup

    findings = checkup.doctor()
    for finding in findings:
        state = "正常" if finding.is_fine else "缺少" if finding.is_fatal else "注意"
        typer.echo(f"{state}　{finding.title}：{finding.detail}")
    raise typer.Exit(4 if any(finding.is_fatal and not finding.is_fine for finding in findings) else 0)


@app.command()
def watch(
    on: Annotated[str | None, typer.Option("--date", help="Business date; default: last night.")] = None,
) -> None:
    """Dead-man check: tell operators when last night has not finished by the hour set. Exit 3 when it has not."""
    from etl.runs import checkup

    missing = checkup.night_watch(_date(on) if on else None)
    typer.echo(missing or "昨夜监察已完成")
    raise typer.Exit(3 if missing else 0)


@app.command()
def demo(
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start over: drop what an earlier demonstration left.")
    ] = False,
) -> None:
    """Run the demonstration city through its nights, the last one through Airflow, and print a summary."""
    from etl.runs import demonstration

    typer.echo(demonstration.run(fresh=fresh))


@app.command()
def up(port: Annotated[int, typer.Option(help="Port of the Airflow UI.")] = 8080) -> None:
    """Airflow with its UI on the embedded database and the demonstration data; Ctrl-C stops everything."""
    from etl.runs import demonstration

    raise typer.Exit(demonstration.serve_airflow(port))


@source_app.command("list")
def source_list() -> None:
    """Registered sources."""
    from etl import sources

    for name in sources.names():
        declared = sources.get(name)
        typer.echo(f"{name}\t{declared.title}\t{type(declared.kind).__name__}\t{declared.in_force_from} 起施行")


@source_app.command("replay")
def source_replay(
    name: str,
    on: Annotated[str, typer.Option("--date", help="Night from which replayed rows count as known.")],
) -> None:
    """Read the source's quarantined rows again with today's module; what passes is admitted."""
    from etl import sources
    from etl.runs import admission

    counts = admission.replay(sources.get(name), _date(on))
    _print(counts)
    raise typer.Exit(1 if counts["still_quarantined"] else 0)


@ledger_app.command("digest")
def ledger_digest(
    facts: Annotated[bool, typer.Option("--facts", help="Messages without knowledge time.")] = False,
    ledger: Annotated[bool, typer.Option("--ledger", help="Everything (default).")] = False,
) -> None:
    """One SHA-256 over a canonical dump."""
    from etl.store.digest import digest
    from etl.store.engine import engine

    if facts and ledger:
        raise UsageError("choose --facts or --ledger")
    typer.echo(digest(engine(), "facts" if facts else "ledger"))


@ledger_app.command("migrate")
def ledger_migrate() -> None:
    """Bring the ledger's schema up to date and load the packaged calendar."""
    from etl.runs import overview

    overview.prepare()


@ledger_app.command("verify")
def ledger_verify() -> None:
    """Walk the evidence chain; exit 4 when it is broken."""
    from etl.store.engine import engine
    from etl.store.evidence import verify

    with engine().connect() as connection:
        typer.echo(verify(connection))


@notices_app.command("send")
def notices_send() -> None:
    """Hand over every mail that is ready, as notify_mode says."""
    from etl.publish import sender
    from etl.settings import settings
    from etl.store.engine import engine

    _print(sender.deliver(engine(), settings().notify_mode))


@notices_app.command("held")
def notices_held() -> None:
    """Mails of which nobody knows whether the server took them; a person decides."""
    from etl.publish import notices
    from etl.store.engine import engine

    for held in notices.held(engine()):
        _print(held)


@notices_app.command("settle")
def notices_settle(
    key: Annotated[str, typer.Argument(help="notice_key as `notices held` prints it.")],
    is_delivered: Annotated[bool, typer.Option("--delivered/--not-delivered", help="What a person found out.")],
) -> None:
    """A person's word on a held mail: it was delivered, or it goes out again."""
    from etl.publish import notices
    from etl.store.engine import engine

    notices.settle(engine(), key, is_delivered=is_delivered)


@notices_app.command("preview")
def notices_preview(on: Annotated[str, typer.Option("--date", help="Business date.")]) -> None:
    """What tonight's notices would say; nothing is claimed or sent."""
    from etl.publish import notices
    from etl.runs import nightly
    from etl.store.engine import engine

    for preview in notices.preview(engine(), _date(on), nightly.titles()):
        _print(preview)


@reference_app.command("import")
def reference_import(paths: list[Path]) -> None:
    """Import departments, items or recipients from .csv or .xlsx. Exit 1 when rows were rejected."""
    from etl.store.engine import engine
    from etl.store.reference import import_file

    rejected_all = []
    for path in paths:
        stored, rejected = import_file(engine(), path)
        typer.echo(f"{path.name}: {stored} new rows")
        rejected_all += rejected
    for text in rejected_all:
        typer.echo(text, err=True)
    raise typer.Exit(1 if rejected_all else 0)


@backfill_app.command("plan")
def backfill_plan(
    first: Annotated[str, typer.Option("--from")], last: Annotated[str, typer.Option("--to")], source: Sources = None
) -> None:
    """What a backfill of these nights would find; writes nothing."""
    from etl.runs import backfill

    for row in backfill.plan(_date(first), _date(last), source):
        _print(row)


@backfill_app.command("diff")
def backfill_diff(
    first: Annotated[str, typer.Option("--from")], last: Annotated[str, typer.Option("--to")], source: Sources = None
) -> None:
    """How today's knowledge judges these nights differently from what was known then."""
    from etl.runs import backfill

    for row in backfill.diff(_date(first), _date(last), source):
        _print(row)


def main() -> None:
    """Entry point: errors of ours end with one line and their exit code; anything else is internal, exit 5."""
    import structlog

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        app(standalone_mode=True)
    except JianchaError as error:
        typer.echo(f"jiancha: {error}", err=True)
        raise SystemExit(error.exit_code) from None
    except Exception as error:
        if problem := _database_problem(error):
            typer.echo(f"jiancha: {problem}", err=True)
        else:
            traceback.print_exc()
        raise SystemExit(JianchaError.exit_code) from None


def _database_problem(error: Exception) -> str | None:
    """One line about a ledger that does not answer or has no tables yet; None for anything else."""
    from psycopg.errors import UndefinedTable
    from sqlalchemy.exc import DBAPIError, OperationalError

    if isinstance(error, OperationalError):
        advice = "check JIANCHA_DATABASE_URL"
    elif isinstance(error, DBAPIError) and isinstance(error.orig, UndefinedTable):
        advice = "run `jiancha ledger migrate`"
    else:
        return None
    return f"the ledger's database: {str(error.orig).strip().splitlines()[0]}; {advice}"


def _read_messages(path: str, only: set[str]) -> tuple[list[dict[str, Any]], int]:
    """Flat rows of a JSONL file and how many lines were rejected (each said on stderr)."""
    from etl.domain.message import distinct, parse

    parsed, numbers, rejected = [], [], []
    for number, line in enumerate(_lines(path), 1):
        try:
            row = parse(_json_or_text(line))
        except RecordRejected as error:
            rejected.append((number, error))
            continue
        if not only or row["case_no"] in only:
            parsed.append(row)
            numbers.append(number)
    rows = []
    for position, told in distinct(parsed):
        if isinstance(told, RecordRejected):
            rejected.append((numbers[position], told))
        else:
            rows.append(told)
    for number, reason in sorted(rejected, key=lambda pair: pair[0]):
        typer.echo(f"line {number}: {reason}", err=True)
    return rows, len(rejected)


def _lines(path: str) -> Iterator[bytes]:
    if path == "-":
        yield from (line for line in sys.stdin.buffer if line.strip())
        return
    try:
        file: IO[bytes]
        with Path(path).open("rb") as file:
            yield from (line for line in file if line.strip())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None


def _json_or_text(line: bytes) -> object:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return f"not JSON: {line[:60].decode(errors='replace').strip()}"


def _moment(text: str, option: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text!r} is not an RFC 3339 instant") from None
    if moment.tzinfo is None:
        raise UsageError(f"{option} {text!r} has no offset; add one such as +08:00")
    return moment


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a date such as 2026-11-22") from None


def _print(value: object) -> None:
    sys.stdout.buffer.write(orjson.dumps(value, default=str) + b"\n")


if __name__ == "__main__":
    main()
