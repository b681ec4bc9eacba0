"""`clock`, `judge` and `explain` over files: answers, order, exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from etl import sources
from etl.settings import settings
from etl.store.engine import engine
from tests.cli.command import Ended, jiancha

CASE = "511602201810150001"


def message(
    kind: str, occurred: str, *, arrived: str = "", version: int = 1, seq: int = 0, **payload: Any
) -> dict[str, Any]:
    """A message written when it happened and received then too, unless told otherwise (times of 2018 in Shanghai)."""
    return {
        "source": "scjg", "case_no": CASE, "kind": kind, "seq": seq, "version": version,
        "occurred_at": moment(occurred), "written_at": moment(occurred), "received_at": moment(arrived or occurred),
        "payload": payload,
    }  # fmt: skip


def moment(text: str) -> str:
    """``10-15 10:00`` of 2018."""
    return f"2018-{text.replace(' ', 'T')}:00+08:00"


ACCEPT = message(
    "accept", "10-15 10:00", outcome="passed", promised_limit=7, statutory_limit=10, limit_unit="working_day",
    case_type="promised",
)  # fmt: skip
LATE_FINISH = message("finish", "10-23 15:00", arrived="10-26 15:00", outcome="granted")
SAID_FIRST = message("finish", "10-25 15:00", outcome="granted")


def lines(*messages: object) -> bytes:
    return b"".join(orjson.dumps(one) + b"\n" for one in messages)


@pytest.fixture
def file(tmp_path: Path) -> Any:
    def write(*messages: object) -> Path:
        path = tmp_path / "messages.jsonl"
        path.write_bytes(lines(*messages))
        return path

    return write


def judge(path: Path, as_of: str, *options: object) -> dict[str, tuple[str, bool]]:
    ended = jiancha("judge", "--messages", path, "--as-of", moment(as_of), *options)
    assert (ended.code, ended.err) == (0, "")
    return {card["level"]: (card["nature"], card["standing"]) for card in ended.lines}


def refused(ended: Ended, code: int, said: str) -> None:
    """One line that says why, nothing on standard output, no traceback."""
    assert ended.code == code, ended
    assert ended.out == ""
    assert ended.err.startswith("jiancha: ")
    assert ended.err.count("\n") == 1
    assert said in ended.err


def test_clock_answers_in_order_and_a_bad_request_stops_nobody() -> None:
    asked = [
        {"id": "b", "mode": "whole_day", "start": "2025-09-24", "limit": 7, "unit": "working_day"},
        {
            "id": "a",
            "mode": "whole_day",
            "start": "2025-09-01",
            "limit": 20,
            "unit": "working_day",
            "end": "2025-09-29",
        },
        {"id": "bad", "mode": "sundial", "start": "2025-09-01", "limit": 20, "unit": "working_day"},
        {"id": "last", "mode": "whole_day", "start": "2025-09-24", "limit": 20, "unit": "working_day"},
    ]
    ended = jiancha("clock", stdin=lines(*asked[:2]) + b"{not json\n" + lines(*asked[2:]))
    assert ended.code == 1
    assert [answer["id"] for answer in ended.lines] == ["b", "a", None, "bad", "last"]
    assert [answer.get("due") for answer in ended.lines] == ["2025-10-10", "2025-09-28", None, None, "2025-10-28"]
    assert [answer.get("overdue") for answer in ended.lines] == [None, True, None, None, None]
    assert all("error" in ended.lines[at] for at in (2, 3))
    assert "sundial" in ended.lines[3]["error"]
    assert jiancha("clock", stdin=lines(asked[0])).code == 0
    assert jiancha("clock", stdin=b"").lines == []


def test_an_id_nobody_can_write_again_is_an_error_and_no_end() -> None:
    good = {"id": "good", "mode": "whole_day", "start": "2025-09-24", "limit": 7, "unit": "working_day"}
    deep = lines(good).replace(b'"good"', b"[" * 400 + b"]" * 400)
    ended = jiancha("clock", stdin=deep + lines(good))
    assert (ended.code, [answer["id"] for answer in ended.lines]) == (1, [None, "good"])
    assert "nested too deeply" in ended.lines[0]["error"]


def test_a_finish_that_arrives_late_shows_the_cards_of_its_nights_and_is_withdrawn_afterwards(file: Any) -> None:
    path = file(ACCEPT, LATE_FINISH)
    conduct, withdrawn = ("conduct", True), ("push_delay", False)
    assert judge(path, "10-19 01:00") == {}
    assert judge(path, "10-24 01:00") == {"reminder": conduct}
    assert judge(path, "10-25 01:00") == {"reminder": conduct, "yellow": conduct}
    assert judge(path, "10-27 01:00")["yellow"] == withdrawn
    assert judge(path, "10-25 01:00", "--known-by", moment("10-27 01:00"))["yellow"] == withdrawn
    assert judge(path, "10-27 01:00", "--known-by", moment("10-25 01:00")) == {"reminder": conduct, "yellow": conduct}


def test_a_finish_moved_back_by_a_second_version_leaves_the_card_in_doubt(file: Any) -> None:
    path = file(ACCEPT, SAID_FIRST, LATE_FINISH | {"version": 2})
    assert judge(path, "10-26 01:00")["yellow"] == ("conduct", True)
    assert judge(path, "10-27 01:00")["yellow"] == ("suspect", True)


def test_two_knowledge_times_differ_by_the_cards_one_of_them_changes_each_with_its_deciding_message(file: Any) -> None:
    options = [part for known in ("10-25 01:00", "10-27 01:00") for part in ("--known-by", moment(known))]
    ended = jiancha("judge", "--messages", file(ACCEPT, LATE_FINISH), "--diff", *options)
    assert ended.code == 0
    (changed,) = (row for row in ended.lines if row["level"] == "yellow")
    assert (changed["change"], changed["nature"]) == ("withdrawn", "push_delay")
    assert changed["deciding"] == [f"scjg/{CASE}/finish/0/v1"]


def test_a_card_that_later_knowledge_does_not_even_list_is_withdrawn_by_what_came_meanwhile(file: Any) -> None:
    in_time = message("finish", "10-23 15:00", outcome="granted")
    asked = ["judge", "--messages", file(ACCEPT, in_time), "--as-of", moment("10-27 01:00")]
    known = [part for moment_ in ("10-23 01:00", "10-27 01:00") for part in ("--known-by", moment(moment_))]
    (changed,) = (row for row in jiancha(*asked, "--diff", *known).lines if row["level"] == "yellow")
    assert (changed["change"], changed["standing"]) == ("withdrawn", False)
    assert changed["deciding"] == [f"scjg/{CASE}/finish/0/v1"]
    assert [card["level"] for card in jiancha(*asked).lines] == ["reminder"]


def test_a_card_issued_between_two_knowledge_times_names_the_message_that_brought_it(file: Any) -> None:
    late_accept = ACCEPT | {"received_at": moment("10-26 09:00")}
    asked = ["judge", "--messages", file(late_accept), "--as-of", moment("10-27 01:00"), "--diff"]
    changed = jiancha(*asked, "--known-by", moment("10-25 01:00"), "--known-by", moment("10-27 01:00")).lines
    deciding = [f"scjg/{CASE}/accept/0/v1"]
    assert [(row["change"], row["level"], row["deciding"]) for row in changed] == [
        ("issued", "reminder", deciding), ("issued", "yellow", deciding),
    ]  # fmt: skip
    passed = jiancha(*asked[:3], "--diff", "--known-by", moment("10-27 01:00"), "--known-by", moment("10-31 01:00"))
    assert [(row["change"], row["level"], row["deciding"]) for row in passed.lines] == [("issued", "red", [])]


def test_only_the_cases_asked_for_are_judged(file: Any) -> None:
    other = ACCEPT | {"case_no": "other"}
    third = ACCEPT | {"case_no": "third"}
    path = file(ACCEPT, other, third)

    def judged(*options: str) -> set[str]:
        ended = jiancha("judge", "--messages", path, "--as-of", moment("10-30 10:00"), *options)
        return {card["case_no"] for card in ended.lines}

    assert judged() == {CASE, "other", "third"}
    assert judged("--only-cases", f"{CASE},third") == {CASE, "third"}
    assert judged("--only-cases", "other", "--only-cases", "third") == {"other", "third"}
    assert judged("--only-cases", "nobody") == set()


def test_messages_come_from_standard_input_too() -> None:
    ended = jiancha("judge", "--messages", "-", "--as-of", moment("10-30 10:00"), stdin=lines(ACCEPT))
    assert [card["level"] for card in ended.lines] == ["reminder", "yellow", "red"]


def test_a_rejected_message_is_named_by_its_line_and_the_others_are_judged(file: Any) -> None:
    path = file(ACCEPT, {"source": "scjg"}, ACCEPT | {"payload": {"outcome": "refused"}}, ACCEPT)
    with path.open("ab") as more:
        more.write(b"\n  \n{half a line\n")
    ended = jiancha("judge", "--messages", path, "--as-of", moment("10-30 10:00"))
    assert ended.code == 1
    assert len(ended.lines) == 3
    assert [line.split(":")[0] for line in ended.err.splitlines()] == ["line 2", "line 3", "line 7"]
    told = jiancha("judge", "--messages", "-", "--as-of", moment("10-30 10:00"), stdin=path.read_bytes())
    assert told == ended
    explained = jiancha("explain", CASE, "--messages", path, "--as-of", moment("10-30 10:00"), "--json")
    assert (explained.code, explained.err) == (1, ended.err)
    assert explained.only["days"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--as-of", "2018-10-30T10:00:00"), "has no offset"),
        (("--as-of", "yesterday"), "not an RFC 3339 instant"),
        (("--as-of", "0001-01-01T00:00:00+08:00"), "is not of the years 1900 to 2999"),
        ((), "give --as-of"),
        (("--as-of", moment("10-30 10:00"), "--profile", "sichuan"), "no profile 'sichuan'"),
        (("--diff", "--known-by", moment("10-30 10:00")), "--known-by twice"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_with_two(file: Any, options: tuple[str, ...], said: str) -> None:
    refused(jiancha("judge", "--messages", file(ACCEPT), *options), 2, said)


def test_a_file_that_is_not_there_is_refused_with_two(tmp_path: Path) -> None:
    refused(jiancha("judge", "--messages", tmp_path / "none", "--as-of", moment("10-30 10:00")), 2, "No such file")


HOURS = "region,valid_from,spans,known_from\n511600,2018-01-01,11:00-19:00,2017-12-20\n"


def test_a_case_of_a_file_is_judged_and_explained_by_the_office_hours_of_its_region(file: Any, tmp_path: Path) -> None:
    hours = tmp_path / "hours.csv"
    hours.write_text(HOURS, encoding="utf-8")
    elsewhere = ACCEPT | {"case_no": "elsewhere", "region": "430102000000"}
    asked = ("--messages", file(ACCEPT | {"region": "511602000000"}, elsewhere), "--office-hours", hours)
    as_of = ("--as-of", moment("10-25 01:00"))
    reached = {card["case_no"]: card["reached_at"] for card in jiancha("judge", *asked, *as_of).lines}
    assert reached == {CASE: moment("10-24 11:00"), "elsewhere": moment("10-24 10:00")}
    known = [part for night in ("10-24 01:00", "10-25 01:00") for part in ("--known-by", moment(night))]
    changed = jiancha("judge", *asked, "--diff", *known).lines
    assert {row["case_no"]: row["reached_at"] for row in changed} == reached
    told = jiancha("explain", CASE, *asked, *as_of, "--json").only
    assert (told["calendar_version"], told["boundaries"][-1]["reached_at"]) == (
        "cn@2017-11-30+5116@2017-12-20", moment("10-24 11:00"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (HOURS.replace("known_from", "known_since"), "row 2: known_from missing"),
        (HOURS.replace("spans", "valid_util,spans").replace("11:00", "2018-02-01,11:00"), "unknown: ['valid_util']"),
        (HOURS.replace("19:00", "10:00"), "hours.csv row 2"),
        (HOURS + "511600,2018-01-01,09:00-17:00,2017-12-20\n", "is known otherwise"),
        ("", "hours.csv"),
    ],
)
def test_office_hours_that_are_wrong_are_refused_whole(file: Any, tmp_path: Path, wrong: str, said: str) -> None:
    hours = tmp_path / "hours.csv"
    hours.write_text(wrong, encoding="utf-8")
    asked = ("--messages", file(ACCEPT), "--as-of", moment("10-25 01:00"), "--office-hours", hours)
    refused(jiancha("judge", *asked), 2, said)


@pytest.mark.parametrize("command", [("judge",), ("explain", CASE)])
def test_a_moment_beyond_the_calendar_is_refused_with_four(file: Any, command: tuple[str, ...]) -> None:
    ended = jiancha(*command, "--messages", file(ACCEPT), "--as-of", "2037-02-01T10:00:00+08:00")
    refused(ended, 4, "outside calendar")


def test_overlapping_suspensions_exclude_four_days_and_the_counted_days_add_up(file: Any) -> None:
    def special(seq: int, begin: str, end: str) -> list[dict[str, Any]]:
        start = {"special_kind": "hearing", "approved_days": 20, "approver": "主任"}
        return [message("special_start", begin, seq=seq, **start), message("special_result", end, seq=seq)]

    path = file(ACCEPT, *special(1, "10-16 10:00", "10-19 10:00"), *special(2, "10-17 10:00", "10-22 10:00"))
    ended = jiancha("explain", CASE, "--messages", path, "--as-of", moment("10-30 10:00"), "--json")
    assert ended.code == 0
    ledger = ended.only
    request = {
        "id": 1, "mode": "office_clock", "start": moment("10-15 10:00"), "limit": 7, "unit": "working_day",
        "as_of": moment("10-30 10:00"),
        "suspensions": [
            {"from": moment("10-16 10:00"), "to": moment("10-19 10:00"), "approved_days": 20},
            {"from": moment("10-17 10:00"), "to": moment("10-22 10:00"), "approved_days": 20},
        ],
    }  # fmt: skip
    used = jiancha("clock", stdin=lines(request)).only["used_days"]
    assert used == 7, "eleven working days without four"
    days = ledger["days"]
    assert sum(day["counted_days"] for day in days) == pytest.approx(used, abs=1e-5)
    assert days[-1]["running_days"] == pytest.approx(used, abs=1e-6)
    assert [day["date"] for day in days] == [f"2018-10-{day}" for day in range(15, 31)]
    kinds = {day["date"][-2:]: day["kind"] for day in days}
    assert [kinds[day] for day in ("17", "18", "19", "20", "21", "23")] == [
        "suspended", "suspended", "suspended", "rest", "rest", "worked",
    ]  # fmt: skip
    assert {kinds[day] for day in ("15", "16", "22", "30")} == {"partial"}
    assert days[2]["evidence"] == [f"scjg/{CASE}/special_start/{seq}/v1" for seq in (1, 2)]
    assert [(card["level"], card["used_days"]) for card in ledger["boundaries"] if card["clock"] == "case"] == [
        ("reminder", 7)
    ]


def test_an_explanation_names_holidays_and_make_up_days_and_reads_as_text(file: Any) -> None:
    accept = ACCEPT | dict.fromkeys(("occurred_at", "written_at", "received_at"), "2025-09-24T10:00:00+08:00")
    asked = ("explain", CASE, "--messages", file(accept), "--as-of", "2025-10-11T12:00:00+08:00")
    ended = jiancha(*asked, "--json")
    kinds = {day["date"]: day["kind"] for day in ended.only["days"]}
    assert (kinds["2025-09-27"], kinds["2025-09-28"], kinds["2025-10-01"]) == ("rest", "makeup", "holiday")
    assert set(kinds.values()) <= {"worked", "rest", "holiday", "makeup", "suspended", "partial"}
    text = jiancha(*asked)
    assert text.code == 0
    assert "2025-09-28" in text.out
    assert "调休上班" in text.out


@pytest.mark.parametrize("options", [("--as-of", moment("10-10 10:00")), ()])
def test_a_case_nobody_can_explain_is_refused_with_two(file: Any, options: tuple[str, ...]) -> None:
    refused(jiancha("explain", CASE, "--messages", file(ACCEPT), *options), 2, "")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("cases", [1, 2000], ids=["what fits a buffer", "more than a pipe holds"])
def test_when_nobody_reads_on_the_command_ends_quietly_as_one_killed_by_the_pipe(
    file: Any, cases: int, unbuffered: str
) -> None:
    path = file(*(ACCEPT | {"case_no": f"{number:018}"} for number in range(cases)))
    arguments = ["judge", "--messages", str(path), "--as-of", moment("10-30 10:00")]
    reads, writes = os.pipe()
    os.close(reads)
    try:
        command = [sys.executable, "-m", "etl.cli", *arguments]
        variables = os.environ | {"PYTHONUNBUFFERED": unbuffered}
        ended = subprocess.run(command, stdout=writes, stderr=subprocess.PIPE, env=variables, text=True, check=False)
    finally:
        os.close(writes)
    assert (ended.returncode, ended.stderr) == (141, "")


def test_a_file_may_be_called_by_what_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "办件.jsonl".encode("gbk").decode("utf-8", "surrogateescape")
    path.write_bytes(lines(ACCEPT))
    assert len(jiancha("judge", "--messages", path, "--as-of", moment("10-30 10:00")).lines) == 3


def test_the_installed_command_lists_the_sources() -> None:
    command = Path(sys.executable).with_name("jiancha")
    done = subprocess.run([command, "source", "list"], capture_output=True, text=True, check=True)
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == sources.names()
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("JIANCHA_SMTP_PORT", "s3cret-word", "valid integer"),
        ("JIANCHA_NOTIFY_MODE", "s3cret-word", "'off', 'file', 'sandbox' or 'live'"),
        ("JIANCHA_CUTOFF", "25:00", "outside expected range of 0-23"),
    ],
)
@pytest.mark.parametrize("command", [("status",), ("doctor",), ("watch",), ("night", "--date", "2026-11-17")])
def test_a_wrong_setting_is_refused_with_two_and_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    settings.cache_clear()
    engine.cache_clear()
    ended = jiancha(*command)
    refused(ended, 2, f"{name}: ")
    assert said in ended.err
    assert value not in ended.err
