"""Says on Airflow's page what is wrong with a feed file; apart from kaltura_feeds.py, whose good DAGs stay."""

from __future__ import annotations

from kaltura_provider.feeds.dag import feed_dags
from kaltura_provider.feeds.load import FeedError, feeds_folder

if problems := feed_dags(feeds_folder(__file__)).problems:
    raise FeedError("\n" + "\n".join(problems))
