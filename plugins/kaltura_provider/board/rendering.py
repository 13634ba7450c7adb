"""Turn templates into pages. Everything that a template inserts is escaped, and a page may load only what it needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from kaltura_provider import __version__
from kaltura_provider.board.text import FILTERS, is_feed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fastapi import Request
    from fastapi.responses import Response

__all__ = ["STATIC", "origins", "protect", "render"]

STATIC: Final = Path(__file__).parent / "static"

_TEMPLATES: Final = Environment(
    loader=PackageLoader("kaltura_provider.board"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters |= FILTERS
_TEMPLATES.filters["segment"] = lambda text: quote(str(text), safe="")
_TEMPLATES.tests["feed"] = is_feed
_TEMPLATES.globals["version"] = __version__


def render(
    request: Request,
    template: str,
    values: Mapping[str, Any],
    *,
    code: int = 200,
    media: Iterable[str] = (),
) -> Response:
    """Return a page.

    :param media: origins from which the page may load pictures.
    """
    text = _TEMPLATES.get_template(template).render(request=request, **values)
    return protect(HTMLResponse(text, status_code=code), media)


def protect(response: Response, media: Iterable[str] = ()) -> Response:
    """Add the headers that limit what a page can load and who can show it."""
    pictures = " ".join(sorted({*media}))
    # A player follows redirects to whichever host of Kaltura's delivery network has the file.
    videos = f"{pictures} https:" if pictures else "'none'"
    response.headers["Content-Security-Policy"] = "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src 'self' {pictures}".strip(),
            f"media-src {videos}",
            "connect-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'self'",
            "base-uri 'none'",
        )
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def origins(urls: Iterable[str]) -> set[str]:
    """Return the origins of http and https addresses."""
    found = set()
    for url in urls:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.netloc and not set(parts.netloc) & set(" ;,'\"@"):
            found.add(f"{parts.scheme}://{parts.netloc}")
    return found
