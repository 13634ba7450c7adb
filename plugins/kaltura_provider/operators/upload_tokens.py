"""Creates, reads, lists and deletes upload tokens; ``KalturaUploadOperator`` fills them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaltura_provider.hooks.output import check_output, collect
from kaltura_provider.hooks.task_state import TaskMemory, request_key
from kaltura_provider.operators.base import KalturaOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

__all__ = [
    "KalturaAddUploadTokenOperator",
    "KalturaDeleteUploadTokenOperator",
    "KalturaGetUploadTokenOperator",
    "KalturaListUploadTokensOperator",
]


class KalturaAddUploadTokenOperator(KalturaOperator):
    """Create an upload token (``uploadToken.add``) for an upload to fill or an entry to wait for.

    :param file_name: the file's name, 1 to 256 characters without a path. The content gets its extension.
    :param file_size: bytes, if known.
    :param durable: whether to remember what the task creates in the task state store, for its next try.
    :return: ``{"token_id", "file_name", "status", "status_number"}``.
    :raises AirflowFailException: an argument is not allowed, or Kaltura refuses permanently.
    """

    template_fields: Sequence[str] = ("file_name", "file_size", *KalturaOperator.template_fields)

    def __init__(
        self, *, file_name: str, file_size: int | str | None = None, durable: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.file_name = file_name
        self.file_size = file_size
        self.durable = durable

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return the token."""
        from kaltura_provider.api.arguments import number
        from kaltura_provider.services.upload_token import add_token, read_token

        size = None if self.file_size in (None, "") else number(self.file_size, "file_size", minimum=1)
        memory = TaskMemory(context, "kaltura_tokens", enabled=self.durable)
        token = memory.find_or_make(
            request_key(self.kaltura_conn_id, self.file_name, size),
            lambda made: read_token(self.hook.get_conn(), made),
            lambda: add_token(self.hook.get_conn(), self.file_name, size),
            lambda token: token.id,
        )
        return token.shown()


class KalturaGetUploadTokenOperator(KalturaOperator):
    """Read an upload token (``uploadToken.get``).

    :param token_id: an upload token: its id, or the result of an operator that has one.
    :return: ``{"token_id", "status"`` (``pending``, ``partial_upload``, ``full_upload``, ``closed`` ...)``,
        "status_number", "uploaded"`` (bytes, as of the call before the last)``, "file_name", "file_size", "object_id"``
        (the object it is attached to)``}``, without what is not set.
    :raises AirflowFailException: the token does not exist.
    """

    template_fields: Sequence[str] = ("token_id", *KalturaOperator.template_fields)

    def __init__(self, *, token_id: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.token_id = token_id

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return the token."""
        from kaltura_provider.api.arguments import token_id
        from kaltura_provider.services.upload_token import read_token

        return read_token(self.hook.get_conn(), token_id(self.token_id)).shown()


class KalturaListUploadTokensOperator(KalturaOperator):
    """List upload tokens by status, file name or user (``uploadToken.list``), oldest first.

    :param statuses: ``pending``, ``partial_upload``, ``full_upload``, ``closed``, or their numbers. Default: all.
    :param file_name: only tokens of this file name (ignoring case and accents).
    :param user_id: only tokens of this user.
    :param output_uri: where to write the result instead of XCom: a file or S3 object (``.jsonl``, ``.json``, ``.csv``).
    :param aws_conn_id: the Airflow connection for an ``output_uri`` in S3.
    :return: a list of tokens as :class:`KalturaGetUploadTokenOperator` returns them, or ``{"output_uri", "count"}``.
    :raises AirflowFailException: a status is unknown, or the list is too long for XCom.
    """

    template_fields: Sequence[str] = (
        "statuses",
        "file_name",
        "user_id",
        "output_uri",
        "aws_conn_id",
        *KalturaOperator.template_fields,
    )

    def __init__(
        self,
        *,
        statuses: Sequence[Any] = (),
        file_name: str | None = None,
        user_id: str | None = None,
        output_uri: str | None = None,
        aws_conn_id: str = "aws_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.statuses = statuses
        self.file_name = file_name
        self.user_id = user_id
        self.output_uri = output_uri
        self.aws_conn_id = aws_conn_id

    def run_in_kaltura(self, context: Context) -> Any:
        """Return the tokens, or where they are."""
        from kaltura_provider.services.upload_token import list_tokens

        check_output(self.output_uri)
        tokens = list_tokens(self.hook.get_conn(), self.statuses, file_name=self.file_name, user_id=self.user_id)
        return collect((token.shown() for token in tokens), self.output_uri, aws_conn_id=self.aws_conn_id)


class KalturaDeleteUploadTokenOperator(KalturaOperator):
    """Delete an upload token (``uploadToken.delete``), so that nothing can be attached to it any more.

    An entry that still waits for the token has no content again; an entry that already took its file keeps it. A token
    that does not exist is not an error.

    :param token_id: an upload token: its id, or the result of an operator that has one.
    :return: ``{"token_id", "deleted"}``; ``deleted`` is false if there was no such token.
    :raises AirflowFailException: Kaltura refuses permanently.
    """

    template_fields: Sequence[str] = ("token_id", *KalturaOperator.template_fields)

    def __init__(self, *, token_id: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.token_id = token_id

    def run_in_kaltura(self, context: Context) -> dict[str, Any]:
        """Return whether the token existed."""
        from kaltura_provider.api.arguments import token_id
        from kaltura_provider.api.errors import KalturaNotFoundError

        token = token_id(self.token_id)
        try:
            self.hook.get_conn().call("uploadToken", "delete", {"uploadTokenId": token}, repeatable=True)
        except KalturaNotFoundError:
            return {"token_id": token, "deleted": False}
        return {"token_id": token, "deleted": True}
