"""Ingest the sources that a user types into the trigger form in Airflow's UI."""

from __future__ import annotations

import datetime as dt

from airflow.sdk import DAG

from kaltura_provider.feeds.form.params import form_params
from kaltura_provider.feeds.tasks.form import KalturaFormOperator
from kaltura_provider.feeds.tasks.pipeline import ingest
from kaltura_provider.hooks.pool import default_pool

with DAG(
    dag_id="kaltura_ingest",
    dag_display_name="Ingest into Kaltura",
    description="Ingest the media you name into Kaltura",
    schedule=None,
    catchup=False,
    default_args={"owner": "kaltura", "retries": 3, "retry_delay": dt.timedelta(seconds=30)},
    tags={"kaltura"},
    params=form_params(),
    doc_md=__doc__,
) as dag:
    ingest(
        KalturaFormOperator(task_id="discover", pool=default_pool()),
        kaltura_conn_id="{{ params.kaltura_conn_id }}",
        aws_conn_id="{{ params.aws_conn_id }}",
        http_conn_id="{{ params.http_conn_id or '' }}",
        if_exists="{{ params.if_exists }}",
        transfer="{{ params.transfer }}",
        wait_for="{{ params.wait_for }}",
        flavor_params_ids="{{ (params.flavor_params_ids or []) | join(',') }}",
    )
