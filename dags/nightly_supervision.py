"""The night: pull, admit, judge, trace and reconcile, notify. Every task is one call into `etl.runs.nightly`."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any

from airflow.sdk import CronTriggerTimetable, ExceptionRetryPolicy, RetryAction, RetryRule, TaskGroup, conf, dag, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from dags.nightly_form import PARAMS, business_date, counts, judged_at, notify_mode


def nightly() -> Any:
    """The verbs; imported inside tasks only, because this file is parsed every few seconds."""
    return import_module("etl.runs.nightly")


def skip_a_look(params: Any) -> None:
    """A look at another moment only judges: whatever writes is skipped."""
    if params["as_of"]:
        raise AirflowSkipException("只看判定时刻的红黄牌")


@dag(
    schedule=CronTriggerTimetable("0 1 * * *", timezone="Asia/Shanghai", interval=timedelta(days=1)),
    catchup=False,
    max_active_runs=1,
    default_args={
        "retries": 2,
        # Named, although it is the default: the scheduler forgets that default for mapped tasks.
        "retry_delay": timedelta(seconds=conf.getint("core", "default_task_retry_delay")),
        "retry_policy": ExceptionRetryPolicy([RetryRule("etl.errors.SourceUnavailable")], default=RetryAction.FAIL),
        "execution_timeout": timedelta(hours=2),
    },
    params=PARAMS,
    dag_display_name="每夜电子监察",
    doc_md=__file__.replace(".py", ".md"),
    tags=["电子监察", "每夜"],
)
def nightly_supervision() -> None:
    @task(task_display_name="选定来源")
    def choose(params: Any) -> list[str]:
        if params["recompute_only"] or params["as_of"]:
            return []
        sources: list[str] = nightly().chosen(params["sources"])
        if not sources:
            raise AirflowFailException("没有一个来源配置了连接（JIANCHA_CONNECTION_…）")
        return sources

    @task(task_display_name="拉取", map_index_template="{{ task.op_kwargs['source'] }}")
    def pull(source: str, params: Any, dag_run: Any) -> dict[str, int]:
        return counts(nightly().pull(source, business_date(params, dag_run)))

    @task(task_display_name="校验入库", trigger_rule="all_done")
    def admit(params: Any, dag_run: Any) -> dict[str, int]:
        if params["recompute_only"]:
            raise AirflowSkipException("只重新判定")
        skip_a_look(params)
        return counts(nightly().admit(business_date(params, dag_run), params["sources"] or None))

    # What is not admitted is frozen, never judged as absent: so the other sources need not wait for it.
    @task(task_display_name="判定红黄牌", trigger_rule="all_done")
    def judge(params: Any, dag_run: Any) -> dict[str, int]:
        night, moment, mode = business_date(params, dag_run), judged_at(params), notify_mode(params, dag_run)
        return counts(nightly().judge(night, moment, mode, params["sources"] or None))

    @task(task_display_name="追踪推送延时", trigger_rule="all_done")
    def trace(params: Any) -> dict[str, int]:
        skip_a_look(params)
        return counts(nightly().trace())

    @task(task_display_name="系统对账", trigger_rule="all_done")
    def reconcile(params: Any, dag_run: Any) -> dict[str, int]:
        skip_a_look(params)
        return counts(nightly().reconcile(business_date(params, dag_run), params["sources"] or None))

    @task(task_display_name="通知", trigger_rule="none_failed")
    def notify(params: Any, dag_run: Any) -> dict[str, int]:
        return counts(nightly().notify(business_date(params, dag_run), mode=notify_mode(params, dag_run)))

    @task(task_display_name="值守", trigger_rule="one_failed", retries=0)
    def watch() -> None:
        raise AirflowFailException("有任务失败：见本次运行中标红的任务")

    with TaskGroup("collect", group_display_name="归集", prefix_group_id=False):
        pulled, admitted = pull.expand(source=choose()), admit()
    with TaskGroup("supervise", group_display_name="监察", prefix_group_id=False):
        judged, traced, reconciled = judge(), trace(), reconcile()
    pulled >> admitted >> judged >> traced >> reconciled
    [judged, traced, reconciled] >> (notified := notify())
    [pulled, admitted, judged, traced, reconciled, notified] >> watch()


nightly_supervision()
