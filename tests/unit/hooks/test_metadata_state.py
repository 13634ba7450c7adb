"""Whether the metadata of an item is still to be applied to its entry."""

from __future__ import annotations

from typing import Any

import pytest

from kaltura_provider.hooks.metadata import MetadataState, OnMetadataChange, metadata_digest, metadata_state

FILE = {"uri": "s3://b/x.json", "size": 9, "etag": "one"}
ONE, TWO = {"name": "One"}, {"name": "Two"}
APPLIED, UNKNOWN, ARRIVED, CHANGED = MetadataState


@pytest.mark.parametrize(
    ("before", "after", "keep", "update"),
    [
        ((ONE, None), (ONE, None), APPLIED, APPLIED),
        ((ONE, None), (TWO, None), APPLIED, CHANGED),
        (None, (ONE, None), UNKNOWN, UNKNOWN),
        ((ONE, None), (ONE, FILE), ARRIVED, ARRIVED),
        ((ONE, FILE), (ONE, {**FILE, "etag": "two"}), APPLIED, CHANGED),
        ((ONE, FILE), (ONE, {**FILE, "uri": "s3://b/x.yaml"}), ARRIVED, ARRIVED),
        ((ONE, FILE), (ONE, None), APPLIED, CHANGED),
    ],
    ids=["same", "changed", "unknown", "file arrived", "file changed", "other file", "file gone"],
)
def test_what_is_to_be_done(before: Any, after: Any, keep: MetadataState, update: MetadataState) -> None:
    applied = metadata_digest(*before) if before else None
    wanted = metadata_digest(*after)
    assert metadata_state(applied, wanted, OnMetadataChange.KEEP) is keep
    for on_change in (OnMetadataChange.UPDATE, OnMetadataChange.FAIL):
        assert metadata_state(applied, wanted, on_change) is update
