"""What docs/sandbox.md promises can be typed as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kaltura_sandbox import Sandbox
from kaltura_sandbox.cli import main
from kaltura_sandbox.faults import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
FAULTS = re.findall(r"^\| [^|]+ \| (`(?:fault = )?control\..+`.*) \|$", TEXT, re.MULTILINE)


@pytest.fixture
def empty() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.mark.parametrize("cell", FAULTS)
def test_every_fault_line_works_as_written(empty: Sandbox, cell: str) -> None:
    names = {"control": empty.control}
    for line in re.findall(r"`([^`]*control\.[^`]+)`", cell):
        exec(line, names)  # noqa: S102 - the line is what is tested


def test_every_kind_of_fault_is_documented() -> None:
    documented = {kind for cell in FAULTS for kind in re.findall(r'control\.fault\("(\w+)"', cell)}
    assert documented == set(KINDS)


def test_every_option_the_document_names_exists(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    known = set(re.findall(r"--[a-z0-9-]+", capsys.readouterr().out))
    section = TEXT[TEXT.index("## Start it") : TEXT.index("## Use it")]
    assert set(re.findall(r"`(--[a-z0-9-]+)", section)) <= known
