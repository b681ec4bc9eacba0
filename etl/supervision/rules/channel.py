"""What is applied for online is handled online (2018 rules: 未网上办理)."""

from __future__ import annotations

from etl.supervision.rules.rule import Found, Rule, View, both


def _offline(view: View) -> Found:
    """Handed in online and accepted at the window, without the pre-acceptance the online procedure starts with."""
    case, apply, accept = both(view, "apply", "accept")
    moved = view.messages.is_value("channel", "online")[apply] & view.messages.is_value("channel", "window")[accept]
    moved &= view.one("pre_accept")[case] < 0
    return Found(case[moved], accept[moved])


KINDS = ("apply", "pre_accept", "accept")
RULES = (Rule("not_handled_online", "网上申请未在网上办理", "2018年省级电子监察规则：未网上办理", _offline, KINDS),)
