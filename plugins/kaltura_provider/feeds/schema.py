"""What a feed file may say: the schema of ``include/feeds/*.yaml``, with defaults and units."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

import pendulum
from pydantic import Field, ValidationInfo, field_validator, model_validator

from kaltura_provider.feeds.fields.problems import did_you_mean
from kaltura_provider.feeds.fields.types import (
    Categories,
    ConnectionId,
    Count,
    Day,
    Name,
    Strict,
    Tags,
    Template,
    Templates,
    about,
    lasting,
)
from kaltura_provider.feeds.outcome.notify import LATE, Notification
from kaltura_provider.feeds.planning.batches import DEFAULT_SIZE
from kaltura_provider.feeds.sources import Source

__all__ = ["DAG_PREFIX", "VERSION", "Connections", "Feed", "Metadata"]

DAG_PREFIX = "kaltura_feed_"
"""What the id of a feed's DAG begins with; the name of the feed follows."""

VERSION = 1
"""The version of the format of feed files that this package reads."""

# Airflow's column for the description of a schedule. One row that does not fit fails all DAGs of a file.
_LONGEST_DESCRIPTION = 1000
# croniter replaces R by a number that it draws, anew in each process.
_DRAWN = re.compile(r"(?i)(?:^|[\s,])r(?:[\s,/(]|$)")
# The files of these names differ between machines, or stand for none.
_NO_ZONES = ("localtime", "Factory")
_PRESETS = ("@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly")
_LARGEST_ID = 2**31 - 1


class Connections(Strict):
    """Airflow connection ids of one feed."""

    kaltura: Annotated[ConnectionId, about("The Airflow connection of the Kaltura account")] = "kaltura_default"
    aws: Annotated[
        ConnectionId,
        about("The Airflow connection for S3. Set `endpoint_url` in its extra for MinIO, Ceph and other stores"),
    ] = "aws_default"
    http: Annotated[
        ConnectionId | None,
        about(
            "An Airflow HTTP connection for `http(s)` addresses. Its login, password and the headers in its extra go "
            "with each request to its host"
        ),
    ] = None


class Metadata(Strict):
    """The metadata of the entries. Texts are Jinja templates.

    Besides Airflow's own names, a template sees ``asset.uri``, ``asset.name`` (file name), ``asset.stem`` (file name
    without extension) and ``asset.key`` (path within the bucket).
    """

    name: Annotated[Template, about("The name of each entry")] = "{{ asset.stem }}"
    description: Annotated[Template, about("The description of each entry")] = ""
    tags: Annotated[Templates, about("The tags of each entry")] = []
    categories: Annotated[
        Categories,
        about(
            "Full names of categories, such as `Courses>Physics`. Kaltura separates categories by commas, so a name "
            "cannot contain one"
        ),
    ] = []
    reference_id: Annotated[Template, about("The reference id of each entry", advanced=True)] = ""
    user_id: Annotated[
        Template, about("The owner of each entry", advanced=True, default="the user of the connection")
    ] = ""
    media_type: Annotated[
        Literal["video", "audio", "image", "document", "data"] | None,
        about("The media type of all items of the feed", advanced=True, default="found from extension or first bytes"),
    ] = None
    conversion_profile_id: Annotated[
        Annotated[int, Field(ge=-1, le=_LARGEST_ID)] | None,
        about("The id of a conversion profile in Kaltura", advanced=True, default="the account's default"),
    ] = None
    access_control_id: Annotated[
        Annotated[int, Field(ge=0, le=_LARGEST_ID)] | None,
        about("The id of an access control profile in Kaltura", advanced=True, default="the account's default"),
    ] = None


class Feed(Strict):
    """One recurring ingest of media into Kaltura; becomes the DAG ``kaltura_feed_<name>``."""

    version: Annotated[Literal[1], about("The version of this format", advanced=True)] = 1
    name: Annotated[
        str,
        about(
            "The name of the feed: 1 to 61 of `a-z`, `0-9` and `_`, starting with a letter or digit. The DAG is "
            "`kaltura_feed_<name>`"
        ),
    ]
    description: Annotated[str, Field(max_length=10_000), about("Shown on Airflow's page")] = ""
    schedule: Annotated[
        str | None,
        about(
            "A cron expression or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@quarterly`, `@yearly`; `null`: only by "
            "hand"
        ),
    ] = "@daily"
    timezone: Annotated[
        str,
        about(
            "The time zone of the schedule, of `start_date` and `end_date`, and of all dates in templates and receipts"
        ),
    ] = "UTC"
    start_date: Annotated[Day, about("The first day to ingest, such as `2024-03-01`")]
    end_date: Annotated[
        Day | None, about("The last day to ingest. The last interval is the last one that begins on this day")
    ] = None
    source: Annotated[Source, about("Where the media comes from: `type` and the fields of that type")]
    metadata: Annotated[Metadata, about("The metadata of the entries. Texts are Jinja templates")] = Metadata()
    if_exists: Annotated[
        Literal["skip", "replace", "fail"],
        about(
            "What to do when an item is in Kaltura with other content: `skip` keeps the entry and says so, `replace` "
            "gives the entry the new content, `fail` fails"
        ),
    ] = "skip"
    preflight: Annotated[
        Literal["off", "warn", "fail"],
        about(
            "Whether to look at each file before it is ingested, and what to do if it cannot become media: `warn` in "
            "the log, or `fail` the item",
            advanced=True,
        ),
    ] = "off"
    allowed_extensions: Annotated[
        Tags,
        about("The only extensions that `preflight` lets through, such as `[mp4, mov]`", advanced=True, default="all"),
    ] = []
    max_failures: Annotated[
        int,
        Field(ge=0, le=1000),
        about(
            "After how many runs in which it failed an item is set aside, if no retry can help; `0` tries it in every "
            "run",
            advanced=True,
        ),
    ] = 5
    on_metadata_change: Annotated[
        Literal["keep", "update", "fail"],
        about(
            "What to do when the metadata of an item has changed since its entry got it: `keep` the entry as it is, "
            "`update` it, or `fail`. A metadata file that arrives later is always used",
            advanced=True,
        ),
    ] = "keep"
    transfer: Annotated[
        Literal["upload", "import", "bulk"],
        about(
            "Who moves the bytes: `upload` streams them through a worker; with `import`, Kaltura fetches them itself "
            "(from S3 by a presigned URL); `bulk` is the same, but Kaltura makes the entries from CSV files, which "
            "suits thousands of items"
        ),
    ] = "upload"
    connections: Annotated[Connections, about("Airflow connections")] = Connections()
    receipts: Annotated[
        Template | None,
        about(
            "Where to write a receipt of each item: `s3://bucket/prefix`, or an absolute path below a folder in "
            "`KALTURA_ALLOWED_PATHS`; a Jinja template"
        ),
    ] = None
    deadline: Annotated[
        Annotated[dt.timedelta, lasting("P30D", like="PT2H")] | None,
        about(
            "After how long a run that has not succeeded is late, counted from when it is queued, which is when its "
            "interval ends: an ISO 8601 duration of at most `P30D`. `notify` says who is notified",
            advanced=True,
        ),
    ] = None
    notify: Annotated[
        list[Notification],
        Field(max_length=10, validate_default=True),
        about("Notifiers that are called once when a run ends or is late", advanced=True, default="none"),
    ] = []
    unknown_files: Annotated[
        Literal["ignore", "fail", "data"],
        about(
            "What to do with objects that are neither media nor documents: `ignore` them, `fail`, or create `data` "
            "entries",
            advanced=True,
        ),
    ] = "ignore"
    upload: Annotated[
        dict[str, Any] | None,
        about(
            "Settings of each upload, such as `{max_size: 50_000_000_000, bandwidth: 20_000_000}` (bytes, and bytes "
            "per second)",
            advanced=True,
            default="chosen from the speed of the line",
        ),
    ] = None
    batch_size: Annotated[
        int,
        Field(ge=1, le=100),
        about("The most items that one task brings in; 10 times as many with `transfer: bulk`", advanced=True),
    ] = DEFAULT_SIZE
    max_active_runs: Annotated[
        Count, about("How many runs can be under way at once; `s3_new` and `rss` always have 1", advanced=True)
    ] = 4
    max_active_uploads: Annotated[
        Count, about("How many batches of one run can be under way at once", advanced=True)
    ] = 8
    pool: Annotated[
        Name | None,
        about(
            "The Airflow pool of all tasks; created if it does not exist",
            advanced=True,
            default="`KALTURA_POOL` of the environment, or else `kaltura`",
        ),
    ] = None
    queue: Annotated[
        Name | None,
        about(
            "The queue of the tasks that send bytes, for executors with queues such as Celery. A worker must listen "
            "on it",
            advanced=True,
            default="`KALTURA_QUEUE` of the environment, or else Airflow's default queue",
        ),
    ] = None
    retries: Annotated[
        int,
        Field(ge=0, le=100),
        about("How often a failed task is tried again, if a retry can help", advanced=True),
    ] = 3
    ready_timeout: Annotated[
        dt.timedelta,
        lasting("P30D", like="PT12H"),
        about(
            "How long Kaltura may take to make an entry READY: an ISO 8601 duration of at most `P30D`", advanced=True
        ),
    ] = dt.timedelta(hours=12)
    owner: Annotated[Name, about("The owner of the DAG on Airflow's page", advanced=True)] = "kaltura"
    tags: Annotated[Tags, about("Tags of the DAG on Airflow's page, beside `kaltura` and `feed`", advanced=True)] = []

    @property
    def dag_id(self) -> str:
        """The id of the DAG this feed becomes."""
        return f"{DAG_PREFIX}{self.name}"

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

    @field_validator("notify")
    @classmethod
    def _tells_who_hears_of_late_runs(cls, value: list[Notification], info: ValidationInfo) -> list[Notification]:
        late, deadline = any(LATE in one.on for one in value), info.data.get("deadline")
        if late and deadline is None:
            raise ValueError("says late, and the feed has no deadline; add how long a run may take: deadline: PT2H")
        if deadline is not None and not late:
            raise ValueError("has no notifier for late runs, and the feed has a deadline; write on: [late] for one")
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
            meant = did_you_mean(value, _PRESETS) or f"; write one such as '0 4 * * *', or one of {', '.join(_PRESETS)}"
            raise ValueError(f"is not a valid cron expression ({error}){meant}") from None
        if len(timetable.summary.split()) not in (5, 6) or _DRAWN.search(value):
            raise ValueError("is not a cron expression of 5 fields; give one such as '0 4 * * *'")
        if len(timetable.description) > _LONGEST_DESCRIPTION:
            raise ValueError(
                f"takes Airflow {len(timetable.description):,} characters to describe, and it stores "
                f"{_LONGEST_DESCRIPTION:,}; write ranges such as 0-29, or steps such as */5"
            )
        return value

    @field_validator("timezone")
    @classmethod
    def _is_a_timezone(cls, value: str) -> str:
        try:
            known = bool(pendulum.timezone(value)) and value not in _NO_ZONES
        except Exception:
            known = False
        if not known:
            zones = available_timezones().difference(_NO_ZONES)
            meant = did_you_mean(value, zones) or "; write one such as UTC or Europe/Berlin"
            raise ValueError(f"is not a time zone{meant}") from None
        return value

    @field_validator("end_date")
    @classmethod
    def _is_after_the_start(cls, value: dt.date | None, info: ValidationInfo) -> dt.date | None:
        start = info.data.get("start_date")
        if value is not None and start is not None and value < start:
            raise ValueError(f"is before start_date {start}")
        return value

    @model_validator(mode="before")
    @classmethod
    def _has_no_schedule_if_events_begin_its_runs(cls, values: Any) -> Any:
        source = values.get("source") if isinstance(values, dict) else None
        if isinstance(source, dict) and source.get("type") == "sqs":
            return {"schedule": None, **values}
        return values

    @field_validator("source")
    @classmethod
    def _begins_runs_in_one_way(cls, value: Any, info: ValidationInfo) -> Any:
        if value.type == "sqs" and info.data.get("schedule") is not None:
            raise ValueError("begins a run when messages arrive, and the feed has a schedule too; remove the schedule")
        return value
