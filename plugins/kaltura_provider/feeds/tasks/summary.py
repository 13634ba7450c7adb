"""Summarize a run: one table, links, and a failure that names each missing item and the reason."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from kaltura_provider.feeds.outcome.failures import failure_message, named_failures, with_left
from kaltura_provider.feeds.outcome.results import RunResults, opened
from kaltura_provider.feeds.outcome.run_note import NOTE_KEY, counted, note_of_plan, note_of_summary
from kaltura_provider.feeds.planning.interval import feed_context, run_interval
from kaltura_provider.feeds.state.stored_version import check_version
from kaltura_provider.feeds.tasks.discover import PLAN_KEY, PLAN_VERSION
from kaltura_provider.hooks.border import FAILURE_KEY
from kaltura_provider.hooks.xcom_parts import resolved
from kaltura_provider.operators.base import KalturaOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context
    from jinja2 import Environment

    from kaltura_provider.hooks.connection import KalturaAccount

__all__ = ["KalturaSummaryOperator"]

_MAX_IDS = 100
_MAX_ROWS = 500


class KalturaSummaryOperator(KalturaOperator):
    """Summarize the mapped tasks of one run, and write its receipts.

    :param discovered: the batches that the run mapped its tasks over.
    :param group_id: the mapped task group.
    :param discover_id: the task that returned the batches. Its XComs hold the plan and the number of items left out.
    :param feed: the folder for the receipts, usually the name of the feed.
    :param receipts: where to write receipts: ``s3://bucket/prefix`` or an absolute path. ``None`` writes none.
    :param timezone: the time zone of the feed, which sets the date of its receipts.
    :param aftercare: what happens to the objects at their source, as
        :class:`~kaltura_provider.feeds.outcome.aftercare.Aftercare` takes it. ``None`` leaves them as they are.
    :param aws_conn_id: the Airflow connection for receipts and sources in S3.
    :return: ``{"assets": [...], "failed": [...], "failed_count": n, "new": n, "new_bytes": n, "new_seconds": seconds of
        media, "found": n, "left_out": {reason: n}, "plan": {decision: n}}``.
        ``assets`` holds at most 500 items, new ones first, each with ``uri`` (query values hidden), ``name``,
        ``size`` (bytes), ``duration`` (seconds), ``entry_id``, ``status``, ``flavors`` (labels; none if the entry was
        in Kaltura before the run), ``seconds``, ``note``, ``console_url``, ``playback_url``, ``thumbnail_url`` and
        ``source_url``. If there are any, ``refilled`` counts those ``found`` that got new content from this run, and
        ``skipped`` those that were left alone: their entry keeps other content, or was deleted in Kaltura. ``failed``
        holds at most 500 items, of as many batches as possible, each with ``uri``, ``step``, ``reason`` (at most 1,000
        characters), ``retry_helps`` and ``batch`` (the map index of its tasks; -1 if only its objects at the source
        could not be changed). If that leaves something out, the XComs ``failed_0``, ``failed_1`` and so on hold all of
        it. If receipts are written, ``receipts`` is the path of the run's file.
        A dry run returns ``{"dry_run": True, "plan": {decision: n}, "rows": [...]}`` with the first 500 rows of the
        plan; for several intervals, ``windows`` has the sums of each. Its task is skipped, so it updates no outlet. A
        task with outlets is also skipped if nothing was found.
    :raises AirflowFailException: an item failed (the others are in Kaltura), or discovering failed.
    """

    template_fields: Sequence[str] = (
        "discovered",
        "receipts",
        "aftercare",
        "aws_conn_id",
        *KalturaOperator.template_fields,
    )

    def __init__(
        self,
        *,
        discovered: Any,
        group_id: str,
        discover_id: str | None = None,
        feed: str = "ingest",
        receipts: str | None = None,
        timezone: str | None = None,
        aftercare: Mapping[str, Any] | None = None,
        aws_conn_id: str = "aws_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.discovered = discovered
        self.group_id = group_id
        self.discover_id = discover_id
        self.feed = feed
        self.receipts = receipts
        self.timezone = timezone
        self.aftercare = aftercare
        self.aws_conn_id = aws_conn_id

    def render_template_fields(self, context: Context, jinja_env: Environment | None = None) -> None:
        """Render the fields with dates in the feed's time zone."""
        super().render_template_fields(feed_context(context, self.timezone), jinja_env)

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Log the table, write the receipts, describe the event on the outlets, and return the summary."""
        ti: Any = context["ti"]
        if self.discovered is None:
            raise AirflowFailException(self._nothing_discovered(ti))
        plan = (self.discover_id and ti.xcom_pull(task_ids=self.discover_id, key=PLAN_KEY)) or {}
        check_version(plan, PLAN_VERSION, "plan")
        if plan.get("dry_run"):
            self._end_dry_run(context, plan)
        batches = [self._batch(context, batch) for batch in self.discovered]
        results = RunResults(context, self.group_id, batches)
        known, good, failed = results.known, results.good, results.failed()
        settled = _settled(context, plan)
        aside = resolved(context, plan.get("set_aside", []))
        requests = {item["uri"]: item for batch in batches for item in batch}
        self._count_failures(context, requests, known, failed, good + settled)
        left = self._care(requests, known, good + settled, failed)
        failed = with_left(failed, left)
        if plan.get("drafted"):
            self._store_memory(context, plan["drafted"], [opened(item["uri"]) for item in (*failed, *aside)])
        summary = self._summary(good + settled) | named_failures(context, failed)
        summary |= {"left_out": plan.get("left_out", {}), "plan": plan.get("counts", {})}
        summary |= self._named_aside(aside)
        if self.receipts and (known or settled or failed):
            everything = {ref["uri"]: ref for ref in (*known.values(), *settled)}
            summary["receipts"] = self._write_receipts(
                context, everything, failed, {ref["uri"] for ref in good + settled}, _identities(requests)
            )
        ti.xcom_push(key=NOTE_KEY, value=note_of_summary(summary))
        anything = bool(batches or settled or plan.get("changes"))
        self._log(summary, anything)
        if not anything and self.outlets:
            # Airflow updates the outlets of every task that succeeds.
            ti.xcom_push(key="return_value", value=summary)
            raise AirflowSkipException("Nothing was ingested or found, so the asset of the feed is not updated.")
        self._describe_event(context, summary)
        if failed:
            ti.xcom_push(key="return_value", value=summary)
            raise AirflowFailException(failure_message(summary["failed"], len(failed), len(requests) + len(settled)))
        return summary

    def _named_aside(self, aside: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        from kaltura_provider.hooks.sources import shown_address

        if not aside:
            return {}
        named = [{**item, "uri": shown_address(item["uri"])} for item in aside[:_MAX_ROWS]]
        lines = "".join(f"\n  {item['uri']}: {item['reason']}" for item in named)
        self.log.warning("%d items are not tried any more; kaltura redrive brings them back:%s", len(aside), lines)
        return {"set_aside": named}

    def _count_failures(
        self,
        context: Context,
        requests: Mapping[str, dict[str, Any]],
        known: Mapping[str, dict[str, Any]],
        failed: Sequence[dict[str, Any]],
        good: Sequence[dict[str, Any]],
    ) -> None:
        """Count the failures of items, so that discover sets those aside that fail again and again."""
        from kaltura_provider.feeds.outcome.aftercare import is_about_the_item
        from kaltura_provider.feeds.tasks.set_aside import FailureCounts

        state: Any = context.get("asset_state_store")
        if state is None or not self.outlets:
            return
        counted = [
            {**item, "contents": requests[item["uri"]].get("contents")}
            for item in failed
            if is_about_the_item({**known.get(item["uri"], {}), **item})
        ]
        run: Any = context["dag_run"]
        name = f"{run.run_id} {getattr(run, 'clear_number', 0)}"
        FailureCounts(state).count(counted, [ref["uri"] for ref in good], dt.datetime.now(dt.UTC), name)

    def _care(
        self,
        requests: Mapping[str, dict[str, Any]],
        known: Mapping[str, dict[str, Any]],
        good: Sequence[dict[str, Any]],
        failed: Sequence[dict[str, Any]],
    ) -> dict[str, str]:
        """Tag, move or delete the objects of the run at their source. Return why that failed, by address."""
        from kaltura_provider.feeds.outcome.aftercare import Aftercare, care_for
        from kaltura_provider.feeds.planning.plan import files_of
        from kaltura_provider.hooks.s3_changes import S3Changes
        from kaltura_provider.hooks.sources import s3_client

        care = Aftercare(**self.aftercare) if self.aftercare else None
        if care is None or (care.on_success == "keep" and care.on_failure == "keep"):
            return {}
        listed = {
            uri: {"files": files_of(request), "etag": request.get("etag", "")} for uri, request in requests.items()
        }
        done, problems = care_for(
            care,
            [{**listed.get(ref["uri"], {"files": {}}), **ref} for ref in good],
            [{**known.get(item["uri"], {}), **listed[item["uri"]], **item} for item in failed],
            self.hook.get_conn(),
            S3Changes(s3_client(self.aws_conn_id)),
        )
        self.log.info("Objects of %d items were tagged, moved or deleted at their source.", done)
        return problems

    def _store_memory(self, context: Context, source_type: str, failed: list[str]) -> None:
        """Store what discover drafted for the next run. Every item of the run is settled."""
        from kaltura_provider.feeds.state.memory import memory_of

        run: Any = context["dag_run"]
        state: Any = context["asset_state_store"]
        if not memory_of(source_type, state).commit(run.run_id, failed):
            self.log.info("The feed's state stays as it is: a later run has drafted its own.")

    def _summary(self, good: list[dict[str, Any]]) -> dict[str, Any]:
        new = [ref for ref in good if ref.get("made")]
        shown = sorted(good, key=lambda ref: not ref.get("made"))[:_MAX_ROWS]
        return {
            "assets": [_row(self.hook.account, ref) for ref in shown],
            "new": len(new),
            "new_bytes": sum(ref.get("size") or 0 for ref in new),
            "new_seconds": sum(ref.get("duration") or 0 for ref in new),
            "found": len(good) - len(new),
            **_among_found(good),
        }

    def _log(self, summary: dict[str, Any], anything: bool) -> None:
        if not anything:
            self.log.info("Result: %s.", counted(summary))
        elif rows := summary["assets"]:
            self.log.info("In Kaltura: %s.\n%s", counted(_without_failed(summary)), _table(rows))
        for reason, count in summary["left_out"].items():
            self.log.info("Left out %d (%s); the log of discover names them.", count, reason)

    def _end_dry_run(self, context: Context, plan: dict[str, Any]) -> None:
        """Return the plan of a dry run as this task's result, and skip the task so that it updates no outlet.

        :raises AirflowSkipException: always.
        """
        ti: Any = context["ti"]
        result = {"dry_run": True, "plan": plan["counts"], "rows": resolved(context, plan["rows"])}
        if windows := resolved(context, plan.get("windows", [])):
            result["windows"] = windows
        ti.xcom_push(key=NOTE_KEY, value=note_of_plan(plan["counts"], len(windows)))
        ti.xcom_push(key="return_value", value=result)
        raise AirflowSkipException("This was a dry run. The log of discover shows its plan.")

    def _batch(self, context: Context, batch: Any) -> list[dict[str, Any]]:
        return [{**item, "uri": opened(item["uri"])} for item in resolved(context, batch)]

    def _describe_event(self, context: Context, summary: dict[str, Any]) -> None:
        """Describe the run in the event of each outlet, for DAGs that are scheduled on it."""
        events: Any = context["outlet_events"]
        ids = [row["entry_id"] for row in summary["assets"] if row["new"]][:_MAX_IDS]
        extra = {name: summary[name] for name in ("new", "found", "receipts") if name in summary}
        for outlet in self.outlets:
            events[outlet].extra = {**extra, "failed": summary["failed_count"], "entry_ids": ids}

    def _write_receipts(
        self,
        context: Context,
        known: dict[str, Any],
        failed: list[dict[str, Any]],
        good: set[str],
        identities: dict[str, str],
    ) -> str:
        from kaltura_provider.feeds.outcome.receipts import write_receipts
        from kaltura_provider.hooks.destination import destination

        reasons = {item["uri"]: item for item in failed}
        refs = [_told(ref, reasons[uri], is_in=uri in good) if uri in reasons else ref for uri, ref in known.items()]
        run: Any = context["dag_run"]
        interval = run_interval(context, self.timezone or "UTC")
        place = write_receipts(
            destination(str(self.receipts), argument="receipts", aws_conn_id=self.aws_conn_id),
            refs,
            self.hook.account,
            feed=self.feed,
            date=interval.start.strftime("%Y-%m-%d"),
            run_id=run.run_id,
            window=(interval.start.isoformat(), interval.end.isoformat()),
            lost=[item for uri, item in reasons.items() if uri not in known],
            identities=identities,
        )
        self.log.info("Receipts: %s", place)
        return place

    def _nothing_discovered(self, ti: Any) -> str:
        """Return why there are no batches."""
        before = sorted(self.upstream_task_ids)
        reasons = [failure["reason"] for failure in ti.xcom_pull(task_ids=before, key=FAILURE_KEY) if failure]
        return f"The items to ingest could not be listed: {'; '.join(reasons) or 'see the log of discover'}"


def _settled(context: Context, plan: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the references of the items that discover found in Kaltura, which had no task."""
    return [
        {**ref, "uri": opened(ref["uri"]), "last_step": "discover"} for ref in resolved(context, plan.get("rows", []))
    ]


def _without_failed(summary: Mapping[str, Any]) -> dict[str, Any]:
    return {**summary, "failed": [], "failed_count": 0, "plan": {}}


def _among_found(good: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many entries that were there got their content from this run, and how many were left alone."""
    refilled = sum(bool(ref.get("upload")) and not ref.get("made") for ref in good)
    skipped = sum(ref.get("state") == "skipped" for ref in good)
    return {name: count for name, count in (("refilled", refilled), ("skipped", skipped)) if count}


def _identities(requests: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the item id of each item by its address, as far as the address can be read."""
    from kaltura_provider.ingest.identity import item_id

    known = {}
    for uri, request in requests.items():
        with suppress(ValueError):
            known[uri] = item_id(uri, request.get("identity"))
    return known


def _told(ref: dict[str, Any], failure: dict[str, Any], *, is_in: bool) -> dict[str, Any]:
    """Return the reference of an item of which something failed.

    :param is_in: whether Kaltura holds it, and only its objects could not be tagged, moved or deleted.
    """
    if is_in:
        return {**ref, "note": "; ".join(filter(None, (ref.get("note"), failure["reason"])))}
    error = {"kind": failure["step"], "message": failure["reason"], "retry_helps": failure["retry_helps"]}
    return {**ref, "state": "failed", "error": ref.get("error") or error}


def _row(account: KalturaAccount, ref: dict[str, Any]) -> dict[str, Any]:
    from kaltura_provider.hooks.sources import shown_address

    entry_id = ref["entry_id"]
    return {
        "uri": shown_address(ref["uri"]),
        "name": shown_address(ref.get("name") or ""),
        "size": ref["size"],
        "duration": ref.get("duration"),
        "entry_id": entry_id,
        "status": ref.get("status"),
        "status_number": ref.get("status_number"),
        "flavors": [_label(flavor) for flavor in ref.get("flavors", []) if flavor.get("status") == "ready"],
        "seconds": ref.get("seconds", 0.0),
        "new": bool(ref.get("made")),
        "note": ref.get("note"),
        "console_url": account.entry_url(entry_id),
        "playback_url": account.playback_url(entry_id),
        "thumbnail_url": account.thumbnail_url(entry_id),
        "source_url": account.source_url(entry_id),
    }


def _label(flavor: dict[str, Any]) -> str:
    if flavor.get("is_original"):
        return "source"
    rate = f"{flavor.get('bitrate', 0)}k"
    return f"{flavor['height']}p {rate}" if flavor.get("height") else rate


def _table(rows: list[dict[str, Any]]) -> str:
    lines = [
        f"  {row['uri']}  {row['size']:,} bytes  {row['entry_id']}  {row['status']}  {', '.join(row['flavors'])}"
        f"  {row['seconds']:.1f} s{'  ' + row['note'] if row['note'] else ''}"
        for row in rows
    ]
    return "\n".join(lines)
