"""The stages handled are the stages published, and every decision has one (2018 rules: 流程异常)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.supervision.rules.rule import Found, Rule, View

DOC = "2018年省级电子监察规则：流程异常"
KINDS = ("accept", "stage", "finish")


def _planned(view: View) -> tuple[pa.Table, pa.Table]:
    """(case, name) of the stages planned and of those handled, for accepted cases with a plan."""
    accept = view.one("accept")
    case = np.flatnonzero(accept >= 0)
    plan = view.messages.table["stage_plan"].take(pa.array(accept[case])).combine_chunks()
    planned = pa.table({"case": pa.array(case).take(pc.list_parent_indices(plan)), "name": pc.list_flatten(plan)})
    stage_case, stage = view.every("stage")
    names = view.messages.table["name"].take(pa.array(stage))
    handled = pa.table({"case": stage_case, "name": names, "message": stage})
    return planned, handled.filter(pc.is_in(handled["case"], planned["case"].unique()))


def _outside_plan(view: View) -> Found:
    planned, handled = _planned(view)
    strange = handled.join(planned, ["case", "name"], join_type="left anti").sort_by("message")
    return Found(strange["case"].to_numpy(), strange["message"].to_numpy(), strange["name"].to_pylist())


def _missing(view: View) -> Found:
    planned, handled = _planned(view)
    finish = view.one("finish")
    granted = np.flatnonzero((finish >= 0) & view.messages.is_value("outcome", "granted")[finish])
    missing = planned.join(handled, ["case", "name"], join_type="left anti")
    missing = missing.filter(pc.is_in(missing["case"], pa.array(granted))).sort_by(
        [("case", "ascending"), ("name", "ascending")]
    )
    case = missing["case"].to_numpy()
    return Found(case, finish[case], missing["name"].to_pylist())


def _none(view: View) -> Found:
    finish, accept = view.one("finish"), view.one("accept")
    has_stage = np.zeros(view.size, np.bool_)
    has_stage[view.every("stage")[0]] = True
    instant = view.messages.is_value("case_type", "instant")
    case = np.flatnonzero((finish >= 0) & (accept >= 0) & ~has_stage)
    case = case[view.messages.is_value("outcome", "granted")[finish[case]] & ~instant[accept[case]]]
    return Found(case, finish[case])


RULES = (
    Rule("stage_outside_plan", "办理环节不在公布的流程内", DOC, _outside_plan, ("accept", "stage")),
    Rule("stage_missing", "缺少公布流程中的环节", DOC, _missing, KINDS),
    Rule("finished_without_stage", "办结但无任何审批环节记录", DOC, _none, KINDS),
)
