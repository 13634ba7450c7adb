"""The button on a task that opens the board's page of its run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import quote

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

__all__ = ["OPERATORS", "KalturaBoardLink"]

OPERATORS: Final = {
    "kaltura_provider.feeds.tasks.discover": "KalturaDiscoverOperator",
    "kaltura_provider.feeds.tasks.form": "KalturaFormOperator",
    "kaltura_provider.feeds.tasks.ingest": "KalturaBatchIngestOperator",
    "kaltura_provider.feeds.tasks.ready": "KalturaBatchReadySensor",
    "kaltura_provider.feeds.tasks.summary": "KalturaSummaryOperator",
}
"""The operators of feeds and of the trigger form, by module."""


class _Named:
    """Stands for an operator. Airflow compares the names of modules and classes, and importing them takes long."""

    def __init__(self, module: str, name: str) -> None:
        self.__module__ = module
        self.__name__ = name


class KalturaBoardLink(BaseOperatorLink):
    """The board's page of the run: progress, pictures, reasons. The API server makes it, so it works in every state."""

    name = "Board"
    operators: ClassVar[Any] = [_Named(module, name) for module, name in OPERATORS.items()]

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Return the address of the run's tab, relative to that of Airflow's UI."""
        return f"dags/{quote(ti_key.dag_id, safe='')}/runs/{quote(ti_key.run_id, safe='')}/plugin/kaltura-run"
