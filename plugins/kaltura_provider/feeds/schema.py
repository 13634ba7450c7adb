"""What a feed file may say: the schema of ``include/feeds/*.yaml``, with defaults and units."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal

import pendulum
from pydantic import Field, field_validator, model_validator

from kaltura_provider.feeds.batches import DEFAULT_SIZE
from kaltura_provider.feeds.fields import Categories, ConnectionId, Count, Day, Strict, Tags, Template, Templates
from kaltura_provider.feeds.sources import Source

__all__ = ["Connections", "Feed", "Metadata"]

_LONGEST_WAIT = dt.timedelta(days=30)
_LARGEST_ID = 2**31 - 1


class Connections(Strict):
    """Airflow connection ids of one feed."""

    kaltura: ConnectionId = "kaltura_default"
    aws: ConnectionId = "aws_default"
    http: ConnectionId | None = None


class Metadata(Strict):
    """What the entries are told to be. Texts are Jinja templates.

    Besides Airflow's own names, a template sees ``asset.uri``, ``asset.name`` (file name), ``asset.stem`` (file name
    without extension) and ``asset.key`` (path within the bucket).
    """

    name: Template = "{{ asset.stem }}"
    description: Template = ""
    tags: Templates = []
    categories: Categories = []
    reference_id: Template = ""
    user_id: Template = ""
    media_type: Literal["video", "audio", "image", "document", "data"] | None = None
    conversion_profile_id: Annotated[int, Field(ge=-1, le=_LARGEST_ID)] | None = None
    access_control_id: Annotated[int, Field(ge=0, le=_LARGEST_ID)] | None = None


class Feed(Strict):
    """One recurring ingest; becomes the DAG ``kaltura_feed_<name>``.

    A batch has up to ``batch_size`` items, which one task brings in; ``max_active_uploads`` bounds how many batches
    of one run are under way at once, ``max_active_runs`` how many runs are. ``upload`` are the settings of each
    upload, by their names in :class:`~kaltura_provider.upload.settings.UploadSettings`.
    """

    name: str
    description: Annotated[str, Field(max_length=10_000)] = ""
    schedule: str | None = "@daily"
    timezone: str = "UTC"
    start_date: Day
    end_date: Day | None = None
    owner: Annotated[str, Field(min_length=1, max_length=200)] = "kaltura"
    tags: Tags = []
    connections: Connections = Connections()
    source: Source
    metadata: Metadata = Metadata()
    unknown_files: Literal["ignore", "fail", "data"] = "ignore"
    if_exists: Literal["skip", "replace", "fail"] = "skip"
    transfer: Literal["upload", "import"] = "upload"
    upload: dict[str, Any] | None = None
    batch_size: Annotated[int, Field(ge=1, le=100)] = DEFAULT_SIZE
    max_active_runs: Count = 4
    max_active_uploads: Count = 8
    pool: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    queue: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    receipts: Template | None = None
    retries: Annotated[int, Field(ge=0, le=100)] = 3
    ready_timeout: dt.timedelta = dt.timedelta(hours=12)

    @property
    def dag_id(self) -> str:
        """The id of the DAG this feed becomes."""
        return f"kaltura_feed_{self.name}"

    @property
    def asset_uri(self) -> str:
        """The Airflow asset that is updated when something new of this feed has arrived."""
        return f"kaltura://{self.connections.kaltura}/{self.name}"

    @field_validator("name")
    @classmethod
    def _is_a_slug(cls, value: str) -> str:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_]{0,60}", value):
            raise ValueError("must be 1 to 61 of a-z, 0-9 and _, and start with a letter or digit")
        return value

    @field_validator("upload")
    @classmethod
    def _are_settings(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        if value is not None:
            from kaltura_provider.api.errors import KalturaConfigurationError
            from kaltura_provider.upload.settings import upload_settings

            try:
                upload_settings(value)
            except KalturaConfigurationError as error:
                raise ValueError(str(error).removeprefix("upload: ")) from None
        return value

    @field_validator("receipts")
    @classmethod
    def _is_a_place(cls, value: str | None) -> str | None:
        if value is None or re.match(r"(s3://[^/\s]+|(file://)?/)", value):
            return value
        raise ValueError("is not an address for receipts; give s3://bucket/prefix or an absolute path")

    @field_validator("schedule")
    @classmethod
    def _is_a_cron_expression(cls, value: str | None) -> str | None:
        if value is None:
            return None
        from airflow.timetables.interval import CronDataIntervalTimetable

        try:
            timetable = CronDataIntervalTimetable(value, timezone="UTC")
            timetable.validate()
            # "0 0 30 2 *" is well-formed, and has no interval.
            timetable.infer_manual_data_interval(run_after=pendulum.now("UTC"))
        except Exception as error:
            presets = "@hourly, @daily, @weekly, @monthly, @quarterly or @yearly"
            raise ValueError(
                f"is not a valid cron expression ({error}); give one such as '0 4 * * *', or {presets}"
            ) from None
        if len(timetable.summary.split()) not in (5, 6):
            raise ValueError("is not a cron expression of 5 fields; give one such as '0 4 * * *'")
        return value

    @field_validator("timezone")
    @classmethod
    def _is_a_timezone(cls, value: str) -> str:
        try:
            pendulum.timezone(value)
        except Exception:
            raise ValueError("is not a time zone; give one such as UTC or Europe/Berlin") from None
        return value

    @field_validator("ready_timeout")
    @classmethod
    def _is_a_wait(cls, value: dt.timedelta) -> dt.timedelta:
        if not dt.timedelta(0) < value <= _LONGEST_WAIT:
            raise ValueError("must be more than nothing and at most P30D; write it like PT12H")
        return value

    @model_validator(mode="after")
    def _dates_in_order(self) -> Feed:
        if self.end_date is not None and self.end_date < self.start_date:
            raise ValueError(f"end_date {self.end_date} is before start_date {self.start_date}")
        return self
