"""Identity and telephone numbers of people, in every way they are written into free text."""

from __future__ import annotations

import re
import unicodedata

_GAP = r"[\s\-－—‐‑–]{0,3}"
_NUMBERS = re.compile(
    rf"(?<![0-9])(?:"
    rf"(?:[0-9]{_GAP}){{17}}[0-9Xx]"  # identity card
    rf"|[0-9]{{15}}"  # identity card of before 1999
    rf"|(?:\+?86{_GAP})?1[3-9](?:{_GAP}[0-9]){{9}}"  # mobile
    rf"|(?<![A-Za-z])\(?0[0-9]{{2,3}}\)?{_GAP}[2-9](?:{_GAP}[0-9]){{6,7}}"  # fixed line
    rf")(?![0-9])"
)


def without_numbers(text: str, shown: str) -> str:
    """The text with `shown` in place of every number of a person; as it stands where there is none.

    Full-width, spaced and broken by characters nobody sees, a number is still one: text that holds any comes back
    half-width (NFKC), with blanks for what cannot be printed.
    """
    folded = "".join(each if each.isprintable() else " " for each in unicodedata.normalize("NFKC", text))
    return _NUMBERS.sub(shown, folded) if _NUMBERS.search(folded) else text
