"""A Kaltura and an S3 server on loopback, for demos, development and tests."""

from __future__ import annotations

from kaltura_sandbox.client import Control
from kaltura_sandbox.config import Config
from kaltura_sandbox.sandbox import Sandbox

__all__ = ["Config", "Control", "Sandbox"]
