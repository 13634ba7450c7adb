"""The years in which a date of a feed, a form or a command can be."""

from __future__ import annotations

__all__ = ["YEARS", "YEARS_TEXT"]

YEARS = range(1970, 3000)
"""Airflow, Kaltura and Python's calendar all take dates of these years, in every time zone."""

YEARS_TEXT = f"between {YEARS[0]} and {YEARS[-1]}"
"""How an error says it."""
