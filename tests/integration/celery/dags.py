"""The feeds of the folder as Airflow DAGs, whose tasks are tried again soon."""

from __future__ import annotations

import datetime as dt

from kaltura_provider.feeds.files.load import feeds_folder
from kaltura_provider.feeds.folder import feed_dags

for _name, _dag in feed_dags(feeds_folder(__file__)).items():
    for _task in _dag.tasks:
        _task.retry_delay = dt.timedelta(seconds=1)
        _task.retry_exponential_backoff = 0
    globals()[_name] = _dag
