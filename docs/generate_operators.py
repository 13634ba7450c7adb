"""Writes docs/operators.md from the docstrings of the operators and the DAGs that the tests run.

``python docs/generate_operators.py`` writes the page; with ``--check`` it only says whether the page is as it would be.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

__all__ = ["page"]

ROOT = Path(__file__).resolve().parent.parent
OPERATORS = ROOT / "plugins" / "kaltura_provider" / "operators"
EXAMPLES = ROOT / "tests" / "integration" / "operators" / "dags"
TARGET = ROOT / "docs" / "operators.md"

# Heading, what it is about, the modules whose operators it shows, and the DAGs that use them.
SECTIONS: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    (
        "Ingest",
        "Source items, exactly once: find or create the entry, upload the content.",
        ("ingest", "prepare", "upload", "attach"),
        ("one_by_one",),
    ),
    ("Anything", "Every action of Kaltura's API, one or several per request.", ("call",), ("anything",)),
    ("Upload tokens", "Create, read, list and delete upload tokens.", ("upload_tokens",), ()),
    (
        "Entries",
        "Create, read, list, update, moderate, categorize, delete and restore entries.",
        ("entries", "categories", "moderation", "metadata", "removal"),
        ("library", "moderation"),
    ),
    (
        "Content, documents and data",
        "Add and replace content, or create entries with their content in one task.",
        ("content", "add_from"),
        ("content",),
    ),
    (
        "Captions, thumbnails, attachments",
        "Files that belong to an entry beside its content.",
        ("captions", "thumbnails", "attachments"),
        ("sidecars",),
    ),
    (
        "Flavors and delivery",
        "Renditions, their URLs, and a check of what viewers get.",
        ("flavors", "delivery"),
        ("delivery",),
    ),
    ("Bulk upload", "Many files, which Kaltura fetches itself.", ("bulk",), ("bulk",)),
    ("Housekeeping", "Find and delete what interrupted runs left behind.", ("housekeeping",), ()),
)

INTRODUCTION = """# Operators

<!-- Written by docs/generate_operators.py from docstrings and tested DAGs: change those, not this page. -->

Every operator takes keyword arguments only. All take `kaltura_conn_id` (default: `kaltura_default`). Arguments are
checked before anything is sent: an error names the argument, its value and the fix, and fails the task at once. Ids,
addresses, connections, metadata and most other arguments are templates. Errors that a retry may fix (no connection, a
busy server, content that is still being converted) make Airflow retry the task; other errors fail it at once.

The same name means the same everywhere:

| Argument | Meaning |
|---|---|
| `source` | what to ingest: an address, a mapping with `uri`, an item reference of an earlier task, or a list of them |
| `entry_id` | an entry: its id, or the result of any operator that has one; where several are possible, a list too |
| `token_id` | an upload token: its id, or the result of any operator that has one |
| `asset_id` | a flavor, caption, thumbnail or attachment asset: its id, or the result of any operator that has one |
| `bulk_upload_id` | bulk upload jobs: an id, the result of any operator that has one, or a list of either |
| `output_uri` | a file or S3 object (`.jsonl`, `.json`, `.csv`) for a long result; XCom then holds its address |
| `durable` | whether to remember what the task creates in the task state store, for its next try |

Results have one shape: ids are `entry_id`, `token_id`, `asset_id` and `bulk_upload_id`; other names are in snake case;
a status is its name in lower case, with the number beside it (`"status": "ready", "status_number": 2`). Operators for
URLs return a mapping with `url`, operators that delete one with `deleted`. `KalturaCallOperator`,
`KalturaMultiRequestOperator`, `KalturaGetEntryOperator` and lists with explicit `fields` return Kaltura's own names and
values.

The former names of some arguments (`assets`, `asset`, `token`, `upload_token`, `entry`, `entry_ids`, `bulk_upload`) are
accepted with a deprecation warning.

In Python code (`@task`), the hook does the same: `KalturaHook().call("media", "get", entryId=...)`,
`KalturaHook().multirequest([...])`.
"""

MACROS = """## Delivery URLs in templates

Where the package is installed, templates have `macros.kaltura`, with checked arguments:

```jinja
{{ macros.kaltura.play_manifest_url("https://cdnapisec.kaltura.com", conn.kaltura_default.login, params.entry_id) }}
{{ macros.kaltura.thumbnail_url("https://cdnapisec.kaltura.com", 12345, params.entry_id, width=640, vid_sec=5) }}
```

`play_manifest_url` (HLS, DASH, `url`, `download`; flavors, bitrates, `seek_from` and `clip_to` in milliseconds, `ks`),
`thumbnail_url`, `raw_url`, `download_url`, `serve_flavor_url` and `source_download_url` are plain functions of
`kaltura_provider.api`.
"""

ELSEWHERE = """## What has no operator of its own

`KalturaCallOperator` reaches every other action: eSearch, REACH, agents, distribution, syndication. eSearch, for
instance:

```python
from kaltura_provider.operators.call import KalturaCallOperator

found = KalturaCallOperator(
    task_id="found",
    service="elasticsearch_esearch",
    action="searchEntry",
    parameters={
        "searchParams": {
            "objectType": "KalturaESearchEntryParams",
            "searchOperator": {
                "objectType": "KalturaESearchEntryOperator",
                "operator": 1,
                "searchItems": [
                    {
                        "objectType": "KalturaESearchCaptionItem",
                        "fieldName": "content",
                        "itemType": 2,
                        "searchTerm": "{{ params.term }}",
                    }
                ],
            },
        },
        "pager": {"pageSize": 50},
    },
    result_path="objects",
    output_uri="s3://media/searches/{{ ds }}.jsonl",
)
```
"""


def page() -> str:
    """Return the text of the page."""
    parts = [INTRODUCTION, _contents()]
    for heading, about, modules, examples in SECTIONS:
        if not any(_operators(module) for module in modules):
            continue
        parts.append(f"## {heading}\n\n{about}\n")
        parts += [_operator(module, item) for module in modules for item in _operators(module)]
        parts += [_example(example) for example in examples]
    return "\n".join([*parts, MACROS, ELSEWHERE])


def _operators(module: str) -> list[ast.ClassDef]:
    """Return the public operators of a module, in its order."""
    path = OPERATORS / f"{module}.py"
    if not path.exists():
        return []
    tree = ast.parse(path.read_text(encoding="utf-8"))
    classes = [item for item in tree.body if isinstance(item, ast.ClassDef)]
    return [item for item in classes if item.name.startswith("Kaltura") and item.name.endswith("Operator")]


def _contents() -> str:
    rows = ["| Operator | Does | Module |", "|---|---|---|"]
    for _, _, modules, _ in SECTIONS:
        for module in modules:
            for item in _operators(module):
                first = _plain(_docstring(item).splitlines()[0])
                rows.append(f"| [`{item.name}`](#{item.name.lower()}) | {first} | `{module}` |")
    return "\n".join(rows) + "\n\nModules are those of `kaltura_provider.operators`.\n"


def _docstring(item: ast.ClassDef) -> str:
    text = ast.get_docstring(item)
    if not text:
        raise SystemExit(f"{item.name} has no docstring")
    return text


def _operator(module: str, item: ast.ClassDef) -> str:
    """Return one operator: what it does, its arguments, what it returns and raises."""
    said, _, fields = _docstring(item).partition("\n:")
    entries = re.split(r"\n(?=:)", f":{fields}") if fields else []
    lines = [
        f"### {item.name}",
        "",
        _plain(said),
        "",
        f"`from kaltura_provider.operators.{module} import {item.name}`",
        "",
    ]
    arguments = [entry for entry in entries if entry.startswith(":param ")]
    if arguments:
        lines += ["| Argument | |", "|---|---|"]
        lines += [_argument(entry) for entry in arguments]
        lines.append("")
    for entry in entries:
        for mark, word in ((":return:", "Returns"), (":raises AirflowFailException:", "Fails at once")):
            if entry.startswith(mark):
                lines += [f"**{word}:** {_plain(entry.removeprefix(mark))}", ""]
    return "\n".join(lines)


def _argument(entry: str) -> str:
    name, _, text = entry.removeprefix(":param ").partition(":")
    return f"| `{name}` | {_plain(text).replace('|', chr(92) + '|')} |"


def _plain(text: str) -> str:
    """Return reStructuredText as Markdown, each paragraph on one line."""
    text = re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+)`", r"`\1`", text).replace("``", "`")
    paragraphs = [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text)]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _example(name: str) -> str:
    """Return the DAG that a test runs."""
    text = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    about = ast.get_docstring(ast.parse(text)) or ""
    body = text.partition('"""\n\n')[2]
    return f"Together, in a DAG that the tests run ({about.rstrip('.').lower()}):\n\n```python\n{body.rstrip()}\n```\n"


def main() -> None:
    """Write the page, or with ``--check`` compare it."""
    made = page()
    if "--check" in sys.argv[1:]:
        if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != made:
            raise SystemExit("docs/operators.md is out of date: run python docs/generate_operators.py")
        return
    TARGET.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
