"""Templates to text: HTML escapes everything it is given, mail styles move into the elements."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

TEMPLATES = Path(__file__).parent / "templates"


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def text(template: str, **context: Any) -> str:
    """A template with its context; an undefined name is an error."""
    return _environment().get_template(template).render(**context)


def mail_html(template: str, **context: Any) -> str:
    """The same, with styles inlined for mail clients that drop style sheets; nothing is fetched."""
    inlined: str = css_inline.CSSInliner(load_remote_stylesheets=False).inline(text(template, **context))
    return inlined
