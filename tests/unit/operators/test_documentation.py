"""Every operator is documented, and the page of operators is what the docstrings give."""

from __future__ import annotations

import inspect
import runpy
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

from kaltura_provider import operators as package
from kaltura_provider.operators.base import KalturaOperator

ROOT = Path(__file__).parents[3]


def operators() -> list[type[KalturaOperator]]:
    modules = [import_module(f"{package.__name__}.{found.name}") for found in iter_modules(package.__path__)]
    return [
        item
        for module in modules
        for item in vars(module).values()
        if inspect.isclass(item) and item.__module__ == module.__name__ and is_offered(item)
    ]


def is_offered(item: type) -> bool:
    return issubclass(item, KalturaOperator) and item is not KalturaOperator and item.__name__.startswith("Kaltura")


def arguments_of(operator: type[KalturaOperator]) -> set[str]:
    """Return the arguments of an operator and of its bases, without those of another operator that it refers to."""
    found: set[str] = set()
    for item in operator.__mro__:
        if item is KalturaOperator or (item is not operator and is_offered(item)):
            break
        if "__init__" in vars(item):
            parameters = inspect.signature(vars(item)["__init__"]).parameters.values()
            found |= {one.name for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY}
    return found


def test_the_page_is_what_the_generator_gives() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "generate_operators.py"))["page"]()
    assert (ROOT / "docs" / "operators.md").read_text() == made, "run python docs/generate_operators.py"


@pytest.mark.parametrize("operator", operators(), ids=lambda item: item.__name__)
def test_a_docstring_says_what_it_takes_gives_and_raises(operator: type[KalturaOperator]) -> None:
    text = inspect.getdoc(operator) or ""
    assert ":return:" in text
    assert ":raises " in text
    undocumented = [name for name in arguments_of(operator) if f":param {name}:" not in text]
    assert undocumented == []
