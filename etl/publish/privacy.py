"""What may not leave in a mail: whole names, identity numbers, telephone numbers, characters that steer a terminal."""

from __future__ import annotations

from etl.domain.personal_numbers import without_numbers

HIDDEN = "［号码已隐去］"


def one_line(text: str) -> str:
    """No line breaks, controls or direction marks: safe in a header, a table cell, a file name."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def redact(text: str) -> str:
    """Free text on one line without identity and telephone numbers, also when written full-width or spaced."""
    return without_numbers(one_line(text), HIDDEN)


def mask(name: str) -> str:
    """An applicant: a short name keeps its first character, a long one its first and last two."""
    line = redact(name).replace(HIDDEN, "").strip()
    if len(line) <= 4:
        return (line[:1] + "*" * (len(line) - 1)) if len(line) > 1 else "***"
    return f"{line[:2]}****{line[-2:]}"
