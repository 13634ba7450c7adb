"""Ingest the sources typed into the trigger form of Airflow's page."""

from __future__ import annotations

import datetime as dt

from airflow.sdk import DAG, Param

from kaltura_provider.feeds.discover import KalturaDiscoverOperator
from kaltura_provider.feeds.pipeline import ingest


def _lines(title: str, description: str) -> Param:
    return Param(None, type=["null", "array"], items={"type": "string"}, title=title, description=description)


with DAG(
    dag_id="kaltura_ingest",
    description="Bring the media you name into Kaltura",
    schedule=None,
    catchup=False,
    default_args={"owner": "kaltura", "retries": 3, "retry_delay": dt.timedelta(seconds=30)},
    tags={"kaltura"},
    params={
        "sources": Param(
            [],
            type="array",
            minItems=1,
            items={"type": "string", "pattern": "^(s3|https?|file)://"},
            title="Sources",
            description="One a line: s3://bucket/key, https://... or file:///path",
        ),
        "name": Param(
            "{{ asset.stem }}",
            type="string",
            minLength=1,
            title="Name",
            description="Name of the entries; {{ asset.stem }} is the file name without its extension",
        ),
        "tags": _lines("Tags", "One a line"),
        "categories": _lines("Categories", "Full names, one a line, such as News>Sport"),
        "description": Param(None, type=["null", "string"], format="multiline", title="Description", section="More"),
        "conversion_profile_id": Param(
            None,
            type=["null", "integer"],
            title="Conversion profile",
            description="Id of a conversion profile; empty for the account's default",
            section="More",
        ),
        "if_exists": Param(
            "skip",
            type="string",
            enum=["skip", "replace", "fail"],
            title="If it is in Kaltura with other content",
            description="skip keeps the entry as it is, replace gives it the new content, fail fails",
            section="More",
        ),
        "kaltura_conn_id": Param("kaltura_default", type="string", title="Kaltura connection", section="Connections"),
        "aws_conn_id": Param("aws_default", type="string", title="AWS connection", section="Connections"),
    },
    doc_md=__doc__,
) as dag:
    discover = KalturaDiscoverOperator(
        task_id="discover",
        form_fields=("name", "description", "tags", "categories", "conversion_profile_id"),
        aws_conn_id="{{ params.aws_conn_id }}",
    )
    ingest(
        discover,
        kaltura_conn_id="{{ params.kaltura_conn_id }}",
        aws_conn_id="{{ params.aws_conn_id }}",
        if_exists="{{ params.if_exists }}",
    )
