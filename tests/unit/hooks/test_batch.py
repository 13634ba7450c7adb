"""What a task that fails for many items says."""

from __future__ import annotations

from typing import Any

import pytest

from kaltura_provider.hooks.batch import FAILURES_KEY, KalturaItemsFailed, finish
from kaltura_provider.hooks.source_items import failed_source
from kaltura_provider.upload.sources.errors import SourceUnavailable


class Instance:
    try_number, max_tries = 1, 3

    def __init__(self) -> None:
        self.stored: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.stored[key] = value


def test_the_error_of_very_many_items_names_some_and_counts_the_others() -> None:
    gone = [SourceUnavailable(f"s3://media/{number}.mp4", "S3 is busy") for number in range(1000)]
    failed = [failed_source(error.uri, error) for error in gone]
    ti = Instance()
    context: Any = {"ti": ti}
    with pytest.raises(KalturaItemsFailed, match=r"s3://media/49.mp4: S3 is busy; and 950 more$"):
        finish(context, "ingest", failed, [{} for _ in failed], many=True)
    assert len(ti.stored[FAILURES_KEY]) == 1000
