"""Conditions on the rows of the search index, and the SQL they become."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Query"]


class Query:
    """Conditions joined by AND, an order, and the ids when the filter names them."""

    def __init__(self) -> None:
        self._parts: list[tuple[str, Sequence[Any]]] = []
        self.order = "seq"
        self.ids: list[str] | None = None

    def add(self, condition: str, *params: Any) -> None:
        """Require a condition; ``{words}`` stands for the table of words."""
        self._parts.append((condition, params))

    def sql(self, words: str, *, broad: bool = False) -> tuple[str, list[Any]]:
        """Build the WHERE clause and its parameters; ``broad`` keeps the filter's own indexes out of use."""
        conditions = (condition.replace("{words}", words) for condition, _ in self._parts)
        where = " AND ".join(f"+({condition})" if broad else condition for condition in conditions) or "1"
        return where, [value for _, params in self._parts for value in params]

    def one_of(self, column: str, values: Sequence[Any], *, negate: bool = False) -> None:
        """Require one of some values, or none of them."""
        places = ", ".join("?" * len(values))
        self.add(f'"{column}" {"NOT " if negate else ""}IN ({places})', *values)
