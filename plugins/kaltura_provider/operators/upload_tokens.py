"""Upload tokens as tasks: make, read, find and delete them (their bytes: ``KalturaUploadOperator``)."""

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
    """Make an upload token (``uploadToken.add``), for ``KalturaUploadOperator`` to fill or an entry to wait for.

    :param file_name: the file's name; its extension becomes the content's (1 to 256 characters, no path).
    :param file_size: bytes, if known.
    :param durable: remember the token in the task state store, so that the next try does not make another.
    :return: ``{"token_id", "file_name", "status"}``.
    :raises AirflowFailException: an argument is impossible, or Kaltura refuses for good.
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

    :param token_id: the token, or what another operator returned for it.
    :return: ``{"token_id", "status"`` (``pending``, ``partial_upload``, ``full_upload``, ``closed`` ...)``,
        "uploaded"`` (bytes the server counts, one call late)``, "file_name", "file_size", "object_id"`` (what it is
        attached to)``}``, without what is not set.
    :raises AirflowFailException: there is no such token.
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
    """List upload tokens (``uploadToken.list``), the oldest first; however many there are.

    :param statuses: ``pending``, ``partial_upload``, ``full_upload``, ``closed``, or their numbers; by default all.
    :param file_name: only those of this file name (case and accents do not count).
    :param user_id: only those of this user.
    :param output_uri: where a long list goes (``.jsonl``, ``.json``, ``.csv``); XCom then holds the address.
    :param aws_conn_id: the Airflow connection for an ``output_uri`` in S3.
    :return: a list as of :class:`KalturaGetUploadTokenOperator`, or ``{"output_uri", "count"}``.
    :raises AirflowFailException: a status is unknown, or the list is too long for XCom.
    """

    template_fields: Sequence[str] = (
        "statuses",
        "file_name",
        "user_id",
        "output_uri",
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
    """Delete an upload token (``uploadToken.delete``): a late attach of it then fails.

    An entry that still waits for it has no content again; one that has taken its file keeps it. A token that does not
    exist (any more) is fine.

    :param token_id: the token, or what another operator returned for it.
    :return: whether it was there.
    :raises AirflowFailException: Kaltura refuses for good.
    """

    template_fields: Sequence[str] = ("token_id", *KalturaOperator.template_fields)

    def __init__(self, *, token_id: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.token_id = token_id

    def run_in_kaltura(self, context: Context) -> bool:
        """Return whether there was such a token."""
        from kaltura_provider.api.arguments import token_id
        from kaltura_provider.api.errors import KalturaNotFoundError

        try:
            self.hook.get_conn().call(
                "uploadToken", "delete", {"uploadTokenId": token_id(self.token_id)}, repeatable=True
            )
        except KalturaNotFoundError:
            return False
        return True
