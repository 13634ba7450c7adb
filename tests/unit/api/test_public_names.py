"""Every module of the API layer says what it offers, and light names stay light."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import kaltura_provider.api as api

_MODULES = sorted(path.stem for path in Path(api.__file__).parent.glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize("module", _MODULES)
def test_every_module_says_what_it_offers(module):
    loaded = import_module(f"kaltura_provider.api.{module}")
    assert loaded.__doc__
    assert all(hasattr(loaded, name) for name in loaded.__all__)
    # Whatever a module calls public is its own, except what it hands on by name.
    own = [n for n in loaded.__all__ if getattr(getattr(loaded, n), "__module__", loaded.__name__) == loaded.__name__]
    assert own


@pytest.mark.parametrize("module", ["credentials", "delivery", "enums", "errors", "retry", "wire"])
def test_light_modules_cost_no_http_library(module):
    program = (
        f"import sys; import kaltura_provider.api.{module}\n"
        "heavy = {'requests', 'httpx', 'urllib3', 'cryptography', 'airflow', 'boto3'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
