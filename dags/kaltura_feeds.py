"""One Airflow DAG per feed of include/feeds; docs/feeds.md explains how to write one."""

from __future__ import annotations

from airflow.sdk import get_parsing_context

from kaltura_provider.feeds.dag import feed_dags
from kaltura_provider.feeds.load import feeds_folder

# A worker needs the DAG of its task only.
for dag in feed_dags(feeds_folder(__file__), only=get_parsing_context().dag_id).dags:
    globals()[dag.dag_id] = dag
