"""Mask secrets in the arguments of tasks: presigned URLs, passwords in URLs, headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow.sdk import BaseOperator, Context
    from jinja2 import Environment

    _Base = BaseOperator
else:
    _Base = object

__all__ = ["MaskedArguments", "mask_arguments", "mask_headers"]

_OPEN_HEADERS = ("accept", "accept-language", "content-type", "range", "referer", "user-agent")
_HEADERS = "url_headers"


class MaskedArguments(_Base):
    """Mixin for operators and sensors: masks secrets in rendered arguments before Airflow shows or stores them.

    It must come before Airflow's class in the list of base classes. Airflow passes every rendered value, of tasks and
    of mapped tasks, through :meth:`render_template`.
    """

    def render_template(
        self,
        content: Any,
        context: Context,
        jinja_env: Environment | None = None,
        seen_oids: set[int] | None = None,
    ) -> Any:
        """Render a value as Airflow does, and mask its secrets from then on."""
        rendered = super().render_template(content, context, jinja_env, seen_oids)
        if content is getattr(self, _HEADERS, None):
            mask_headers(rendered)
        # Airflow has passed each element through here already, but without its name, which can mark it as a secret.
        if not isinstance(content, (list, tuple, set, dict)):
            mask_arguments({"": rendered})
        elif isinstance(rendered, dict):
            _mask(_named(rendered))
        return rendered


def mask_arguments(arguments: Mapping[str, Any]) -> None:
    """Have Airflow mask the secrets in a task's arguments in its logs and its UI.

    Secrets are what :func:`kaltura_provider.api.redaction.redact` hides, the values of names that carry secrets, and
    the values of headers (argument ``url_headers``), except for harmless ones.
    """
    from kaltura_provider.api.redaction import secrets_in

    _mask([secret for text in _texts(arguments) for secret in secrets_in(text)])
    _mask(_named(arguments))
    mask_headers(arguments.get(_HEADERS))


def mask_headers(headers: Any) -> None:
    """Have Airflow mask the values of headers, except for harmless ones."""
    _mask(_header_values(headers))


def _mask(found: Iterable[str]) -> None:
    from airflow.sdk.log import mask_secret

    secrets: list[Any] = sorted({secret for secret in found if secret})
    if secrets:
        mask_secret(secrets)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple | set):
        for item in value:
            yield from _texts(item)


def _named(value: Any) -> Iterator[str]:
    """Yield the texts in mappings whose names mark them as secret."""
    from kaltura_provider.api.signing import is_secret_name

    if isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, str) and is_secret_name(str(name)):
                yield item
            else:
                yield from _named(item)
    elif isinstance(value, list | tuple | set):
        for item in value:
            yield from _named(item)


def _header_values(headers: Any) -> Iterator[str]:
    if isinstance(headers, dict):
        headers = [f"{name}: {value}" for name, value in headers.items()]
    for line in headers if isinstance(headers, list | tuple) else ():
        name, _, value = str(line).partition(":")
        if name.strip().lower() not in _OPEN_HEADERS:
            yield value.strip()
