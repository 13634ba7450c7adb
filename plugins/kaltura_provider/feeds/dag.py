"""Build the DAG of one feed."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.sdk import DAG, Asset, AssetWatcher, CronDataIntervalTimetable, XComArg

from kaltura_provider.feeds.form.feed import feed_params
from kaltura_provider.feeds.outcome.changes import CHANGES_KEY, KalturaChangeListedOperator
from kaltura_provider.feeds.outcome.late import deadline_alert
from kaltura_provider.feeds.outcome.notify import callbacks
from kaltura_provider.feeds.planning.interval import last_moment_of
from kaltura_provider.feeds.sources.sqs import Sqs
from kaltura_provider.feeds.tasks.discover import KalturaDiscoverOperator
from kaltura_provider.feeds.tasks.pipeline import ingest
from kaltura_provider.hooks.pool import default_pool

if TYPE_CHECKING:
    from kaltura_provider.feeds.schema import Feed

__all__ = ["feed_dag"]


def feed_dag(feed: Feed) -> DAG:
    """Build the DAG of one feed.

    Its runs have a data interval, so the run just after midnight ingests the day that has ended. With a plain cron
    string, Airflow 3 creates runs with an empty interval.
    """
    zone = pendulum.timezone(feed.timezone)
    with DAG(
        dag_id=feed.dag_id,
        # Otherwise every file that builds this DAG, such as one that checks the feeds, would define it.
        auto_register=False,
        description=feed.description or f"Ingest {feed.source.summary} into Kaltura",
        schedule=_schedule(feed, zone),
        start_date=_midnight(feed.start_date, zone),
        # Airflow compares it with the start of each interval.
        end_date=last_moment_of(_midnight(feed.end_date, zone)) if feed.end_date else None,
        catchup=False,
        max_active_runs=1 if feed.source.remembers else feed.max_active_runs,
        default_args={
            "owner": feed.owner,
            "pool": feed.pool or default_pool(),
            "retries": feed.retries,
            "retry_delay": dt.timedelta(seconds=30),
            "retry_exponential_backoff": True,
            "max_retry_delay": dt.timedelta(minutes=10),
        },
        tags={"kaltura", "feed", *feed.tags},
        params=feed_params(feed),
        deadline=deadline_alert(feed.deadline, feed.notify),
        doc_md=_doc(feed),
    ) as dag:
        _add_tasks(feed)
    return dag


def _schedule(feed: Feed, zone: pendulum.Timezone | pendulum.FixedTimezone) -> Any:
    """Return when runs begin: when an interval ends, when events of the source arrive, or only by hand."""
    if isinstance(feed.source, Sqs):
        watcher = AssetWatcher(name="s3_events", trigger=feed.source.watcher(feed.connections.aws))
        name = f"{feed.asset_uri}/events"
        return [_asset(name, watchers=[watcher])]
    return CronDataIntervalTimetable(feed.schedule, timezone=zone) if feed.schedule else None


def _asset(uri: str, **kwargs: Any) -> Asset:
    """Return the asset with this URI as its name.

    For each URI that ``Asset`` gets, it looks for a function that normalizes it, and loads the asset handlers of all
    installed providers, boto3 included. These URIs are normal, and each task would pay for that.
    """
    asset = Asset(name=uri, uri="kaltura", **kwargs)
    object.__setattr__(asset, "uri", uri)
    return asset


def _add_tasks(feed: Feed) -> None:
    asset = _asset(feed.asset_uri)
    connections: dict[str, Any] = {
        "kaltura_conn_id": feed.connections.kaltura,
        "aws_conn_id": feed.connections.aws,
        "http_conn_id": feed.connections.http,
    }
    discover = KalturaDiscoverOperator(
        task_id="discover",
        inlets=[asset],
        source=feed.source.model_dump(mode="json"),
        unknown_files=feed.unknown_files,
        metadata=feed.metadata.model_dump(exclude_none=True),
        if_exists=feed.if_exists,
        on_metadata_change=feed.on_metadata_change,
        max_failures=feed.max_failures,
        transfer=feed.transfer,
        timezone=feed.timezone,
        batch_size=feed.batch_size,
        receipts=feed.receipts,
        **connections,
    )
    if getattr(feed.source, "allow", None):
        KalturaChangeListedOperator(
            task_id="changes",
            changes=XComArg(discover, key=CHANGES_KEY),
            kaltura_conn_id=feed.connections.kaltura,
        )
    ingest(
        discover,
        # What the trigger form says, or else the feed.
        if_exists="{{ params.if_exists }}",
        transfer="{{ params.transfer }}",
        on_metadata_change=feed.on_metadata_change,
        upload=feed.upload,
        pool=feed.pool,
        queue=feed.queue,
        max_active_uploads=feed.max_active_uploads,
        ready_timeout=feed.ready_timeout,
        feed=feed.name,
        receipts=feed.receipts,
        preflight=feed.preflight,
        allowed_extensions=feed.allowed_extensions,
        aftercare=feed.source.aftercare,
        timezone=feed.timezone,
        outlets=[asset],
        callbacks=callbacks(feed.notify),
        **connections,
    )


def _midnight(day: dt.date, zone: pendulum.Timezone | pendulum.FixedTimezone) -> pendulum.DateTime:
    return pendulum.datetime(day.year, day.month, day.day, tz=zone)


def _doc(feed: Feed) -> str:
    return f"""### {feed.name}

{feed.description}

Every run lists `{feed.source.summary}` and ingests what is new. *discover* plans the run, *ingest* creates the
entries of a batch and sends their bytes, *ready* waits until Kaltura has transcoded them and lists the renditions, and
*summary* reports the result. Items that are already in Kaltura are skipped, so you can repeat and backfill runs. Dates
are in {feed.timezone}.
"""
