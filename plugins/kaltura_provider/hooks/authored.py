"""Render only templates that the DAG's author wrote. What other tasks return is data, even with braces in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.definitions.mappedoperator import MappedOperator
from airflow.sdk.definitions.xcom_arg import XComArg
from jinja2 import TemplateError

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.hooks.border import airflow_errors
from kaltura_provider.hooks.masking import mask_arguments

if TYPE_CHECKING:
    from airflow.sdk import Context
    from jinja2 import Environment

__all__ = ["TEMPLATE_ERRORS", "AuthoredTemplates", "unrenderable"]


TEMPLATE_ERRORS = (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What an expression in a template can raise because of what its author wrote."""


def unrenderable(field: str, text: object, error: Exception) -> KalturaConfigurationError:
    """Return the error of a template that cannot be rendered."""
    said = str(error) if isinstance(error, TemplateError) else f"{type(error).__name__}: {error}"
    return KalturaConfigurationError(field, str(text), f"cannot be rendered ({said})", "correct it")


class AuthoredTemplates:
    """Mixed into operators and sensors: only what a DAG's author wrote is a template.

    Airflow passes results of other tasks on unchanged, with one exception: it renders the values that
    ``expand_kwargs(task.output)`` maps over, so braces in a file name or a web page would be compiled as a template.

    This overrides the public :meth:`render_template`, which Airflow calls for each template field of plain and of
    mapped tasks. (It does not call :meth:`render_template_fields` of the operator for mapped tasks.) Airflow has no
    method that returns which arguments a task was mapped over, so :func:`_returned_fields` reads the attributes of
    ``MappedOperator``.

    A template that cannot be rendered fails the task at once, because no retry helps.
    """

    def render_template(
        self,
        content: Any,
        context: Context,
        jinja_env: Environment | None = None,
        seen_oids: set[int] | None = None,
    ) -> Any:
        """Return what Airflow renders; values that another task returned are returned unchanged."""
        returned = {name: getattr(self, name, None) for name in _returned_fields(self, context)}
        # Airflow passes the very object that is the attribute of the operator.
        if any(content is value for value in returned.values()):
            # Elements of lists and mappings are masked as they are rendered, which these are not.
            mask_arguments({name: value for name, value in returned.items() if content is value})
            return content
        with airflow_errors(context):
            try:
                return super().render_template(content, context, jinja_env, seen_oids)  # type: ignore[misc]  # of the class it is mixed into
            except TEMPLATE_ERRORS as error:
                raise unrenderable("template", content, error) from None


def _returned_fields(operator: Any, context: Context) -> set[str]:
    """Return the template fields whose values another task returned through ``expand_kwargs``."""
    has_dag = isinstance(operator, BaseOperator) and operator.has_dag()  # type: ignore[no-untyped-call]  # Airflow's own
    dag = operator.dag if has_dag else None
    mapped = dag.task_dict.get(operator.task_id) if dag is not None else None
    if (
        dag is None
        or not isinstance(mapped, MappedOperator)
        or mapped.expand_input.EXPAND_INPUT_TYPE != "list-of-dicts"
    ):
        return set()
    value = mapped.expand_input.value
    if not isinstance(value, XComArg | Mapping):
        value = value[context["ti"].map_index or 0]  # type: ignore[assignment]  # one element of what it was
    if not isinstance(value, XComArg):
        return set()
    partial = mapped.partial_kwargs
    defaults = {**(dag.default_args or {}), **(partial.get("default_args") or {})}
    return {
        name
        for name in operator.template_fields
        if name not in partial and not (name in defaults and getattr(operator, name, None) == defaults[name])
    }
