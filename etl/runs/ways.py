"""The ways records take, as the registered sources declare them, and what people call the places on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from etl import sources
from etl.supervision.delays import SUPERVISION, LinkLimit, Relay, Route


def links() -> dict[str, Route]:
    """The way of every registered source's records, and which other sources read them on it."""
    declared = {name: sources.get(name) for name in sources.names() if sources.get(name).links}
    ways = {
        name: Route(
            source.links[0].origin or name,
            tuple(
                LinkLimit(
                    link.target,
                    link.warn_after,
                    link.mode,
                    link.yellow_after_working_days,
                    link.red_after_working_days,
                )
                for link in source.links
            ),
            is_keyed_twice=any(link.mode == "double_entry" for link in source.links),
        )
        for name, source in declared.items()
    }
    return {name: replace(way, relays=tuple(_relays(name, ways))) for name, way in ways.items()}


def _relays(name: str, ways: Mapping[str, Route]) -> Iterator[Relay]:
    """Other sources that read at a place on this way before its end, or are such a place themselves."""
    for position, system in enumerate(ways[name].systems[:-1]):
        for other, way in ways.items():
            if other != name and position and way.systems[-1] == system:
                yield Relay(other, position, is_written=False)
            elif other != name and position and way.start == system:
                yield Relay(other, position, is_written=True)


def titles() -> dict[str, str]:
    """What systems and platforms are called, by code."""
    declared = [sources.get(name) for name in sources.names()]
    links = [link for source in declared for link in source.links]
    ends = {link.target: link.title for link in links} | {
        link.origin: link.origin_title for link in links if link.origin_title
    }
    return ends | {source.name: source.title for source in declared} | {SUPERVISION: "电子监察平台"}
