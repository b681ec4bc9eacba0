"""四 数据推送情况: how fast records moved, where they stood still, and which cards were the data's fault."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection

from etl.domain.chinese import FEED, LEVEL
from etl.domain.night import nights
from etl.publish.chapter import Chapter, Section, Table, Week
from etl.publish.privacy import one_line
from etl.publish.wording import ENTRY, NONE, duration, minute, percent, silence, titled
from etl.store import feeds, outbox

NO_RECORD = "无记录"


def compile(connection: Connection, week: Week) -> Chapter:
    """Links, standstills, cards withdrawn as push delay, and the state of every feed on each night."""
    links = outbox.rows(connection, "week_links", **week.parameters())
    standstills = outbox.rows(connection, "week_standstills", **week.parameters())
    reassigned = outbox.rows(connection, "week_reassigned", **week.parameters())
    pushed = [row for row in links if not row["hop"].startswith(ENTRY)]
    sent, late = (sum(row[column] for row in pushed) for column in ("message_count", "late_count"))
    withdrawn = sum(row[level] for row in reassigned for level in LEVEL)
    return Chapter(
        paragraphs=(
            f"本周各链路推送 {sent} 条次，迟报 {late} 条次，迟报率 {percent(late, sent)}；"
            f"因推送延时撤回红黄牌与预警 {withdrawn} 张（次），责任转由所列环节承担。",
            *(
                f"静默：{titled(row['source'], week.titles)}自 {silence(row['first_on'], row['working_days'])}，"
                "其间接口正常应答，须查明原因并补报。"
                for row in feeds.silent(connection, week.last)
            ),
        ),
        tables=(
            Table(
                "各链路时延",
                ("数据源", "环节", "条数", "迟报", "迟报率", "P50", "P95", "最长"),
                tuple(
                    (
                        titled(row["source"], week.titles),
                        titled(row["hop"], week.titles),
                        str(row["message_count"]),
                        str(row["late_count"]),
                        percent(row["late_count"], row["message_count"]),
                        *(duration(row[column]) for column in ("p50_seconds", "p95_seconds", "max_seconds")),
                    )
                    for row in links
                ),
                ("条数", "迟报", "迟报率", "P50", "P95", "最长"),
                "按本周入库的消息逐条计算，含休息时间；“录入”为业务发生至写入本系统。",
            ),
            Table(
                "最长停滞",
                ("数据源", "停滞起", "恢复", "时长", "恢复时到达"),
                tuple(
                    (
                        titled(row["source"], week.titles),
                        minute(row["began_at"]),
                        minute(row["ended_at"]),
                        duration(row["seconds"]),
                        f"{row['arrived']} 条",
                    )
                    for row in standstills
                ),
                ("时长", "恢复时到达"),
                "停滞指已有记录待推送而无一到达的时段。",
            ),
            Table(
                "因推送延时撤回的牌",
                ("原发牌部门", "责任环节", "红牌", "黄牌", "预警"),
                tuple(
                    (
                        one_line(row["department"] or NONE),
                        titled(row["responsible_hop"], week.titles),
                        *(str(row[level]) for level in LEVEL),
                    )
                    for row in reassigned
                ),
                ("红牌", "黄牌", "预警"),
            ),
            _feeds(connection, week),
        ),
    )


def _feeds(connection: Connection, week: Week) -> Table:
    states: dict[str, dict[date, str]] = {}
    for row in outbox.rows(connection, "week_feeds", **week.parameters()):
        states.setdefault(row["source"], {})[row["business_on"]] = FEED[row["state"]]
    days = tuple(nights(week.first, week.last))
    return Table(
        "数据接入逐日状态",
        ("数据源", *(f"{on:%m-%d}" for on in days)),
        tuple(
            (titled(source, week.titles), *(found.get(on, NO_RECORD) for on in days))
            for source, found in states.items()
        ),
    )


SECTION = Section(4, "数据推送情况", compile)
