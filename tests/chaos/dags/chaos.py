"""The ingest of feeds and the trigger form, as an Airflow DAG that is patient: it is killed all the time."""

from __future__ import annotations

import datetime as dt

from airflow.sdk import DAG, Param

from kaltura_provider.feeds.tasks.form import KalturaFormOperator
from kaltura_provider.feeds.tasks.pipeline import ingest

with DAG(
    dag_id="chaos",
    schedule=None,
    max_active_runs=32,
    max_active_tasks=32,
    default_args={"retries": 15, "retry_delay": dt.timedelta(seconds=1)},
    params={"sources": Param([], type="array"), "name": Param("{{ asset.stem }}", type="string")},
) as dag:
    ingest(KalturaFormOperator(task_id="discover"))
