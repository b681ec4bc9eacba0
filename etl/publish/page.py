"""The bulletin as one self-contained page, charts as inline SVG; also what the printer gets."""

from __future__ import annotations

from typing import Any

from etl.publish import render

_LABEL, _SCALE, _BAR, _GAP = 260, 420, 18, 10


def bulletin(model: dict[str, Any]) -> bytes:
    """The issued model (`etl.publish.bulletin`) -> HTML bytes, the same for the same model."""
    return render.text(
        "bulletin.html", model=model, charts=[_chart(each["chart"]) for each in model["sections"]]
    ).encode()


def _chart(chart: dict[str, Any] | None) -> dict[str, Any] | None:
    """A stacked bar chart's geometry in pixels; the template draws it."""
    if chart is None:
        return None
    most = max(sum(counts) for _, counts in chart["bars"])
    rows = []
    for place, (label, counts) in enumerate(chart["bars"]):
        left, boxes = _LABEL, []
        for count, (name, colour) in zip(counts, chart["series"], strict=True):
            width = round(_SCALE * count / most)
            if count:
                boxes.append({"x": left, "width": max(width, 2), "colour": colour, "count": count, "name": name})
            left += width
        rows.append({"y": place * (_BAR + _GAP) + 4, "label": label, "boxes": boxes, "end": left, "sum": sum(counts)})
    return {
        "title": chart["title"],
        "series": chart["series"],
        "rows": rows,
        "bar": _BAR,
        "label": _LABEL,
        "width": _LABEL + _SCALE + 50,
        "height": len(rows) * (_BAR + _GAP) + 4,
    }
