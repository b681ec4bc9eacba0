"""Makes ``templates/bulletin.docx`` anew: ``python -m etl.publish.document_template``.

An office that wants another look edits the document itself; only the ``{{ }}`` and ``{% %}`` marks must stay.
"""

from __future__ import annotations

import io
from typing import Any

from etl.publish.document import TEMPLATE, without_clock
from etl.publish.files import write_file

_RED, _GREY = "B3141B", "646A73"
_CELL = "Table Cell"


def build() -> bytes:
    """The template: GB/T 9704 page, 宋体/黑体/仿宋, one table that repeats for every table of a section."""
    from docx import Document
    from docx.enum.style import WD_STYLE_TYPE
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Mm, Pt

    document = Document()
    page = document.sections[0]
    page.page_width, page.page_height = Mm(210), Mm(297)
    page.top_margin, page.bottom_margin, page.left_margin, page.right_margin = Mm(37), Mm(35), Mm(28), Mm(26)
    for name, font, size, colour in (
        ("Normal", "仿宋", 16, None),
        ("Title", "宋体", 22, _RED),
        ("Subtitle", "楷体", 14, None),
        ("Heading 1", "黑体", 16, "000000"),
        ("Heading 2", "楷体", 14, "000000"),
        ("Caption", "仿宋", 10.5, _GREY),
    ):
        _style(document.styles[name], font, size, colour)
    document.styles["Normal"].paragraph_format.line_spacing = Pt(28)
    document.styles["Caption"].paragraph_format.line_spacing = Pt(16)
    cell = document.styles.add_style(_CELL, WD_STYLE_TYPE.PARAGRAPH)
    _style(cell, "仿宋", 8.5, None)
    cell.paragraph_format.line_spacing = Pt(12)
    cell.paragraph_format.space_after = Pt(0)

    def line(text: str, style: str = "Normal") -> Any:
        return document.add_paragraph(text, style)

    line("{{ model.heading }}", "Title").alignment = WD_ALIGN_PARAGRAPH.CENTER
    line("{{ model.period }}", "Subtitle").alignment = WD_ALIGN_PARAGRAPH.CENTER
    line("{%p for section in model.sections %}")
    line("{{ section.title }}", "Heading 1")
    line("{%p for paragraph in section.paragraphs %}")
    line("{{ paragraph }}").paragraph_format.first_line_indent = Pt(32)
    line("{%p endfor %}")
    line("{%p for table in section.tables %}")
    line("{{ table.title }}", "Heading 2")
    line("{%p if table.rows %}")
    _grid(document)
    line("{%p else %}")
    line("本周无。", "Caption")
    line("{%p endif %}")
    line("{%p if table.note %}")
    line("注：{{ table.note }}", "Caption")
    line("{%p endif %}")
    line("{%p endfor %}")
    line("{%p endfor %}")
    line("数据截止 {{ model.data_until }}（北京时间）", "Caption")
    line("规则版本 {{ model.profile_versions }}　日历版本 {{ model.calendar_versions }}", "Caption")
    line("台账链首 {{ model.head_hash }}", "Caption")
    buffer = io.BytesIO()
    document.save(buffer)
    return without_clock(buffer.getvalue())


def _style(style: Any, font: str, size: float, colour: str | None) -> None:
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    style.font.name, style.font.size, style.font.italic = font, Pt(size), False
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for theme in [name for name in fonts.attrib if "Theme" in name]:
        del fonts.attrib[theme]
    for kind in ("w:ascii", "w:hAnsi", "w:eastAsia", "w:cs"):
        fonts.set(qn(kind), font)
    if colour:
        style.font.color.rgb = RGBColor.from_string(colour)


def _grid(document: Any) -> None:
    """Head row and body row; ``tc`` repeats a cell, ``tr`` a row."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    table = document.add_table(rows=4, cols=3, style="Table Grid")
    for row, cells in zip(
        table.rows,
        (
            ("{%tc for column in table.columns %}", "{{ column }}", "{%tc endfor %}"),
            ("{%tr for row in table.rows %}", "", ""),
            ("{%tc for cell in row %}", "{{ cell }}", "{%tc endfor %}"),
            ("{%tr endfor %}", "", ""),
        ),
        strict=True,
    ):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.paragraphs[0].style = document.styles[_CELL]
            cell.paragraphs[0].add_run(text).bold = row is table.rows[0] or None
    repeated = OxmlElement("w:tblHeader")
    repeated.set(qn("w:val"), "true")
    table.rows[0]._tr.get_or_add_trPr().append(repeated)


if __name__ == "__main__":
    write_file(TEMPLATE, build())
