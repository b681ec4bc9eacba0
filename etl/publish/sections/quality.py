"""五 数据质量: what rules other than time found, and which records were refused."""

from __future__ import annotations

from sqlalchemy import Connection

from etl.publish.chapter import Chapter, Section, Table, Week
from etl.publish.privacy import one_line, redact
from etl.publish.wording import NONE, titled
from etl.store import outbox


def compile(connection: Connection, week: Week) -> Chapter:
    """Findings by department and rule, refused rows by source."""
    findings = outbox.rows(connection, "week_findings", **week.parameters())
    refused = outbox.rows(connection, "week_quality", **week.parameters())
    opened, cleared = (sum(row[name] for row in findings) for name in ("opened", "cleared"))
    return Chapter(
        paragraphs=(
            f"本周新发现时限以外的问题 {opened} 项，消除 {cleared} 项；"
            f"隔离不合格记录 {sum(row['refused'] for row in refused)} 条。",
        ),
        tables=(
            Table(
                "发现的问题",
                ("部门", "问题", "依据", "新增", "消除"),
                tuple(
                    (
                        one_line(row["department"] or NONE),
                        redact(row["title"]),
                        redact(row["basis"]),
                        str(row["opened"]),
                        str(row["cleared"]),
                    )
                    for row in findings
                ),
                ("新增", "消除"),
                "事项本身的问题按事项计，其余按记录计。",
            ),
            Table(
                "隔离的记录",
                ("数据源", "隔离", "更正后入库"),
                tuple(
                    (titled(row["source"], week.titles), str(row["refused"]), str(row["replayed"])) for row in refused
                ),
                ("隔离", "更正后入库"),
                "同一行因同一内容多次报送只计一次。",
            ),
        ),
    )


SECTION = Section(5, "数据质量", compile)
