"""Show feeds with errors as an import error in Airflow's UI.

This is a file of its own because Airflow stops scheduling every DAG of a file that has an import error.
"""

from __future__ import annotations

from kaltura_provider.feeds.files.load import feeds_folder
from kaltura_provider.feeds.folder import check_feeds  # checks the feeds of kaltura_feeds.py

check_feeds(feeds_folder(__file__))
