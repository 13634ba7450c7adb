"""Entries: made, read, listed, changed, moderated, put into categories, recycled, restored, deleted."""

from __future__ import annotations

import json
import time

import pytest
from airflow.sdk.exceptions import AirflowFailException

from kaltura_provider.api.errors import KalturaPermanentError
from kaltura_provider.api.wire import Request
from kaltura_provider.operators.categories import KalturaCategorizeEntryOperator
from kaltura_provider.operators.entries import (
    KalturaAddEntryOperator,
    KalturaGetEntryOperator,
    KalturaListEntriesOperator,
    KalturaUpdateEntryOperator,
)
from kaltura_provider.operators.metadata import KalturaSetMetadataOperator
from kaltura_provider.operators.moderation import KalturaModerateEntryOperator
from kaltura_provider.operators.removal import (
    KalturaDeleteEntriesOperator,
    KalturaRecycleEntriesOperator,
    KalturaRestoreEntriesOperator,
)
from kaltura_provider.services.entry.listing import walk
from tests.until import until


def ready_entry(kaltura, name="Ready") -> str:
    entry_id = kaltura.entry(name)
    kaltura.sandbox.control.set_entry(entry_id, status=2)
    return entry_id


def test_a_dag_of_them(deployed, tmp_path) -> None:
    ready = ready_entry(deployed)
    output = tmp_path / "all.jsonl"
    ran = deployed.dag("library", ready=ready, profile=metadata_profile(deployed), output=str(output))
    parent, child = ran["parent"]["entry_id"], ran["child"]["entry_id"]
    assert ran["children"] == [{"id": child, "name": "Slides view"}]
    assert set(ran["changed"]["changed"]) == {"description", "tags", "end_date"}
    assert ran["changed"]["changed"]["tags"]["to"] == "physics"
    assert ran["shelved"] == {"added": 1, "removed": 0}
    assert ran["shown"] == {
        "name": "Lecture", "description": "The first one", "tags": "physics", "categories": "Courses>Physics"
    }  # fmt: skip
    assert ran["described"]["state"] == "made"
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert {row["entry_id"] for row in rows} == {ready, parent, child}
    assert ran["exported"] == {"output_uri": str(output), "count": 3}
    assert sorted(ran["deleted"]["done"]) == sorted([parent, child])
    assert [entry["id"] for entry in deployed.sandbox.control.entries()] == [ready]
    left = deployed.hook.call("baseEntry", "get", entryId=ready)
    assert (left["moderationStatus"], left["displayInSearch"], left["moderationCount"]) == (2, 1, 1)


def test_an_update_sends_only_what_differs(kaltura) -> None:
    entry_id = kaltura.entry("Old", description="d", tags="a, b", adminTags="kai1:a:" + "0" * 32)
    changes = {"name": "New", "description": "d", "tags": ["B", "a"], "admin_tags": ["mine"]}
    changed = kaltura.run(KalturaUpdateEntryOperator, entry_id=entry_id, changes=changes)
    assert changed["entry_id"] == entry_id
    assert set(changed["changed"]) == {"name", "admin_tags"}
    entry = kaltura.hook.call("baseEntry", "get", entryId=entry_id)
    assert entry["name"] == "New"
    assert set(entry["adminTags"].split(",")) == {"mine", "kai1:a:" + "0" * 32}
    updates = kaltura.calls.count("baseentry.update") + kaltura.calls.count("baseEntry.update")
    assert kaltura.run(KalturaUpdateEntryOperator, entry_id=entry_id, changes=changes)["changed"] == {}
    assert kaltura.calls.count("baseentry.update") + kaltura.calls.count("baseEntry.update") == updates


def test_dates_owner_and_others_are_set_and_removed(kaltura) -> None:
    entry_id = kaltura.entry("Dated")
    changes = {
        "start_date": "2027-01-01",
        "end_date": "2028-01-01T00:00:00+00:00",
        "user_id": "ann",
        "partner_data": "p",
    }
    assert len(kaltura.run(KalturaUpdateEntryOperator, entry_id=entry_id, changes=changes)["changed"]) == 4
    entry = kaltura.hook.call("baseEntry", "get", entryId=entry_id)
    assert (entry["startDate"], entry["endDate"], entry["userId"]) == (1798761600, 1830297600, "ann")
    removed = {"start_date": None, "end_date": None, "description": None}
    changed = kaltura.run(KalturaUpdateEntryOperator, entry_id=entry_id, changes=removed)["changed"]
    assert set(changed) == {"start_date", "end_date"}
    entry = kaltura.hook.call("baseEntry", "get", entryId=entry_id)
    assert "startDate" not in entry
    assert "endDate" not in entry


def test_a_profile_can_only_be_changed_before_content(kaltura) -> None:
    entry_id = ready_entry(kaltura)
    profile = kaltura.hook.call("conversionProfile", "getDefault")["id"]
    with pytest.raises(AirflowFailException, match="can only be set on an entry without content"):
        kaltura.run(KalturaUpdateEntryOperator, entry_id=entry_id, changes={"conversion_profile_id": profile + 1})


def test_bad_arguments_are_refused_before_any_call(kaltura) -> None:
    refused, entry_id = kaltura.refused, "0_abcdefgh"
    add, update = KalturaAddEntryOperator, KalturaUpdateEntryOperator
    delete = KalturaDeleteEntriesOperator
    assert "unknown metadata titel" in refused(add, metadata={"titel": "x"})
    assert "does not give its kind" in refused(add, metadata={"name": "x"})
    assert "metadata.parent_entry_id 'x'" in refused(add, metadata={"media_type": "video", "parent_entry_id": "x"})
    with_dates = {"media_type": "video", "parent_entry_id": entry_id, "end_date": "2030-01-01"}
    assert "end_date cannot be set with parent_entry_id" in refused(add, metadata=with_dates)
    assert "entry_id '0/x'" in refused(KalturaGetEntryOperator, entry_id="0/x")
    assert "entry_id 'None'" in refused(KalturaGetEntryOperator, entry_id="None")
    extra = {"extra": {"creatorId": "x"}}
    assert "extra: creatorId is fixed" in refused(update, entry_id=entry_id, changes=extra)
    assert "extra: referenceId is fixed" in refused(
        add, metadata={"media_type": "video", "extra": {"referenceId": "x"}}
    )
    assert "'access_control_id' cannot be removed" in refused(
        update, entry_id=entry_id, changes={"access_control_id": ""}
    )
    assert "any_status 'maybe' is neither true nor false" in refused(KalturaListEntriesOperator, any_status="maybe")
    assert "dry_run_only 'maybe'" in refused(delete, entry_id=[entry_id], dry_run_only="maybe")
    with_none = {"media_type": "video", "conversion_profile_id": -1}
    assert "makes media READY at once" in refused(add, metadata=with_none)
    assert "changes are empty" in refused(update, entry_id=entry_id, changes={})
    assert "'media_type' cannot be changed" in refused(update, entry_id=entry_id, changes={"media_type": "audio"})
    assert "'name' cannot be removed" in refused(update, entry_id=entry_id, changes={"name": None})
    assert "start_date 'soon' is not a date" in refused(update, entry_id=entry_id, changes={"start_date": "soon"})
    assert "kind 'clips'" in refused(KalturaListEntriesOperator, kind="clips")
    assert "filter.stateIn" in refused(KalturaListEntriesOperator, filter={"stateIn": "2"})
    assert "exclude each other" in refused(delete)
    assert "exclude each other" in refused(delete, entry_id=[entry_id], filter={"nameLike": "x"})
    assert "filter is empty" in refused(delete, filter={}, max_entries=1)
    assert "max_entries is missing" in refused(delete, filter={"nameLike": "x"})
    assert "more than max_entries (1)" in refused(delete, entry_id=[entry_id, "0_abcdefgi"], max_entries=1)
    assert "entry_id is empty" in refused(delete, entry_id=[])
    assert "decision 'like'" in refused(KalturaModerateEntryOperator, entry_id=entry_id, decision="like")
    assert "flag_type 'bad'" in refused(
        KalturaModerateEntryOperator, entry_id=entry_id, decision="flag", flag_type="bad"
    )
    assert "add and remove are both empty" in refused(KalturaCategorizeEntryOperator, entry_id=entry_id)
    assert "category 'A>>B' is not a full name" in refused(
        KalturaCategorizeEntryOperator, entry_id=entry_id, add=["A>>B"]
    )


def test_what_only_media_have_does_not_find_everything(kaltura) -> None:
    kaltura.entry("Film")
    sound = kaltura.entry("Sound", mediaType=5)
    wanted = {"mediaTypeEqual": "audio", "statusEqual": "no_content"}
    listed = kaltura.run(KalturaListEntriesOperator, filter=wanted, fields=["id"])
    assert listed == [{"id": sound}]
    deleted = kaltura.run(KalturaDeleteEntriesOperator, filter=wanted, max_entries=10, dry_run_only=False)
    assert deleted["done"] == [sound]


def test_a_filter_deletes_no_more_than_its_maximum_and_nothing_unasked(kaltura) -> None:
    made = {kaltura.entry(f"Old {number}") for number in range(4)}
    kaltura.entry("Other")
    wanted = {"nameLike": "Old", "statusIn": ["no_content"]}
    delete = KalturaDeleteEntriesOperator
    with pytest.raises(AirflowFailException, match=r"finds more than max_entries \(3\)"):
        kaltura.run(delete, filter=wanted, max_entries=3, dry_run_only=False)
    shown = kaltura.run(delete, filter=wanted, max_entries=4)
    assert shown["dry_run"]
    assert set(shown["entry_ids"]) == made
    assert len(kaltura.sandbox.control.entries()) == 5
    assert set(kaltura.run(delete, filter=wanted, max_entries=4, dry_run_only=False)["done"]) == made
    assert [entry["name"] for entry in kaltura.sandbox.control.entries()] == ["Other"]


def test_deleting_twice_is_fine(kaltura) -> None:
    entry_id = kaltura.entry()
    assert kaltura.run(KalturaDeleteEntriesOperator, entry_id=entry_id)["done"] == [entry_id]
    assert kaltura.run(KalturaDeleteEntriesOperator, entry_id=[entry_id])["missing"] == [entry_id]


def test_the_recycle_bin_gives_back(kaltura) -> None:
    entry_id = ready_entry(kaltura)
    for _ in range(2):
        assert kaltura.run(KalturaRecycleEntriesOperator, entry_id=entry_id)["done"] == [entry_id]
    assert kaltura.run(KalturaListEntriesOperator) == []
    found = {"filter": {"displayInSearchEqual": "recycled"}, "max_entries": 1, "dry_run_only": False}
    assert kaltura.run(KalturaRestoreEntriesOperator, **found)["done"] == [entry_id]
    assert kaltura.run(KalturaRestoreEntriesOperator, entry_id=entry_id)["done"] == [entry_id]
    assert [entry["entry_id"] for entry in kaltura.run(KalturaListEntriesOperator)] == [entry_id]
    with pytest.raises(AirflowFailException, match="INVALID_ENTRY_STATUS_FOR_RECYCLE"):
        kaltura.run(KalturaRecycleEntriesOperator, entry_id=kaltura.entry())


def test_a_library_of_entries_that_share_seconds(kaltura) -> None:
    made = [kaltura.entry(f"Entry {number}") for number in range(40)]
    wanted = {"statusIn": "7"}
    found = list(walk(kaltura.hook.get_conn(), wanted, fields=["id"], page_size=7))
    assert sorted(entry["id"] for entry in found) == sorted(made)


def _next_second() -> None:
    began = int(time.time())
    until(lambda: int(time.time()) > began, "the next second", 2)


def test_more_entries_than_kaltura_lists(kaltura, monkeypatch) -> None:
    """Kaltura lists 10,000 entries; here it is 1,000, so that the test need not make as many."""
    monkeypatch.setattr("kaltura_sandbox.entries.lookup._MOST", 1_000)
    client = kaltura.hook.get_conn()
    entry = {"objectType": "KalturaMediaEntry", "mediaType": 1, "name": "One of many"}
    made: set[str] = set()
    for number in range(13):
        if number == 7:  # Kaltura lists no more than that of one second
            _next_second()
        made |= {reply["id"] for reply in client.multirequest([Request("media", "add", {"entry": entry})] * 100)}
    beyond = {"filter": {"statusIn": "7"}, "pager": {"pageSize": 100, "pageIndex": 11}}
    with pytest.raises(KalturaPermanentError, match="QUERY_EXCEEDED_MAX_MATCHES_ALLOWED"):
        client.call("media", "list", beyond)
    pages = {"page_size": 100, "window": 1_000}
    found = [entry["id"] for entry in walk(client, {"statusIn": "7"}, fields=["id"], **pages)]
    assert len(found) == len(set(found)) == 1_300
    assert set(found) == made


def test_categories_by_name_and_id(kaltura) -> None:
    entry_id = kaltura.entry()
    run, operator = kaltura.run, KalturaCategorizeEntryOperator
    with pytest.raises(AirflowFailException, match="add 'Courses>Maths' does not exist"):
        run(operator, entry_id=entry_id, add="Courses>Maths")
    assert run(operator, entry_id=entry_id, add=["Courses>Maths", "News"], create_missing=True)["added"] == 2
    news = kaltura.hook.call("category", "list", filter={"fullNameEqual": "News"})["objects"][0]["id"]
    assert run(operator, entry_id=entry_id, add=["Courses>Maths"], remove=[news]) == {"added": 0, "removed": 1}
    assert run(operator, entry_id=entry_id, remove=[news]) == {"added": 0, "removed": 0}
    assert kaltura.hook.call("baseEntry", "get", entryId=entry_id)["categories"] == "Courses>Maths"


def test_yes_and_no_may_come_from_templates(kaltura) -> None:
    entry_id = kaltura.entry("Empty")
    listed = KalturaListEntriesOperator
    assert kaltura.run(listed, any_status="False", fields=["id"]) == []
    assert kaltura.run(listed, any_status="True", fields=["id"]) == [{"id": entry_id}]
    delete, wanted = KalturaDeleteEntriesOperator, {"statusEqual": "no_content"}
    assert kaltura.run(delete, entry_id=entry_id, dry_run_only="True")["done"] == []
    assert kaltura.run(delete, filter=wanted, max_entries="5", dry_run_only="True")["dry_run"] is True
    assert kaltura.run(delete, filter=wanted, max_entries="5", dry_run_only="False")["done"] == [entry_id]


def test_what_other_tasks_return_stands_for_its_entry(kaltura) -> None:
    entry_id = kaltura.entry("One")
    (listed,) = kaltura.run(KalturaListEntriesOperator, any_status=True, fields=["id"])
    got = kaltura.run(KalturaGetEntryOperator, entry_id=listed)
    assert kaltura.run(KalturaDeleteEntriesOperator, entry_id=[got])["done"] == [entry_id]


def test_a_misspelt_property_is_noticed(kaltura) -> None:
    entry_id = kaltura.entry("One")
    update = KalturaUpdateEntryOperator
    with pytest.raises(AirflowFailException, match=r"changes\.extra 'licensType' is not a property of entry"):
        kaltura.run(update, entry_id=entry_id, changes={"extra": {"licensType": 5}})
    changed = kaltura.run(update, entry_id=entry_id, changes={"extra": {"licenseType": 5}})["changed"]
    assert changed["license_type"]["to"] == 5


def test_an_entry_that_lost_a_property_on_its_way_says_so(kaltura, caplog) -> None:
    connection = json.loads(__import__("os").environ["AIRFLOW_CONN_KALTURA_DEFAULT"])
    connection["extra"] |= {"session_type": "USER"}
    kaltura.monkeypatch.setenv("AIRFLOW_CONN_USER", json.dumps(connection))
    metadata = {"name": "X", "media_type": "video", "reference_id": "mine"}
    with caplog.at_level("WARNING", logger="kaltura_provider.ingest"):
        made = kaltura.run(KalturaAddEntryOperator, kaltura_conn_id="user", metadata=metadata)
    assert f"entry {made['entry_id']}: Kaltura dropped referenceId" in caplog.text


def test_what_a_role_may_not_set_is_an_error(kaltura) -> None:
    entry_id = kaltura.entry(userId="airflow")
    connection = json.loads(__import__("os").environ["AIRFLOW_CONN_KALTURA_DEFAULT"])
    connection["extra"] |= {"session_type": "USER"}
    kaltura.monkeypatch.setenv("AIRFLOW_CONN_USER", json.dumps(connection))
    with pytest.raises(AirflowFailException, match="did not stay"):
        kaltura.run(
            KalturaUpdateEntryOperator, kaltura_conn_id="user", entry_id=entry_id, changes={"reference_id": "mine"}
        )


XSD = """<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema">
<xsd:element name="metadata"><xsd:complexType><xsd:sequence>
<xsd:element name="Lecturer" type="xsd:string" minOccurs="0" maxOccurs="1"/>
<xsd:element name="Room" type="xsd:string" minOccurs="0" maxOccurs="unbounded"/>
<xsd:element name="Seats" type="xsd:int" minOccurs="0" maxOccurs="1"/>
</xsd:sequence></xsd:complexType></xsd:element></xsd:schema>"""


def metadata_profile(kaltura, of: str = "1") -> int:
    form = {"objectType": "KalturaMetadataProfile", "metadataObjectType": of, "name": "Lectures"}
    made = kaltura.hook.call("metadata_metadataProfile", "add", metadataProfile=form, xsdData=XSD)
    return int(made["id"])


def test_custom_metadata_is_made_and_changed_only_where_it_differs(kaltura) -> None:
    given = {"entry_id": kaltura.entry(), "metadata_profile_id": metadata_profile(kaltura)}
    operator, values = KalturaSetMetadataOperator, {"Lecturer": "1 < 2", "Room": ["x", "y"]}
    first = kaltura.run(operator, **given, values=values)
    again = kaltura.run(operator, **{**given, "metadata_profile_id": str(given["metadata_profile_id"])}, values=values)
    changed = kaltura.run(operator, **given, xml="<metadata><Room>3</Room></metadata>")
    assert (first["state"], again["state"], changed["state"]) == ("made", "same", "changed")
    assert first["metadata_id"] == again["metadata_id"] == changed["metadata_id"]
    wanted = {"objectIdEqual": given["entry_id"], "metadataObjectTypeEqual": 1}
    (held,) = kaltura.hook.call("metadata_metadata", "list", filter=wanted)["objects"]
    assert (held["xml"], held["version"]) == ("<metadata><Room>3</Room></metadata>", 2)


def test_metadata_that_kaltura_refuses_fails_at_once_and_says_why(kaltura) -> None:
    operator, profile = KalturaSetMetadataOperator, metadata_profile(kaltura)
    given = {"entry_id": kaltura.entry(), "metadata_profile_id": profile}

    def why(values, **changes):
        with pytest.raises(AirflowFailException) as failure:
            kaltura.run(operator, **{**given, **changes}, values=values)
        return str(failure.value)

    assert "INVALID_METADATA_DATA" in why({"Speaker": "Ann"})
    assert "'Speaker': This element is not expected" in why({"Speaker": "Ann"})
    assert "'Lecturer': This element is not expected" in why({"Room": "A", "Lecturer": "Ann"})
    assert "'many' is not a valid value" in why({"Seats": "many"})
    assert f"METADATA_PROFILE_NOT_FOUND: metadata profile not found, id [{profile + 1}]" in why(
        {"Room": "A"}, metadata_profile_id=profile + 1
    )
    assert "INVALID_METADATA_OBJECT" in why({"Room": "A"}, entry_id="0_aaaaaaaa")
    assert "INCOMPATIBLE_METADATA_PROFILE_OBJECT_TYPE" in why(
        {"Room": "A"}, metadata_profile_id=metadata_profile(kaltura, of="2")
    )
    kaltura.run(operator, **given, values={"Room": "A"})
    assert "INVALID_METADATA_DATA" in why({"Seats": "many"})


def test_bad_metadata_is_refused_before_any_call(kaltura) -> None:
    refused, given = kaltura.refused, {"entry_id": "0_abcdefgh", "metadata_profile_id": 7}
    operator = KalturaSetMetadataOperator
    assert "values and xml" in refused(operator, **given)
    assert "values and xml" in refused(operator, **given, values={"A": 1}, xml="<metadata/>")
    assert "values 'a b' is not a field name" in refused(operator, **given, values={"a b": 1})
    assert "xml is not well-formed" in refused(operator, **given, xml="<metadata>")
    assert "metadata_profile_id 'x'" in refused(operator, entry_id="0_abcdefgh", metadata_profile_id="x", xml="<a/>")


def test_a_rejection_and_a_flag_of_what_cannot_be_flagged(kaltura) -> None:
    ready, empty = ready_entry(kaltura), kaltura.entry()
    assert kaltura.run(KalturaModerateEntryOperator, entry_id=[ready, empty], decision="reject") == [ready, empty]
    for entry_id in (ready, empty):
        assert kaltura.hook.call("baseEntry", "get", entryId=entry_id)["moderationStatus"] == 3
    with pytest.raises(AirflowFailException, match="ENTRY_CANNOT_BE_FLAGGED"):
        kaltura.run(KalturaModerateEntryOperator, entry_id=empty, decision="flag", flag_type=4)


def test_profile_reference_and_access_control(kaltura) -> None:
    entry_id = kaltura.entry()
    profiles = kaltura.hook.call("conversionProfile", "list")["objects"]
    changes = {"conversion_profile_id": profiles[-1]["id"], "reference_id": "Ref-1", "admin_tags": ["Mine"]}
    changed = kaltura.run(KalturaUpdateEntryOperator, entry_id=entry_id, changes=changes)
    assert set(changed["changed"]) == {"conversion_profile_id", "reference_id", "admin_tags"}
    entry = kaltura.hook.call("baseEntry", "get", entryId=entry_id)
    assert (entry["conversionProfileId"], entry["referenceId"]) == (profiles[-1]["id"], "Ref-1")
    assert kaltura.run(KalturaUpdateEntryOperator, entry_id=entry_id, changes=changes)["changed"] == {}
    with pytest.raises(AirflowFailException, match="ACCESS_CONTROL_ID_NOT_FOUND"):
        kaltura.run(KalturaUpdateEntryOperator, entry_id=entry_id, changes={"access_control_id": 999_999})
