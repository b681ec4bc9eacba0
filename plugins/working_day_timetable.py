"""When the weekly bulletin is due: 08:30 on the first working day after the week, make-up working days included."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from airflow.plugins_manager import AirflowPlugin
from airflow.timetables.base import DagRunInfo, DataInterval, Timetable
from pendulum import instance

if TYPE_CHECKING:
    from airflow.timetables.base import TimeRestriction
    from airflow.utils.types import DagRunType
    from pendulum import DateTime

ZONE = ZoneInfo("Asia/Shanghai")
WEEK = timedelta(days=7)


@cache
def first_working_day(day: date) -> date:
    """`day`, or the next day offices are open, by the calendar shipped with the package (no database is asked)."""
    from etl.store.calendars import packaged

    calendar = packaged().cn()
    while not calendar.is_working_day(day):
        day += timedelta(days=1)
    return day


class WorkingDayTimetable(Timetable):
    """One run per ISO week, interval Monday 00:00 to Monday 00:00, started on the first working day after it.

    A week without any working day (Spring Festival) leaves two weeks due at the same moment: both run, in order,
    and a run is therefore named after its week, not after the moment it starts.
    """

    def __init__(self, at: time = time(8, 30)) -> None:
        self.at = at
        self.description = f"每周首个工作日 {at:%H:%M}（含调休上班日），处理上一周"

    @property
    def summary(self) -> str:
        return f"每周首个工作日 {self.at:%H:%M}"

    def serialize(self) -> dict[str, Any]:
        return {"at": self.at.isoformat()}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> WorkingDayTimetable:
        return cls(time.fromisoformat(data["at"]))

    def due_at(self, monday: date) -> datetime:
        """When the week starting on `monday` is processed."""
        return datetime.combine(first_working_day(monday + WEEK), self.at, tzinfo=ZONE)

    def latest_due(self, now: datetime) -> date:
        """Monday of the earliest week among those due at the latest moment that is not after `now`."""
        monday = _monday(now) - WEEK
        while self.due_at(monday) > now:
            monday -= WEEK
        while self.due_at(monday - WEEK) == self.due_at(monday):
            monday -= WEEK
        return monday

    def next_due(self, now: datetime) -> date:
        """Monday of the first week that is due after `now`."""
        monday = self.latest_due(now)
        while self.due_at(monday) <= now:
            monday += WEEK
        return monday

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        now = datetime.now(ZONE)
        if last_automated_data_interval is not None:
            monday = _monday(last_automated_data_interval.end)
        elif restriction.earliest is not None:
            # Compared as Shanghai dates: a form that sends midnight UTC still means that Monday.
            monday = _monday(restriction.earliest + timedelta(days=6))
        else:
            # A bulletin is frozen once issued: going live must not issue one for a week nobody recorded.
            monday = self.next_due(now)
        if not restriction.catchup:
            monday = max(monday, self.latest_due(now))
        if restriction.latest is not None and monday > restriction.latest.astimezone(ZONE).date():
            return None
        return DagRunInfo(run_after=instance(self.due_at(monday)), data_interval=_week(monday))

    def infer_manual_data_interval(self, *, run_after: DateTime) -> DataInterval:
        return _week(_monday(run_after) - WEEK)

    def generate_run_id(
        self, *, run_type: DagRunType, run_after: DateTime, data_interval: DataInterval | None, **_: Any
    ) -> str:
        if data_interval is None or run_type == "manual":
            return super().generate_run_id(run_type=run_type, run_after=run_after, data_interval=data_interval)
        year, week, _ = data_interval.start.astimezone(ZONE).date().isocalendar()
        return run_type.generate_run_id(suffix=f"{year}-W{week:02d}")


def _monday(moment: datetime) -> date:
    day = moment.astimezone(ZONE).date()
    return day - timedelta(days=day.weekday())


def _week(monday: date) -> DataInterval:
    start = datetime.combine(monday, time(), tzinfo=ZONE)
    return DataInterval(start=instance(start), end=instance(start + WEEK))


class WorkingDayTimetablePlugin(AirflowPlugin):
    """Registers the timetable, so that the scheduler can rebuild it from its serialised form."""

    name = "working_day_timetable"
    timetables = [WorkingDayTimetable]  # noqa: RUF012 -- Airflow's own interface
