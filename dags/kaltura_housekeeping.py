"""Find, and optionally delete, what interrupted runs left in Kaltura: upload tokens and empty entries.

It only finds objects that this package created. It also says once of each feed that it is no longer in its folder.
"""

from __future__ import annotations

import datetime as dt

from airflow.sdk import DAG, Asset, Param

from kaltura_provider.feeds.files.load import feeds_folder
from kaltura_provider.feeds.form.params import connection_param
from kaltura_provider.feeds.tasks.vanished import KalturaVanishedFeedsOperator
from kaltura_provider.operators.housekeeping import KalturaHousekeepingOperator

with DAG(
    dag_id="kaltura_housekeeping",
    description="Find what interrupted runs left in Kaltura, and feeds that are no longer there",
    schedule="@daily",
    start_date=dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
    catchup=False,
    default_args={"owner": "kaltura", "retries": 2, "retry_delay": dt.timedelta(minutes=5)},
    tags={"kaltura"},
    params={
        "delete": Param(False, type="boolean", title="Delete", description="If off, only list what is found"),
        "older_than_hours": Param(24, type="integer", minimum=1, title="Unchanged for (hours)"),
        "kaltura_conn_id": connection_param("kaltura_default", "Kaltura connection", "Of type Kaltura"),
    },
    doc_md=__doc__,
) as dag:
    KalturaHousekeepingOperator(
        task_id="leftovers",
        delete="{{ params.delete }}",
        older_than="{{ params.older_than_hours * 3600 }}",
        kaltura_conn_id="{{ params.kaltura_conn_id }}",
    )
    KalturaVanishedFeedsOperator(
        task_id="feeds",
        folder=feeds_folder(__file__),
        inlets=[Asset(name="kaltura://feeds", uri="kaltura://feeds")],
    )
