"""A replacement on an account where somebody has to approve it."""

from airflow.sdk import DAG

from kaltura_provider.operators.content import KalturaApproveReplacementOperator, KalturaUpdateContentOperator
from kaltura_provider.operators.upload import KalturaUploadOperator
from kaltura_provider.sensors.entry import KalturaEntryReadySensor

with DAG("approval", schedule=None, params={"entry": "", "film": ""}) as dag:
    upload = KalturaUploadOperator(task_id="upload", source="{{ params.film }}")
    replaced = KalturaUpdateContentOperator(task_id="replaced", entry_id="{{ params.entry }}", token_id=upload.output)
    approved = KalturaApproveReplacementOperator(task_id="approved", entry_id="{{ params.entry }}")
    ready = KalturaEntryReadySensor(task_id="ready", entry_id="{{ params.entry }}")
    replaced >> approved >> ready
