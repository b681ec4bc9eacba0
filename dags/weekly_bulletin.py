"""The week: compile and freeze the bulletin of the ISO week that has just ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import ExceptionRetryPolicy, Param, RetryAction, dag, task
from airflow.sdk.exceptions import AirflowFailException
from working_day_timetable import WorkingDayTimetable

ZONE = ZoneInfo("Asia/Shanghai")
# A worker that dies is retried; an error in the bulletin is not, because trying again would not help.
NO_ERROR = ExceptionRetryPolicy([], default=RetryAction.FAIL)


@dag(
    schedule=WorkingDayTimetable(),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 1, "retry_policy": NO_ERROR, "execution_timeout": timedelta(hours=1)},
    params={
        "week": Param(
            None,
            title="周次",
            description="如 2026-W47；留空：数据区间所属的一周。补跑不得填写。",
            type=["null", "string"],
            pattern=r"^\d{4}-W\d{2}$",
        )
    },
    dag_display_name="电子监察周报",
    doc_md=__file__.replace(".py", ".md"),
    tags=["电子监察", "每周"],
)
def weekly_bulletin() -> None:
    @task(task_display_name="编制周报")
    def compile_bulletin(params: Any, dag_run: Any) -> None:
        from etl.runs import weekly

        asked, start = params["week"], dag_run.data_interval_start
        if (asked and dag_run.run_type == "backfill") or (not asked and start is None):
            raise AirflowFailException("周次不明：没有数据区间的运行须填写 week，补跑不得填写")
        weekly.compile_bulletin(asked or f"{start.astimezone(ZONE):%G-W%V}")

    compile_bulletin()


weekly_bulletin()
