"""Named points where a crash matters. The fault tests kill the real process at each; a registry proves none is dead.

``JIANCHA_KILL_AT=<name>`` makes the process kill itself with SIGKILL there (``name:3`` at the third visit);
``JIANCHA_STOP_AT`` likewise makes it stand still until somebody sends SIGCONT.
"""

from __future__ import annotations

import os
import signal
from collections import Counter

POINTS = (
    "pull.before_write",
    "pull.after_fsync",
    "pull.after_manifest",
    "pull.before_watermark",
    "pull.after_watermark",
    "pull.after_settle",
    "admit.before_page",
    "admit.after_staging",
    "admit.before_commit",
    "admit.after_commit",
    "admit.after_feed",
    "judge.before_append",
    "judge.before_commit",
    "judge.after_commit",
    "trace.before_commit",
    "trace.after_commit",
    "notify.before_claim_commit",
    "notify.after_claim_commit",
    "notify.before_file",
    "notify.after_file",
    "notify.after_file_state",
    "notify.before_data",
    "notify.after_data",
    "notify.after_dot_commit",
    "notify.after_final_dot",
    "notify.after_reply",
    "notify.after_reply_commit",
    "week.before_issue_commit",
    "week.after_issue_commit",
)
_BLOWS = {"JIANCHA_KILL_AT": signal.SIGKILL, "JIANCHA_STOP_AT": signal.SIGSTOP}
_seen: Counter[str] = Counter()


def reach(name: str) -> None:
    """Say that this point was reached; dies or stands still here when the environment asks for it."""
    asked = [(os.environ[setting], blow) for setting, blow in _BLOWS.items() if os.environ.get(setting)]
    if not asked:
        return
    _seen[name] += 1
    for wanted, blow in asked:
        point, _, visit = wanted.partition(":")
        if point == name and _seen[name] == int(visit or 1):
            os.kill(os.getpid(), blow)
