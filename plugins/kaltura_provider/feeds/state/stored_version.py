"""The version of the data that feeds store: receipts, plans, and what a feed remembers from run to run.

A newer version of this package reads what an older one stored. The other way round is refused, because guessing could
lose or double items.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NewerData", "check_version"]


class NewerData(ValueError):
    """The data is of a version that this package does not know."""


def check_version(stored: Mapping[str, Any], newest: int, what: str) -> int:
    """Return the version of stored data. Data without a version is of version 1.

    :param newest: the newest version that the caller can read.
    :param what: what the data is, for the error.
    :raises NewerData: the data is newer.
    """
    version = stored.get("version", 1)
    if isinstance(version, int) and 1 <= version <= newest:
        return version
    raise NewerData(
        f"{what}: version {version!r} was written by a newer airflow-provider-kaltura, and this one reads up to "
        f"version {newest}; install the newer package on every machine"
    )
