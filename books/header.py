"""The header of a file: its columns by name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from books.errors import BookError
from dunning.excerpt import shorten


class Header:
    """Finds columns by name, ignoring case and spaces."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = [name.strip() for name in names]
        self._places: dict[str, list[int]] = {}
        for i, name in enumerate(self.names):
            if name:
                self._places.setdefault(normal(name), []).append(i)

    def has(self, name: str) -> bool:
        return normal(name) in self._places

    def place(self, name: str, where: str = "") -> int:
        """The index of the column. Raises BookError if there is none, or more than one."""
        places = self._places.get(normal(name), [])
        if len(places) > 1 and where:  # "Total" and "TOTAL": the exact spelling decides
            places = [i for i in places if self.names[i] == name.strip()] or places
        if len(places) > 1:
            raise BookError(f"{where}the column {name!r} is there {len(places)} times")
        if not places:
            raise BookError(f"{where}no column {name!r}; the file has {self}")
        return places[0]

    def __str__(self) -> str:
        shown = [shorten(name) for name in self.names if name]
        return ", ".join(shown[:30]) + (", …" if len(shown) > 30 else "") or "no columns"


def normal(name: str) -> str:
    """The header in lower case with underscores for spaces: ``Issued On`` is ``issued_on``."""
    return re.sub(r"[\s_-]+", "_", name.strip().casefold())
