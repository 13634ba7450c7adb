"""The DAG a feed becomes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pendulum
from airflow.sdk import DAG, Asset, CronDataIntervalTimetable, Param

from kaltura_provider.feeds.discover import KalturaDiscoverOperator
from kaltura_provider.feeds.interval import DATE_PARAM, runs_within_a_day
from kaltura_provider.feeds.load import load_feeds, problem_of, shortened
from kaltura_provider.feeds.pipeline import ingest

if TYPE_CHECKING:
    from pathlib import Path

    from kaltura_provider.feeds.schema import Feed

__all__ = ["FeedDags", "feed_dag", "feed_dags"]


@dataclass
class FeedDags:
    """The DAGs of a folder of feeds, and what is wrong with the feeds that became none: ``file:line: field: problem``.

    Each DAG is known to be one that Airflow can store.
    """

    dags: list[DAG] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def feed_dags(folder: Path, *, only: str | None = None) -> FeedDags:
    """Build the DAG of every feed of a folder; a feed that cannot become one leaves the others alone.

    :param only: the id of the one DAG that is needed, such as in a worker.
    """
    loaded = load_feeds(folder)
    # A worker's DAG has been stored; serializing it again would cost each task half a second.
    build = _stored if only is None else feed_dag
    built = FeedDags(problems=loaded.problems)
    for feed in loaded.feeds:
        if only is not None and feed.dag_id != only:
            continue
        try:
            built.dags.append(build(feed))
        except Exception as error:
            said = f"Airflow takes no such DAG: {shortened(f'{type(error).__name__}: {error}')}"
            built.problems.append(problem_of(loaded.paths[feed.name], _culprit(feed), said))
    return built


def _stored(feed: Feed) -> DAG:
    """Return the DAG of a feed, having serialized it as Airflow's DAG processor will.

    One DAG that cannot be serialized takes the others of its file with it.
    """
    from airflow.serialization.serialized_objects import DagSerialization

    dag: Any = feed_dag(feed)
    dag.validate()
    dag.check_cycle()
    DagSerialization.to_dict(dag)
    return cast("DAG", dag)


def _culprit(feed: Feed) -> str:
    """Return the field without which the feed would become a DAG; ``feed`` if there is no single one."""
    for name in sorted(feed.model_fields_set):
        default = type(feed).model_fields[name]
        if default.is_required():
            continue
        try:
            _stored(feed.model_copy(update={name: default.get_default()}))
        except Exception:  # noqa: S112 - this field is not to blame, or not alone
            continue
        return name
    return "feed"


def feed_dag(feed: Feed) -> DAG:
    """Build the DAG of one feed.

    Its runs have a data interval, unlike those of a plain cron schedule, whose interval has no width: the run just
    after midnight ingests the day that has ended.
    """
    zone = pendulum.timezone(feed.timezone)
    with DAG(
        dag_id=feed.dag_id,
        description=feed.description or f"Ingest {feed.source.uri} into Kaltura",
        schedule=CronDataIntervalTimetable(feed.schedule, timezone=zone) if feed.schedule else None,
        start_date=_midnight(feed.start_date, zone),
        end_date=_last_moment(feed.end_date, zone) if feed.end_date else None,
        catchup=False,
        max_active_runs=feed.max_active_runs,
        default_args={
            "owner": feed.owner,
            "retries": feed.retries,
            "retry_delay": dt.timedelta(seconds=30),
            "retry_exponential_backoff": True,
            "max_retry_delay": dt.timedelta(minutes=10),
        },
        tags={"kaltura", "feed", *feed.tags},
        params={DATE_PARAM: _date_param(feed)},
        doc_md=_doc(feed),
    ) as dag:
        discover = KalturaDiscoverOperator(
            task_id="discover",
            uri=feed.source.uri,
            include=feed.source.include,
            exclude=feed.source.exclude,
            unknown_files=feed.unknown_files,
            metadata=feed.metadata.model_dump(exclude_none=True),
            timezone=feed.timezone,
            batch_size=feed.batch_size,
            aws_conn_id=feed.connections.aws,
        )
        ingest(
            discover,
            kaltura_conn_id=feed.connections.kaltura,
            aws_conn_id=feed.connections.aws,
            if_exists=feed.if_exists,
            transfer=feed.transfer,
            upload=feed.upload,
            pool=feed.pool,
            max_active_uploads=feed.max_active_uploads,
            ready_timeout=feed.ready_timeout,
            feed=feed.name,
            receipts=feed.receipts,
            timezone=feed.timezone,
            outlets=[Asset(name=feed.asset_uri, uri=feed.asset_uri)],
        )
    return dag


def _midnight(day: dt.date, zone: pendulum.Timezone | pendulum.FixedTimezone) -> pendulum.DateTime:
    return pendulum.datetime(day.year, day.month, day.day, tz=zone)


def _last_moment(day: dt.date, zone: pendulum.Timezone | pendulum.FixedTimezone) -> pendulum.DateTime:
    """Return the end of a day: Airflow compares it with the beginning of each interval."""
    return _midnight(day, zone).add(days=1).subtract(microseconds=1)


def _date_param(feed: Feed) -> Param:
    """Return the field of the trigger form that says what a run by hand ingests."""
    within_a_day = runs_within_a_day(feed.schedule)
    what = "Beginning of the interval" if within_a_day else "Day"
    return Param(
        None,
        type=["null", "string"],
        format="date-time" if within_a_day else "date",
        title=f"{what} to ingest",
        description=f"In {feed.timezone}; empty: the last interval that has ended",
    )


def _doc(feed: Feed) -> str:
    return f"""### {feed.name}

{feed.description}

Every run lists `{feed.source.uri}` and brings what is new there into Kaltura: *prepare* finds or makes the entry,
*upload* sends the bytes, *ready* waits until Kaltura has transcoded them, *flavors* lists the renditions. What is in
Kaltura already is left as it is, so runs can be repeated and backfilled at will. Dates are in {feed.timezone}.
"""
