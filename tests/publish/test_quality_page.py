"""The quality page: hostile text stays text, nobody is named, nothing is fetched, trends are drawn as told."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

from etl.domain.night import ZONE
from etl.publish import quality_page

NIGHT = date(2026, 11, 20)
SPAN = [NIGHT - timedelta(days=back) for back in range(13, -1, -1)]
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


def rule(**more: Any) -> dict[str, Any]:
    return {
        "source": "scjg", "suite": "finish", "rule": "fee_range", "title": "收费金额为负或超过一亿元",
        "basis": "行政许可法第五十八、五十九条", "severity": "error", "checked_rows": 8, "failed_rows": 2,
        "samples": ["A1：-5"], "first_on": date(2026, 11, 9), "trend": [None] * 11 + [[4, 1], [0, 0], [8, 2]],
    } | more  # fmt: skip


def shown(*rules: dict[str, Any], **more: Any) -> str:
    volumes = [{"kind": "accept", "row_count": 12, "usual_count": 48.0, "trend": [None] * 12 + [48, 12]}]
    source = {
        "source": "scjg",
        "title": "区市监局",
        "checked_rows": 40,
        "rules": list(rules),
        "volumes": volumes,
    } | more
    until = datetime(2026, 11, 21, 1, tzinfo=ZONE)
    return quality_page.page({"business_on": NIGHT, "data_until": until, "nights": SPAN, "sources": [source]}).decode()


class Elements(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_hostile_text_stays_text() -> None:
    page = shown(rule(title=HOSTILE, basis=HOSTILE, samples=[HOSTILE]), title=HOSTILE, source=HOSTILE)
    tags = Elements(page).found
    assert not {"script", "img"} & {tag for tag, _ in tags}
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 4


def test_nothing_is_fetched_and_no_script_runs() -> None:
    for tag, attributes in Elements(shown(rule())).found:
        assert tag not in ("script", "link", "iframe", "object", "embed", "base", "form")
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in shown(rule())
    assert "@import" not in shown(rule())


def test_numbers_of_people_are_hidden_wherever_they_come_in() -> None:
    page = shown(rule(title="联系13900001111", samples=["510102199001011234：１３９００００１１１１"]))
    assert "13900001111" not in page
    assert "１３９００００１１１１" not in page
    assert "510102199001011234" not in page
    assert page.count("［号码已隐去］") >= 3


def test_the_failure_rate_is_rounded_half_up_and_nothing_checked_has_none() -> None:
    page = shown(rule(checked_rows=160, failed_rows=1, trend=[None] * 13 + [[160, 1]]), rule(rule="b", checked_rows=3))
    assert "0.63%" in page
    assert "66.67%" in page
    assert "%" not in shown(rule(checked_rows=0, failed_rows=0, trend=[None] * 14)).partition("</style>")[2]


def test_a_trend_has_a_point_a_night_and_breaks_where_nothing_was_checked() -> None:
    page = shown(rule(trend=[[10, 0]] * 5 + [None] + [[10, 5]] * 7 + [[10, 10]]))
    (drawing,) = re.findall(r'<svg[^>]*aria-label="近十四夜不合格率">.*?</svg>', page, re.DOTALL)
    heights = [float(y) for y in re.findall(r'cy="([\d.]+)"', drawing)]
    assert heights == [22.0] * 5 + [13.0] * 7 + [4.0]
    assert len(re.findall("<polyline", drawing)) == 2
    assert "2026-11-20：10／10" in drawing
    assert "2026-11-12：" not in drawing


def test_what_passed_is_counted_and_what_failed_is_told_with_its_document() -> None:
    page = shown(rule(), rule(rule="b", title="时限单位不在约定值之内", failed_rows=0, first_on=None))
    assert "规则 2 项，有不合格的 1 项" in page
    assert "检查合格的规则 1 项" in page
    for told in ("隔离该条", "行政许可法第五十八、五十九条", "25.00%", "2026-11-09", "A1：-5"):
        assert told in page
    assert "<b>12</b>受理<br><span>常量 48，比值 0.25</span>" in page
    assert "当夜没有新到的记录" in shown(checked_rows=0)
