"""Small pieces of HTML: whatever is not ``Markup`` is escaped."""

from __future__ import annotations

import time
from collections.abc import Iterable
from html import escape
from typing import Any

from kaltura_sandbox.server.message import Response

__all__ = ["Markup", "badge", "link", "page", "size", "table", "tag", "when"]

_STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#8882;--accent:#06c}
*{box-sizing:border-box}
body{margin:0;font:15px/1.45 system-ui,sans-serif}
header{padding:.8rem 1.2rem;border-bottom:1px solid var(--line)}
header{display:flex;gap:1.2rem;align-items:baseline;flex-wrap:wrap}
header h1{font-size:1.05rem;margin:0}
main{padding:1.2rem;max-width:78rem;margin:auto}
h2{font-size:1.3rem;margin:.2rem 0 .8rem}
h3{font-size:1rem;margin:1.6rem 0 .5rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid var(--line);vertical-align:middle}
th{font-weight:600}
td img{width:96px;height:54px;object-fit:contain;background:var(--soft);display:block}
a{color:var(--accent)}
code{font:13px ui-monospace,monospace}
.badge{display:inline-block;padding:0 .5rem;border-radius:1rem;background:var(--soft);white-space:nowrap}
.good{background:#2a82;color:#185}.bad{background:#d332;color:#c22}.busy{background:#e902;color:#a60}
@media(prefers-color-scheme:dark){:root{--accent:#6af}.good{color:#6d9}.bad{color:#f88}.busy{color:#fb6}}
video,audio{width:100%;max-height:60vh;background:#000}
.two{display:grid;grid-template-columns:minmax(0,3fr) minmax(0,2fr);gap:1.5rem}
@media(max-width:60rem){.two{grid-template-columns:1fr}}
.strip{display:flex;gap:.8rem;flex-wrap:wrap}
.strip figure{margin:0}.strip img{height:90px;display:block}
.soft{opacity:.7}
.n{white-space:nowrap}
form{display:flex;gap:.5rem;flex-wrap:wrap;margin-bottom:1rem}
input,select,button{font:inherit;padding:.25rem .5rem}
"""


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def _html(content: Any) -> str:
    if isinstance(content, Markup):
        return content
    if isinstance(content, str) or not isinstance(content, Iterable):
        return escape("" if content is None else str(content))
    return "".join(_html(part) for part in content)


def tag(name: str, /, *content: Any, **attributes: Any) -> Markup:
    """Return an element; attributes of None or False are left out, ``class_`` stands for ``class``."""
    shown = "".join(
        f' {_name(key)}="{escape(str(value))}"' if value is not True else f" {_name(key)}"
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in ("img", "input", "meta", "track", "br"):
        return Markup(f"<{name}{shown}>")
    return Markup(f"<{name}{shown}>{_html(content)}</{name}>")


def _name(attribute: str) -> str:
    return attribute.rstrip("_").replace("_", "-")


def link(url: str, *content: Any) -> Markup:
    """Return a link."""
    return tag("a", *content, href=url)


def badge(text: str, kind: str = "") -> Markup:
    """Return a label; ``kind`` is good, bad, busy or nothing."""
    return tag("span", text, class_=f"badge {kind}".strip())


def table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> Markup:
    """Return a table, or a dash for one without rows."""
    body = [tag("tr", [tag("td", cell) for cell in row]) for row in rows]
    if not body:
        return tag("p", "none", class_="soft")
    return tag("table", tag("thead", tag("tr", [tag("th", name) for name in head])), tag("tbody", body))


def size(count: Any) -> str:
    """Return a number of bytes as people read it."""
    value = float(count or 0)
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1024 or unit == "GB":
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return ""


def when(moment: Any) -> str:
    """Return unix seconds as a date and time, in UTC."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(int(moment))) if moment else ""


def page(title: str, *content: Any, refresh: int | None = None) -> Response:
    """Return a whole page; nothing it shows comes from another host, and no script runs on it."""
    head = [
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width"),
        tag("meta", http_equiv="refresh", content=str(refresh)) if refresh else "",
        tag("title", title),
        tag("style", Markup(_STYLE)),
    ]
    top = tag(
        "header", tag("h1", link("/", "Kaltura sandbox")), tag("span", "stands in for the console", class_="soft")
    )
    text = "<!doctype html>" + tag("html", tag("head", head), tag("body", top, tag("main", content)), lang="en")
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    return Response(200, headers, text.encode())
