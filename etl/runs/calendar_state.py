"""The ledger's calendars at a glance: what is announced, since when it is known, and what is provisional already."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np

from etl.domain.axis import Targets
from etl.domain.calendar import CalendarBook
from etl.domain.date_axis import DateAxis
from etl.domain.night import DAY_US, ZONE, from_us, to_us
from etl.domain.office_hours import EPOCH
from etl.store.calendars import stored
from etl.store.engine import engine

LIMIT_DAYS = 20
"""Working days of 行政许可法 art. 42."""


def state(on: date | None = None) -> dict[str, Any]:
    """Calendar `cn` and the regions' own rulings as known on a date (None: today)."""
    today = on or datetime.now(ZONE).date()
    book = stored(engine()).book("cn")
    calendar = book.known(today)
    notices: dict[str, dict[str, Any]] = {}
    for day in book.days:
        if day.known_from <= today:
            notice = notices.setdefault(day.notice, {"notice": day.notice, "known_from": day.known_from, "days": 0})
            notice["known_from"] = max(notice["known_from"], day.known_from)
            notice["days"] += 1
    provisional = np.flatnonzero(calendar.is_provisional)
    begins = None if not len(provisional) else date.fromordinal(int(provisional[0]) + calendar.first + EPOCH)
    return {
        "on": today,
        "version": calendar.version,
        "notices": sorted(notices.values(), key=lambda one: (one["notice"][:4], one["known_from"])),
        "next_year_announced": any(name[:4] == str(today.year + 1) for name in notices),
        "provisional_from": begins,
        "limit_days": LIMIT_DAYS,
        "provisional_for_accepted_from": None if begins is None else _first_reaching(book, today, begins),
        "regions": [
            {"region": place, "version": book.version(book.revision(today), place).version,
             "days": sum(row.known_from <= today for row in book.local_days.get(place, ())),
             "hours": sum(row.known_from <= today for row in book.office_hours.get(place, ()))}
            for place in book.places if place
        ],
    }  # fmt: skip


def _first_reaching(book: CalendarBook, known_on: date, begins: date) -> date:
    """The first acceptance date from which a limit of `LIMIT_DAYS` ends on `begins` or later."""
    axis = DateAxis(book.known(known_on), working=True)
    end = to_us(datetime(begins.year, begins.month, begins.day, tzinfo=ZONE))
    starts = np.arange(end - 70 * DAY_US, end, DAY_US)  # beyond the longest holidays
    target = axis.start(starts) + LIMIT_DAYS
    return from_us(int(starts[axis.due(Targets(target, target), starts) >= end][0])).date()


def as_text(facts: dict[str, Any]) -> str:
    """The state for people."""
    lines = [f"工作日历 {facts['version']}（{facts['on']} 已掌握）", "通知　　　掌握日期　　　天数"]
    lines += [f"{one['notice']}　{one['known_from']}　{one['days']}" for one in facts["notices"]]
    is_missing = "" if facts["next_year_announced"] else "未公布：通知发布后用 jiancha calendar import 导入"
    lines.append(f"{facts['on'].year + 1} 年放假安排{is_missing or '已公布'}")
    if facts["provisional_from"] is not None:
        lines.append(
            f"{facts['provisional_from']} 起的界限为暂定，不发红牌；{facts['provisional_for_accepted_from']} 起受理的 "
            f"{facts['limit_days']} 个工作日办件已受影响"
        )
    lines += [f"地区 {one['region']}：放假 {one['days']} 条，办公时间 {one['hours']} 条" for one in facts["regions"]]
    return "\n".join(lines)
