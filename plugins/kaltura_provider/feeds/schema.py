"""What a feed file may say: the schema of ``include/feeds/*.yaml``, with defaults and units."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal

import pendulum
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from kaltura_provider.feeds.patterns import check_pattern, split_patterns

__all__ = ["Connections", "Feed", "Metadata", "S3Prefix"]

_CRON_PRESETS = frozenset({"@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly"})


def _as_list(value: object) -> object:
    """Let an author write one word, or a comma separated line, where a list is meant."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _as_patterns(value: object) -> object:
    return split_patterns(value) if isinstance(value, str) else value


def _usable(pattern: str) -> str:
    check_pattern(pattern)
    return pattern


Words = Annotated[list[str], BeforeValidator(_as_list)]
Patterns = Annotated[list[Annotated[str, AfterValidator(_usable)]], BeforeValidator(_as_patterns)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Connections(_Strict):
    """Airflow connection ids of one feed."""

    kaltura: str = "kaltura_default"
    aws: str = "aws_default"


class S3Prefix(_Strict):
    """All objects below an S3 prefix.

    ``uri`` is a Jinja template, so that each run lists only its own date:
    ``s3://bucket/incoming/{{ data_interval_start | ds }}/``. ``include`` and ``exclude`` are shell patterns
    (``*.{mp4,mov}``, ``**/*.mp4``) for the part of the key after the prefix.
    """

    type: Literal["s3_prefix"] = "s3_prefix"
    uri: str
    include: Patterns = ["*"]
    exclude: Patterns = []

    @field_validator("uri")
    @classmethod
    def _names_a_bucket(cls, value: str) -> str:
        if not re.match(r"s3://[^/\s]+(/|$)", value):
            raise ValueError("is no S3 prefix; write s3://bucket/prefix/{{ data_interval_start | ds }}/")
        return value


class Metadata(_Strict):
    """What the entries are told to be. Texts are Jinja templates.

    Besides Airflow's own names, a template sees ``asset.uri``, ``asset.name`` (file name), ``asset.stem`` (file name
    without extension) and ``asset.key`` (path within the bucket).
    """

    name: str = "{{ asset.stem }}"
    description: str = ""
    tags: Words = []
    categories: Words = []
    reference_id: str = ""
    user_id: str = ""
    conversion_profile_id: int | None = None
    access_control_id: int | None = None


class Feed(_Strict):
    """One recurring ingest; becomes the DAG ``kaltura_feed_<name>``.

    ``batch_size`` assets go through one chain of mapped tasks; ``max_active_uploads`` bounds how many uploads of
    one run are under way at once, ``max_active_runs`` how many runs are. ``upload`` are the settings of each upload, by
    their names in :class:`~kaltura_provider.upload.settings.UploadSettings`.
    """

    name: str
    description: str = ""
    schedule: str | None = "@daily"
    timezone: str = "UTC"
    start_date: dt.date
    end_date: dt.date | None = None
    owner: str = "kaltura"
    tags: Words = []
    connections: Connections = Connections()
    source: S3Prefix
    metadata: Metadata = Metadata()
    unknown_files: Literal["ignore", "fail", "data"] = "ignore"
    if_exists: Literal["skip", "replace", "fail"] = "skip"
    transfer: Literal["upload", "import"] = "upload"
    upload: dict[str, Any] | None = None
    batch_size: Annotated[int, Field(ge=1, le=100)] = 1
    max_active_runs: Annotated[int, Field(ge=1)] = 4
    max_active_uploads: Annotated[int, Field(ge=1)] = 8
    pool: str = "default_pool"
    receipts: str | None = None
    retries: Annotated[int, Field(ge=0)] = 3
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
            from kaltura_provider.operators.sending import upload_settings

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
        raise ValueError("is no place for receipts; write s3://bucket/prefix or an absolute path")

    @field_validator("schedule")
    @classmethod
    def _is_a_cron_expression(cls, value: str | None) -> str | None:
        if value is None or value in _CRON_PRESETS or len(value.split()) in (5, 6):
            return value
        raise ValueError(f"is no cron expression; write one such as '0 4 * * *', or {', '.join(sorted(_CRON_PRESETS))}")

    @field_validator("timezone")
    @classmethod
    def _is_a_timezone(cls, value: str) -> str:
        try:
            pendulum.timezone(value)
        except Exception:
            raise ValueError("is no time zone; write one such as UTC or Europe/Berlin") from None
        return value

    @model_validator(mode="after")
    def _dates_in_order(self) -> Feed:
        if self.end_date is not None and self.end_date < self.start_date:
            raise ValueError(f"end_date {self.end_date} is before start_date {self.start_date}")
        return self
