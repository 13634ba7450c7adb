"""Whether the metadata of an item is still to be applied to its entry."""

from __future__ import annotations

from typing import Any

import pytest

from kaltura_provider.hooks.metadata import (
    MetadataState,
    OnMetadataChange,
    metadata_digest,
    metadata_state,
    was_given,
)

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
        ((ONE, FILE), (ONE, None), APPLIED, APPLIED),
    ],
    ids=["same", "changed", "unknown", "file arrived", "file changed", "other file", "file gone"],
)
def test_what_is_to_be_done(before: Any, after: Any, keep: MetadataState, update: MetadataState) -> None:
    applied = metadata_digest(*before) if before else None
    wanted = metadata_digest(*after)
    assert metadata_state(applied, wanted, OnMetadataChange.KEEP) is keep
    for on_change in (OnMetadataChange.UPDATE, OnMetadataChange.FAIL):
        assert metadata_state(applied, wanted, on_change) is update


def test_whether_the_entry_was_given_what_the_file_holds_does_not_depend_on_the_feed() -> None:
    wanted = metadata_digest(ONE, FILE)
    assert was_given(wanted, wanted)
    assert was_given(metadata_digest(TWO, FILE), wanted)
    for other in (None, metadata_digest(ONE, {**FILE, "etag": "two"}), metadata_digest(ONE, None)):
        assert not was_given(other, wanted)


def test_a_digest_of_an_older_version_still_counts() -> None:
    wanted = metadata_digest(ONE, FILE)
    older = wanted.rpartition("-")[0]
    assert older.count("-") == 1
    for on_change in OnMetadataChange:
        assert metadata_state(older, wanted, on_change) is APPLIED
    assert was_given(older, wanted)
    assert not was_given(older, metadata_digest(TWO, FILE))
