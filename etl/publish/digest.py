"""Mail A, a department's daily digest: from told card events to the columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from etl.domain.chinese import CLOCK, EVENT, LEVEL, NATURE, nature
from etl.publish import render
from etl.publish.envelope import Attachment, Mail
from etl.publish.privacy import mask, one_line, redact
from etl.publish.wording import NONE, day, levels, limit, minute, number, plain, titled
from etl.publish.workbook import workbook
from etl.store.outbox import Row

INLINE_ROWS = 30
COLUMNS = (
    *("级别", "办件编号", "事项名称", "承办处室", "申请人", "受理时间", "承诺时限", "已用（日）", "超时（日）"),
    *("应办结日", "当前环节/责任人", "特殊程序扣除（日）", "超时性质", "推送时延", "状态"),
)
WITHDRAWN_COLUMNS = ("级别", "办件编号", "事项名称", "承办处室", "申请人", "撤回原因", "责任环节", "推送时延", "状态")
FINDING_COLUMNS = ("问题", "办件编号", "事项名称", "说明", "依据")
FIGURES = ("已用（日）", "超时（日）", "特殊程序扣除（日）")

Titles = Mapping[str, str]
Cells = tuple[str, ...]


@dataclass(frozen=True)
class Footer:
    """What a reader needs to check a mail against the ledger."""

    data_until: str
    profile_versions: str
    calendar_versions: str
    head_hash: str


def digest(
    department: str,
    night: date,
    rows: Sequence[Row],
    footer: Footer,
    titles: Titles,
    composed_at: Any,
    findings: Sequence[Row] = (),
) -> Mail:
    """Rows of ``publish/digest_rows`` of one department -> its mail, red first, at most 30 rows of a table inline.

    Args:
        findings: payloads {title, basis, case_no, item_name, detail} of what the other rules newly found.
    """
    standing, withdrawn = newest(rows)
    counts = Counter(row["level"] for row in standing)
    found = [_finding_cells(finding) for finding in findings]
    badges = levels(counts) + (f" 撤回{len(withdrawn)}" if withdrawn else "") + (f" 发现{len(found)}" if found else "")
    name = one_line(department)
    subject = f"【{badges.strip()}】{name} 电子监察日警报 {day(night)}"
    context = {
        "heading": f"{name} 电子监察日警报",
        "night": day(night),
        "counts": [(LEVEL[level], level, counts[level]) for level in LEVEL],
        "withdrawn_count": len(withdrawn),
        "columns": COLUMNS,
        "figures": FIGURES,
        "rows": [(row["level"], _standing_cells(row, titles)) for row in standing[:INLINE_ROWS]],
        "row_count": len(standing),
        "withdrawn_columns": WITHDRAWN_COLUMNS,
        "withdrawn": [(row["level"], _withdrawn_cells(row, titles)) for row in withdrawn[:INLINE_ROWS]],
        "finding_columns": FINDING_COLUMNS,
        "findings": found[:INLINE_ROWS],
        "finding_count": len(found),
        "footer": footer,
    }
    sheets: list[tuple[str, Sequence[str], Sequence[Cells]]] = [
        ("红黄牌与预警", COLUMNS, [_standing_cells(row, titles) for row in standing])
    ]
    if withdrawn:
        sheets.append(("撤回", WITHDRAWN_COLUMNS, [_withdrawn_cells(row, titles) for row in withdrawn]))
    if found:
        sheets.append(("发现的问题", FINDING_COLUMNS, found))
    note = f"数据截止 {footer.data_until} · 规则 {footer.profile_versions} · 日历 {footer.calendar_versions}"
    return Mail(
        subject,
        render.text("digest.txt", **context),
        render.mail_html("digest.html", **context),
        (Attachment(f"{name} 电子监察日警报 {day(night)}.xlsx", workbook(sheets, FIGURES, note, composed_at)),),
    )


def _finding_cells(finding: Row) -> Cells:
    return (
        redact(finding["title"]),
        one_line(finding["case_no"] or NONE),
        _free(finding["item_name"]),
        _free(finding["detail"]),
        redact(finding["basis"]),
    )


def newest(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """(standing, withdrawn): the newest event of each card; of a clock's standing cards only the highest level."""
    cards: dict[tuple[Any, ...], Row] = {}
    for row in sorted(rows, key=lambda row: (row["business_on"], row["seq"])):
        cards[*clock_of(row), row["level"]] = row
    latest = [row for row in rows if cards[*clock_of(row), row["level"]] is row]
    ranks = list(reversed(LEVEL))
    highest: dict[tuple[Any, ...], int] = {}
    for row in latest:
        if _stands(row):
            highest[clock_of(row)] = max(highest.get(clock_of(row), 0), ranks.index(row["level"]))
    standing = [row for row in latest if _stands(row) and ranks.index(row["level"]) == highest[clock_of(row)]]
    return standing, [row for row in latest if not _stands(row)]


def _stands(row: Row) -> bool:
    """A void repeats what the voided event said, `standing` included."""
    return bool(row["standing"]) and row["event"] != "void"


def clock_of(row: Row) -> tuple[Any, ...]:
    """The clock a card belongs to."""
    return row["source"], row["case_no"], row["clock"], row["clock_key"]


def _standing_cells(row: Row, titles: Titles) -> Cells:
    over = Decimal(row["used_days"]) - Decimal(row["limit_days"])
    return (
        LEVEL[row["level"]],
        *card_cells(row),
        minute(row["accepted_at"]),
        _limits(row),
        number(row["used_days"]),
        number(over) if over > 0 else NONE,
        minute(row["due_at"]),
        _stage(row),
        number(row["excluded_days"]),
        nature(row["level"], row["nature"]),
        push_of(row, titles),
        _status(row),
    )


def _withdrawn_cells(row: Row, titles: Titles) -> Cells:
    return (
        LEVEL[row["level"]],
        *card_cells(row),
        NATURE[row["nature"]],
        titled(row["responsible_hop"], titles),
        push_of(row, titles),
        _status(row),
    )


def card_cells(row: Row) -> Cells:
    """办件编号, 事项名称, 承办处室, 申请人."""
    return (
        one_line(row["case_no"]),
        _subject(row),
        _free(row["office"]),
        mask(row["applicant"]) if row["applicant"] else NONE,
    )


def _subject(row: Row) -> str:
    name = _free(row["item_name"])
    return name if row["clock"] == "case" else f"{name}（{CLOCK[row['clock']]}）"


def _limits(row: Row) -> str:
    if row["clock"] != "case":
        return f"{plain(row['limit_days'])} 日"
    promised = limit(row["promised_limit"], row["limit_unit"])
    return promised if row["base"] != "statutory" else f"{promised}（法定 {plain(row['limit_days'])}）"


def _stage(row: Row) -> str:
    if row["finished_at"] is not None:
        return "已办结"
    return "/".join(_free(row[part]) for part in ("stage_name", "stage_handler") if row[part]) or NONE


def push_of(row: Row, titles: Titles) -> str:
    """The slowest push of the case and how long it took."""
    if row["push_days"] is None:
        return NONE
    lag = f"{number(row['push_days'])} 个工作日"
    return lag if row["push_hop"] == row["responsible_hop"] else f"{titled(row['push_hop'], titles)} {lag}"


def _status(row: Row) -> str:
    parts = [EVENT[row["event"]]]
    if row["provisional"]:
        parts.append("暂定")
    if row["standing"]:
        parts.append("未办结" if row["finished_at"] is None else "已办结")
    return "·".join(parts)


def _free(text: str | None) -> str:
    return redact(text) if text else NONE
