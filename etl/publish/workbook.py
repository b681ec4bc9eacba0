"""The attachment a department fills in: no cell is a formula or a link, one column left free for 情况说明."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Sequence
from datetime import datetime

EXPLANATION = "情况说明"
_FIGURE = re.compile(r"-?\d{1,9}\.\d\d")
_INERT = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def workbook(
    sheets: Sequence[tuple[str, Sequence[str], Sequence[Sequence[str]]]],
    figures: Collection[str],
    note: str,
    created_at: datetime,
) -> bytes:
    """Sheets (title, columns, rows) -> XLSX bytes, the same for the same input.

    Columns named in `figures` hold numbers where they are numbers; `note` stands under each table.
    """
    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, _INERT) as book:
        book.set_properties({"title": note, "created": created_at.replace(tzinfo=None)})
        cell = {"border": 1, "border_color": "#BFC5CD", "text_wrap": True, "valign": "vcenter", "font_size": 10}
        head = book.add_format(cell | {"bold": True, "bg_color": "#E9EDF3", "align": "center"})
        body = book.add_format(cell)
        figure = book.add_format(cell | {"num_format": "0.00"})
        free = book.add_format(cell | {"bg_color": "#FFFBE6"})
        small = book.add_format({"font_size": 9, "font_color": "#666666"})
        for title, columns, table in sheets:
            sheet = book.add_worksheet(title)
            widths = [_width([column, *(row[index] for row in table)]) for index, column in enumerate(columns)]
            for index, column in enumerate([*columns, EXPLANATION]):
                sheet.set_column(index, index, 40 if column == EXPLANATION else widths[index])
                sheet.write_string(0, index, column, head)
            for line, row in enumerate(table, start=1):
                for index, value in enumerate(row):
                    if columns[index] in figures and _FIGURE.fullmatch(value):
                        sheet.write_number(line, index, float(value), figure)
                    else:
                        sheet.write_string(line, index, value, body)
                sheet.write_blank(line, len(columns), None, free)
            sheet.write_string(len(table) + 2, 0, note, small)
            sheet.freeze_panes(1, 2)
            sheet.autofilter(0, 0, max(len(table), 1), len(columns))
            sheet.set_landscape()
            sheet.set_paper(9)
            sheet.fit_to_pages(1, 0)
            sheet.repeat_rows(0)
    return buffer.getvalue()


def _width(values: Sequence[str]) -> float:
    return min(36, max(8, 2 + max(sum(2 if ord(letter) > 255 else 1 for letter in value) for value in values)))
