"""Check the fields of an entry that the rows of manifests and metadata files give."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["checked_fields", "split_categories"]


def split_categories(value: Any) -> Any:
    """Return categories as a list; a text holds several, separated by commas."""
    return value.split(",") if isinstance(value, str) else value


def checked_fields(values: Mapping[str, Any], timezone: str) -> dict[str, Any]:
    """Return fields as :meth:`~kaltura_provider.services.entry.metadata.EntryMetadata.to_dict` gives them.

    :param values: the values by the names of feeds.
    :param timezone: of dates without an offset.
    :raises ValueError: a field is not valid.
    """
    from kaltura_provider.api.errors import KalturaConfigurationError
    from kaltura_provider.services.entry.kind import kind_of
    from kaltura_provider.services.entry.metadata import EntryMetadata

    fields = dict(values)
    if "categories" in fields:
        fields["categories"] = split_categories(fields["categories"])
    for name in ("start_date", "end_date"):
        if name in fields:
            fields[name] = _with_offset(fields[name], timezone)
    try:
        if "media_type" in fields:
            fields["media_type"] = kind_of("", str(fields["media_type"]).lower()).value
        return EntryMetadata.from_dict(fields).to_dict()
    except KalturaConfigurationError as error:
        raise ValueError(str(error)) from None


def _with_offset(value: Any, timezone: str) -> Any:
    """Return a date with a time zone. A value that is not a date stays as it is and fails the check of all fields."""
    import pendulum

    try:
        moment = dt.datetime.fromisoformat(str(value))
    except ValueError:
        return value
    return (moment if moment.tzinfo else moment.replace(tzinfo=pendulum.timezone(timezone))).isoformat()
