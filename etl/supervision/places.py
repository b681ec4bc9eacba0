"""Whose working days and office hours a case goes by: those of its region, or of the nearest place above it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.domain.calendar import Calendar, CalendarBook
from etl.supervision.history import Indices, Messages


def places_of(messages: Messages, subject: Indices, book: CalendarBook) -> Indices:
    """The place (index into `book.places`) whose days and hours each message's region goes by."""
    return places_in(messages.texts("region", subject), book)


def places_in(told: pa.ChunkedArray, book: CalendarBook) -> Indices:
    """The same of regions as they are written."""
    if len(book.places) == 1:
        return np.zeros(len(told), np.int64)
    regions = told.combine_chunks().dictionary_encode()
    place = [book.places.index(book.place(region)) for region in regions.dictionary.to_pylist()]
    code = pc.fill_null(regions.indices, len(place)).to_numpy(zero_copy_only=False)
    places: Indices = np.array([*place, 0], np.int64)[code]
    return places


def calendars_of(book: CalendarBook, version: Indices, place: Indices) -> tuple[list[Calendar], Indices]:
    """The calendars in use and which one each run is counted by."""
    keys, key = np.unique(version * len(book.places) + place, return_inverse=True)
    asked = [
        book.version(number // len(book.places), book.places[number % len(book.places)]) for number in keys.tolist()
    ]
    calendars = list({id(calendar): calendar for calendar in asked}.values()) or [book.version(len(book.revised_on))]
    number_of = {id(calendar): number for number, calendar in enumerate(calendars)}
    return calendars, np.array([number_of[id(calendar)] for calendar in asked], np.int64)[key]
