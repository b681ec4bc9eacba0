"""The quality report as one self-contained page: no script, no asset from elsewhere, trends as inline SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from etl.domain.chinese import KIND, SEVERITY
from etl.publish import render
from etl.publish.privacy import redact
from etl.publish.wording import day, minute, number, percent

_STEP, _HEIGHT, _MARGIN = 8, 26, 4


def page(report: Mapping[str, Any]) -> bytes:
    """A night's report (`etl.runs.quality_report.report`) -> HTML bytes, the same for the same report."""
    sources = [_source(source, report["nights"]) for source in report["sources"]]
    model = {
        "night": day(report["business_on"]),
        "data_until": minute(report["data_until"]),
        "first": day(report["nights"][0]),
        "sources": sources,
        "severities": list(SEVERITY.items()),
    }
    return render.text("quality.html", model=model).encode()


def _source(source: Mapping[str, Any], nights: Sequence[Any]) -> dict[str, Any]:
    rules = [_rule(rule, nights) for rule in source["rules"]]
    failing = [rule for rule in rules if rule["is_failing"]]
    return {
        "code": source["source"],
        "title": redact(source["title"]),
        "checked": source["checked_rows"],
        "rules": len([rule for rule in source["rules"] if rule["checked_rows"]]),
        "counts": {code: sum(rule["severity"] == code and rule["is_failing"] for rule in rules) for code in SEVERITY},
        "failing": failing,
        "passing": [rule for rule in rules if not rule["is_failing"] and rule["checked"]],
        "volumes": [_volume(volume, nights) for volume in source["volumes"]],
    }


def _rule(rule: Mapping[str, Any], nights: Sequence[Any]) -> dict[str, Any]:
    rates = [None if told is None or not told[0] else told[1] / told[0] for told in rule["trend"]]
    words = [None if told is None else f"{told[1]}／{told[0]}" for told in rule["trend"]]
    return {
        "severity": rule["severity"],
        "level": SEVERITY[rule["severity"]],
        "title": redact(rule["title"]),
        "basis": redact(rule["basis"]),
        "checked": rule["checked_rows"],
        "failed": rule["failed_rows"],
        "rate": percent(rule["failed_rows"], rule["checked_rows"]),
        "is_failing": bool(rule["failed_rows"]),
        "first_on": day(rule["first_on"]),
        "samples": [redact(sample) for sample in rule["samples"]],
        "line": _line(rates, words, nights),
    }


def _volume(volume: Mapping[str, Any], nights: Sequence[Any]) -> dict[str, Any]:
    usual = volume["usual_count"]
    return {
        "kind": KIND.get(volume["kind"], volume["kind"]),
        "count": volume["row_count"],
        "usual": "–" if usual is None else f"{usual:g}",
        "share": "–" if not usual else number(volume["row_count"] / usual),
        "line": _line(volume["trend"], volume["trend"], nights),
    }


def _line(values: Sequence[float | None], words: Sequence[object], nights: Sequence[Any]) -> dict[str, Any]:
    """A trend's geometry in pixels: runs of nights that follow one another, and a point per night with its words."""
    most = max((value for value in values if value is not None), default=0) or 1
    points: list[dict[str, Any]] = []
    runs: list[list[str]] = [[]]
    for place, (value, word, night) in enumerate(zip(values, words, nights, strict=True)):
        if value is None:
            runs.append([])
            continue
        x, y = _MARGIN + place * _STEP, round(_HEIGHT - _MARGIN - (_HEIGHT - 2 * _MARGIN) * value / most, 1)
        points.append({"x": x, "y": y, "says": f"{day(night)}：{word}"})
        runs[-1].append(f"{x},{y}")
    return {
        "width": 2 * _MARGIN + (len(values) - 1) * _STEP,
        "height": _HEIGHT,
        "base": _HEIGHT - _MARGIN,
        "runs": [" ".join(run) for run in runs if len(run) > 1],
        "points": points,
    }
