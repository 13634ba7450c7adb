"""What Airflow reads of the package: valid by Airflow's own schema, and complete."""

from __future__ import annotations

import inspect
import json
from importlib import import_module
from importlib.metadata import metadata
from importlib.resources import files
from pkgutil import iter_modules
from typing import Any

import jsonschema
import pytest
from airflow.sdk import BaseOperator, BaseOperatorLink, BaseSensorOperator
from airflow.triggers.base import BaseTrigger

import kaltura_provider
from kaltura_provider.operators.base import KalturaOperator
from kaltura_provider.provider_info import PROVIDER_INFO
from kaltura_provider.sensors.base import KalturaSensor
from kaltura_provider.triggers.base import KalturaTrigger


def schema(name: str) -> Any:
    return json.loads(files("airflow").joinpath(name).read_text())


def test_the_provider_info_fits_airflows_schema() -> None:
    jsonschema.validate(PROVIDER_INFO, schema("provider_info.schema.json"))


@pytest.mark.parametrize("key", ["integrations", "hooks", "operators", "sensors", "triggers", "extra-links"])
def test_the_listed_modules_fit_the_stricter_schema_of_a_provider(key: str) -> None:
    whole = schema("provider.yaml.schema.json")
    jsonschema.validate(PROVIDER_INFO[key], {**whole["properties"][key], "definitions": whole.get("definitions", {})})


BASES = ("kaltura_provider.operators.asset_bases", "kaltura_provider.operators.source_bases")
"""Modules whose classes are there to be derived from."""


def public(module: Any, base: type, not_these: tuple[type, ...]) -> list[str]:
    return [
        name
        for name, item in vars(module).items()
        if inspect.isclass(item)
        and issubclass(item, base)
        and item not in not_these
        and item.__module__ == module.__name__
        and not name.startswith("_")
    ]


@pytest.mark.parametrize(
    ("package", "base", "not_these"),
    [
        ("operators", BaseOperator, (KalturaOperator,)),
        ("sensors", BaseSensorOperator, (KalturaSensor,)),
        ("triggers", BaseTrigger, (KalturaTrigger,)),
    ],
)
def test_every_module_with_something_for_authors_is_listed(
    package: str, base: type, not_these: tuple[type, ...]
) -> None:
    folder = import_module(f"kaltura_provider.{package}")
    names = [f"kaltura_provider.{package}.{found.name}" for found in iter_modules(folder.__path__)]
    offered = [name for name in names if name not in BASES and public(import_module(name), base, not_these)]
    (entry,) = PROVIDER_INFO[package]
    assert sorted(entry["python-modules"]) == sorted(offered)


def test_every_link_is_listed() -> None:
    module = import_module("kaltura_provider.links.entry")
    links = public(module, BaseOperatorLink, (BaseOperatorLink,))
    assert sorted(PROVIDER_INFO["extra-links"]) == sorted(f"{module.__name__}.{name}" for name in links)


def test_the_version_is_the_same_everywhere() -> None:
    assert metadata("airflow-provider-kaltura")["Version"] == kaltura_provider.__version__
    assert PROVIDER_INFO["versions"] == [kaltura_provider.__version__]
