"""One Airflow DAG per feed of include/feeds; docs/feeds.md explains how to write one."""

from __future__ import annotations

from kaltura_provider.feeds.dag import feed_dag
from kaltura_provider.feeds.load import feeds_folder, load_feeds

for feed in load_feeds(feeds_folder(__file__)).feeds:
    globals()[feed.dag_id] = feed_dag(feed)
