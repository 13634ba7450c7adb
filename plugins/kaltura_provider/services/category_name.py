"""Full names of categories, such as ``Courses>Physics``, as one may give them to Kaltura."""

from __future__ import annotations

from typing import Any

__all__ = ["category_name", "category_names"]

_MOST_LEVELS = 8


def category_name(text: str) -> str:
    """Return a full name without blanks around its levels.

    :raises ValueError: a level is empty, there are too many, or there is a comma: in lists of categories Kaltura knows
        no other separator and no escape, so that one category would become several others.
    """
    levels = [level.strip() for level in text.split(">")]
    if not all(levels) or len(levels) > _MOST_LEVELS:
        raise ValueError(f"category {text!r} is no full name of 1 to {_MOST_LEVELS} levels such as Courses>Physics")
    if "," in text:
        raise ValueError(
            f"category {text!r} has a comma, by which Kaltura separates categories; rename it, or put entries into it "
            "by its id (categoryEntry.add)"
        )
    return ">".join(levels)


def category_names(value: Any) -> tuple[str, ...]:
    """Return full names from one name or a list of them; empty ones are left out.

    :raises ValueError: as :func:`category_name` does, or a text has a comma, of which nobody can tell whether it
        separates two categories.
    """
    if isinstance(value, str):
        if "," in value:
            raise ValueError(f"categories {value!r} has a comma; give a list with one full name an item")
        value = [value]
    return tuple(category_name(text) for item in value or () if (text := str(item).strip()))
