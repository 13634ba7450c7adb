"""``python -m kaltura_sandbox`` is the command ``kaltura-sandbox``."""

from __future__ import annotations

import sys

from kaltura_sandbox.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())
