"""Entry filters: words become Kaltura's numbers, and what Kaltura would ignore is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kaltura_provider.api import KalturaConfigurationError
from kaltura_provider.ingest.filters import entry_filter


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
        ({"tagLike": "x"}, "filter.tagLike is no property"),
        ({"statusIn": ["reddy"]}, "filter.statusIn 'reddy' is unknown"),
        ({"createdAtGreaterThanOrEqual": "yesterday"}, "filter.createdAtGreaterThanOrEqual 'yesterday' is no date"),
        ({"createdAtGreaterThanOrEqual": -3600}, "filter.createdAtGreaterThanOrEqual '-3600' is no date"),
        ({"idIn": []}, "filter.idIn is empty"),
        ({"tagsLike": " "}, "filter.tagsLike is empty"),
        ({"idIn": ["0_abcdefgh"] * 151}, "filter.idIn 151 are more"),
        ({"orderBy": "-createdAt"}, "filter.orderBy"),
    ],
)
def test_what_kaltura_would_ignore_is_refused(wanted: dict[str, object], said: str) -> None:
    with pytest.raises(KalturaConfigurationError) as error:
        entry_filter(wanted)
    assert said in str(error.value)
