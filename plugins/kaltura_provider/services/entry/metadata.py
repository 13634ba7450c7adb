"""The metadata of an entry: name, tags, categories, profile, dates ..., checked before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from kaltura_provider.services.category_name import category_names
from kaltura_provider.services.entry.reserved import is_mark

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EntryMetadata"]

# Kaltura takes numbers up to ten years (in seconds) as an offset from now.
_RELATIVE_TIME = 315_360_000
# The moments that a date of Python can be, in UNIX seconds.
_FIRST_MOMENT, _LAST_MOMENT = -62_135_596_800, 253_402_300_799
_USER_ID_LENGTH = 100
_LISTS = ("tags", "admin_tags")
_PLAIN = (
    "name", "description", "media_type", "reference_id", "user_id", "template_entry_id", "parent_entry_id",
    "partner_data",
)  # fmt: skip

# Properties of KalturaBaseEntry that `extra` cannot set: those with a field below, and read-only ones.
_OWN_FIELDS = frozenset(
    {"id", "objectType", "mediaType", "type", "status", "createdAt", "updatedAt", "creatorId", "name", "description"}
    | {"tags", "adminTags", "categories", "referenceId", "conversionProfileId", "accessControlId", "userId"}
    | {"startDate", "endDate", "templateEntryId", "parentEntryId", "partnerData"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryMetadata:
    """Properties of an entry, all optional.

    ``media_type`` is ``video``, ``audio``, ``image``, ``document`` or ``data`` (else the file's extension decides);
    ``categories`` are full names such as ``Courses>Physics``, without commas; dates are UNIX seconds,
    ``datetime`` or ISO 8601 text; ``extra`` holds further properties of ``KalturaBaseEntry`` under Kaltura's names.

    :raises ValueError: Kaltura would refuse a value, or misread it.
    """

    name: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    media_type: str | None = None
    conversion_profile_id: int | None = None
    reference_id: str | None = None
    access_control_id: int | None = None
    user_id: str | None = None
    start_date: int | None = None
    end_date: int | None = None
    admin_tags: tuple[str, ...] = ()
    template_entry_id: str | None = None
    parent_entry_id: str | None = None
    partner_data: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in _LISTS:
            object.__setattr__(self, name, _texts(getattr(self, name)))
        object.__setattr__(self, "categories", category_names(self.categories))
        for name in _PLAIN:
            # Templates that are rendered to native objects turn digits into numbers.
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else str(value))
        for name in ("start_date", "end_date"):
            object.__setattr__(self, name, _seconds(name, getattr(self, name)))
        for name in ("conversion_profile_id", "access_control_id"):
            object.__setattr__(self, name, _number(name, getattr(self, name)))
        self._check()

    def _check(self) -> None:
        if own := sorted(set(self.extra) & _OWN_FIELDS):
            raise ValueError(f"extra: {', '.join(own)} is fixed, or has a field of its own")
        if self.reference_id is not None and len(self.reference_id.strip()) < 2:
            raise ValueError(f"reference_id {self.reference_id!r} is too short: Kaltura needs 2 characters or more")
        if self.user_id is not None and len(self.user_id) > _USER_ID_LENGTH:
            raise ValueError(f"user_id has {len(self.user_id)} characters: the maximum is {_USER_ID_LENGTH}")
        if self.start_date is not None and self.end_date is not None and self.start_date >= self.end_date:
            raise ValueError(f"start_date {_day(self.start_date)} must be before end_date {_day(self.end_date)}")
        self._check_parent()
        ours = [tag for tag in self.admin_tags if is_mark(tag)]
        if ours:
            raise ValueError(
                f"admin_tags {', '.join(ours)!r} are reserved: ingest writes the tags that begin with kai and a number"
            )

    def _check_parent(self) -> None:
        if self.parent_entry_id is None:
            return
        inherited = ("categories", "access_control_id", "start_date", "end_date")
        if said := [name for name in inherited if getattr(self, name)]:
            raise ValueError(f"{', '.join(said)} cannot be set with parent_entry_id: a child entry has its parent's")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Build from plain values.

        :raises ValueError: an unknown field (named, with those there are) or a bad value.
        """
        known = [item.name for item in fields(cls)]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise ValueError(f"unknown metadata {', '.join(unknown)}: known are {', '.join(known)}")
        return cls(**{name: value for name, value in values.items() if value is not None})

    def to_dict(self) -> dict[str, Any]:
        """Return the fields that are set, as JSON values."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
        return {name: dict(value) if name == "extra" else value for name, value in plain.items() if value}


def _texts(value: Any) -> tuple[str, ...]:
    items = value.split(",") if isinstance(value, str) else value or ()
    return tuple(text for text in (str(item).strip() for item in items) if text)


def _number(name: str, value: Any) -> int | None:
    if value is None or value == "":
        return None
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{name} {str(value)[:60]!r} is not a number") from None


def _seconds(name: str, value: Any) -> int | None:
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, int | float) or str(value).isdecimal():
        return _absolute(name, _number(name, value) or 0)
    else:
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            raise ValueError(f"{name} {value!r} is not a date: write it like 2026-01-31T12:00:00+00:00") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return _absolute(name, int(moment.timestamp()))


def _day(seconds: int) -> str:
    """Return UNIX seconds as people write a moment; as they are if they stand for none."""
    return datetime.fromtimestamp(seconds, UTC).isoformat() if seconds >= _FIRST_MOMENT else str(seconds)


def _absolute(name: str, seconds: int) -> int:
    if seconds <= _RELATIVE_TIME:
        raise ValueError(
            f"{name} {_day(seconds)} is before 1980, and Kaltura would take it as an offset from now: give a later date"
        )
    if seconds > _LAST_MOMENT:
        raise ValueError(f"{name} is after the year 9999: give an earlier date")
    return seconds
