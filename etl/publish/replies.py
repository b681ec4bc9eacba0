"""Mails E and D: what changes about a card the department was told of, and feedback it still owes.

Each replies to the first mail about its cards, so that a reader finds all of it in one thread.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

from etl.domain.chinese import DECISION, EVENT, LEVEL, NATURE
from etl.publish import render
from etl.publish.digest import Footer, Titles, card_cells, clock_of, newest, push_of
from etl.publish.envelope import Mail
from etl.publish.privacy import one_line, redact
from etl.publish.wording import NONE, day, levels, titled
from etl.store.outbox import Row

CORRECTING = ("withdrawn", "revised", "void")
COLUMNS = {
    "E": ("级别", "办件编号", "事项名称", "承办处室", "申请人", "变化", "原因", "责任环节", "推送时延"),
    "D": ("级别", "办件编号", "事项名称", "承办处室", "申请人", "发牌日", "反馈期限", "督办"),
}
HEADING = {"E": "电子监察更正告知", "D": "电子监察督办通知"}
INTRODUCTION = {
    "E": "此前告知贵部门的下列牌有变化。撤回、撤销的牌不计入贵部门；其余以本次所列为准。",
    "D": "下列牌已过反馈期限，尚未收到核实情况与整改措施。请尽快反馈。",
}
FirstMails = Mapping[str, Mapping[str, Row]]
"""Per item key and recipient the mail to reply to."""


def first_mails(rows: Iterable[Row]) -> FirstMails:
    """Rows of ``publish/first_mails`` by item and recipient."""
    found: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in rows:
        found[row["item_key"]][row["recipient"]] = row
    return found


def split(rows: Sequence[Row], first: Collection[str]) -> tuple[list[Row], list[Row], list[Row]]:
    """Rows of ``publish/digest_rows`` -> (for the digest, corrections, follow-ups).

    A card's news is a correction when the department was told of the card before and its last word is one. A decision
    or follow-up about a card nobody was told of waits until somebody is.
    """
    judged = [row for row in rows if row["mail_kind"] == "A"]
    corrected = {
        (clock_of(row), row["level"])
        for part in newest(judged)
        for row in part
        if row["event"] in CORRECTING and row["item_key"] in first
    }
    fresh = [row for row in judged if (clock_of(row), row["level"]) not in corrected]
    shown = {row["item_key"] for row in fresh}
    told = [row for row in rows if row["item_key"] in first and row["item_key"] not in shown]
    return fresh, [row for row in told if row["mail_kind"] != "D"], [row for row in told if row["mail_kind"] == "D"]


def threads(rows: Sequence[Row], first: FirstMails, recipient: str) -> list[tuple[Row | None, list[Row]]]:
    """Rows by the mail they answer to this recipient; None for cards somebody else was told of first."""
    groups: dict[str, tuple[Row | None, list[Row]]] = {}
    for row in rows:
        answered = first[row["item_key"]].get(recipient)
        groups.setdefault(answered["notice_key"] if answered else "", (answered, []))[1].append(row)
    return [groups[key] for key in sorted(groups)]


def reply(kind: str, department: str, night: date, rows: Sequence[Row], footer: Footer, titles: Titles) -> Mail:
    """Mail E or D over rows of ``publish/digest_rows``; of several judgements about a card the last one counts."""
    if kind == "E":
        latest = {row["item_key"] for part in newest([row for row in rows if not row["decision"]]) for row in part}
        listed = [row for row in rows if row["decision"] or row["item_key"] in latest]
        table = [(row["level"], _corrected(row, titles)) for row in listed]
        badges = " ".join(f"{what}{count}" for what, count in Counter(_change(row) for row in listed).items())
    else:
        table = [(row["level"], _followed_up(row)) for row in rows]
        badges = f"督办 {levels(Counter(row['level'] for row in rows))}"
    name = one_line(department)
    context = {
        "heading": f"{name} {HEADING[kind]}",
        "night": day(night),
        "introduction": INTRODUCTION[kind],
        "columns": COLUMNS[kind],
        "rows": table,
        "footer": footer,
    }
    return Mail(
        f"【{badges}】{name} {HEADING[kind]} {day(night)}",
        render.text("reply.txt", **context),
        render.mail_html("reply.html", **context),
    )


def _change(row: Row) -> str:
    return DECISION[row["decision"]] if row["decision"] else EVENT[row["event"]]


def _corrected(row: Row, titles: Titles) -> tuple[str, ...]:
    reason = redact(row["decision_reason"]) if row["decision"] else NATURE[row["nature"]]
    hop = NONE if row["decision"] else titled(row["responsible_hop"], titles)
    return (LEVEL[row["level"]], *card_cells(row), _change(row), reason, hop, push_of(row, titles))


def _followed_up(row: Row) -> tuple[str, ...]:
    told = row["told_payload"]
    return (LEVEL[row["level"]], *card_cells(row), told["issued_on"], told["due_on"], f"第 {told['stage']} 次")
