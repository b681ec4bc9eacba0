"""What may not leave in a mail: whole names, identity numbers, telephone numbers, characters that steer a terminal."""

from __future__ import annotations

import re
import unicodedata

_GAP = r"[\s\-－—‐‑–]?"
_NUMBERS = re.compile(
    rf"(?<![0-9])(?:"
    rf"(?:[0-9]{_GAP}){{17}}[0-9Xx]"  # identity card
    rf"|[0-9]{{15}}"  # identity card of before 1999
    rf"|(?:\+?86{_GAP})?1[3-9](?:{_GAP}[0-9]){{9}}"  # mobile
    rf"|(?<![A-Za-z])\(?0[0-9]{{2,3}}\)?{_GAP}[2-9](?:{_GAP}[0-9]){{6,7}}"  # fixed line
    rf")(?![0-9])"
)
HIDDEN = "［号码已隐去］"


def one_line(text: str) -> str:
    """No line breaks, controls or direction marks: safe in a header, a table cell, a file name."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def redact(text: str) -> str:
    """Free text on one line without identity and telephone numbers, also when written full-width or spaced."""
    line = one_line(text)
    folded = unicodedata.normalize("NFKC", line)
    if not _NUMBERS.search(folded):
        return line
    return _NUMBERS.sub(HIDDEN, folded)


def mask(name: str) -> str:
    """An applicant: a short name keeps its first character, a long one its first and last two."""
    line = redact(name).replace(HIDDEN, "").strip()
    if len(line) <= 4:
        return (line[:1] + "*" * (len(line) - 1)) if len(line) > 1 else "***"
    return f"{line[:2]}****{line[-2:]}"
