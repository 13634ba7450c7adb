"""Templates of feed authors: checked when a feed is loaded, compiled once per run, rendered for each item."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Environment

__all__ = ["MetadataTemplates", "check_template"]


class MetadataTemplates:
    """The metadata templates of a feed.

    :param env: the Jinja environment of the task.
    :param metadata: fields of an entry. Each text, and each text in a list, is a template.
    :raises ValueError: a template cannot be compiled.
    """

    def __init__(self, env: Environment, metadata: Mapping[str, Any]) -> None:
        self._fields = {name: _compiled(env, f"metadata.{name}", value) for name, value in metadata.items()}

    def render(self, scope: Mapping[str, Any], uri: str) -> dict[str, Any]:
        """Return the fields for one item, without empty values.

        :param scope: the names that templates can use besides ``asset``.
        :raises ValueError: a template cannot be rendered.
        """
        from kaltura_provider.feeds.fields.placeholders import asset_view

        seen = {**scope, "asset": asset_view(uri)}
        fields = {name: _rendered(f"metadata.{name}", value, seen) for name, value in self._fields.items()}
        return {name: value for name, value in fields.items() if value not in (None, "", [])}


def check_template(text: str) -> None:
    """Check that a text is a valid template in Airflow's environment.

    :raises ValueError: it is not valid; the message says why.
    """
    _compiled(_environment(), "", text)


@cache
def _environment() -> Environment:
    from jinja2 import pass_context

    @pass_context
    def as_it_is(context: object, value: object) -> object:
        return value

    # Compiling computes constant expressions, such as {{ 9 ** 9 ** 9 }}, unless what is shown needs a context.
    return DAG("templates", schedule=None).get_template_env().overlay(optimized=False, finalize=as_it_is)


def _compiled(env: Environment, name: str, value: Any) -> Any:
    from jinja2 import TemplateError

    if isinstance(value, (list, tuple)):
        return [_compiled(env, name, item) for item in value]
    if not isinstance(value, str):
        return value
    if not any(mark in value for mark in (env.variable_start_string, env.block_start_string, env.comment_start_string)):
        return value.strip()  # plain text: rendering it for each of 10,000 items would take as long as a template
    try:
        return env.from_string(value)
    except (TemplateError, RecursionError, OverflowError, SyntaxError) as error:
        where = f"{name} " if name else ""
        raise ValueError(f"{where}is not a valid template: {error or type(error).__name__}") from None


def _rendered(name: str, value: Any, scope: Mapping[str, Any]) -> Any:
    from jinja2 import TemplateError

    from kaltura_provider.hooks.authored import TEMPLATE_ERRORS

    if isinstance(value, list):
        return [text for item in value if (text := _rendered(name, item, scope))]
    if not hasattr(value, "render"):
        return value
    try:
        return value.render(scope).strip()
    except TEMPLATE_ERRORS as error:
        said = error if isinstance(error, TemplateError | ValueError) else f"{type(error).__name__}: {error}"
        raise ValueError(f"{name} cannot be rendered for {scope['asset']['name']!r}: {said}") from None
