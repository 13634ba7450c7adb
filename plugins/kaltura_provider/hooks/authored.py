"""Templates are what a DAG's author wrote. What other tasks return is data, whatever braces there are in it."""

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
    """Mixed into operators: keeps Airflow from rendering arguments that another task has returned.

    Airflow hands results on as they are, but for one way: what ``expand_kwargs(task.output)`` maps over is rendered
    once more, so that a file name or a web page's text would be compiled as a template.
    """

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], context: Context, jinja_env: Environment, seen_oids: set[int]
    ) -> None:
        returned = _returned_fields(parent, context)
        own = [name for name in template_fields if name not in returned]
        # No retry helps against a template that cannot be rendered.
        with airflow_errors(context):
            super()._do_render_template_fields(parent, own, context, jinja_env, seen_oids)  # type: ignore[misc]
        # What is not rendered does not come by where the secrets in the other arguments are masked.
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
