"""Things happen in the order of the procedure: no decision before acceptance, no answer before its question."""

from __future__ import annotations

import numpy as np

from etl.supervision.rules.rule import Found, Rule, View, both, paired


def _finish_before_accept(view: View) -> Found:
    case, accept, finish = both(view, "accept", "finish")
    early = view.occurred(finish) < view.occurred(accept)
    return Found(case[early], finish[early])


def _stage_before_accept(view: View) -> Found:
    case, stage = view.every("stage")
    accept = view.one("accept")[case]
    early = (accept >= 0) & (view.occurred(stage) < view.occurred(accept))
    return Found(case[early], stage[early])


def _receipt_before_notice(view: View) -> Found:
    case, notice, receipt = paired(view, "supplement_notice", "supplement_receipt")
    early = view.occurred(receipt) < view.occurred(notice)
    return Found(case[early], receipt[early])


def _result_before_start(view: View) -> Found:
    case, start, result = paired(view, "special_start", "special_result")
    early = view.occurred(result) < view.occurred(start)
    return Found(case[early], result[early])


def _supplement_after_accept(view: View) -> Found:
    case, notice = view.every("supplement_notice")
    accept, finish = view.one("accept")[case], view.one("finish")[case]
    passed = accept >= 0
    passed[passed] = view.messages.is_passed[accept[passed]]
    end = np.minimum(np.where(passed, view.occurred(accept), view.occurred(finish)), view.occurred(finish))
    late = view.occurred(notice) > end
    return Found(case[late], notice[late])


DOC = "2018年省级电子监察规则：流程异常"
SUPPLEMENT = ("supplement_notice", "supplement_receipt")
TOLD = ("supplement_notice", "accept", "finish")
RULES = (
    Rule("finish_before_accept", "办结早于受理", DOC, _finish_before_accept, ("accept", "finish")),
    Rule("stage_before_accept", "审批早于受理", DOC, _stage_before_accept, ("accept", "stage")),
    Rule("receipt_before_notice", "补交受理早于补正告知", DOC, _receipt_before_notice, SUPPLEMENT),
    Rule("result_before_start", "特别程序结果早于申请", DOC, _result_before_start, ("special_start", "special_result")),
    Rule("supplement_after_accept", "受理或办结后又告知补正", "行政许可法第三十二条", _supplement_after_accept, TOLD),
)
