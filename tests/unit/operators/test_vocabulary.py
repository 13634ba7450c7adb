"""One name for one thing: arguments of operators and sensors, fields of feeds and of the trigger form."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import warnings
from collections.abc import Iterator
from typing import Any

import pydantic
import pytest
from airflow.exceptions import AirflowProviderDeprecationWarning
from airflow.sdk import DAG, BaseOperator
from airflow.sdk.configuration import conf

import kaltura_provider.operators
import kaltura_provider.sensors
from kaltura_provider.feeds import schema
from kaltura_provider.feeds.form.params import form_params
from kaltura_provider.operators.add_from import KalturaAddFromUploadedFileOperator, KalturaAddFromUrlOperator
from kaltura_provider.operators.attach import KalturaAttachOperator
from kaltura_provider.operators.attachments import KalturaAddAttachmentOperator
from kaltura_provider.operators.bulk import KalturaAbortBulkUploadOperator, KalturaBulkResultsOperator
from kaltura_provider.operators.captions import KalturaAddCaptionOperator
from kaltura_provider.operators.content import KalturaAddContentOperator, KalturaUpdateContentOperator
from kaltura_provider.operators.flavors import KalturaGetFlavorOperator, KalturaListFlavorsOperator
from kaltura_provider.operators.ingest import KalturaIngestOperator
from kaltura_provider.operators.prepare import KalturaPrepareOperator
from kaltura_provider.operators.removal import (
    KalturaDeleteEntriesOperator,
    KalturaRecycleEntriesOperator,
    KalturaRestoreEntriesOperator,
)
from kaltura_provider.operators.thumbnails import KalturaAddThumbnailOperator
from kaltura_provider.operators.upload import KalturaUploadOperator
from kaltura_provider.sensors.bulk_job import KalturaBulkJobSensor
from kaltura_provider.sensors.entry import KalturaEntryReadySensor, KalturaFlavorReadySensor, KalturaModerationSensor
from kaltura_provider.sensors.upload_token import KalturaUploadTokenSensor

SHARED = {
    "kaltura_conn_id": "the Airflow connection of type kaltura",
    "aws_conn_id": "the Airflow connection for S3",
    "http_conn_id": "the Airflow HTTP connection",
    "source": "what to ingest: an address, a mapping with uri, an item reference, or a list of these",
    "entry_id": "an entry, or entries where several are possible: ids, or results of operators",
    "token_id": "an upload token: its id, or the result of an operator",
    "asset_id": "a flavor, caption, thumbnail or attachment asset: its id, or the result of an operator",
    "bulk_upload_id": "bulk upload jobs: ids, or results of operators",
    "from_entry_id": "an entry whose content is copied",
    "from_asset_id": "an asset whose content is copied",
    "url": "a URL that Kaltura fetches itself",
    "url_headers": "headers of Kaltura's request for url",
    "text": "the content itself",
    "file_name": "the name of a file",
    "metadata": "fields of entries, in snake case",
    "upload": "settings of uploads",
    "if_exists": "what to do with an item that is in Kaltura with different content",
    "adopt_by": "by what to adopt an entry that others made",
    "redo": "finished items to process again",
    "transfer": "how content gets to Kaltura: upload or import",
    "presigned_seconds": "how long the presigned URL of an S3 object is valid",
    "durable": "whether to remember what the task creates in the task state store",
    "output_uri": "where to write the result instead of XCom",
    "fields": "properties of returned objects, under Kaltura's names",
    "filter": "which entries, under Kaltura's names",
    "statuses": "only objects of these statuses",
    "tags": "only flavors with these tags",
    "rows": "rows of a bulk upload",
    "conversion_profile_id": "a conversion profile",
    "metadata_profile_id": "a metadata profile",
    "storage_profile_id": "a remote storage",
    "user_id": "a Kaltura user",
    "flavor_params_id": "flavor params, 0 for the source",
    "flavor_params_ids": "several flavor params",
    "format": "the format of captions or of an attachment",
    "default": "whether to make it the entry's default",
    "repeatable": "whether a call may safely be repeated",
    "max_entries": "how many entries an action may affect",
    "dry_run_only": "whether to report only what would be done",
    "deferrable": "whether to wait in the triggerer",
    "poke_interval": "seconds between two checks",
    "intervals": "pairs of age and seconds between two checks",
    "allow_failed": "whether a failed object fails the task",
    "stuck_after": "seconds in one status after which an object counts as stuck",
    "fail_when_stuck": "whether a stuck object fails",
    "end_from_trigger": "whether the triggerer ends a successful task",
    "grace": "seconds that an error must last to count as a failure",
}
"""Names that more than one operator or sensor has, with the one meaning of each."""

OWN = frozenset(
    [
        "action",
        "add",
        "allow_failures",
        "allow_partial",
        "allowed_extensions",
        "any_status",
        "caption_label",
        "changes",
        "comments",
        "create_missing",
        "decision",
        "delete",
        "fetch_timeout",
        "file_format",
        "file_size",
        "flag_type",
        "flagged",
        "flavor",
        "flavors",
        "height",
        "kind",
        "language",
        "max_active",
        "minimum",
        "moderation",
        "older_than",
        "on_metadata_change",
        "options",
        "parameters",
        "preflight",
        "remove",
        "replacement",
        "requests",
        "result_path",
        "rows_per_job",
        "second",
        "service",
        "title",
        "values",
        "what",
        "width",
        "with_session",
        "xml",
    ]
)
"""Names that one operator or sensor has."""

OLD: dict[type[BaseOperator], dict[str, str]] = {
    KalturaPrepareOperator: {"assets": "source"},
    KalturaAddFromUrlOperator: {"assets": "source"},
    KalturaIngestOperator: {"assets": "source"},
    KalturaUploadOperator: {"asset": "source"},
    KalturaAttachOperator: {"token": "token_id"},
    KalturaAddFromUploadedFileOperator: {"token": "token_id"},
    KalturaAddContentOperator: {"token": "token_id"},
    KalturaUpdateContentOperator: {"token": "token_id"},
    KalturaAddCaptionOperator: {"token": "token_id"},
    KalturaAddThumbnailOperator: {"token": "token_id"},
    KalturaAddAttachmentOperator: {"token": "token_id"},
    KalturaDeleteEntriesOperator: {"entry_ids": "entry_id"},
    KalturaRecycleEntriesOperator: {"entry_ids": "entry_id"},
    KalturaRestoreEntriesOperator: {"entry_ids": "entry_id"},
    KalturaListFlavorsOperator: {"entry": "entry_id"},
    KalturaGetFlavorOperator: {"flavor": "asset_id"},
    KalturaBulkResultsOperator: {"bulk_upload": "bulk_upload_id"},
    KalturaAbortBulkUploadOperator: {"bulk_upload": "bulk_upload_id"},
    KalturaEntryReadySensor: {"entry": "entry_id"},
    KalturaFlavorReadySensor: {"entry": "entry_id"},
    KalturaModerationSensor: {"entry": "entry_id"},
    KalturaUploadTokenSensor: {"upload_token": "token_id"},
    KalturaBulkJobSensor: {"bulk_upload": "bulk_upload_id"},
}
"""Former names of arguments, which are still accepted."""


def arguments(kind: type[BaseOperator]) -> dict[str, inspect.Parameter]:
    """Return the arguments of an operator that this package adds to Airflow's."""
    return {
        name: parameter
        for parent in reversed(kind.__mro__)
        if parent.__module__.startswith("kaltura_provider") and "__init__" in vars(parent)
        for name, parameter in inspect.signature(parent.__init__).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }


def operators() -> Iterator[type[BaseOperator]]:
    for package in (kaltura_provider.operators, kaltura_provider.sensors):
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            for _, kind in inspect.getmembers(importlib.import_module(found.name), inspect.isclass):
                if kind.__module__ == found.name and issubclass(kind, BaseOperator):
                    yield kind


def test_each_argument_is_in_the_vocabulary() -> None:
    used = {name for kind in operators() for name in arguments(kind)}
    assert used == SHARED.keys() | OWN


def test_connections_are_templates_everywhere() -> None:
    fixed = [
        f"{kind.__name__}.{name}"
        for kind in operators()
        for name in arguments(kind)
        if name.endswith("_conn_id") and name not in kind.template_fields
    ]
    assert fixed == []


def test_feeds_and_the_form_use_no_former_name() -> None:
    former = {old for renamed in OLD.values() for old in renamed} - OWN
    models = [kind for _, kind in inspect.getmembers(schema, inspect.isclass) if issubclass(kind, pydantic.BaseModel)]
    fields = {name for model in models for name in model.model_fields} | form_params().keys()
    assert {"if_exists", "transfer", "source", "metadata", "upload"} <= fields
    assert fields & former == set()


@pytest.mark.parametrize(
    ("kind", "old", "new"), [(kind, old, new) for kind, renamed in OLD.items() for old, new in renamed.items()]
)
def test_a_former_name_is_accepted_with_a_warning(kind: type[BaseOperator], old: str, new: str) -> None:
    others = {
        name: "1" for name, given in arguments(kind).items() if given.default is given.empty and name not in (new, old)
    }
    with DAG("d", schedule=None) as dag:
        before = BaseOperator(task_id="before")
        with pytest.warns(AirflowProviderDeprecationWarning, match=f"argument {old} of {kind.__name__} .* use {new}"):
            plain = kind(task_id="plain", **others, **{old: before.output})
        kind.partial(task_id="expanded", **others).expand(**{old: before.output})
        with pytest.warns(AirflowProviderDeprecationWarning, match=f"use {new}"):
            partial = kind.partial(task_id="mapped", **{old: before.output})
        partial.expand(kaltura_conn_id=["k"], **{name: ["1"] for name in others})
    assert getattr(plain, new) is before.output or getattr(plain, new).operator is before
    assert dag.get_task("before").downstream_task_ids == {"plain", "expanded", "mapped"}
    expanded: Any = dag.get_task("expanded")
    with pytest.warns(AirflowProviderDeprecationWarning, match=f"use {new}"):
        assert getattr(expanded.unmap({**expanded.partial_kwargs, old: "x"}), new) == "x"


def test_the_new_names_give_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind, renamed in OLD.items():
            others = {name: "1" for name, given in arguments(kind).items() if given.default is given.empty}
            for new in renamed.values():
                assert getattr(kind(task_id="task", **{**others, new: "x"}), new) == "x"


def test_both_names_at_once_are_refused() -> None:
    with pytest.raises(TypeError, match="got entry and entry_id"):
        KalturaListFlavorsOperator(task_id="task", **{"entry": "0_a", "entry_id": "0_a"})


def test_a_missing_argument_is_named_by_its_new_name() -> None:
    with pytest.raises(TypeError, match="missing keyword argument 'token_id'"):
        KalturaAttachOperator(task_id="task")


def test_sensors_wait_where_airflow_says() -> None:
    expected = conf.getboolean("operators", "default_deferrable")
    assert KalturaEntryReadySensor(task_id="task", entry_id="0_a").deferrable is expected
