"""The platform's interface as its callers meet it: a process of its own, GBK bytes, keyset pages, windows."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def platform(city_folder: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "city", "serve", "--data", str(city_folder), "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"{process.stdout.readline().strip()}/scjg"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


def get(platform: str, stream: str, **query: Any) -> dict[str, Any]:
    answer = requests.get(f"{platform}/{stream}", params=query, timeout=10)
    assert answer.status_code == 200
    found: dict[str, Any] = json.loads(answer.content.decode("gbk"))
    return found


def test_answers_are_gbk_and_the_header_does_not_say_so(platform: str) -> None:
    answer = requests.get(f"{platform}/accept", params={"limit": 3}, timeout=10)
    assert answer.headers["Content-Type"] == "application/json"
    with pytest.raises(UnicodeDecodeError):
        answer.content.decode("utf-8")
    assert "备案" in answer.content.decode("gbk")


def test_pages_follow_by_key_and_hold_every_row_once(platform: str, city_folder: Path) -> None:
    seen: list[int] = []
    after = 0
    while True:
        page = get(platform, "process", limit=97, after=after)
        seen += [row["row_id"] for row in page["rows"]]
        assert page["data_until"] == "2026-11-23T01:00:00+08:00"
        if page["next"] is None:
            break
        assert page["next"] > after
        after = page["next"]
    total = len((city_folder / "scjg" / "process.jsonl").read_text(encoding="utf-8").splitlines())
    assert seen == list(range(1, total + 1))
    assert page["total"] == total


def test_windows_exclude_their_start_and_include_their_end(platform: str) -> None:
    rows = get(platform, "result", limit=1000)["rows"]
    first, last = rows[40]["receive_time"], rows[60]["receive_time"]
    window = get(platform, "result", limit=1000, since=first, until=last)
    assert [row["row_id"] for row in window["rows"]] == [
        row["row_id"] for row in rows if first < row["receive_time"] <= last
    ]
    assert window["total"] == len(window["rows"])
    same = get(platform, "result", since=_in_utc(first), until=_in_utc(last), limit=1)
    assert (same["total"], len(same["rows"])) == (window["total"], 1)


def _in_utc(text: str) -> str:
    from datetime import UTC, datetime

    return datetime.fromisoformat(text).astimezone(UTC).isoformat()


@pytest.mark.parametrize("source", ["jtj", "wsny"])
def test_the_platform_answers_for_each_of_its_departments(platform: str, city_folder: Path, source: str) -> None:
    rows = get(platform.replace("scjg", source), "accept", limit=1000)["rows"]
    stored = (city_folder / source / "accept.jsonl").read_text(encoding="utf-8").splitlines()
    assert rows == [json.loads(line) for line in stored]


def test_the_stop_is_visible_from_outside(platform: str) -> None:
    span = {"since": "2026-11-18T09:00:00+08:00", "until": "2026-11-19T15:59:59+08:00"}
    streams = ("apply", "accept", "process", "result")
    assert sum(get(platform, stream, **span)["total"] for stream in streams) == 0
    after = {"since": "2026-11-19T15:59:59+08:00", "until": "2026-11-19T17:00:00+08:00"}
    assert sum(get(platform, stream, **after)["total"] for stream in streams) > 50


@pytest.mark.parametrize(
    ("path", "query"),
    [("accept", {"since": "2026-11-18"}), ("accept", {"limit": "all"}), ("nothing", {}), ("../other/accept", {})],
)
def test_a_query_that_cannot_be_answered_is_refused_with_a_reason(platform: str, path: str, query: Any) -> None:
    answer = requests.get(f"{platform}/{path}", params=query, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_data_can_be_made_to_end_early(city_folder: Path) -> None:
    command = [sys.executable, "-m", "city", "serve", "--data", str(city_folder)]
    command += ["--data-until", "2026-11-18T12:00:00+08:00"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        page = get(f"{process.stdout.readline().strip()}/scjg", "result", limit=1000)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0
    assert page["data_until"] == "2026-11-18T12:00:00+08:00"
    assert all(row["receive_time"] <= "2026-11-18T12:00:00+08:00" for row in page["rows"])
