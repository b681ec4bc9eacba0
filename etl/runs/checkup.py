"""What would stop a night before it starts, and whether last night finished."""

from __future__ import annotations

import shutil
import smtplib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from etl.domain.night import ZONE
from etl.errors import ConfigurationError, JianchaError
from etl.publish import notices, sender, smtp
from etl.runs import nightly
from etl.settings import settings
from etl.store import cards
from etl.store.calendars import stored
from etl.store.engine import engine
from etl.store.statements import sql


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `is_fatal`: a night fails or tells nobody without it."""

    title: str
    is_fine: bool
    is_fatal: bool
    detail: str


def doctor() -> list[Finding]:
    """Look at everything a night needs.

    Raises:
        ConfigurationError: a setting is wrong, so nothing was looked at.
    """
    settings()  # or the database would be blamed for it
    return list(_checks(datetime.now(ZONE).date()))


def night_watch(business_on: date | None) -> tuple[str, bool]:
    """Tell operators when a night is not finished -> what there is to say, and whether the night is late.

    Meant for a scheduler outside Airflow (cron, systemd), so that it also speaks when Airflow does not.
    """
    now, watch_at = datetime.now(ZONE), settings().night_watch_at
    night = business_on or now.date() - timedelta(days=1)
    if business_on is None and now.time() < watch_at:
        return f"尚未到时：{night} 之夜 {watch_at:%H:%M} 起检查", False
    undone = _undone(night)
    if not undone:
        return "昨夜监察已完成", False
    missing = f"{night} 之夜到 {watch_at:%H:%M} 仍{'、'.join(undone)}；请查看 Airflow 运行与 jiancha status"
    with engine().begin() as connection:
        payload = {"subject": f"{night} 之夜监察未完成", "text": missing}
        cards.insert_item(connection, f"F/{night}", "F", night, None, payload, is_muted=False)
    # Nobody else is told before the night is finished, or at all where it is to tell nobody.
    notices.claim(engine(), night, only="F")
    sender.deliver(engine(), settings().notify_mode, only="F")
    return missing, True


def _undone(night: date) -> list[str]:
    """What a night has still to do until everybody it is to tell was told."""
    with engine().connect() as connection:
        progress = connection.execute(sql("overview/night_progress"), {"business_on": night}).one()
    if not progress.is_judged:
        return ["未判定"]
    waiting = progress.waiting if settings().notify_mode != "off" else 0  # which is to leave them where they are
    parts = (
        ("未追踪推送延时", not progress.is_traced),
        ("未通知监察机构", not progress.is_told),
        (f"有 {waiting} 封邮件未发出", waiting > 0),
    )
    return [said for said, is_undone in parts if is_undone]


def _checks(today: date) -> Iterator[Finding]:
    try:
        with engine().connect() as connection:
            recipients = connection.execute(sql("overview/recipients_by_role"), {"today": today}).mappings().all()
            version = connection.execute(sql("overview/schema_version")).scalar()
    except (SQLAlchemyError, ConfigurationError) as error:
        detail = str(error).splitlines()[0]
        yield Finding("数据库", False, True, f"{detail}；先运行 jiancha ledger migrate，或检查 JIANCHA_DATABASE_URL")
        return
    yield Finding("数据库", True, True, f"结构版本 {version}")
    yield _calendar(today)
    roles = {row["role"]: row["recipients"] for row in recipients}
    for role, title in (("supervision", "监察机构"), ("department", "部门"), ("operations", "运维")):
        count = roles.get(role, 0)
        yield Finding(
            f"收件人（{title}）",
            count > 0,
            role != "operations",
            f"{count} 人" if count else "没有；jiancha reference import",
        )
    configured = nightly.chosen(None)
    yield Finding("来源", bool(configured), True, "、".join(configured) or "没有一个来源设置了 JIANCHA_CONNECTION_…")
    yield _mail_server()
    yield _fonts()


def _calendar(today: date) -> Finding:
    try:
        calendar = stored(engine()).cn(today)
        calendar.is_working_day(today)
    except JianchaError as error:
        return Finding("工作日历", False, True, str(error))
    horizon = today + timedelta(days=45)
    is_announced = not calendar.is_provisional[calendar.index_of(horizon)]
    detail = f"{calendar.version}；{horizon} {'已公布' if is_announced else '未公布：到期日暂定，不发红牌'}"
    return Finding("工作日历", is_announced, False, detail)


def _mail_server() -> Finding:
    config = settings()
    if config.notify_mode in ("off", "file"):
        return Finding("邮件", True, False, f"notify_mode={config.notify_mode}，不连接邮件服务器")
    if config.notify_mode == "sandbox" and not config.sandbox_to:
        return Finding("邮件", False, True, "notify_mode=sandbox，没有设置 JIANCHA_SANDBOX_TO")
    try:
        with smtp.session(config) as server:
            code, answer = server.noop()
    except (JianchaError, OSError, smtplib.SMTPException) as error:
        return Finding("邮件", False, True, f"无法发信：{error}")
    return Finding(
        "邮件",
        code == 250,
        True,
        f"{config.smtp_host}:{config.smtp_port} 应答 {code} {answer.decode(errors='replace')}",
    )


def _fonts() -> Finding:
    if not shutil.which("fc-list"):
        return Finding("中文字体", True, False, "没有 fontconfig，无法检查；网页与文档由打开者的字体显示")
    found = subprocess.run(["fc-list", ":lang=zh", "family"], capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    return Finding("中文字体", bool(found[0]), False, found[0] or "没有；Debian：apt-get install fonts-noto-cjk")
