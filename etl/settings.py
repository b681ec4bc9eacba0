"""Every setting in one typed place, read from ``JIANCHA_*`` environment variables (reference: docs/settings.md)."""

from __future__ import annotations

import os
from datetime import time
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from etl.errors import ConfigurationError

ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Typed settings; field ``database_url`` is environment variable ``JIANCHA_DATABASE_URL``."""

    model_config = SettingsConfigDict(env_prefix="JIANCHA_", frozen=True, extra="ignore")

    var_dir: Path = Field(ROOT / "var", description="Where the embedded database, landed files and mails live.")
    database_url: str = Field("", description="PostgreSQL URL; empty starts the embedded server under var_dir.")
    database_name: str = Field("jiancha", description="Database on the embedded server.")
    cutoff: time = Field(time(1), description="Cut-off of night D: this time on D+1, Asia/Shanghai.")
    notify_mode: Literal["off", "file", "sandbox", "live"] = Field(
        "file", description="off: nothing leaves; file: .eml under var_dir; sandbox: all to one address; live: SMTP."
    )
    sandbox_to: str = Field("", description="The one recipient in mode sandbox.")
    mail_from: str = Field("jiancha@supervision.example", description="Sender address; its domain names Message-IDs.")
    smtp_host: str = Field("127.0.0.1", description="SMTP server.")
    smtp_port: int = Field(25, description="SMTP port.")
    smtp_starttls: bool = Field(False, description="Upgrade the connection; required when a user is set.")
    smtp_user: str = Field("", description="SMTP user; empty: no login.")
    smtp_password: SecretStr = Field(SecretStr(""), description="SMTP password.")
    smtp_timeout_seconds: float = Field(30, description="Per SMTP command.")
    source_timeout_seconds: float = Field(30, description="Per request to a source.")
    page_bytes_max: int = Field(32 * 1024 * 1024, description="A larger page or file is refused unread.")
    night_watch_at: time = Field(time(3), description="No finished night by this time: operators are told.")

    def connection(self, source: str) -> str:
        """URL or folder of one source, from ``JIANCHA_CONNECTION_<SOURCE>`` (may hold a password: never log it)."""
        if not self.has_connection(source):
            name = _connection_name(source)
            raise ConfigurationError(f"source {source}: {name} is not set; set it to the source's URL or folder")
        return os.environ[_connection_name(source)]

    def has_connection(self, source: str) -> bool:
        """Whether this installation pulls from the source."""
        return bool(os.environ.get(_connection_name(source)))


def _connection_name(source: str) -> str:
    return f"JIANCHA_CONNECTION_{source.upper()}"


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The process's settings, read once.

    Raises:
        ConfigurationError: variables hold what they may not; it names them and not their values, which may be secret.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = (f"JIANCHA_{str(problem['loc'][0]).upper()}: {problem['msg']}" for problem in error.errors())
        raise ConfigurationError("; ".join(wrong)) from None
