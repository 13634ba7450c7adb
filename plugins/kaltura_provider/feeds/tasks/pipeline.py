"""The tasks that turn batches of source items into READY entries, for feeds and the trigger form."""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING, Any

from airflow.sdk import task_group

from kaltura_provider.feeds.tasks.ingest import KalturaBatchIngestOperator
from kaltura_provider.feeds.tasks.ready import KalturaBatchReadySensor
from kaltura_provider.feeds.tasks.summary import KalturaSummaryOperator
from kaltura_provider.hooks.pool import default_pool, run_share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Asset, BaseOperator

__all__ = ["GROUP", "SUMMARY", "ingest"]

# With Airflow's weights, the batches of a large run come before the last tasks of small ones, and before DAGs of one
# task. The scheduler starts what is light only when nothing heavier can start, and that can take as long as the run.
_LAST: dict[str, Any] = {"priority_weight": 0, "weight_rule": "absolute"}

# Airflow's database allows 250 characters. A task with a longer name could not finish.
_MAX_NAME = 200

GROUP = "batch"
"""The task group that is mapped over the batches of a run."""

SUMMARY = "summary"
"""The task after all batches, whose result says what the run did."""


def ingest(
    discover: BaseOperator,
    *,
    kaltura_conn_id: str = "kaltura_default",
    aws_conn_id: str = "aws_default",
    http_conn_id: str | None = None,
    if_exists: str = "skip",
    on_metadata_change: str = "keep",
    preflight: str = "off",
    allowed_extensions: Sequence[str] = (),
    transfer: str = "upload",
    upload: Mapping[str, Any] | None = None,
    pool: str | None = None,
    queue: str | None = None,
    max_active_uploads: int = 8,
    wait_for: str = "ready",
    flavor_params_ids: Any = (),
    ready_timeout: dt.timedelta = dt.timedelta(hours=12),
    feed: str = "ingest",
    receipts: str | None = None,
    aftercare: Mapping[str, Any] | None = None,
    timezone: str | None = None,
    outlets: list[Asset] | None = None,
    callbacks: Mapping[str, Any] | None = None,
) -> BaseOperator:
    """Build ingest and ready, mapped over the batches that ``discover`` returns, and the summary after them.

    :param discover: a task that returns batches of ``{"uri": ..., "metadata": {...}}``.
    :param if_exists: what to do with an item whose entry holds other content: ``skip``, ``replace`` or ``fail``.
    :param on_metadata_change: what to do with an entry whose metadata has changed at the source: ``keep``, ``update``
        or ``fail``.
    :param preflight: ``off``, ``warn`` or ``fail``; see ``KalturaIngestOperator``. So for ``allowed_extensions``.
    :param transfer: ``upload``, ``import`` to let Kaltura fetch the sources, or ``bulk`` to do that by bulk uploads.
    :param upload: upload settings, as for ``KalturaUploadOperator``.
    :param pool: the Airflow pool of all tasks after ``discover``. Default: the pool that the plugin creates.
    :param queue: the queue of the tasks that send bytes, for executors with queues. Default: the environment variable
        ``KALTURA_QUEUE``, else Airflow's default queue.
    :param max_active_uploads: maximum number of batches of one run that are sent at once. It is reduced to two thirds
        of the pool, so that other runs can start.
    :param wait_for: how far a run waits: ``sent``, ``ready`` or ``approved``; see ``KalturaBatchReadySensor``.
    :param flavor_params_ids: flavor params that every entry must have in the end.
    :param ready_timeout: how long to wait until Kaltura has made an entry READY.
    :param feed: the folder for the receipts, usually the name of the feed.
    :param receipts: where to write a receipt for each item: ``s3://bucket/prefix`` or an absolute path.
    :param aftercare: what happens to the objects at their source, as
        :class:`~kaltura_provider.feeds.outcome.aftercare.Aftercare` takes it. Default: they stay as they are.
    :param timezone: the time zone of the feed, which sets the date of its receipts.
    :param callbacks: callbacks of the summary, such as ``on_failure_callback``, by their names in Airflow.
    :param outlets: Airflow assets that the summary updates.
    :return: the summary task.
    """
    common: dict[str, Any] = {"kaltura_conn_id": kaltura_conn_id, "pool": pool or default_pool()}

    @task_group(group_id=GROUP)
    def batches(batch: Any) -> None:
        sent = KalturaBatchIngestOperator(
            task_id="ingest",
            source=batch,
            if_exists=if_exists,
            on_metadata_change=on_metadata_change,
            preflight=preflight,
            allowed_extensions=allowed_extensions,
            transfer=transfer,
            upload=upload,
            aws_conn_id=aws_conn_id,
            http_conn_id=http_conn_id,
            max_active_tis_per_dagrun=run_share(max_active_uploads),
            map_index_template=_named("source"),
            **_on_queue(queue),
            **_LAST,
            **common,
        )
        KalturaBatchReadySensor(
            task_id="ready",
            entry_id=sent.output,
            wait_for=wait_for,
            flavor_params_ids=flavor_params_ids,
            flavors=True,
            timeout=ready_timeout.total_seconds(),
            map_index_template=_named("entry_id"),
            **_LAST,
            **common,
        )

    summary = KalturaSummaryOperator(
        task_id=SUMMARY,
        discovered=discover.output,
        discover_id=discover.task_id,
        timezone=timezone,
        group_id=GROUP,
        feed=feed,
        receipts=receipts,
        aftercare=aftercare,
        aws_conn_id=aws_conn_id,
        trigger_rule="all_done",
        outlets=outlets or [],
        **(callbacks or {}),
        **common,
    )
    batches.expand(batch=discover.output) >> summary
    return summary


def _on_queue(queue: str | None) -> dict[str, Any]:
    """Return the argument that gives an operator its queue, or nothing to leave it Airflow's default."""
    chosen = queue or os.environ.get("KALTURA_QUEUE", "").strip()
    return {"queue": chosen} if chosen else {}


def _named(field: str) -> str:
    """Return a template that names a mapped task instance after the first file of its batch."""
    return (
        f"{{{{ task.{field}[0].uri.split('?')[0].rstrip('/').split('/')[-1][:{_MAX_NAME}] }}}}"
        f"{{% if task.{field} | length > 1 %}} and {{{{ task.{field} | length - 1 }}}} more{{% endif %}}"
    )
