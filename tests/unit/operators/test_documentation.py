"""Every operator is documented, and the page of operators is what the docstrings give."""

from __future__ import annotations

import ast
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
OPERATORS = ROOT / "plugins" / "kaltura_provider" / "operators"


def operators() -> list[tuple[str, ast.ClassDef]]:
    found = []
    for path in sorted(OPERATORS.glob("*.py")):
        tree = ast.parse(path.read_text())
        found += [
            (path.stem, item)
            for item in tree.body
            if isinstance(item, ast.ClassDef) and item.name.startswith("Kaltura") and item.name != "KalturaOperator"
        ]
    return found


def arguments_of(item: ast.ClassDef) -> set[str]:
    return {
        argument.arg
        for function in item.body
        if isinstance(function, ast.FunctionDef) and function.name == "__init__"
        for argument in function.args.kwonlyargs
    }


def test_the_page_is_what_the_generator_gives() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "generate_operators.py"))["page"]()
    assert (ROOT / "docs" / "operators.md").read_text() == made, "run python docs/generate_operators.py"


@pytest.mark.parametrize(("module", "item"), operators(), ids=lambda value: getattr(value, "name", value))
def test_a_docstring_says_what_it_takes_gives_and_raises(module: str, item: ast.ClassDef) -> None:
    text = ast.get_docstring(item) or ""
    assert ":return:" in text
    assert ":raises " in text
    undocumented = [name for name in arguments_of(item) if f":param {name}:" not in text]
    assert undocumented == []
