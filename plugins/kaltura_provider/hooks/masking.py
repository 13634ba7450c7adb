"""Secrets that come as arguments of tasks: presigned URLs, passwords in URLs, headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["mask_arguments", "mask_headers"]

_OPEN_HEADERS = ("accept", "accept-language", "content-type", "range", "referer", "user-agent")


def mask_arguments(arguments: Mapping[str, Any]) -> None:
    """Have Airflow hide the secrets in a task's arguments wherever it shows text, its page included.

    Secret are what :func:`kaltura_provider.api.redaction.redact` hides, and the values of headers (arguments
    ``url_headers``) but of those that say nothing.
    """
    from kaltura_provider.api.redaction import secrets_in

    _mask([secret for text in _texts(arguments) for secret in secrets_in(text)])
    mask_headers(arguments.get("url_headers"))


def mask_headers(headers: Any) -> None:
    """Have Airflow hide the values of headers (a mapping, or lines of them), but of those that say nothing."""
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


def _header_values(headers: Any) -> Iterator[str]:
    if isinstance(headers, dict):
        headers = [f"{name}: {value}" for name, value in headers.items()]
    for line in headers if isinstance(headers, list | tuple) else ():
        name, _, value = str(line).partition(":")
        if name.strip().lower() not in _OPEN_HEADERS:
            yield value.strip()
