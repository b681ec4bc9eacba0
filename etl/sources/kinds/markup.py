"""XML text to rows of cells: every element of the declared name is a record, its children and attributes are cells.

No document type is accepted, so there are no entities to expand and nothing outside the file to fetch; depth and the
size of one text are the parser's own limits. XML has no order of columns and no row that names them: what the records
hold together is the header, so a column nobody declared, or one that no record has, is found like in any other file.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lxml import etree

from etl.errors import RecordRejected, SourceContractBroken
from etl.sources.kinds.decode import COLUMNS_MAX, check_row_count

Cell = str | RecordRejected

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
# What no XML may hold, and bytes that did not decode: carried through the parser in a private plane, so that they cost
# their own row, as in any other file, and not the whole one.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_PLANE = 0x100000
_CARRIED = re.compile("[\U00100000-\U0010ffff]")


def records(content: str, record: str, header: Sequence[str]) -> Iterator[list[str] | list[Cell]]:
    """Rows of cells, the header first: the declared one, unless the records hold other columns.

    Raises:
        SourceContractBroken: not well-formed, with a document type, or with content but no such record.
    """
    if "<!DOCTYPE" in content or "<!ENTITY" in content:
        raise SourceContractBroken("the file declares a document type; send it without")
    declared = {name.casefold(): name for name in header}
    rows = list(_read(_DECLARATION.sub("", content, count=1), record, declared))
    names = dict.fromkeys(name for row in rows for name in row)
    in_order = list(header) if not rows or set(names) == set(header) else list(names)
    yield in_order
    for row in rows:
        yield [row.get(name, "") for name in in_order]


def _read(content: str, record: str, declared: Mapping[str, str]) -> Iterator[dict[str, Cell]]:
    plain = _UNFIT.sub(lambda match: chr(_PLANE + ord(match.group())), content)
    parser = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}
    count = 0
    is_empty = True
    try:
        for _, element in etree.iterparse(
            io.BytesIO(plain.encode()),
            events=("end",),
            encoding="utf-8",
            remove_comments=True,
            remove_pis=True,
            **parser,
        ):
            is_empty &= element.getparent() is None and not (element.text or "").strip()
            if _name(element.tag) == record:
                count += 1
                check_row_count(count)
                yield _cells(element, declared)
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        raise SourceContractBroken(f"not well-formed XML: line {error.lineno} ({error.msg})"[:200]) from None
    if not count and not is_empty:
        raise SourceContractBroken(f"the file has content but no element {record}")


def _cells(element: Any, declared: Mapping[str, str]) -> dict[str, Cell]:
    """Attributes of a name space of their own (xsi:nil, …) are about the file, not about the case."""
    own = {name: value for name, value in element.attrib.items() if not name.startswith("{")}
    cells: dict[str, Cell] = {declared.get(name.casefold(), name): _back(value) for name, value in own.items()}
    for child in element:
        name = _name(child.tag)
        name = declared.get(name.casefold(), name)
        if name in cells:
            cells[name] = RecordRejected("duplicate_key", f"the record has {name[:40]!a} twice")
        elif len(child):
            cells[name] = RecordRejected("nested_too_deep", f"{name[:40]!a} holds elements, not text")
        else:
            cells[name] = _back(child.text or "")
    if len(cells) > COLUMNS_MAX:
        raise SourceContractBroken(f"a record has {len(cells)} cells; at most {COLUMNS_MAX} are accepted")
    return cells


def _name(tag: str) -> str:
    return tag.rpartition("}")[2]


def _back(value: str) -> str:
    return _CARRIED.sub(lambda match: chr(ord(match.group()) - _PLANE), value)
