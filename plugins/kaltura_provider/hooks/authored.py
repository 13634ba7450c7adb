"""Render only templates that the DAG's author wrote. What other tasks return is data, even with braces in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.definitions._internal.expandinput import ListOfDictsExpandInput
from airflow.sdk.definitions.mappedoperator import MappedOperator
from airflow.sdk.definitions.xcom_arg import XComArg

from kaltura_provider.hooks.border import airflow_errors
from kaltura_provider.hooks.masking import mask_arguments

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow.sdk import Context
    from jinja2 import Environment

__all__ = ["AuthoredTemplates"]


class AuthoredTemplates:
    """Mixin for operators: keeps Airflow from rendering arguments that another task returned.

    Airflow passes results on unchanged, with one exception: it renders what ``expand_kwargs(task.output)`` maps over.
    Without this class, a file name or the text of a web page would be compiled as a template.
    """

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], context: Context, jinja_env: Environment, seen_oids: set[int]
    ) -> None:
        returned = _returned_fields(parent, context)
        own = [name for name in template_fields if name not in returned]
        # A retry does not help if a template cannot be rendered.
        with airflow_errors(context):
            super()._do_render_template_fields(parent, own, context, jinja_env, seen_oids)  # type: ignore[misc]
        # Arguments that are not rendered skip the place where secrets are masked, so mask them here.
        mask_arguments({name: getattr(parent, name, None) for name in returned})


def _returned_fields(parent: Any, context: Context) -> set[str]:
    """Return the template fields whose values another task returned through ``expand_kwargs``."""
    has_dag = isinstance(parent, BaseOperator) and parent.has_dag()  # type: ignore[no-untyped-call]
    dag = parent.dag if has_dag else None
    mapped = dag.task_dict.get(parent.task_id) if dag is not None and hasattr(parent, "task_id") else None
    if (
        dag is None
        or not isinstance(mapped, MappedOperator)
        or not isinstance(mapped.expand_input, ListOfDictsExpandInput)
    ):
        return set()
    value = mapped.expand_input.value
    if not isinstance(value, XComArg | Mapping):
        value = value[context["ti"].map_index or 0]  # type: ignore[assignment]
    if not isinstance(value, XComArg):
        return set()
    partial = mapped.partial_kwargs
    defaults = {**(dag.default_args or {}), **(partial.get("default_args") or {})}
    return {
        name
        for name in parent.template_fields
        if name not in partial and not (name in defaults and getattr(parent, name, None) == defaults[name])
    }
