"""The quality report of a night, from what is stored of it: every source's rules, failures, samples and trends."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

from etl import sources
from etl.domain.chinese import SEVERITY
from etl.domain.night import cutoff_at, nights
from etl.errors import UsageError
from etl.publish import quality_page
from etl.publish.files import write_file
from etl.publish.privacy import redact
from etl.publish.wording import percent
from etl.settings import settings
from etl.store import quality
from etl.store.disk import private
from etl.store.engine import engine

Report = dict[str, Any]


def report(business_on: date | None = None, only: Collection[str] = ()) -> Report:
    """What was found in a night, the last one by default.

    Returns:
        business_on, data_until, nights (of the trends, oldest first), and per source: source, title, checked_rows,
        rules (suite, rule, title, basis, severity, checked_rows, failed_rows, samples, first_on, trend: per night
        [checked, failed] or null; failing ones first), volumes (kind, row_count, usual_count, trend: counts or null).

    Raises:
        UsageError: nothing was checked in that night.
    """
    night, results, volumes = quality.of_night(engine(), business_on, sorted(only))
    if not results:
        raise UsageError(f"nothing was checked in the night of {night}; name another one")
    return _told(night, results, volumes)


def write(business_on: date) -> Path | None:
    """The night's page as a file below `var/quality/` -> where it lies; None: nothing was checked in that night."""
    night, results, volumes = quality.of_night(engine(), business_on, ())
    if not results:
        return None
    path = page_of(night)
    private(path.parent)
    write_file(path, quality_page.page(_told(night, results, volumes)))
    return path


def page_of(night: date) -> Path:
    """Where a night's page lies."""
    return settings().var_dir / "quality" / f"quality-{night}.html"


def _told(night: date, results: list[dict[str, Any]], volumes: list[dict[str, Any]]) -> Report:
    first = date.fromordinal(night.toordinal() - quality.TREND_NIGHTS + 1)
    span = list(nights(first, night))
    parts = {
        name: [_rule(row, span) for row in rows] for name, rows in groupby(results, key=lambda row: str(row["source"]))
    }
    counted = {
        name: [_volume(row, span) for row in rows]
        for name, rows in groupby(volumes, key=lambda row: str(row["source"]))
    }
    return {
        "business_on": night,
        "data_until": cutoff_at(night, settings().cutoff),
        "nights": span,
        "sources": [
            {
                "source": name,
                "title": sources.get(name).title if name in sources.names() else name,
                "checked_rows": max(row["checked_rows"] for row in rules),
                "rules": sorted(rules, key=_worst_first),
                "volumes": counted.get(name, []),
            }
            for name, rules in parts.items()
        ],
    }


def as_text(found: Report) -> str:
    """The report for people: what failed, by source."""
    lines = [f"数据质量：{found['business_on']} 之夜"]
    for source in found["sources"]:
        failing = [rule for rule in source["rules"] if rule["failed_rows"]]
        lines += ["", f"{source['title']}　检查 {source['checked_rows']} 条，{len(failing)} 项规则有不合格"]
        for rule in failing:
            rate = percent(rule["failed_rows"], rule["checked_rows"])
            lines.append(
                f"  {SEVERITY[rule['severity']]}　{redact(rule['title'])}　不合格 {rule['failed_rows']}／"
                f"{rule['checked_rows']}（{rate}）　{rule['first_on']} 首次发现"
            )
            lines += [f"      例 {redact(sample)}" for sample in rule["samples"]]
    return "\n".join(lines)


def _rule(row: dict[str, Any], span: Sequence[date]) -> Report:
    told = {
        night: [checked, failed]
        for night, checked, failed in zip(row.pop("nights"), row.pop("checked"), row.pop("failed"), strict=True)
    }
    return {**row, "trend": [told.get(night) for night in span]}


def _volume(row: dict[str, Any], span: Sequence[date]) -> Report:
    told = dict(zip(row.pop("nights"), row.pop("counts"), strict=True))
    return {**row, "trend": [told.get(night) for night in span]}


def _worst_first(rule: Report) -> tuple[Any, ...]:
    return (
        not rule["failed_rows"],
        list(SEVERITY).index(rule["severity"]),
        -rule["failed_rows"] / max(rule["checked_rows"], 1),
        rule["suite"],
        rule["rule"],
    )
