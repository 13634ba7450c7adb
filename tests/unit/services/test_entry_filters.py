"""Entry filters: words become Kaltura's numbers, and what Kaltura would ignore is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.services.entry.filters import entry_filter


def test_names_dates_and_lists() -> None:
    found = entry_filter(
        {
            "statusIn": ["ready", "Pending", 7, "virusScan.Infected"],
            "moderationStatusEqual": "approved",
            "mediaTypeEqual": "video",
            "typeIn": "1,document",
            "displayInSearchEqual": "recycled",
            "createdAtGreaterThanOrEqual": "2026-01-31T12:00:00+00:00",
            "updatedAtLessThanOrEqual": datetime(2026, 1, 31, tzinfo=UTC),
            "tagsMultiLikeOr": ["a", "b"],
            "durationGreaterThan": 5,
            "nameLike": None,
        }
    )
    assert found == {
        "objectType": "KalturaMediaEntryFilter",
        "statusIn": "2,4,7,virusScan.Infected",
        "moderationStatusEqual": "2",
        "mediaTypeEqual": "1",
        "typeIn": "1,10",
        "displayInSearchEqual": "-2",
        "createdAtGreaterThanOrEqual": 1769860800,
        "updatedAtLessThanOrEqual": 1769817600,
        "tagsMultiLikeOr": "a,b",
        "durationGreaterThan": 5,
    }


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"tagLike": "x"}, "filter.tagLike is not a property"),
        ({"statusIn": ["reddy"]}, "filter.statusIn 'reddy' is unknown"),
        ({"createdAtGreaterThanOrEqual": "yesterday"}, "filter.createdAtGreaterThanOrEqual 'yesterday' is not a date"),
        ({"createdAtGreaterThanOrEqual": -3600}, "filter.createdAtGreaterThanOrEqual '-3600' is not a date"),
        ({"idIn": []}, "filter.idIn is empty"),
        ({"tagsLike": " "}, "filter.tagsLike is empty"),
        ({"idIn": ["0_abcdefgh"] * 151}, "filter.idIn 151 are more"),
        ({"idNotIn": ",".join(["0_abcdefgh"] * 151)}, "filter.idNotIn 151 are more"),
        ({"statusIn": []}, "filter.statusIn is empty"),
        ({"typeEqual": ""}, "filter.typeEqual is empty"),
        ({"idIn": " , "}, "filter.idIn is empty"),
        ({"mediaTypeNotEqual": 1}, "filter.mediaTypeNotEqual is not a property"),
        ({"viewsGreaterThanOrEqual": 1}, "filter.viewsGreaterThanOrEqual is not a property"),
        ({"objectType": "KalturaMediaEntryFilter"}, "filter.objectType is not a property"),
        ({"mediaTypeEqual": 1, "documentTypeEqual": 11}, "cannot go together: mediaTypeEqual and documentTypeEqual"),
        ({"orderBy": "-createdAt"}, "filter.orderBy"),
    ],
)
def test_what_kaltura_would_ignore_is_refused(wanted: dict[str, object], said: str) -> None:
    with pytest.raises(KalturaConfigurationError) as error:
        entry_filter(wanted)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("wanted", "kind", "found"),
    [
        ({"nameLike": "x"}, "any", None),
        ({"nameLike": "x"}, "document", None),
        ({"durationGreaterThan": 5}, "any", "KalturaMediaEntryFilter"),
        ({"sourceTypeEqual": "1"}, "media", "KalturaMediaEntryFilter"),
        ({"documentTypeIn": ["pdf"]}, "any", "KalturaDocumentEntryFilter"),
    ],
)
def test_the_class_is_the_one_that_has_the_properties(wanted: dict[str, object], kind: str, found: str | None) -> None:
    assert entry_filter(wanted, kind=kind).get("objectType") == found


def test_a_property_of_other_entries_than_are_listed_is_refused() -> None:
    with pytest.raises(KalturaConfigurationError, match=r"filter\.mediaTypeEqual is not of data entries"):
        entry_filter({"mediaTypeEqual": 1}, kind="data")
