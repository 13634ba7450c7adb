"""Entries from the first to the last: made, changed, moderated, found, recycled, restored and deleted."""

from airflow.sdk import DAG

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

with DAG("library", schedule=None, params={"ready": "", "profile": 0, "output": ""}) as dag:
    parent = KalturaAddEntryOperator(task_id="parent", metadata={"name": "Lecture", "media_type": "video"})
    child = KalturaAddEntryOperator(
        task_id="child",
        metadata={"name": "Slides view", "parent_entry_id": "{{ ti.xcom_pull('parent')['entry_id'] }}"},
        file_name="slides.mp4",
    )
    children = KalturaListEntriesOperator(
        task_id="children",
        filter={"parentEntryIdEqual": "{{ ti.xcom_pull('parent')['entry_id'] }}"},
        any_status=True,
        fields=["id", "name"],
    )
    changed = KalturaUpdateEntryOperator(
        task_id="changed",
        entry_id=parent.output,
        changes={"name": "Lecture", "description": "The first one", "tags": ["Physics"], "end_date": "2030-01-01"},
    )
    shelved = KalturaCategorizeEntryOperator(
        task_id="shelved", entry_id=parent.output, add=["Courses>Physics"], create_missing=True
    )
    described = KalturaSetMetadataOperator(
        task_id="described",
        entry_id=parent.output,
        metadata_profile_id="{{ params.profile }}",
        values={"Lecturer": "Ann", "Room": ["A", "B"]},
    )
    shown = KalturaGetEntryOperator(
        task_id="shown", entry_id=parent.output, fields=["name", "description", "tags", "categories"]
    )
    flagged = KalturaModerateEntryOperator(
        task_id="flagged", entry_id="{{ params.ready }}", decision="flag", flag_type="copyright", comments="See mail"
    )
    approved = KalturaModerateEntryOperator(task_id="approved", entry_id="{{ params.ready }}", decision="approve")
    recycled = KalturaRecycleEntriesOperator(task_id="recycled", entry_id="{{ params.ready }}")
    restored = KalturaRestoreEntriesOperator(task_id="restored", entry_id="{{ params.ready }}")
    exported = KalturaListEntriesOperator(task_id="exported", any_status=True, output_uri="{{ params.output }}")
    deleted = KalturaDeleteEntriesOperator(
        task_id="deleted", filter={"statusEqual": "no_content"}, max_entries=10, dry_run_only=False
    )
    parent >> child >> children
    changed >> shelved >> described >> shown
    flagged >> approved >> recycled >> restored
    [children, shown, restored] >> exported >> deleted
