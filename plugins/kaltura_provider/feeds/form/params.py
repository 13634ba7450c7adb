"""The fields of the trigger forms: of the DAG for typed sources, and what those of feeds share with it."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param

from kaltura_provider.feeds.planning.interval import DRY_RUN_PARAM

__all__ = [
    "HOW",
    "METADATA_FIELDS",
    "connection_param",
    "dry_run_param",
    "form_params",
    "if_exists_param",
    "transfer_param",
]

METADATA_FIELDS = (
    "name",
    "description",
    "tags",
    "categories",
    "media_type",
    "reference_id",
    "user_id",
    "start_date",
    "end_date",
    "conversion_profile_id",
    "access_control_id",
)
"""The fields of the form that are fields of :class:`~kaltura_provider.services.entry.metadata.EntryMetadata`."""

_MORE = "More about the entries"
HOW = "How to ingest"
"""The section of a form for fields about the run, not about the entries."""
_CONNECTIONS = "Connections"


def form_params() -> dict[str, Param]:
    """Return the params for a DAG that begins with :class:`~kaltura_provider.feeds.tasks.form.KalturaFormOperator`."""
    return _sources() | _entries() | _how() | _connections()


def _sources() -> dict[str, Param]:
    from kaltura_provider.hooks.local_files import folder_policy

    # This only decides what the form says. The worker decides whether a file may be read.
    local = ", file:///path" if folder_policy().folders else ""
    return {
        # A field that may be empty is not shown in red before anybody has typed a word. An empty one fails by name.
        "sources": Param(
            None,
            type=["null", "array"],
            items={"type": "string"},
            title="Sources",
            description=f"One per line: s3://bucket/key, https://host/file{local}, or the address of an object from "
            "the AWS console. Everybody who may see the run can read them; secrets in URLs are encrypted",
        ),
        "recursive": Param(
            False,
            type="boolean",
            title="Include folders",
            description="s3://bucket/folder/ ingests everything below it",
        ),
        "sidecars": Param(
            False,
            type="boolean",
            title="Take sidecar files",
            description="Beside the S3 object talk.mp4, talk.en.srt becomes its caption, talk.jpg its thumbnail, "
            "talk.json its metadata, and every other talk.* an attachment",
        ),
        DRY_RUN_PARAM: dry_run_param(),
    }


def _entries() -> dict[str, Param]:
    return {
        "name": Param(
            "{{ asset.stem }}",
            type="string",
            minLength=1,
            title="Name",
            description="Name of the entries. {{ asset.stem }} is the file name without extension, {{ asset.name }} "
            "with it. All texts can also use {{ asset.key }}, {{ asset.uri }} and the day of the run, {{ ds }}",
        ),
        "tags": _lines("Tags", "One per line"),
        "categories": _lines("Categories", "Full names such as News>Sport, one per line"),
        "description": _text("Description", "Shown with the entries", format="multiline"),
        "media_type": Param(
            None,
            type=["null", "string"],
            enum=[None, "video", "audio", "image", "document", "data"],
            title="Kind",
            description="Leave empty to tell it from the file name and content",
            section=_MORE,
        ),
        "reference_id": _text("Reference id", "Your own id, at least 2 characters, such as {{ asset.stem }}"),
        "user_id": _text("Owner", "Id of the Kaltura user who owns the entries. Leave empty for the connection's user"),
        "start_date": _moment("Publish from", "When the entries become available. Leave empty for at once"),
        "end_date": _moment("Publish until", "When the entries stop being available. Leave empty for never"),
        "conversion_profile_id": _id("Conversion profile", "conversion profile", minimum=-1),
        "access_control_id": _id("Access control", "access control profile", minimum=0),
    }


def _how() -> dict[str, Param]:
    return {
        "transfer": transfer_param("upload"),
        "if_exists": if_exists_param("skip"),
        "wait_for": Param(
            "ready",
            type="string",
            enum=["sent", "ready", "approved"],
            values_display={
                "sent": "Kaltura has the content (do not wait)",
                "ready": "the entries are READY",
                "approved": "the entries are READY and a moderator has approved them",
            },
            title="The run ends when",
            description="Waiting takes no worker slot",
            section=HOW,
        ),
        "flavor_params_ids": Param(
            None,
            type=["null", "array"],
            items={"type": "string"},
            title="Required flavors",
            description="Ids of flavor params that must be ready too, one per line. An item without one fails",
            section=HOW,
        ),
    }


def _connections() -> dict[str, Param]:
    return {
        "kaltura_conn_id": connection_param("kaltura_default", "Kaltura connection", "Of type Kaltura"),
        "aws_conn_id": connection_param(
            "aws_default", "AWS connection", "Of type Amazon Web Services, for s3:// sources"
        ),
        "http_conn_id": connection_param(
            None,
            "HTTP connection",
            "Of type HTTP. Its credentials and headers are sent to its own host. Leave empty for none",
        ),
    }


def connection_param(default: str | None, title: str, description: str) -> Param:
    """Return a param for a connection id. If this deployment lists the allowed connections, the form offers those.

    :param default: the initial value. Without one the field may stay empty.
    """
    from kaltura_provider.hooks.named_connections import allowed_connections

    shown: dict[str, Any] = {"title": title, "description": description, "section": _CONNECTIONS}
    allowed: list[str | None] = [*sorted(allowed_connections())]
    if default is None:
        return Param(None, type=["null", "string"], **shown | ({"enum": [None, *allowed]} if allowed else {}))
    if not allowed:
        return Param(default, type="string", **shown)
    return Param(default if default in allowed else allowed[0], type="string", enum=allowed, **shown)


def dry_run_param() -> Param:
    """Return the param of a run that only shows its plan."""
    return Param(
        False,
        type="boolean",
        title="Dry run",
        description="Transfer nothing. The log of discover shows what a run would do with each item",
    )


def transfer_param(default: str) -> Param:
    """Return the param that chooses who moves the bytes."""
    from kaltura_provider.ingest.settings import Transfer

    return Param(
        default,
        type="string",
        enum=[one.value for one in Transfer],
        values_display={
            "upload": "Upload through a worker",
            "import": "Kaltura fetches it from the URL or from S3",
            "bulk": "The same, by bulk uploads, for very many items",
        },
        title="Transfer",
        description="Kaltura can only fetch what it can reach",
        section=HOW,
    )


def if_exists_param(default: str) -> Param:
    """Return the param that decides about entries with other content."""
    from kaltura_provider.ingest.settings import IfExists

    return Param(
        default,
        type="string",
        enum=[one.value for one in IfExists],
        values_display={"skip": "Keep the entry", "replace": "Replace its content", "fail": "Fail"},
        title="If the entry exists with other content",
        description="The same content is never ingested twice",
        section=HOW,
    )


def _lines(title: str, description: str) -> Param:
    return Param(None, type=["null", "array"], items={"type": "string"}, title=title, description=description)


def _text(title: str, description: str, **more: Any) -> Param:
    return Param(None, type=["null", "string"], title=title, description=description, section=_MORE, **more)


def _moment(title: str, description: str) -> Param:
    return _text(title, description, format="date-time")


def _id(title: str, of: str, *, minimum: int) -> Param:
    return Param(
        None,
        type=["null", "integer"],
        minimum=minimum,
        maximum=2**31 - 1,
        title=title,
        description=f"Id of the {of}. Leave empty for the account's default",
        section=_MORE,
    )
