"""Flavor params and conversion profiles that every account starts with."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from kaltura_sandbox.api.types import ANY, BOOL, INT, STRING, TIME, Access, EnumType, ObjectType, prop

__all__ = [
    "AUDIO_PARAMS", "CONVERSION_PROFILE", "DEFAULT_PROFILE", "FLAVOR_PARAMS", "SOURCE_ONLY_PROFILE",
    "default_profiles", "rendition_ids", "shown_params",
]  # fmt: skip

DEFAULT_PROFILE, SOURCE_ONLY_PROFILE = 15, 12
# What an entry without picture is rendered into.
AUDIO_PARAMS = 11

_RO = Access.READ_ONLY


def _load() -> dict[int, dict[str, Any]]:
    """Read the table: each row says how it differs from the common values."""
    data = json.loads(resources.files(__package__).joinpath("flavor_params.json").read_text(encoding="utf-8"))
    return {row["id"]: _row(data["common"], row) for row in data["rows"]}


def _row(common: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    names = {"systemName": row["name"], "description": row["name"]}
    absent = set(row.pop("absent", []))
    return {name: value for name, value in (common | names | row).items() if name not in absent}


# What a new installation offers, shown exactly so: numbers that read as text are kept as text there.
FLAVOR_PARAMS = _load()


def shown_params(number: int, created: int) -> dict[str, Any]:
    """Return a flavor params object; they are as old as the installation."""
    return FLAVOR_PARAMS[number] | {"createdAt": created}


_STATUS = EnumType("KalturaConversionProfileStatus", ["1", "2", "3"], as_text=True)
_TYPE = EnumType("KalturaConversionProfileType", ["1", "2"], as_text=True)

CONVERSION_PROFILE = ObjectType(
    "KalturaConversionProfile",
    prop("id", INT, _RO),
    prop("partnerId", INT, _RO),
    prop("status", _STATUS),
    prop("type", _TYPE, Access.INSERT_ONLY),
    prop("name"),
    prop("systemName"),
    prop("tags"),
    prop("description"),
    prop("defaultEntryId"),
    prop("createdAt", TIME, _RO),
    prop("flavorParamsIds"),
    prop("isDefault", BOOL, _RO),
    prop("isPartnerDefault", ANY, _RO),
    prop("cropDimensions", ANY),
    prop("clipStart", INT),
    prop("clipDuration", INT),
    prop("xslTransformation"),
    prop("storageProfileId", INT),
    prop("mediaParserType", STRING),
    prop("calculateComplexity", INT),
    prop("collectionTags"),
    prop("conditionalProfiles"),
    prop("detectGOP", INT),
)


def default_profiles(partner_id: int, now: int) -> list[dict[str, Any]]:
    """Return the account's profiles: the default one, and one that keeps only the source."""
    common = {
        "partnerId": partner_id,
        "status": "2",
        "type": "1",
        "tags": "",
        "createdAt": now,
        "clipStart": 0,
        "clipDuration": 0,
    }
    return [
        common
        | {
            "id": DEFAULT_PROFILE,
            "name": "Default",
            "systemName": "Default",
            "description": "The default set of flavors. If not specified otherwise all media uploaded "
            "will be converted based on the definition in this profile",
            "flavorParamsIds": "0,2,3,4,5,6,7",
            "isDefault": True,
            "isPartnerDefault": True,
        },
        common
        | {
            "id": SOURCE_ONLY_PROFILE,
            "name": "Source Only",
            "systemName": "Source_Only",
            "description": "Source Only",
            "flavorParamsIds": "0",
            "isDefault": False,
        },
    ]


def rendition_ids(profile: dict[str, Any] | None) -> list[int]:
    """Return the flavor params a profile converts into, without the source."""
    numbers = [int(text) for text in (profile or {}).get("flavorParamsIds", "").split(",") if text]
    return [number for number in numbers if number and number in FLAVOR_PARAMS]
