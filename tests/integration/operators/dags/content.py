"""Content from every side: a token, a URL with headers, a storage, another entry, a file, a text; and replaced."""

from airflow.sdk import DAG

from kaltura_provider.operators.add_from import (
    KalturaAddDataOperator,
    KalturaAddFromUploadedFileOperator,
    KalturaAddFromUrlOperator,
)
from kaltura_provider.operators.content import (
    KalturaAddContentOperator,
    KalturaCancelReplacementOperator,
    KalturaUpdateContentOperator,
)
from kaltura_provider.operators.entries import KalturaAddEntryOperator
from kaltura_provider.operators.upload import KalturaUploadOperator
from kaltura_provider.sensors.entry import KalturaEntryReadySensor

with DAG("content", schedule=None, params={"clip": "", "url": "", "key": "", "pdf": "", "storage": 0}) as dag:
    upload = KalturaUploadOperator(task_id="upload", source="{{ params.clip }}")
    entry = KalturaAddFromUploadedFileOperator(task_id="entry", token_id=upload.output, metadata={"name": "Uploaded"})
    ready = KalturaEntryReadySensor(task_id="ready", entry_id="{{ ti.xcom_pull('entry')['entry_id'] }}")

    empty = KalturaAddEntryOperator(task_id="empty", metadata={"name": "Fetched", "media_type": "video"})
    fetched = KalturaAddContentOperator(
        task_id="fetched", entry_id=empty.output, url="{{ params.url }}", url_headers={"X-Key": "{{ params.key }}"}
    )
    fetched_ready = KalturaEntryReadySensor(task_id="fetched_ready", entry_id="{{ ti.xcom_pull('empty')['entry_id'] }}")

    archived = KalturaAddEntryOperator(task_id="archived", metadata={"name": "Archived", "media_type": "video"})
    stored = KalturaAddContentOperator(
        task_id="stored", entry_id=archived.output, url="/clip.mp4", storage_profile_id="{{ params.storage }}"
    )
    stored_ready = KalturaEntryReadySensor(
        task_id="stored_ready", entry_id="{{ ti.xcom_pull('archived')['entry_id'] }}"
    )

    target = KalturaAddEntryOperator(task_id="target", metadata={"name": "Copied", "media_type": "video"})
    copied = KalturaAddContentOperator(
        task_id="copied", entry_id=target.output, from_entry_id=ready.output, flavor_params_id=0
    )
    replaced = KalturaUpdateContentOperator(
        task_id="replaced", entry_id=ready.output, url="{{ params.url }}", url_headers=["X-Key: {{ params.key }}"]
    )
    replacement_ready = KalturaEntryReadySensor(task_id="replacement_ready", entry_id=ready.output)
    nothing = KalturaCancelReplacementOperator(task_id="nothing", entry_id=ready.output)

    imported = KalturaAddFromUrlOperator(task_id="imported", source="{{ params.url }}", http_conn_id="media_http")
    again = KalturaAddFromUrlOperator(task_id="again", source="{{ params.url }}", http_conn_id="media_http")

    paper = KalturaUploadOperator(task_id="paper", source="{{ params.pdf }}")
    document = KalturaAddFromUploadedFileOperator(task_id="document", token_id=paper.output)
    data = KalturaAddDataOperator(task_id="data", text='{"a": 1}', metadata={"name": "Numbers"})

    entry >> ready >> [copied, replaced]
    fetched >> fetched_ready
    stored >> stored_ready
    copied >> replaced >> replacement_ready >> nothing
    imported >> again
