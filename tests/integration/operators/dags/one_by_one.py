"""An ingest put together from single operators: prepare, upload, ready, flavors. Copy it where a task does more."""

from airflow.sdk import DAG

from kaltura_provider.operators.flavors import KalturaListFlavorsOperator
from kaltura_provider.operators.ingest import KalturaIngestOperator
from kaltura_provider.operators.prepare import KalturaPrepareOperator
from kaltura_provider.operators.upload import KalturaUploadOperator
from kaltura_provider.sensors.entry import KalturaEntryReadySensor

with DAG("one_by_one", schedule=None, params={"sources": []}, render_template_as_native_obj=True) as dag:
    prepared = KalturaPrepareOperator(task_id="prepare", source="{{ params.sources }}", metadata={"tags": ["news"]})
    sent = KalturaUploadOperator(task_id="upload", source=prepared.output)
    ready = KalturaEntryReadySensor(task_id="ready", entry_id=sent.output)
    KalturaListFlavorsOperator(task_id="flavors", entry_id=ready.output)

    # The same in two tasks, as feeds do it; what is in Kaltura already is found, not sent again.
    again = KalturaIngestOperator(task_id="ingest", source="{{ params.sources }}", metadata={"tags": ["news"]})
    both = KalturaEntryReadySensor(task_id="again_ready", entry_id=again.output, flavors=True)
    ready >> again
