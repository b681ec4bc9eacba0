"""Run by test_structure.py in a fresh process: parse the DAG files as Airflow does and describe them as JSON."""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization

ROOT = sys.argv[1]


def described(dag: Any) -> dict[str, Any]:
    rebuilt = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))
    return {
        "title": dag.dag_display_name,
        "doc": dag.doc_md,
        "tags": sorted(dag.tags),
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "start_date": dag.start_date and dag.start_date.isoformat(),
        "params": {name: {"value": param.value, **param.schema} for name, param in dag.params.items()},
        "texts": {name: dag.params.get_param(name).description for name in dag.params},
        "timetable": rebuilt.timetable.serialize(),
        "timetable_type": type(rebuilt.timetable).__name__,
        "groups": {group.group_id: group.group_display_name for group in dag.task_group.children.values()
                   if hasattr(group, "group_display_name")},
        "tasks": {
            task.task_id: {
                "title": task.task_display_name,
                "group": task.task_group.group_id,
                "is_mapped": task.is_mapped,
                "rule": str(getattr(task.trigger_rule, "value", task.trigger_rule)),
                "upstream": sorted(task.upstream_task_ids),
                "retries": task.retries,
                "retry_delay": task.retry_delay.total_seconds(),
                "policy": task.retry_policy and task.retry_policy.serialize(),
            }
            for task in dag.tasks
        },
    }  # fmt: skip


started = time.perf_counter()
bag = DagBag(ROOT, bundle_path=Path(ROOT), bundle_name="jiancha")
seconds = time.perf_counter() - started
heavy = sorted({"pandas", "pyarrow", "great_expectations", "duckdb", "etl.runs.nightly"} & set(sys.modules))
dags = {name: described(dag) for name, dag in bag.dags.items()}

policy = bag.dags["nightly_supervision"].get_task("pull").retry_policy
errors = importlib.import_module("etl.errors")
verdicts = {
    name: policy.evaluate(getattr(errors, name)("x"), try_number=1, max_tries=2).action.value
    for name in ("SourceUnavailable", "SourceIncomplete", "SourceContractBroken", "SafetyRefusal", "UsageError")
} | {"KeyError": policy.evaluate(KeyError("x"), try_number=1, max_tries=2).action.value}
print(json.dumps({
    "seconds": seconds, "errors": bag.import_errors, "heavy": heavy, "dags": dags, "verdicts": verdicts,
}))  # fmt: skip
