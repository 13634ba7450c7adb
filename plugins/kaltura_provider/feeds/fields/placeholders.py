"""Fill names and dates into text that is not from a DAG or feed author: forms, manifests, sidecars, webhooks.

This is not a template language. Each placeholder is replaced once, by a value that the caller passes in.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from kaltura_provider.api.errors import KalturaConfigurationError
from kaltura_provider.api.redaction import public_url

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

__all__ = ["LONGEST", "asset_view", "fill", "placeholder_values"]

LONGEST = 10_000
"""Maximum length of a text, before and after its placeholders are filled in."""

# Takes linear time on any text: each brace is read from at most two starting points.
_BRACES = re.compile(r"\{\{([^{}]*)\}\}")
# Line breaks and tabs are allowed.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_SHOWN = 60


def asset_view(uri: str) -> dict[str, str]:
    """Return the names of a source item: ``uri``, ``key`` (path), ``name`` (file name), ``stem`` (no extension).

    The ``uri`` of a web address has its secrets removed.
    """
    if not uri.startswith(("s3://", "file:", "/")):
        uri = public_url(uri)
    key = uri.split("/", 3)[-1] if uri.startswith("s3://") else unquote(urlsplit(uri).path).lstrip("/")
    name = posixpath.basename(key)
    return {"uri": uri, "key": key, "name": name, "stem": posixpath.splitext(name)[0]}


def placeholder_values(uri: str, day: dt.date) -> dict[str, str]:
    """Return the placeholders of a source item and of the day of its run, with their values.

    ``asset.uri`` has no user, query or fragment, because they can sign a URL.
    """
    view = asset_view(uri)
    if not uri.startswith(("s3://", "/")):
        parts = urlsplit(uri)
        view["uri"] = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
    asset = {f"asset.{name}": view[name] for name in ("stem", "name", "key", "uri")}
    return asset | {"ds": f"{day:%Y-%m-%d}", "ds_nodash": f"{day:%Y%m%d}"}


def fill(text: str, values: Mapping[str, str], *, field: str) -> str:
    """Return ``text`` with each placeholder, such as ``{{ asset.stem }}``, replaced by its value.

    Spaces inside the braces do not matter. Braces in values stay as they are, and so do braces in ``text`` that do not
    contain a name.

    :param values: name to value.
    :param field: where the text comes from, for errors.
    :raises KalturaConfigurationError: a name is unknown, the text contains a control character, or the text or
        the result is longer than ``LONGEST``.
    """
    _check_length(text, field, "is too long")
    if _CONTROL.search(text):
        shown = ascii(_short(text))[1:-1]
        raise KalturaConfigurationError(field, shown, "contains a control character", "remove it")

    def value(braces: re.Match[str]) -> str:
        inside = braces[1].strip()
        if inside in values:
            return values[inside]
        if _is_meant(inside, values):
            known = ", ".join(f"{{{{ {name} }}}}" for name in values)
            raise KalturaConfigurationError(field, _short(braces[0]), "is not a placeholder", f"use one of {known}")
        return braces[0]

    filled = _BRACES.sub(value, text)
    _check_length(filled, field, "is too long with its placeholders filled in")
    return filled


def _is_meant(inside: str, values: Mapping[str, str]) -> bool:
    """Return whether braces look like a placeholder: they hold only a name, or begin with a known name."""
    name = _NAME.match(inside)
    if name is None:
        return False
    roots = {known.partition(".")[0] for known in values}
    return name.end() == len(inside) or name[0].partition(".")[0] in roots


def _check_length(text: str, field: str, problem: str) -> None:
    if len(text) > LONGEST:
        raise KalturaConfigurationError(
            field, _short(text), f"{problem} ({len(text):,} characters)", f"use at most {LONGEST:,}"
        )


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
