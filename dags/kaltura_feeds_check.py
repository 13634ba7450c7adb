"""Says on Airflow's page what is wrong with a feed file; apart from kaltura_feeds.py, whose good DAGs stay."""

from __future__ import annotations

from kaltura_provider.feeds.load import feeds_folder, load_feeds

load_feeds(feeds_folder(__file__)).check()
