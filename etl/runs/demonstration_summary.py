"""What a supervisor wants to see after the demonstration, in one screen."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from etl.domain.chinese import FEED, LEVEL, NATURE, nature
from etl.domain.night import ZONE, cutoff_at
from etl.publish import links
from etl.publish.wording import duration, silence, titled
from etl.runs import judging, link_report, overview, quality_report, reconciling, ways
from etl.settings import settings
from etl.store import feeds
from etl.store.engine import engine
from etl.store.statements import sql
from etl.supervision.explain import as_text


def text(first: date, last: date, bulletin: dict[str, Any], boston: dict[str, Any]) -> str:
    """The summary of nights `first` to `last`; `boston` is the status of the real log's own ledger."""
    facts = overview.status()
    names = ways.titles()
    parts = [
        ["", "═══ 电子监察演示：截至 " + f"{cutoff_at(last, settings().cutoff):%Y-%m-%d %H:%M} ═══"],
        ["", "红黄牌（有效／撤回）", *(_cards(facts))],
        ["", "数据接入", *(_feed(row, names) for row in facts["sources"])],
        ["", "静默的数据源", *_silent(last, names)],
        *_pushes(first, last, names),
        ["", *_reconciled(last)],
        *_example("push_delay", "一张因推送延时撤回的牌", names),
        *_example("suspect", "一张待核实的牌", names),
        ["", "真实数据：波士顿 311（2016、2022），同一流程、独立台账", *_boston(boston)],
        ["", f"邮件　　{settings().var_dir / 'mail'}（{_mails()} 封，.eml，可直接打开）"],
        [f"数据质量　{quality_report.page_of(last)}"],
        [f"周报　　{bulletin['html']}", f"　　　　{bulletin['docx']}"],
        [f"台账链首　{bulletin['head_hash']}"],
    ]
    return "\n".join(line for part in parts for line in part)


def _cards(facts: dict[str, Any]) -> list[str]:
    return [
        f"  {LEVEL[row['level']]}　{nature(row['level'], row['nature'])}　{row['standing']}／{row['withdrawn']}"
        for row in facts["cards"]
    ]


def _feed(row: dict[str, Any], names: dict[str, str]) -> str:
    return (
        f"  {names[row['source']]}　{FEED[row['state']]}至 {row['last_complete_on']}　"
        f"接收 {row['accepted']} 条，重复 {row['repeated']}，隔离 {row['quarantined']}，未说明 {row['unexplained']}"
    )


def _silent(last: date, names: dict[str, str]) -> list[str]:
    with engine().connect() as connection:
        found = feeds.silent(connection, last)
    return [f"  {names[row['source']]}　{silence(row['first_on'], row['working_days'])}，接口正常应答" for row in found]


def _pushes(first: date, last: date, names: dict[str, str]) -> list[list[str]]:
    found = link_report.report(first, last)
    slow = sorted((row for row in found["links"] if links.is_hop(row)), key=lambda row: -(row["max_seconds"] or 0))
    stood = [row for row in found["incidents"] if row["is_standstill"]]
    return [
        ["", "停滞最久的环节", *(f"  {links.standstill(row, names)}" for row in stood[:3])],
        ["", "因推送延时撤回的牌，责任转由", *(f"  {line}" for line in link_report.answering(found, names))],
        ["", f"最慢环节（{first} 至 {last}）"],
        [
            f"  {titled(row['hop'], names)}　应到 {row['due_count']} 条，迟报 {row['late_count']} 条，"
            f"P50 {duration(row['p50_seconds'])}，"
            f"P95 {duration(row['p95_seconds'])}，最长 {duration(row['max_seconds'])}"
            for row in slow
            if row["late_count"]
        ],
    ]


SHOWN = 6
"""Differences between two systems the summary lists."""


def _reconciled(last: date) -> list[str]:
    found = reconciling.report(last)
    pairs = [pair | {"counts": []} for pair in found["pairs"]]
    newest = sorted(found["open_differences"], key=lambda row: row["opened_on"], reverse=True)
    title, *lines = reconciling.as_text(found | {"pairs": pairs, "open_differences": newest[:SHOWN]}).splitlines()
    return [title, *(f"  {line}" for line in lines), f"  共 {len(newest)} 条未更正，全部见 jiancha reconcile {last}"]


def _example(nature: str, title: str, names: dict[str, str]) -> list[list[str]]:
    with engine().connect() as connection:
        card = connection.execute(sql("overview/example_card"), {"nature": nature}).mappings().one_or_none()
    if card is None:
        return []
    hop = f"，责任环节 {titled(card['responsible_hop'], names)}" if card["responsible_hop"] else ""
    ledger = judging.explain(card["case_no"], None, None, None, None)
    lines = [
        f"  {LEVEL[card['level']]}：{card['item_name']}，{card['issued_on']} 之夜发出，"
        f"界限 {card['reached_at'].astimezone(ZONE):%Y-%m-%d %H:%M}，{card['business_on']} 之夜判为"
        f"{NATURE[nature]}{hop}",
        *(f"    {line}" for line in as_text(ledger, names).splitlines()),
    ]
    return [["", title, *lines]]


def _boston(status: dict[str, Any]) -> list[str]:
    feeds = [
        f"  接收 {row['accepted']} 条，隔离 {row['quarantined']}，未说明 {row['unexplained']}"
        for row in status["sources"]
    ]
    late = sum(row["standing"] for row in status["cards"] if row["level"] == "yellow")
    return [*feeds, f"  超过承诺时刻的请求 {late} 件（与该市自己的超期标记逐件一致，由测试核对）"]


def _mails() -> int:
    folder: Path = settings().var_dir / "mail"
    return sum(1 for _ in folder.rglob("*.eml"))
