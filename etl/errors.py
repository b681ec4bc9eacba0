"""The one tree of errors. A message says what happened, to which record, and what to do.

`exit_code` is the process exit code of the command line; the Airflow retry policy names these classes.
"""

from __future__ import annotations


class JianchaError(Exception):
    """Anything this platform raises on purpose."""

    exit_code = 5


class UsageError(JianchaError):
    """The caller asked for something that does not exist or does not make sense."""

    exit_code = 2


class ConfigurationError(UsageError):
    """A setting is missing or contradicts another one."""


class SourceError(JianchaError):
    """A source could not be read completely tonight."""

    exit_code = 3


class SourceUnavailable(SourceError):
    """The source did not answer, or asked to come back later: worth a retry."""


class SourceIncomplete(SourceError):
    """The source answered with less than it declares: a truncated page, a short count, an absent file."""


class SourceLate(SourceIncomplete):
    """What the source delivers every night has not arrived yet."""


class SourceContractBroken(SourceError):
    """The source's answer is not what its module declares (header, envelope, encoding, size): a retry will not help."""


class BatchRejected(SourceContractBroken):
    """A whole batch failed an expectation of severity `critical`."""


class RecordRejected(JianchaError):
    """One record cannot be used; the rest goes on.

    Args:
        reason: stable machine code, e.g. ``unknown_code``.
        detail: what was found where, without personal data.
    """

    exit_code = 1

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class SafetyRefusal(JianchaError):
    """Going on could produce a wrong card or break evidence, so nothing was done."""

    exit_code = 4


class CalendarNotCovering(SafetyRefusal):
    """A date lies where not even the statutory holidays are known."""


class EvidenceBroken(SafetyRefusal):
    """The hash chain over card events does not verify."""


class DiskFull(JianchaError):
    """There is no room left where something has to be written; nothing half-written is kept."""


class Overtaken(JianchaError):
    """Another run of the same work was faster; what this one had begun is undone."""


class MailError(JianchaError):
    """A mail could not be handed to the server; it stays in the outbox."""
