"""Mails B, C and F: the supervision office's night, an interrupted feed, and a word to the operators."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from etl.domain.chinese import FEED, KIND, LEVEL, MAIL_STATE, NATURE, PUSH_CLASS, STATE
from etl.publish import render
from etl.publish.digest import Footer, Titles
from etl.publish.envelope import Mail
from etl.publish.privacy import one_line, redact
from etl.publish.wording import NONE, day, duration, levels, minute, silence, titled
from etl.store.outbox import Row

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]


def summary(
    night: date,
    counts: Sequence[Row],
    feeds: Sequence[Row],
    silent: Sequence[Row],
    links: Sequence[Row],
    differences: Sequence[Row],
    decisions: Sequence[Row],
    drift: Sequence[Row],
    doubtful: Sequence[Row],
    waiting: Mapping[str, str],
    footer: Footer,
    titles: Titles,
) -> Mail:
    """Mail B of one night, also when nothing is new. `waiting`: what could not be told to a department, and why."""
    new: Counter[str] = Counter()
    for row in counts:
        new[row["level"]] += row["new_cards"]
    badges = levels(new) or "今日无新增"
    context = {
        "heading": "电子监察日汇总",
        "night": day(night),
        "counts": [(LEVEL[level], level, new[level]) for level in LEVEL],
        "withdrawn_count": sum(row["withdrawn_cards"] for row in counts),
        "suspect_count": sum(row["suspect_cards"] for row in counts),
        "nothing_new": not sum(new.values()),
        "sections": [
            ("各部门红黄牌", "今日无在册牌。", *_by_department(counts)),
            ("待人工决定的牌", "没有。", *_decisions(decisions)),
            ("数据接入", "今日没有数据源记录。", *_feeds(feeds, titles)),
            ("数据变化", "字段与代码均与约定一致。", *_drift(drift, titles)),
            ("静默的数据源", "没有。", *_silent(silent, titles)),
            ("最慢链路", "今日没有推送记录。", *_links(links, titles)),
            ("对账差异", "两个系统的同一记录没有差异。", *_differences(differences, titles)),
            ("需人工核对的邮件", "没有。", *_doubtful(doubtful)),
            ("未能通知", "没有。", ("部门", "原因"), [(one_line(name), why) for name, why in waiting.items()]),
        ],
        "footer": footer,
    }
    return Mail(
        f"【{badges}】电子监察日汇总 {day(night)}",
        render.text("summary.txt", **context),
        render.mail_html("summary.html", **context),
    )


def incident(
    department: str,
    night: date,
    incidents: Sequence[Row],
    frozen: Sequence[Row],
    waiting: int,
    footer: Footer,
    titles: Titles,
) -> Mail:
    """Mail C: which feed is interrupted, since when, and what stands still until it is complete again.

    `incidents`: payloads {source, hop, state, detail, opened_on}; `frozen`: rows of ``publish/frozen_cards``.
    """
    still = {row["source"]: row for row in frozen}
    table = []
    for payload in incidents:
        row = still[payload["source"]]
        cards = levels({level: row[level] for level in LEVEL}, "、") or "无"
        table.append(
            (
                titled(payload["source"], titles),
                titled(payload["hop"], titles),
                FEED[payload["state"]],
                payload["opened_on"],
                day(row["complete_on"]),
                cards,
                redact(payload.get("detail") or "") or NONE,
            )
        )
    name = one_line(department)
    context = {
        "heading": f"{name} 数据接入中断告知",
        "night": day(night),
        "columns": ("数据源", "中断环节", "状态", "中断起", "最近完整业务日", "冻结的牌", "情况"),
        "rows": table,
        "waiting": waiting,
        "footer": footer,
    }
    return Mail(
        f"【数据中断】{name} 电子监察数据接入告知 {day(night)}",
        render.text("incident.txt", **context),
        render.mail_html("incident.html", **context),
    )


def operations(night: date, items: Sequence[Mapping[str, Any]], footer: Footer) -> Mail:
    """Mail F: payloads {subject, text} of one night in one mail."""
    subjects = [redact(item["subject"]) for item in items]
    context = {
        "heading": "运行维护通知",
        "night": day(night),
        "messages": [
            (subject, [redact(line) for line in item["text"].splitlines()])
            for subject, item in zip(subjects, items, strict=True)
        ],
        "footer": footer,
    }
    subject = subjects[0] if len(subjects) == 1 else f"{subjects[0]} 等 {len(subjects)} 项"
    return Mail(
        f"【运维】{subject} {day(night)}",
        render.text("operations.txt", **context),
        render.mail_html("operations.html", **context),
    )


def _by_department(counts: Sequence[Row]) -> Table:
    columns = ("new_cards", "withdrawn_cards", "suspect_cards", "standing_cards")
    table = [
        (one_line(row["department"] or NONE), LEVEL[row["level"]], *(str(row[column]) for column in columns))
        for row in counts
        if any(row[column] for column in columns)
    ]
    if table:
        table.append(("合计", "", *(str(sum(row[column] for row in counts)) for column in columns)))
    return ("部门", "级别", "新增", "撤回", "待核实", "在册"), table


def _decisions(cards: Sequence[Row]) -> Table:
    table: list[tuple[str, ...]] = [
        (
            one_line(row["department"] or NONE),
            LEVEL[row["level"]],
            one_line(row["case_no"]),
            redact(row["item_name"] or NONE),
            NATURE["suspect"] if row["state"] == "issued" else STATE[row["state"]],
            day(row["since"]),
        )
        for row in cards
    ]
    if cards and cards[0]["total"] > len(cards):
        table.append(("合计", "", f"{cards[0]['total']} 张", "", "", ""))
    return ("部门", "级别", "办件编号", "事项名称", "待办", "起"), table


def _feeds(feeds: Sequence[Row], titles: Titles) -> Table:
    counted = ("declared_rows", "landed_rows", "accepted_rows", "repeated_rows", "quarantined_rows", "unexplained_rows")
    return ("数据源", "状态", "应报", "落地", "入库", "重复", "隔离", "未解释", "情况"), [
        (
            titled(row["source"], titles),
            FEED[row["state"]],
            *(NONE if row[column] is None else str(row[column]) for column in counted),
            redact(row["detail"]) or NONE,
        )
        for row in feeds
    ]


def _silent(silent: Sequence[Row], titles: Titles) -> Table:
    return ("数据源", "最近有数据", "情况"), [
        (
            titled(row["source"], titles),
            day(row["last_on"]),
            f"{silence(row['first_on'], row['working_days'])}；接口应答正常，在册牌可能失实，请向该部门核实",
        )
        for row in silent
    ]


def _drift(changes: Sequence[Row], titles: Titles) -> Table:
    return ("数据源", "变化", "涉及行数", "本夜行数"), [
        (titled(row["source"], titles), redact(row["title"]), str(row["failed_rows"]), str(row["checked_rows"]))
        for row in changes
    ]


def _links(links: Sequence[Row], titles: Titles) -> Table:
    return ("数据源", "环节", "消息", "条数", "迟报", "P50", "P95", "最长"), [
        (
            titled(row["source"], titles),
            titled(row["hop"], titles),
            KIND[row["kind"]],
            str(row["message_count"]),
            str(row["late_count"]),
            *(duration(row[column]) for column in ("p50_seconds", "p95_seconds", "max_seconds")),
        )
        for row in links
    ]


def _differences(differences: Sequence[Row], titles: Titles) -> Table:
    return ("数据源", "环节", "类别", "今日发现", "今日更正", "未了"), [
        (
            titled(row["source"], titles),
            titled(row["hop"], titles),
            PUSH_CLASS[row["class"]],
            *(str(row[name]) for name in ("opened", "closed", "standing")),
        )
        for row in differences
    ]


def _doubtful(notices: Sequence[Row]) -> Table:
    return ("业务日", "收件人", "主题", "状态", "时间", "情况"), [
        (
            day(row["business_on"]),
            row["recipient"],
            one_line(row["subject"]),
            MAIL_STATE[row["state"]],
            minute(row["updated_at"]),
            redact(row["detail"]) or NONE,
        )
        for row in notices
    ]
