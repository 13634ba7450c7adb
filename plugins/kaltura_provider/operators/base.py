"""Base of the operators: the connection, and errors that decide whether Airflow retries."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from kaltura_provider.hooks.authored import AuthoredTemplates
from kaltura_provider.hooks.masking import MaskedArguments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from kaltura_provider.hooks.kaltura import KalturaHook

__all__ = ["KalturaOperator"]


class KalturaOperator(MaskedArguments, AuthoredTemplates, BaseOperator):
    """Base of the Kaltura operators; a subclass does its work in :meth:`run_in_kaltura`.

    :param kaltura_conn_id: the Airflow connection of type ``kaltura``.
    """

    template_fields: Sequence[str] = ("kaltura_conn_id",)
    ui_color = "#e8f4fa"

    def __init__(self, *, kaltura_conn_id: str = "kaltura_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kaltura_conn_id = kaltura_conn_id

    @cached_property
    def hook(self) -> KalturaHook:
        """The hook for this operator's connection."""
        from kaltura_provider.hooks.kaltura import KalturaHook

        return KalturaHook(self.kaltura_conn_id)

    def execute(self, context: Context) -> Any:
        """Do the work. An error that no retry can help fails the task at once."""
        from kaltura_provider.hooks.border import airflow_errors

        with airflow_errors(context):
            return self.run_in_kaltura(context)

    def run_in_kaltura(self, context: Context) -> Any:
        """Do this operator's work and return what goes to XCom."""
        raise NotImplementedError
