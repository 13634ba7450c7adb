"""The tasks by which a batch of assets becomes READY entries; feeds and the trigger form share them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from airflow.sdk import task_group

from kaltura_provider.feeds.summary import KalturaSummaryOperator
from kaltura_provider.operators.flavors import KalturaListFlavorsOperator
from kaltura_provider.operators.prepare import KalturaPrepareOperator
from kaltura_provider.operators.upload import KalturaUploadOperator
from kaltura_provider.sensors.entry import KalturaEntryReadySensor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Asset, BaseOperator

__all__ = ["ingest"]

# Airflow's database takes 250 characters, and no task can end that has a longer name.
_LONGEST_NAME = 200


def ingest(
    discover: BaseOperator,
    *,
    kaltura_conn_id: str = "kaltura_default",
    aws_conn_id: str = "aws_default",
    http_conn_id: str | None = None,
    if_exists: str = "skip",
    transfer: str = "upload",
    upload: Mapping[str, Any] | None = None,
    pool: str = "default_pool",
    max_active_uploads: int = 8,
    ready_timeout: dt.timedelta = dt.timedelta(hours=12),
    feed: str = "ingest",
    receipts: str | None = None,
    timezone: str | None = None,
    outlets: list[Asset] | None = None,
) -> BaseOperator:
    """Build prepare, upload, ready and flavors, mapped over what ``discover`` returns, and the summary after them.

    :param discover: a task that returns batches of ``{"uri": ..., "metadata": {...}}``.
    :param transfer: ``upload``, or ``import`` to have Kaltura fetch the sources itself.
    :param upload: settings of the uploads, as of ``KalturaUploadOperator``; prepare keeps to their limits.
    :param pool: the pool of prepare and upload; a prepare goes first to where its upload can follow at once.
    :param max_active_uploads: how many uploads of one run are under way at once.
    :param ready_timeout: how long Kaltura may take to make an entry READY.
    :param feed: what the receipts are filed under.
    :param receipts: where a receipt of each asset goes: ``s3://bucket/prefix`` or an absolute path.
    :param timezone: the time zone of a feed, in which receipts are dated.
    :param outlets: Airflow assets to update when something new has arrived.
    :return: the summary task.
    """
    kaltura: dict[str, Any] = {"kaltura_conn_id": kaltura_conn_id}

    @task_group(group_id="asset")
    def asset(batch: Any) -> None:
        # Upstream weight: an upload that is ready to go is picked before another entry is made for a later one.
        sending: dict[str, Any] = {
            **kaltura,
            "aws_conn_id": aws_conn_id,
            "http_conn_id": http_conn_id,
            "upload": upload,
            "pool": pool,
            "weight_rule": "upstream",
        }
        prepare = KalturaPrepareOperator(
            task_id="prepare",
            assets=batch,
            if_exists=if_exists,
            transfer=transfer,
            map_index_template=_named("assets"),
            **sending,
        )
        sent = KalturaUploadOperator(
            task_id="upload",
            asset=prepare.output,
            max_active_tis_per_dagrun=max_active_uploads,
            map_index_template=_named("asset"),
            **sending,
        )
        ready = KalturaEntryReadySensor(
            task_id="ready",
            entry=sent.output,
            timeout=ready_timeout.total_seconds(),
            map_index_template=_named("entry"),
            **kaltura,
        )
        KalturaListFlavorsOperator(task_id="flavors", entry=ready.output, map_index_template=_named("entry"), **kaltura)

    summary = KalturaSummaryOperator(
        task_id="summary",
        discovered=discover.output,
        discover_id=discover.task_id,
        timezone=timezone,
        group_id="asset",
        feed=feed,
        receipts=receipts,
        aws_conn_id=aws_conn_id,
        trigger_rule="all_done",
        outlets=outlets or [],
        **kaltura,
    )
    asset.expand(batch=discover.output) >> summary
    return summary


def _named(field: str) -> str:
    """Return a template that names a mapped task instance by the first file of its batch, not by a number."""
    return (
        f"{{{{ task.{field}[0].uri.split('?')[0].rstrip('/').split('/')[-1][:{_LONGEST_NAME}] }}}}"
        f"{{% if task.{field} | length > 1 %}} and {{{{ task.{field} | length - 1 }}}} more{{% endif %}}"
    )
