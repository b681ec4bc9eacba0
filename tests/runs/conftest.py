"""A ledger with calendar and recipients, and the three feeds a night reads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import Engine

from etl import sources
from etl.sources.contract import Source
from tests.quality.unchecked import unchecked
from tests.runs.world import Drop, Exchange, Platform


@pytest.fixture
def expectations() -> None:
    """A test that asks for it looks at what expectations say."""


@pytest.fixture(autouse=True)
def unasked(request: pytest.FixtureRequest) -> Iterator[None]:
    """The nights of other tests ask none, which would take half their time."""
    with nullcontext() if "expectations" in request.fixturenames else unchecked():
        yield


@dataclass
class Feeds:
    """What the three registered departments deliver."""

    scjg: Platform
    rsj: Exchange
    zrzy: Drop


@pytest.fixture
def ready(ledger: Engine) -> Engine:
    """The ledger with the packaged calendar."""
    from etl.store import calendars

    calendars.seed(ledger)
    return ledger


@pytest.fixture
def platform(ready: Engine, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Platform:
    """scjg alone is connected."""
    served = Platform()
    monkeypatch.setenv("JIANCHA_CONNECTION_SCJG", served.serve(httpserver))
    return served


@pytest.fixture
def exchange(embedded_var: Path, ready: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exchange]:
    from etl.store.engine import embedded_url

    url = embedded_url(embedded_var, f"exchange_{os.getpid()}")
    monkeypatch.setenv("JIANCHA_CONNECTION_RSJ", url)
    served = Exchange.at(url)
    yield served
    for table in served.tables.values():
        table.drop(served.engine)
    served.engine.dispose()


@pytest.fixture
def drop(ready: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Drop:
    folder = tmp_path / "zrzy"
    folder.mkdir()
    monkeypatch.setenv("JIANCHA_CONNECTION_ZRZY", str(folder))
    return Drop(folder)


@pytest.fixture
def feeds(platform: Platform, exchange: Exchange, drop: Drop) -> Feeds:
    """All three are connected."""
    return Feeds(platform, exchange, drop)


@pytest.fixture
def altered(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Source]:
    """Change what a registered module declares, as an edit of its file would."""
    changed: dict[str, Source] = {}
    registered = sources.get

    def alter(name: str, **fields: object) -> Source:
        changed[name] = replace(changed.get(name) or registered(name), **fields)  # type: ignore[arg-type]
        return changed[name]

    monkeypatch.setattr(sources, "get", lambda name: changed.get(name) or registered(name))
    return alter


@pytest.fixture
def another_ledger(
    fresh_ledger: Callable[[str], str], ready: Engine, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Engine]]:
    """Go on with a ledger that knows nothing yet; the test's own ledger stays where it is."""
    from etl.settings import settings
    from etl.store import calendars
    from etl.store import engine as engine_module

    made: list[Engine] = []

    def make() -> Engine:
        monkeypatch.setenv("JIANCHA_DATABASE_URL", fresh_ledger(f"{ready.url.database}_{len(made)}"))
        settings.cache_clear()
        engine_module.engine.cache_clear()
        made.append(engine_module.engine())
        calendars.seed(made[-1])
        return made[-1]

    yield make
    for engine in made:
        engine.dispose()


@pytest.fixture
def addressed(ready: Engine, tmp_path: Path) -> None:
    """Everybody a night writes to."""
    from etl.store.reference import import_file

    tables = {
        "departments": (
            "code,name,region,valid_from",
            f"{sources.get('scjg').department},区市监局,511602,2020-01-01",
        ),
        "recipients": (
            "recipient_id,name,email,role,department,valid_from",
            f"lin,林某,lin@scjg.example,department,{sources.get('scjg').department},2020-01-01",
            "zhou,周某,zhou@supervision.example,supervision,,2020-01-01",
            "ops,值班,ops@supervision.example,operations,,2020-01-01",
        ),
    }
    for name, lines in tables.items():
        path = tmp_path / f"{name}.csv"
        path.write_text("\n".join(lines), encoding="utf-8")
        assert import_file(ready, path) == (len(lines) - 1, [])
