"""Calls any action of Kaltura's API, one or several per request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.output import check_output, collect
from kaltura_provider.operators.base import KalturaOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

__all__ = ["KalturaCallOperator", "KalturaMultiRequestOperator"]

_MOST_BYTES = 256 * 1024


class KalturaCallOperator(KalturaOperator):
    """Call any action of Kaltura's API, with the connection's session, retries and error handling.

    After a network error, calls that only read (``get...``, ``list...``, ``count``) are repeated; others only if
    Kaltura certainly did not carry them out. A retry of the task calls again.

    :param service: such as ``media``, ``baseEntry``, ``caption_captionAsset``, ``elasticsearch_esearch``.
    :param action: such as ``get``, ``list``.
    :param parameters: the action's parameters under Kaltura's names. Objects are mappings (with ``objectType``);
        ``None`` leaves a parameter out.
    :param result_path: the part of the answer to return, such as ``objects.0.id``. Default: all of it.
    :param fields: only these properties of the returned objects, under Kaltura's names.
    :param output_uri: where to write the result instead of XCom: a file or S3 object (``.jsonl``, ``.json``, ``.csv``).
    :param repeatable: whether the call may safely be repeated. Default: decided by the action's name.
    :param aws_conn_id: the Airflow connection for an ``output_uri`` in S3.
    :return: the answer as JSON values under Kaltura's names, with secrets hidden; with ``output_uri``,
        ``{"output_uri", "count"}``.
    :raises AirflowFailException: an argument is malformed, the part does not exist, or Kaltura refuses permanently.
    """

    template_fields: Sequence[str] = (
        "service",
        "action",
        "parameters",
        "result_path",
        "fields",
        "output_uri",
        "aws_conn_id",
        *KalturaOperator.template_fields,
    )
    template_fields_renderers = {"parameters": "json"}  # noqa: RUF012 - Airflow's own form

    def __init__(
        self,
        *,
        service: str,
        action: str,
        parameters: Mapping[str, Any] | None = None,
        result_path: str | None = None,
        fields: Sequence[str] | None = None,
        output_uri: str | None = None,
        repeatable: bool | None = None,
        aws_conn_id: str = "aws_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.service = service
        self.action = action
        self.parameters = parameters
        self.result_path = result_path
        self.fields = fields
        self.output_uri = output_uri
        self.repeatable = repeatable
        self.aws_conn_id = aws_conn_id

    def run_in_kaltura(self, context: Context) -> Any:
        """Return the answer, or where it is."""
        from kaltura_provider.api.answers import pick, select
        from kaltura_provider.api.errors import KalturaConfigurationError
        from kaltura_provider.api.requests import check_call

        check_call(self.service, self.action)
        check_output(self.output_uri)
        if not isinstance(self.parameters, dict | None):
            raise KalturaConfigurationError("parameters", str(self.parameters), "is not a mapping", "give name: value")
        answer = self.hook.get_conn().call(self.service, self.action, self.parameters, repeatable=self.repeatable)
        value = pick(select(answer, self.result_path), self.fields)
        if not self.output_uri:
            return _small(value)
        rows = value.get("objects") if isinstance(value, dict) and "objects" in value else value
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise KalturaConfigurationError(
                "output_uri", self.output_uri, "takes a list of objects", "set result_path to one, or no output_uri"
            )
        return collect(rows, self.output_uri, fields=self.fields, aws_conn_id=self.aws_conn_id)


class KalturaMultiRequestOperator(KalturaOperator):
    """Make several API calls in one request (``multirequest``); later calls can use results of earlier ones.

    It is not atomic: every call runs, even if an earlier one fails.

    :param requests: mappings of ``service``, ``action`` and ``params``. A value ``"{1:result:id}"`` stands for the
        ``id`` of the first call's result, ``"{2:result:objects:0:id}"`` for that of the second call's first object.
    :param repeatable: whether all calls may safely be made twice.
    :param allow_failures: whether a failed call gives ``{"error": code, "message": text}`` instead of failing the task.
    :param fields: only these properties of the returned objects, under Kaltura's names.
    :return: the results in order, under Kaltura's names, with secrets hidden.
    :raises AirflowFailException: a request is malformed or refers to a later one, or Kaltura refuses a call
        permanently.
    """

    template_fields: Sequence[str] = ("requests", "fields", *KalturaOperator.template_fields)
    template_fields_renderers = {"requests": "json"}  # noqa: RUF012 - Airflow's own form

    def __init__(
        self,
        *,
        requests: Sequence[Mapping[str, Any]],
        repeatable: bool = False,
        allow_failures: bool = False,
        fields: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.requests = requests
        self.repeatable = repeatable
        self.allow_failures = allow_failures
        self.fields = fields

    def run_in_kaltura(self, context: Context) -> list[Any]:
        """Return the results."""
        from kaltura_provider.api.answers import pick, select
        from kaltura_provider.api.errors import KalturaAPIError
        from kaltura_provider.api.wire import first_error

        results = self.hook.multirequest(self.requests, repeatable=self.repeatable)
        error = first_error(results)
        if error is not None and not self.allow_failures:
            raise error
        values = [
            {"error": value.code, "message": value.message}
            if isinstance(value, KalturaAPIError)
            else pick(select(value, None), self.fields)
            for value in results
        ]
        return list(_small(values))


def _small(value: Any) -> Any:
    """Return a value that is small enough for XCom."""
    size = len(json.dumps(value))
    if size > _MOST_BYTES:
        from kaltura_provider.api.errors import KalturaConfigurationError

        fix = "choose fields or result_path, or give output_uri"
        raise KalturaConfigurationError("answer", f"of {size} bytes", "is too long for XCom", fix)
    return value
