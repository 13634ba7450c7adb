"""Writes rows as a table, JSON, YAML, CSV or plain text. Values are data: never markup, never a line of their own."""

from __future__ import annotations

import csv
import json
import sys
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["write_rows", "write_text"]


def write_text(text: str) -> None:
    """Write text to standard output."""
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
    sys.stdout.flush()


def write_rows(rows: Sequence[Mapping[str, Any]], output: str, *, nothing: str = "Nothing to show.") -> None:
    """Write rows to standard output.

    :param rows: all with the same names, of plain values.
    :param output: ``table``, ``json`` and ``yaml`` (a list, values with their types), ``csv``, or ``plain``:
        a heading and a line for each row, values separated by tabs.
    :param nothing: the text to write instead of a table without rows.
    """
    if output == "json":
        ascii_only = (sys.stdout.encoding or "").lower() not in ("utf-8", "utf8")
        write_text(json.dumps(_redacted(list(rows)), indent=2, ensure_ascii=ascii_only, default=str))
    elif output == "yaml":
        import yaml

        write_text(yaml.safe_dump(_redacted(list(rows)), sort_keys=False, allow_unicode=True))
    elif output == "csv":
        _write_csv(rows)
    elif output == "plain":
        _write_plain(rows)
    elif not rows:
        write_text(nothing)
    else:
        _write_table(rows)


def _redacted(value: Any) -> Any:
    """Return plain values without secrets."""
    from kaltura_provider.api.redaction import redact

    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list | tuple):
        return [_redacted(part) for part in value]
    if isinstance(value, dict):
        return {name: _redacted(part) for name, part in value.items()}
    return value


def _cell(value: Any) -> str:
    from kaltura_provider.api.redaction import printable

    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(_cell(part) for part in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return printable(" ".join(str(value).splitlines()).strip())


def _write_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(rows[0])
        writer.writerows([_cell(value) for value in row.values()] for row in rows)
    sys.stdout.flush()


def _write_plain(rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        lines = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
        # `printable` has escaped the tabs in values.
        write_text("\n".join("\t".join(line) for line in lines))


def _write_table(rows: Sequence[Mapping[str, Any]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # What goes into a file or a pipe is not wrapped.
    console = Console() if sys.stdout.isatty() else Console(width=100_000)
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    # A column that is empty would only take room.
    names = [name for name in rows[0] if any(row[name] not in (None, "", []) for row in rows)]
    for name in names:
        side: Literal["left", "right"] = "right" if any(_is_number(row[name]) for row in rows) else "left"
        table.add_column(Text(name.replace("_", " ")), justify=side, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_shown(row[name])) for name in names))
    console.print(table)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    return f"{value:,}" if _is_number(value) else _cell(value)
