"""What one nightly run is asked to do: the form a person fills in, and what an unfilled form means."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowFailException

from etl import sources

ZONE = ZoneInfo("Asia/Shanghai")
SOURCES = sources.names()
PARAMS = {
    "business_on": Param(
        None,
        title="业务日期",
        description="留空：数据区间所属的业务日（手动运行即最近一个已截止的业务日）。补跑不得填写。",
        type=["null", "string"],
        format="date",
    ),
    "sources": Param(
        None,
        title="来源",
        description="只拉取、入库这些来源；留空为全部。判定始终覆盖全部来源。",
        type=["null", "array"],
        items={"type": "string", "enum": SOURCES},
        examples=SOURCES,
    ),
    "notify": Param(
        "auto",
        title="通知",
        description="auto：有新情况即通知；never：不通知。补跑一律不通知。",
        type="string",
        enum=["auto", "never"],
        values_display={"auto": "有新情况即通知（auto）", "never": "不通知（never）"},
    ),
    "recompute_only": Param(
        False, title="只重新判定", description="跳过拉取与入库，用已入库的数据再判一次。", type="boolean"
    ),
    "as_of": Param(
        None,
        title="判定时刻",
        description="只看此时刻的红黄牌，不写入不通知；须带时区，如 2026-11-23T01:00:00+08:00。留空：截止时刻。",
        type=["null", "string"],
        format="date-time",
    ),
}


def business_date(params: Any, dag_run: Any) -> date:
    """The night a run is about: as asked for, else the latest night closed when the run's data interval ended."""
    if params["business_on"] and dag_run.run_type != "backfill":
        return date.fromisoformat(params["business_on"])
    if params["business_on"] or dag_run.data_interval_start is None:
        raise AirflowFailException("业务日期不明：没有数据区间的运行须填写 business_on，补跑不得填写")
    # Night D is open until D+1 01:00. A scheduled interval starts at D 01:00; one started by hand that begins at
    # D 00:30 ends half an hour before D closes, so it means D-1.
    return (dag_run.data_interval_start.astimezone(ZONE) - timedelta(hours=1)).date()


def judged_at(params: Any) -> datetime | None:
    """The as-of asked for, None for the cut-off; without an offset the same text means eight hours more or less."""
    if not params["as_of"]:
        return None
    instant = datetime.fromisoformat(params["as_of"])
    if instant.tzinfo is None:
        raise AirflowFailException(f"判定时刻 {params['as_of']} 没有时区，请写成如 2026-11-23T01:00:00+08:00")
    return instant


def notify_mode(params: Any, dag_run: Any) -> str:
    """`auto` or `never`; a past night run again, or a look at another moment, never mails."""
    return "never" if dag_run.run_type == "backfill" or params["as_of"] else params["notify"]


def counts(result: dict[str, Any]) -> dict[str, int]:
    """What may enter Airflow's own database: numbers, nothing secret or personal.

    Sources that could not be admitted do not stop the verb that counted them, but they must turn its task red.
    """
    if result.get("failed_sources"):
        raise AirflowFailException(f"{result['failed_sources']} 个来源未能入库，当夜冻结；原因见日志")
    return {name: value for name, value in result.items() if isinstance(value, int)}
