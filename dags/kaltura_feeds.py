"""Define one Airflow DAG per feed; docs/feeds.md explains how to write a feed."""

from __future__ import annotations

from kaltura_provider.feeds.files.load import feeds_folder
from kaltura_provider.feeds.folder import feed_dags

globals().update(feed_dags(feeds_folder(__file__)))
