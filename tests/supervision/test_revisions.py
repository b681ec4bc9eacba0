"""Calendar, office hours and rules as effective-dated data: which version judges a case, and what a revision does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from typing import Any

from etl.domain.calendar import CalendarBook, CalendarDay, StatutoryDay
from etl.domain.message import parse, table
from etl.domain.office_hours import HoursRuling
from etl.domain.profile import Profile, ProfileBook
from etl.store.profiles import profile
from etl.supervision.explain import explain
from etl.supervision.judge import judge_table, with_known_at
from tests.oracle.cases import Case, shanghai

ACCEPTED = "2026-03-02 10:00"  # a Monday
MORNINGS = ((time(9), time(12)),)
EARLY = ((time(8, 30), time(12)), (time(14), time(17, 30)))


def day(text: str) -> date:
    return date.fromisoformat(text)


def off(on: str, kind: str, known: str, notice: str = "2026") -> CalendarDay:
    return CalendarDay(day(on), kind, "", notice, day(known))


def book(
    *more: CalendarDay, hours: Mapping[str, Any] | None = None, local: Mapping[str, Any] | None = None
) -> CalendarBook:
    """A calendar of 2026 with its notice of November 2025, and 2027 without one."""
    statutory = [StatutoryDay(date(year, 1, 1), "元旦", date(2013, 12, 11)) for year in (2026, 2027)]
    return CalendarBook("cn", [off("2026-01-01", "holiday", "2025-11-04"), *more], statutory, local, hours)


def cards(
    case: Case, calendar: CalendarBook, as_of: str, rules: Profile | ProfileBook | None = None
) -> list[dict[str, Any]]:
    messages = with_known_at(table([parse(message) for message in case.messages]))
    moment = shanghai(as_of)
    return judge_table(messages, moment, moment, rules or profile("hunan"), calendar).to_pylist()


def told(listed: list[dict[str, Any]]) -> dict[str, tuple[str, str, bool]]:
    """Per level the boundary, the nature and whether it stands."""
    return {
        card["level"]: (
            f"{card['reached_at'].astimezone(shanghai(ACCEPTED).tzinfo):%m-%d %H:%M}",
            card["nature"],
            card["standing"],
        )
        for card in listed
        if card["clock"] == "case"
    }


def accepted(region: str | None = None, promised: float = 7, statutory: float = 10) -> Case:
    case = Case().accept(ACCEPTED, promised, statutory)
    case.messages[-1]["region"] = region
    return case


def test_a_case_is_judged_by_the_hours_of_its_region_and_another_by_the_default() -> None:
    hours = {"430000": [HoursRuling(day("2026-01-01"), None, (1, 1), EARLY, day("2025-12-01"))]}
    here, there = (told(cards(accepted(region), book(hours=hours), "2026-03-20 01:00")) for region in ("430102", None))
    # 10:00 is 1.5 of 7 hours into the region's day, one of 7 into the default one: the same share of a later day.
    assert here["yellow"] == there["yellow"] == ("03-11 10:00", "conduct", True)
    case = Case().accept("2026-03-02 08:45", 1, 2)
    case.messages[-1]["region"] = "430102"
    assert told(cards(case, book(hours=hours), "2026-03-20 01:00"))["yellow"][0] == "03-03 08:45"
    case.messages[-1]["region"] = "510100"
    assert told(cards(case, book(hours=hours), "2026-03-20 01:00"))["yellow"][0] == "03-03 09:00"


def test_a_half_day_counts_one_day_and_two_regions_are_judged_in_one_table() -> None:
    hours = {"4301": [HoursRuling(day("2026-03-10"), day("2026-03-10"), (1, 1), MORNINGS, day("2026-03-01"))]}
    case, other = accepted("430102", 6), accepted("430200", 6)
    for message in other.messages:
        message["case_no"] = "B"
    messages = with_known_at(table([parse(message) for message in (*case.messages, *other.messages)]))
    moment = shanghai("2026-03-20 01:00")
    listed = judge_table(messages, moment, moment, profile("hunan"), book(hours=hours)).to_pylist()
    yellow = {card["case_no"]: card for card in listed if card["level"] == "yellow"}
    # 6 days from 10:00 end 1/7 into Tuesday 10 March: 09:25:43 of a morning of three hours, 10:00 of a whole day.
    assert {f"{card['reached_at'].minute:02}:{card['reached_at'].second:02}" for card in yellow.values()} == {
        "00:00",
        "25:42",
    }
    assert yellow["B"]["calendar_version"] == "cn@2025-11-04"
    assert {card["calendar_version"] for card in yellow.values()} == {"cn@2025-11-04", "cn@2025-11-04+4301@2026-03-01"}


def test_a_local_closure_moves_the_boundaries_of_its_region_alone() -> None:
    local = {"430100": [off("2026-03-05", "holiday", "2026-03-04", "2026-typhoon")]}
    assert told(cards(accepted("430102"), book(local=local), "2026-03-20 01:00"))["yellow"][0] == "03-12 10:00"
    assert told(cards(accepted("430200"), book(local=local), "2026-03-20 01:00"))["yellow"][0] == "03-11 10:00"


def test_a_closure_told_afterwards_withdraws_the_card_for_the_calendar() -> None:
    local = {"43": [off("2026-03-05", "holiday", "2026-03-14", "2026-typhoon")]}
    case = accepted("430102").finish("2026-03-12 09:30")
    assert told(cards(case, book(local=local), "2026-03-13 01:00"))["yellow"] == ("03-11 10:00", "conduct", True)
    assert told(cards(case, book(local=local), "2026-03-14 01:00"))["yellow"] == ("03-11 10:00", "calendar", False)


def test_an_amendment_that_makes_a_date_earlier_issues_the_card_for_the_calendar() -> None:
    amended = book(off("2026-03-07", "makeup", "2026-03-13", "2026-amendment"))
    case = accepted().finish("2026-03-11 09:30")
    assert "yellow" not in told(cards(case, amended, "2026-03-12 23:59"))
    assert told(cards(case, amended, "2026-03-13 01:00"))["yellow"] == ("03-10 10:00", "calendar", True)
    late = accepted().finish("2026-03-20 09:30")
    assert told(cards(late, amended, "2026-03-21 01:00"))["yellow"][1] == "conduct", "overdue by either calendar"


def test_a_year_without_a_notice_has_no_red_until_its_notice_is_known() -> None:
    notice = off("2027-01-01", "holiday", "2027-02-01", "2027")
    case = Case().accept("2026-12-21 10:00", 7, 10)
    before = cards(case, book(notice), "2027-01-31 01:00")
    assert "red" not in told(before)
    assert [card["provisional"] for card in before if card["level"] == "yellow"] == [True]
    assert told(cards(case, book(notice), "2027-02-01 01:00"))["red"] == ("01-05 10:00", "calendar", True)


def revised(**fields: Any) -> ProfileBook:
    """hunan, and a version 2 of it with yellow a day later."""
    first = profile("hunan")
    levels = tuple(
        rule.model_copy(update={"offset_days": 1}) if (rule.clock, rule.level) == ("case", "yellow") else rule
        for rule in first.levels
    )
    return ProfileBook([first, first.model_copy(update={"version": "2", "levels": levels, **fields})])


def test_rules_that_come_into_force_judge_what_starts_from_then_on() -> None:
    rules = revised(in_force_from=day("2026-03-03"), known_from=day("2026-02-01"))
    old = cards(accepted(), book(), "2026-03-20 01:00", rules)
    assert told(old)["yellow"] == ("03-11 10:00", "conduct", True)
    new = cards(Case().accept("2026-03-03 10:00", 7, 10), book(), "2026-03-20 01:00", rules)
    assert told(new)["yellow"] == ("03-13 10:00", "conduct", True)
    assert [{card["profile_version"] for card in listed} for listed in (old, new)] == [{"hunan@2018.1"}, {"hunan@2"}]


def test_a_revision_that_reaches_back_withdraws_and_issues_cards_for_the_rule() -> None:
    rules = revised(in_force_from=day("2026-03-01"), known_from=day("2026-03-14"))
    case = accepted().finish("2026-03-12 09:30")
    assert told(cards(case, book(), "2026-03-13 01:00", rules))["yellow"] == ("03-11 10:00", "conduct", True)
    withdrawn = cards(case, book(), "2026-03-14 01:00", rules)
    assert told(withdrawn)["yellow"] == ("03-11 10:00", "rule", False)
    assert [card["profile_version"] for card in withdrawn if card["level"] == "yellow"] == ["hunan@2"]
    stricter = ProfileBook(
        [rules.versions[1].model_copy(update={"known_from": date.min, "in_force_from": date.min, "version": "0"}),
         rules.versions[0].model_copy(update={"known_from": day("2026-03-14"), "in_force_from": day("2026-03-01")})]
    )  # fmt: skip
    assert "yellow" not in told(cards(case, book(), "2026-03-13 01:00", stricter))
    assert told(cards(case, book(), "2026-03-14 01:00", stricter))["yellow"] == ("03-11 10:00", "rule", True)


def test_a_revision_may_add_and_drop_levels() -> None:
    first = profile("hunan")
    rules = ProfileBook(
        [first, first.model_copy(update={
            "version": "2", "known_from": day("2026-03-14"), "in_force_from": day("2026-03-01"),
            "levels": tuple(rule for rule in first.levels if (rule.clock, rule.level) != ("case", "reminder")),
        })]
    )  # fmt: skip
    after = told(cards(accepted(), book(), "2026-03-25 01:00", rules))
    assert [after[level][1:] for level in ("reminder", "yellow", "red")] == [
        ("rule", False),
        ("conduct", True),
        ("conduct", True),
    ]


def test_what_started_before_any_version_was_in_force_is_judged_by_none() -> None:
    only = profile("hunan").model_copy(update={"in_force_from": day("2026-03-03")})
    assert cards(accepted(), book(), "2026-03-25 01:00", only) == []


def test_a_case_is_explained_by_the_hours_of_its_region_and_the_rules_it_started_under() -> None:
    hours = {"4301": [HoursRuling(day("2026-03-10"), day("2026-03-10"), (1, 1), MORNINGS, day("2026-03-01"))]}
    local = {"43": [off("2026-03-05", "holiday", "2026-03-04", "2026-typhoon")]}
    rules = revised(in_force_from=day("2026-03-02"), known_from=day("2026-02-01"))
    case = accepted("430102", 8).finish("2026-03-10 10:30")
    messages = with_known_at(table([parse(message) for message in case.messages]))
    moment = shanghai("2026-03-12 01:00")
    ledger = explain(messages, case.messages[0]["case_no"], moment, moment, rules, book(hours=hours, local=local))
    assert (ledger["profile"], ledger["calendar_version"]) == ("hunan@2", "cn@2025-11-04+43@2026-03-04+4301@2026-03-01")
    counted = {found["date"]: found["counted_days"] for found in ledger["days"]}
    assert counted["2026-03-05"] == 0
    assert counted["2026-03-10"] == 0.5, "an hour and a half of a morning of three hours"
