"""Filters, pagers and list replies."""

from __future__ import annotations

from typing import Any

from kaltura_sandbox.api.types import INT, ObjectType, ObjectValue, prop
from kaltura_sandbox.wire import php

__all__ = ["BASE_FILTER", "PAGER", "list_reply", "page", "split"]

DEFAULT_PAGE, LARGEST_PAGE = 30, 500

PAGER = ObjectType("KalturaFilterPager", prop("pageSize", INT), prop("pageIndex", INT))
BASE_FILTER = ObjectType("KalturaFilter", prop("orderBy"))


def page(pager: ObjectValue | None) -> tuple[int, int]:
    """Return the limit and offset of a pager: 30 rows by default, at most 500, with pages from 1."""
    size = php.to_int(pager.get("pageSize", 0)) if pager else 0
    number = php.to_int(pager.get("pageIndex", 1)) if pager else 1
    limit = min(size, LARGEST_PAGE) if size > 0 else DEFAULT_PAGE
    return limit, (max(number, 1) - 1) * limit


def list_reply(name: str, total: int, objects: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the reply of a ``list`` action; ``name`` is its object type."""
    return {"totalCount": total, "objects": objects, "objectType": name}


def split(text: str) -> list[str]:
    """Return the items of a comma-separated filter value."""
    return [item.strip() for item in text.split(",") if item.strip()]
