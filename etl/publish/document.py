"""The bulletin as the working document: the model poured into ``templates/bulletin.docx``, which an office restyles."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from typing import Any

from etl.publish.render import TEMPLATES

TEMPLATE = TEMPLATES / "bulletin.docx"


def bulletin(model: dict[str, Any]) -> bytes:
    """The issued model (`etl.publish.bulletin`) -> DOCX bytes, the same for the same model and template."""
    from docxtpl import DocxTemplate

    document = DocxTemplate(TEMPLATE)
    document.render({"model": model}, autoescape=True)
    made_at = datetime.fromisoformat(model["made_at"]).replace(tzinfo=None)
    document.core_properties.title = f"{model['heading']} {model['week']}"
    document.core_properties.created = document.core_properties.modified = made_at
    buffer = io.BytesIO()
    document.save(buffer)
    return without_clock(buffer.getvalue())


def without_clock(archive: bytes) -> bytes:
    """The same ZIP with every member dated 1980: equal content, equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as given, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as fixed:
        for name in given.namelist():
            fixed.writestr(zipfile.ZipInfo(name), given.read(name), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
