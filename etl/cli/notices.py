"""`jiancha notices`: mails of the outbox."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.cli.arguments import date_of, print_json

app = typer.Typer(no_args_is_help=True, help="通知")


@app.command("send")
def notices_send() -> None:
    """Hand over every mail that is ready, as notify_mode says; exit 4 when the evidence chain is broken."""
    from etl.publish import sender
    from etl.settings import settings
    from etl.store.engine import engine
    from etl.store.evidence import verify

    with engine().connect() as connection:
        verify(connection)
    print_json(sender.deliver(engine(), settings().notify_mode))


@app.command("held")
def notices_held() -> None:
    """Mails of which nobody knows whether the server took them; a person decides."""
    from etl.publish import notices
    from etl.store.engine import engine

    for held in notices.held(engine()):
        print_json(held)


@app.command("settle")
def notices_settle(
    key: Annotated[str, typer.Argument(help="notice_key as `notices held` prints it.")],
    is_delivered: Annotated[bool, typer.Option("--delivered/--not-delivered", help="What a person found out.")],
) -> None:
    """A person's word on a held mail: it was delivered, or it goes out again."""
    from etl.publish import notices
    from etl.store.engine import engine

    notices.settle(engine(), key, is_delivered=is_delivered)


@app.command("preview")
def notices_preview(on: Annotated[str, typer.Option("--date", help="Business date.")]) -> None:
    """What tonight's notices would say; nothing is claimed or sent."""
    from etl.publish import notices
    from etl.runs import ways
    from etl.store.engine import engine

    for preview in notices.preview(engine(), date_of(on), ways.titles()):
        print_json(preview)
