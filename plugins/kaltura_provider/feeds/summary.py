"""What a run has brought in: one table, links, and a failure that names each asset that is missing and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from kaltura_provider.feeds.discover import PLAN_KEY
from kaltura_provider.feeds.interval import feed_context, run_interval
from kaltura_provider.hooks.batch import FAILURES_KEY
from kaltura_provider.hooks.border import FAILURE_KEY
from kaltura_provider.hooks.xcom_parts import pull_parts, resolved
from kaltura_provider.operators.base import KalturaOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context
    from jinja2 import Environment

    from kaltura_provider.hooks.connection import KalturaAccount

__all__ = ["KalturaSummaryOperator"]

_MOST_IDS = 100
_MOST_ROWS = 500
_STEPS = ("ingest", "ready")


class KalturaSummaryOperator(KalturaOperator):
    """Sum up the mapped tasks of one run, and write its receipts.

    :param discovered: the batches the run was mapped over.
    :param group_id: the task group that was mapped.
    :param discover_id: the task that discovered them; its XCom ``left_out`` says what it left out.
    :param feed: what the receipts are filed under.
    :param receipts: where they go: ``s3://bucket/prefix``, an absolute path, or nowhere.
    :param timezone: the time zone of a feed, in which receipts are dated.
    :param aws_conn_id: the Airflow connection for receipts in S3.
    :return: ``{"assets": [...], "failed": [...], "new": n, "found": n, "left_out": {reason: n}, "plan": {decision:
        n}}``; of ``assets`` there are 500 at most, new ones first. An asset has ``uri``
        (the values of its query hidden), ``size`` (bytes), ``entry_id``, ``status``, ``flavors`` (labels), ``seconds``,
        ``note`` and the URLs ``playback_url``, ``thumbnail_url``, ``source_url``. A failed one has ``uri``, ``step``,
        ``reason``, ``retry_helps``. What was in Kaltura before the run began has no ``flavors``. Of a dry run,
        ``{"dry_run": True, "plan": {decision: n}, "rows": [...]}`` with the first 500 rows of the plan, and the task
        is skipped, so that no outlet is updated. With receipts, ``receipts`` is where the run's file of them is.
    :raises AirflowFailException: an asset failed (the others are in Kaltura all the same), or nothing was discovered
        because discovering failed.
    """

    template_fields: Sequence[str] = (
        "discovered",
        "receipts",
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
        if plan.get("dry_run"):
            self._end_dry_run(context, plan)
        batches = [self._batch(context, batch) for batch in self.discovered]
        known = self._known(ti)
        settled = self._settled(context)
        good = [ref for ref in known.values() if _is_in(ref)]
        failed = self._failed(ti, batches, known, {ref["uri"] for ref in good})
        self._settle(context, [item["uri"] for item in failed])
        summary = self._summed_up(ti, good + settled, failed) | {"plan": plan.get("counts", {})}
        if self.receipts and (known or settled):
            everything = known | {ref["uri"]: ref for ref in settled}
            summary["receipts"] = self._write_receipts(context, everything, failed)
        failed = summary["failed"]
        self._log(summary, bool(batches or settled))
        self._tell_outlets(context, summary)
        if failed:
            ti.xcom_push(key="return_value", value=summary)
            lines = "\n".join(f"  {item['uri']}: {item['step']} failed: {item['reason']}" for item in failed)
            raise AirflowFailException(f"{len(failed)} of {sum(map(len, batches))} assets failed:\n{lines}")
        return summary

    def _settle(self, context: Context, failed: list[str]) -> None:
        """Move the watermark of a feed that remembers what it has brought in: from here on, every item has settled."""
        from kaltura_provider.feeds.watermark import LOOKED_KEY, WatermarkStore

        ti: Any = context["ti"]
        run: Any = context["dag_run"]
        if not self.discover_id or not ti.xcom_pull(task_ids=self.discover_id, key=LOOKED_KEY):
            return
        state: Any = context["asset_state_store"]
        if not WatermarkStore(state).commit(run.run_id, failed):
            self.log.info("The watermark stays: a later run has looked since.")

    def _summed_up(self, ti: Any, good: list[dict[str, Any]], failed: list[dict[str, Any]]) -> dict[str, Any]:
        from kaltura_provider.hooks.sources import printable

        new = sum(bool(ref.get("made")) for ref in good)
        shown = sorted(good, key=lambda ref: not ref.get("made"))[:_MOST_ROWS]
        return {
            "assets": [_row(self.hook.account, ref) for ref in shown],
            "failed": [{**item, "uri": printable(item["uri"])} for item in failed],
            "new": new,
            "found": len(good) - new,
            "left_out": (self.discover_id and ti.xcom_pull(task_ids=self.discover_id, key="left_out")) or {},
        }

    def _log(self, summary: dict[str, Any], anything: bool) -> None:
        if not anything:
            self.log.info("Nothing was there to ingest; this run is done.")
        elif rows := summary["assets"]:
            self.log.info("In Kaltura: %d new, %d already there.\n%s", summary["new"], summary["found"], _table(rows))
        for reason, count in summary["left_out"].items():
            self.log.info("Left out %d, %s; the log of discover names them.", count, reason)

    def _end_dry_run(self, context: Context, plan: dict[str, Any]) -> None:
        """Return the plan of a dry run as this task's result, and end the task without touching its outlets.

        :raises AirflowSkipException: always.
        """
        ti: Any = context["ti"]
        rows = pull_parts(context, str(self.discover_id), f"{PLAN_KEY}_rows")[:_MOST_ROWS]
        ti.xcom_push(key="return_value", value={"dry_run": True, "plan": plan["counts"], "rows": rows})
        raise AirflowSkipException("This was a dry run; the log of discover shows its plan.")

    def _batch(self, context: Context, batch: Any) -> list[dict[str, Any]]:
        return [{**asset, "uri": _opened(asset["uri"])} for asset in resolved(context, batch)]

    def _settled(self, context: Context) -> list[dict[str, Any]]:
        """Return the references of what discover has found in Kaltura."""
        if not self.discover_id:
            return []
        found = pull_parts(context, self.discover_id, f"{PLAN_KEY}_rows")
        return [{**ref, "uri": _opened(ref["uri"]), "last_step": "discover"} for ref in found]

    def _tell_outlets(self, context: Context, summary: dict[str, Any]) -> None:
        """Give the event on each outlet what DAGs that are scheduled on it want to know."""
        events: Any = context["outlet_events"]
        ids = [row["entry_id"] for row in summary["assets"] if row["new"]][:_MOST_IDS]
        told = {name: summary[name] for name in ("new", "found", "receipts") if name in summary}
        for outlet in self.outlets:
            events[outlet].extra = {**told, "failed": len(summary["failed"]), "entry_ids": ids}

    def _write_receipts(self, context: Context, known: dict[str, Any], failed: list[dict[str, Any]]) -> str:
        from kaltura_provider.feeds.receipts import write_receipts
        from kaltura_provider.hooks.receipts import receipt_sink

        reasons = {item["uri"]: item for item in failed}
        refs = [_failed_ref(ref, reasons[uri]) if uri in reasons else ref for uri, ref in known.items()]
        run: Any = context["dag_run"]
        place = write_receipts(
            receipt_sink(str(self.receipts), aws_conn_id=self.aws_conn_id),
            refs,
            self.hook.account,
            feed=self.feed,
            date=run_interval(context, self.timezone or "UTC").start.strftime("%Y-%m-%d"),
            run_id=run.run_id,
        )
        self.log.info("Receipts: %s", place)
        return place

    def _nothing_discovered(self, ti: Any) -> str:
        """Return why there is no list of sources."""
        before = sorted(self.upstream_task_ids)
        reasons = [failure["reason"] for failure in ti.xcom_pull(task_ids=before, key=FAILURE_KEY) if failure]
        return f"What there is to ingest could not be found: {'; '.join(reasons) or 'the log of discover says why.'}"

    def _pulled(self, ti: Any, step: str, key: str) -> list[Any]:
        """Return what the mapped instances of a step have pushed under a key."""
        # A list of task ids asks for every map index.
        found = ti.xcom_pull(task_ids=[f"{self.group_id}.{step}"], key=key)
        return [value for value in found if value is not None]

    def _known(self, ti: Any) -> dict[str, dict[str, Any]]:
        """Return each asset's reference as the last task that had it returned it, with that task's step."""
        known: dict[str, dict[str, Any]] = {}
        for step in _STEPS:
            for result in self._pulled(ti, step, "return_value"):
                for ref in result if isinstance(result, list) else [result]:
                    uri = _opened(ref["uri"])
                    known[uri] = {**ref, "uri": uri, "last_step": step}
        return known

    def _failed(
        self, ti: Any, batches: Sequence[Sequence[dict[str, Any]]], known: dict[str, Any], good: set[str]
    ) -> list[dict[str, Any]]:
        """Return the assets that are not in, each with the step it failed in and the reason."""
        missing = [asset["uri"] for batch in batches for asset in batch if asset["uri"] not in good]
        if not missing:
            return []
        reasons = self._reasons_of_tasks(ti, batches)
        for step in _STEPS:
            for failures in self._pulled(ti, step, FAILURES_KEY):
                for failure in failures:
                    uri = _opened(failure["uri"])
                    reasons[uri] = {**failure, "uri": uri, "step": step}
        for uri, ref in known.items():
            if error := ref.get("error"):
                step = ref.get("failed_step", ref["last_step"])
                helps = error["retry_helps"]
                reasons[uri] = {"uri": uri, "step": step, "reason": error["message"], "retry_helps": helps}
        return [reasons.get(uri) or {"uri": uri, **_ended_silently(known.get(uri))} for uri in missing]

    def _reasons_of_tasks(self, ti: Any, batches: Sequence[Sequence[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
        """Return why whole tasks failed, for each source of the batch that the task was for."""
        reasons: dict[str, dict[str, Any]] = {}
        for step in _STEPS:
            for failure in self._pulled(ti, step, FAILURE_KEY):
                said = {"step": step, "reason": failure["reason"], "retry_helps": failure["retry_helps"]}
                # A task that was told nothing by the one before it is not the cause.
                for asset in batches[failure["map_index"]]:
                    reasons.setdefault(asset["uri"], {"uri": asset["uri"], **said})
        return reasons


def _opened(uri: str) -> str:
    """Return what tells one source from others in this task: each sealing of an address looks different."""
    from kaltura_provider.hooks.sealing import opened_address
    from kaltura_provider.upload.sources.errors import SourceRefused

    try:
        return opened_address(uri)
    except SourceRefused:
        return uri


def _is_in(ref: Mapping[str, Any]) -> bool:
    """Tell whether an item has come all the way: its entry is there, and nothing is waited for."""
    return ref["last_step"] == _STEPS[-1] and ref.get("state") != "failed" and not ref.get("waiting")


def _ended_silently(ref: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what is known of an asset whose task could not say anything: it was killed, or never ran."""
    step = _STEPS[min(_STEPS.index(ref["last_step"]) + 1, len(_STEPS) - 1)] if ref else _STEPS[0]
    return {"step": step, "reason": "the task ended without saying why; its log may tell", "retry_helps": True}


def _failed_ref(ref: dict[str, Any], failure: dict[str, Any]) -> dict[str, Any]:
    error = {"kind": failure["step"], "message": failure["reason"], "retry_helps": failure["retry_helps"]}
    return {**ref, "state": "failed", "error": ref.get("error") or error}


def _row(account: KalturaAccount, ref: dict[str, Any]) -> dict[str, Any]:
    from kaltura_provider.hooks.sources import printable

    entry_id = ref["entry_id"]
    return {
        "uri": printable(ref["uri"]),
        "size": ref["size"],
        "entry_id": entry_id,
        "status": ref.get("status"),
        "status_number": ref.get("status_number"),
        "flavors": [_label(flavor) for flavor in ref.get("flavors", []) if flavor.get("status") == "ready"],
        "seconds": ref.get("seconds", 0.0),
        "new": bool(ref.get("made")),
        "note": ref.get("note"),
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
