"""Find what a run has to ingest: the objects of an S3 prefix, or sources that the DAG names."""

from __future__ import annotations

import fnmatch
import posixpath
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from airflow.sdk import Context

__all__ = ["KalturaDiscoverOperator"]


class KalturaDiscoverOperator(BaseOperator):
    """List sources and say, for each, what its entry shall be.

    :param uri: an S3 prefix (``s3://bucket/prefix/``) to list; or
    :param sources: the sources themselves: ``s3://``, ``http(s)://`` or ``file://`` addresses.
    :param include: shell patterns; an object is taken if the part of its key after the prefix fits one ...
    :param exclude: ... and none of these.
    :param metadata: fields of the entries; texts are Jinja templates that also see ``asset`` (``uri``, ``name``,
        ``stem``, ``key``).
    :param batch_size: sources per batch.
    :param aws_conn_id: the Airflow connection for S3.
    :return: batches, each a list of ``{"uri": ..., "metadata": {...}}``; no source at all is no error.
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
        metadata: Mapping[str, Any] | None = None,
        batch_size: int = 1,
        aws_conn_id: str = "aws_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.uri = uri
        self.sources = sources
        self.include = include
        self.exclude = exclude
        self.metadata = metadata or {}
        self.batch_size = batch_size
        self.aws_conn_id = aws_conn_id

    def execute(self, context: Context) -> list[list[dict[str, Any]]]:
        """Return the batches."""
        from kaltura_provider.hooks.border import airflow_errors

        with airflow_errors(context):
            return self._discovered(context)

    def _discovered(self, context: Context) -> list[list[dict[str, Any]]]:
        uris = sorted(self._listed()) if self.sources is None else _unique(self.sources)
        if not uris:
            self.log.info("Nothing to ingest: %s holds no fitting object.", self.uri or "the list of sources")
        assets = [{"uri": uri, "metadata": self._rendered(dict(context), uri)} for uri in uris]
        for asset in assets:
            self.log.info("Found %s", asset["uri"])
        return [assets[start : start + self.batch_size] for start in range(0, len(assets), self.batch_size)]

    def _listed(self) -> Iterator[str]:
        from kaltura_provider.hooks.sources import list_s3

        bucket, _, prefix = str(self.uri).removeprefix("s3://").partition("/")
        for key in list_s3(bucket, prefix, aws_conn_id=self.aws_conn_id):
            rest = key[len(prefix) :].lstrip("/")
            if _fits(rest, self.include) and not _fits(rest, self.exclude):
                yield f"s3://{bucket}/{key}"

    def _rendered(self, scope: dict[str, Any], uri: str) -> dict[str, Any]:
        """Render the fields for one asset; empty values are left out."""
        from kaltura_provider.ingest.placeholders import asset_view

        env = self.get_template_env()
        asset = asset_view(uri)

        def render(value: Any) -> Any:
            if isinstance(value, str):
                return env.from_string(value).render(scope, asset=asset).strip()
            if isinstance(value, (list, tuple)):
                return [text for item in value if (text := render(item))]
            return value

        fields = {name: render(value) for name, value in self.metadata.items()}
        return {name: value for name, value in fields.items() if value not in (None, "", [])}


def _unique(sources: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(source.strip() for source in sources if source.strip()))


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(
        fnmatch.fnmatchcase(name.lower(), pattern.lower())
        or fnmatch.fnmatchcase(posixpath.basename(name).lower(), pattern.lower())
        for pattern in patterns
    )
