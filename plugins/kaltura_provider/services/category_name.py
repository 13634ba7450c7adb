"""Full names of categories, such as ``Courses>Physics``."""

from __future__ import annotations

from typing import Any

__all__ = ["category_name", "category_names"]

_MOST_LEVELS = 8


def category_name(text: str) -> str:
    """Return a full name without spaces around its levels.

    :raises ValueError: a level is empty, there are too many levels, or there is a comma. Kaltura separates categories
        by commas and has no escape for them: one category would become several.
    """
    levels = [level.strip() for level in text.split(">")]
    if not all(levels) or len(levels) > _MOST_LEVELS:
        raise ValueError(f"category {text!r} is not a full name of 1 to {_MOST_LEVELS} levels such as Courses>Physics")
    if "," in text:
        raise ValueError(
            f"category {text!r} has a comma, which separates categories in Kaltura; rename it, or assign entries to it "
            "by its id (categoryEntry.add)"
        )
    return ">".join(levels)


def category_names(value: Any) -> tuple[str, ...]:
    """Return full names from one name or a list of them; empty ones are left out.

    :raises ValueError: as :func:`category_name`, or a single text has a comma: it could separate two categories.
    """
    if isinstance(value, str):
        if "," in value:
            raise ValueError(f"categories {value!r} has a comma; give a list of full names")
        value = [value]
    return tuple(category_name(text) for item in value or () if (text := str(item).strip()))
