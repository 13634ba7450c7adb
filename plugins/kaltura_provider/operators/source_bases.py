"""Bases of the operators that open sources, and of those that also upload them."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kaltura_provider.operators.base import KalturaOperator
from kaltura_provider.upload.settings import MAX_PARALLELISM, upload_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kaltura_provider.hooks.sources import Sources
    from kaltura_provider.hooks.task_state import ShownProgress
    from kaltura_provider.upload.uploader import Uploader

__all__ = ["SourceOperator", "Uploading"]


class SourceOperator(KalturaOperator):
    """Opens sources.

    :param aws_conn_id: the AWS connection for ``s3://`` sources.
    :param http_conn_id: an HTTP connection whose login, password and headers go with each request to its host.
    """

    template_fields: Sequence[str] = ("aws_conn_id", "http_conn_id", *KalturaOperator.template_fields)

    def __init__(self, *, aws_conn_id: str = "aws_default", http_conn_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.aws_conn_id = aws_conn_id
        self.http_conn_id = http_conn_id

    @cached_property
    def sources(self) -> Sources:
        """The connections that this task opens its sources with."""
        from kaltura_provider.hooks.sources import Sources

        return Sources(aws_conn_id=self.aws_conn_id, http_conn_id=self.http_conn_id)


class Uploading(SourceOperator):
    """Uploads sources, with the settings in ``upload``, and stops when the task is killed."""

    upload: Any
    _killed = False
    _uploader: Uploader | None = None

    def new_uploader(self, progress: ShownProgress, *, workers: int = 1) -> Uploader:
        """Return the uploader of this task.

        :param workers: how many sources it uploads at once. They share the connections of one.
        """
        from kaltura_provider.hooks.observer import AirflowObserver
        from kaltura_provider.upload.uploader import Uploader

        settings = upload_settings(self.upload)
        if settings.parallelism is None and workers > 1:
            settings = replace(settings, parallelism=max(1, MAX_PARALLELISM // workers))
        observer = AirflowObserver(on_chunk=progress.take)
        self._uploader = uploader = Uploader(self.hook.get_conn(), observer=observer, settings=settings)
        if self._killed:
            uploader.cancel()
        return uploader

    def on_kill(self) -> None:
        """Stop sending. The tokens keep what they have, and the next try resumes from there."""
        self._killed = True
        if self._uploader is not None:
            self._uploader.cancel()
