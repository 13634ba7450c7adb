"""Find what a run has to ingest: the objects of an S3 prefix, or sources that the DAG names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from kaltura_provider.feeds.interval import feed_context, run_interval
from kaltura_provider.feeds.listing import UNKNOWN, Selection, examples, select
from kaltura_provider.feeds.templates import MetadataTemplates
from kaltura_provider.hooks.authored import AuthoredTemplates
from kaltura_provider.hooks.masking import MaskedArguments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context
    from jinja2 import Environment

__all__ = ["KalturaDiscoverOperator"]


class KalturaDiscoverOperator(MaskedArguments, AuthoredTemplates, BaseOperator):
    """List sources and say, for each, what its entry shall be.

    :param uri: an S3 prefix (``s3://bucket/prefix/``) to list; or
    :param sources: the sources themselves: ``s3://``, ``http(s)://`` or ``file://`` addresses.
    :param include: shell patterns (``*.{mp4,mov}``, ``**/*.mp4``); an object is taken if the part of its key after the
        prefix fits one ...
    :param exclude: ... and none of these.
    :param unknown_files: what to do with objects that neither their names nor their first bytes show to be media or
        documents: ``ignore`` leaves them out, ``fail`` lets them fail in prepare, ``data`` makes data entries of them.
        With ``media_type`` in ``metadata`` there are none.
    :param metadata: fields of the entries; texts are Jinja templates that also see ``asset`` (``uri``, ``name``,
        ``stem``, ``key``).
    :param timezone: the time zone that dates in templates are in, for the DAG of a feed; a run without a logical date
        then takes the last interval that has ended.
    :param batch_size: sources per batch.
    :param aws_conn_id: the Airflow connection for S3.
    :return: batches, each a list of ``{"uri": ..., "metadata": {...}}``; no source at all is no error. The XCom
        ``left_out`` says how many listed objects were left out, by reason.
    :raises AirflowFailException: if the bucket does not exist or may not be listed.
    """

    # `metadata` is rendered per asset, in execute(): here `asset` is not known yet.
    template_fields: Sequence[str] = ("uri", "sources", "include", "exclude", "aws_conn_id")
    ui_color = "#e8f4fa"

    def __init__(
        self,
        *,
        uri: str | None = None,
        sources: Sequence[str] | None = None,
        include: Sequence[str] = ("*",),
        exclude: Sequence[str] = (),
        unknown_files: str = "ignore",
        metadata: Mapping[str, Any] | None = None,
        timezone: str | None = None,
        batch_size: int = 1,
        aws_conn_id: str = "aws_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.uri = uri
        self.sources = sources
        self.include = include
        self.exclude = exclude
        self.unknown_files = unknown_files
        self.metadata = metadata or {}
        self.timezone = timezone
        self.batch_size = batch_size
        self.aws_conn_id = aws_conn_id

    def render_template_fields(self, context: Context, jinja_env: Environment | None = None) -> None:
        """Render the fields with dates in the feed's time zone."""
        super().render_template_fields(feed_context(context, self.timezone), jinja_env)

    def execute(self, context: Context) -> list[list[dict[str, Any]]]:
        """Return the batches."""
        from kaltura_provider.hooks.border import airflow_errors

        with airflow_errors(context):
            return self._discovered(context)

    def _discovered(self, context: Context) -> list[list[dict[str, Any]]]:
        if self.timezone:
            interval = run_interval(context, self.timezone)
            self.log.info("Ingesting %s%s.", interval, f": {interval.reason}" if interval.reason else "")
        found = self._listed(context) if self.uri else dict.fromkeys(self._named())
        templates = MetadataTemplates(self.get_template_env(), self.metadata)
        scope = dict(feed_context(context, self.timezone))
        assets = [{"uri": uri, "metadata": templates.render(scope, uri) | (kind or {})} for uri, kind in found.items()]
        return [assets[start : start + self.batch_size] for start in range(0, len(assets), self.batch_size)]

    def _named(self) -> list[str]:
        """Return the sources that were named one by one."""
        from kaltura_provider.hooks.sealing import seal_address
        from kaltura_provider.hooks.sources import printable

        uris = _unique(self.sources or ())
        if uris:
            self.log.info("Found %d: %s", len(uris), examples([printable(uri) for uri in uris]))
        else:
            self.log.info("Nothing to ingest: the list of sources is empty.")
        return [seal_address(uri) for uri in uris]

    def _listed(self, context: Context) -> dict[str, dict[str, str] | None]:
        """Return the address of each object to take, with the metadata that its kind needs."""
        from kaltura_provider.hooks.listing import list_s3

        bucket, _, prefix = str(self.uri).removeprefix("s3://").partition("/")
        objects = list_s3(bucket, prefix, aws_conn_id=self.aws_conn_id)
        selection = select(objects, prefix, self.include, self.exclude)
        strange = self._strange(selection, prefix)
        selection.taken.sort(key=lambda item: item.key)
        self._tell(selection)
        context["ti"].xcom_push(
            key="left_out", value={reason: len(paths) for reason, paths in selection.left_out.items()}
        )
        kind = {"media_type": "data"} if self.unknown_files == "data" else None
        return {item.uri: kind if item.uri in strange else None for item in selection.taken}

    def _strange(self, selection: Selection, prefix: str) -> set[str]:
        """Look into the objects whose names do not tell what they are; return those that are no media for sure."""
        from kaltura_provider.hooks.listing import first_bytes
        from kaltura_provider.services.entry.content_kind import HEAD_LENGTH, kind_of_content

        unsure, selection.unsure = selection.unsure, []
        if not unsure or self.metadata.get("media_type"):
            selection.taken += unsure
            return set()
        heads = first_bytes(unsure, HEAD_LENGTH, aws_conn_id=self.aws_conn_id)
        strange = set()
        for item, head in zip(unsure, heads, strict=True):
            # What cannot be read is taken, so that prepare says why.
            is_strange = head is not None and kind_of_content(head) in (None, "data")
            if is_strange and self.unknown_files == "ignore":
                selection.left_out[UNKNOWN].append(item.key[len(prefix) :].lstrip("/"))
                continue
            selection.taken.append(item)
            if is_strange:
                strange.add(item.uri)
        return strange

    def _tell(self, selection: Selection) -> None:
        """Log what was taken, and what was left out and why, in few lines however many there are."""
        taken = selection.taken
        if not selection.listed:
            self.log.info("Nothing to ingest: there is no object below %s.", self.uri)
            return
        self.log.info("Taking %d of %d objects below %s (%d bytes).", len(taken), selection.listed, self.uri,
                      sum(item.size for item in taken))  # fmt: skip
        if taken:
            self.log.info("Taken: %s", examples([item.uri for item in taken]))
        for reason, paths in selection.left_out.items():
            self.log.info("Left out %d, %s: %s", len(paths), reason, examples(paths))
        if selection.idle:
            say = self.log.info if taken else self.log.warning
            say("No object fits the include patterns %s; patterns are for the part of the key after %s.",
                ", ".join(selection.idle), self.uri)  # fmt: skip


def _unique(sources: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(source.strip() for source in sources if source.strip()))
