"""Ingests one batch of a run, with batches and results of any size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.xcom_parts import resolved, split_result
from kaltura_provider.operators.ingest import KalturaIngestOperator

if TYPE_CHECKING:
    from airflow.sdk import Context
    from jinja2 import Environment

__all__ = ["KalturaBatchIngestOperator"]


class KalturaBatchIngestOperator(KalturaIngestOperator):
    """Ingest a batch that *discover* returned.

    The arguments and the result are :class:`~kaltura_provider.operators.ingest.KalturaIngestOperator`'s. A batch or a
    result of more than 48 KiB travels as a reference to XComs (:mod:`~kaltura_provider.hooks.xcom_parts`).
    """

    def render_template_fields(self, context: Context, jinja_env: Environment | None = None) -> None:
        """Render the fields, and fetch a batch that was too large for its XCom."""
        super().render_template_fields(context, jinja_env)
        self.source = resolved(context, self.source)

    def run_in_kaltura(self, context: Context) -> Any:
        """Return the references."""
        return split_result(context, super().run_in_kaltura(context))
