from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaltura_provider.api.errors import KalturaTransportError, TransportFault, api_error
from kaltura_provider.ingest.entry_writes import entry_object
from kaltura_provider.ingest.item import ItemError, ItemRef, ItemState, SourceItem
from kaltura_provider.ingest.settings import IngestSettings, Redo
from kaltura_provider.services.entry.kind import Kind, document_type, kind_of
from kaltura_provider.services.entry.metadata import EntryMetadata
from kaltura_provider.services.entry.objects import lost_properties, normal_tags


def item(**values: object) -> SourceItem:
    return SourceItem(**({"uri": "s3://b/dir/clip.mp4", "size": 10, "validator": "e"} | values))  # type: ignore[arg-type]


def test_name_kind_and_ids_come_from_the_uri() -> None:
    made = item(uri="https://h/a/Clip.MOV?X-Amz-Signature=1")
    assert (made.name, made.kind) == ("Clip.MOV", Kind.VIDEO)
    assert made.item_id == item(uri="https://h/a/Clip.MOV").item_id
    assert made.content_id != item(uri="https://h/a/Clip.MOV", validator="other").content_id


def test_an_import_url_is_never_shown() -> None:
    made = item(import_url="https://h/k?X-Amz-Signature=SECRET", import_headers=("Authorization: SECRET",))
    assert "SECRET" not in repr(made)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size": 0}, "is empty"),
        ({"name": "notes.xyz"}, "set media_type to"),
        ({"metadata": EntryMetadata(media_type="film")}, "media_type 'film' is unknown: use one of video"),
    ],
)
def test_what_cannot_be_ingested_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        item(**values)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.mp4", "video"), ("a.WAV", "audio"), ("a.jpeg", "image"), ("a.pdf", "document"), ("a.csv", "data")],
)
def test_extensions_tell_the_kind(name: str, kind: str) -> None:
    assert kind_of(name) == kind
    assert kind_of("anything", kind.upper()) == kind


def test_document_types() -> None:
    assert [document_type(name) for name in ("a.pdf", "a.swf", "a.docx")] == [13, 12, 11]


@given(
    state=st.sampled_from(ItemState),
    kind=st.sampled_from(Kind),
    entry_id=st.none() | st.text(),
    entry_status=st.none() | st.integers(-2, 7) | st.just("virusScan.Infected"),
    own=st.booleans(),
    note=st.none() | st.text(),
    error=st.none() | st.builds(ItemError, st.text(), st.text(), st.booleans(), st.none() | st.text()),
)
def test_references_survive_json(**values: object) -> None:
    ref = replace(ItemRef.of(item(), ItemState.SEND), **values)  # type: ignore[arg-type]
    assert ItemRef.from_dict(json.loads(json.dumps(ref.to_dict()))) == ref


def test_references_of_a_later_version_are_read() -> None:
    ref = ItemRef.of(item(), ItemState.DONE)
    assert ItemRef.from_dict(ref.to_dict() | {"colour": "blue"}) == ref


def test_something_else_is_no_reference() -> None:
    with pytest.raises(ValueError, match="this is not an item reference"):
        ItemRef.from_dict({"entry_id": "0_x"})


def test_an_asset_of_a_reference_has_its_identities() -> None:
    original = item(identity="mine")
    known = SourceItem.of_ref(ItemRef.of(original, ItemState.SEND))
    assert (known.item_id, known.content_id, known.token_name) == (
        original.item_id,
        original.content_id,
        original.token_name,
    )


def test_errors_say_whether_a_retry_helps() -> None:
    assert ItemError.of(api_error("INTERNAL_SERVERL_ERROR")).retry_helps
    assert not ItemError.of(api_error("CONVERSION_PROFILE_ID_NOT_FOUND")).retry_helps
    assert ItemError.of(KalturaTransportError("x", fault=TransportFault.TIMEOUT)).retry_helps
    assert ItemError.of(ValueError("bad")) == ItemError("invalid", "bad")


def test_metadata_becomes_an_entry() -> None:
    said = EntryMetadata(
        name="Lecture",
        tags=("Physics", "x", "physics", "Two Words"),
        categories=("Courses>Physics",),
        conversion_profile_id=3,
        start_date="2026-01-01T00:00:00+00:00",
        end_date=datetime(2027, 1, 1, tzinfo=UTC),
        admin_tags=("Reviewed",),
        extra={"creditUserName": "Ann"},
    )
    made = item(metadata=said)
    entry = entry_object(made, ["kai1:p:x"])
    assert entry == {
        "objectType": "KalturaMediaEntry",
        "name": "Lecture",
        "tags": "physics, two words",
        "categories": "Courses>Physics",
        "adminTags": f"Reviewed,kai1,kai1:a:{made.item_id},kai1:p:x",
        "referenceId": f"kai1-{made.item_id}",
        "conversionProfileId": 3,
        "startDate": 1767225600,
        "endDate": 1798761600,
        "mediaType": 1,
        "creditUserName": "Ann",
    }


def test_the_author_cannot_overwrite_marks_by_extra() -> None:
    with pytest.raises(ValueError, match="extra: adminTags, mediaType is fixed, or has a field of its own"):
        EntryMetadata(extra={"adminTags": "mine", "mediaType": 5, "creditUserName": "Ann"})


def test_values_that_a_template_made_numbers_of_are_text() -> None:
    said = EntryMetadata.from_dict({"name": 2024, "reference_id": 12345, "user_id": 1, "media_type": 5, "tags": [2024]})
    assert (said.name, said.reference_id, said.user_id, said.tags) == ("2024", "12345", "1", ("2024",))
    assert kind_of("x.bin", said.media_type) is Kind.AUDIO


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"reference_id": "x"}, "too short"),
        (
            {"start_date": 2_000_000_000, "end_date": 1_900_000_000},
            "start_date 2033-05-18T03:33:20+00:00 must be before end_date 2030-03-17T17:46:40+00:00",
        ),
        ({"start_date": 86400}, "start_date 1970-01-02T00:00:00+00:00 is before 1980, and Kaltura would take it as an"),
        ({"start_date": -(10**15)}, "is before 1980"),
        ({"end_date": 10**15}, "is after the year 9999"),
        ({"end_date": float("inf")}, "is not a number"),
        ({"end_date": "9" * 5000}, "is not a number"),
        ({"end_date": "\u00b2"}, "is not a date"),
        ({"conversion_profile_id": float("inf")}, "is not a number"),
        ({"start_date": "tomorrow"}, "is not a date"),
        ({"user_id": "u" * 101}, "the maximum is 100"),
        ({"admin_tags": ("kai1:a:x",)}, "reserved"),
        ({"conversion_profile_id": "HD"}, "conversion_profile_id 'HD' is not a number"),
        ({"colour": "blue"}, "unknown metadata colour: known are name"),
    ],
)
def test_bad_metadata_names_field_and_value(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        EntryMetadata.from_dict(values)


def test_metadata_survives_json() -> None:
    said = EntryMetadata.from_dict({"name": "N", "tags": "a b, c", "start_date": 1_900_000_000, "extra": {"rank": 1}})
    assert said.tags == ("a b", "c")
    assert EntryMetadata.from_dict(json.loads(json.dumps(said.to_dict()))) == said


@given(st.lists(st.text()))
def test_tags_are_what_kaltura_would_store(tags: list[str]) -> None:
    normal = normal_tags(tags)
    items = normal.split(", ") if normal else []
    assert normal_tags(items) == normal
    assert all(2 <= len(item.encode()) <= 100 for item in items)


def test_silently_dropped_properties_are_seen() -> None:
    sent = {"referenceId": "Ref-1", "accessControlId": 4, "name": "x"}
    assert lost_properties(sent, {"referenceId": "ref-1", "accessControlId": 4}) == []
    assert lost_properties(sent, {}) == ["referenceId", "accessControlId"]


def test_settings_take_plain_words() -> None:
    settings = IngestSettings(if_exists="replace", redo=["deleted"])  # type: ignore[arg-type]
    assert settings.redo == {Redo.DELETED}
    with pytest.raises(ValueError, match="grace 0 must be positive"):
        IngestSettings(grace=0)
