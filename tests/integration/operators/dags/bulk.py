"""A bulk upload: rows sent as jobs, waited for, and what became of each row."""

from airflow.sdk import DAG

from kaltura_provider.operators.bulk import (
    KalturaAbortBulkUploadOperator,
    KalturaBulkResultsOperator,
    KalturaBulkUploadOperator,
)
from kaltura_provider.sensors.bulk_job import KalturaBulkJobSensor

with DAG("bulk", schedule=None, params={"rows": [], "output": ""}, render_template_as_native_obj=True) as dag:
    sent = KalturaBulkUploadOperator(task_id="sent", rows="{{ params.rows }}", rows_per_job=2)
    ended = KalturaBulkJobSensor(task_id="ended", bulk_upload_id=sent.output, allow_partial=True)
    results = KalturaBulkResultsOperator(
        task_id="results", bulk_upload_id=ended.output, rows="{{ params.rows }}", output_uri="{{ params.output }}"
    )
    stopped = KalturaAbortBulkUploadOperator(task_id="stopped", bulk_upload_id=sent.output)
    results >> stopped
