from __future__ import annotations

import traceback
from typing import Any, ClassVar

import pytest
from airflow.sdk import RetryAction
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException
from jinja2 import TemplateSyntaxError, UndefinedError
from requests.exceptions import JSONDecodeError

from kaltura_provider.api.errors import KalturaConfigurationError, KalturaTransportError, TransportFault, api_error
from kaltura_provider.hooks.border import FAILURE_KEY, KalturaRetryPolicy, airflow_errors, retry_helps
from kaltura_provider.upload.errors import GoneReason, TokenGone
from kaltura_provider.upload.sources.errors import SourceNotFound, SourceUnavailable

FINAL = [
    KalturaConfigurationError("login", "x", "is no partner id", "give a number"),
    api_error("ENTRY_ID_NOT_FOUND"),
    api_error("SERVICE_FORBIDDEN"),
    KalturaTransportError("bad certificate", fault=TransportFault.TLS),
    SourceNotFound("s3://a/b", "there is no such object"),
    TokenGone("0_x", GoneReason.REFUSED),
]
PASSING = [
    api_error("INTERNAL_SERVERL_ERROR"),
    api_error("ACTION_BLOCKED"),
    KalturaTransportError("cut", fault=TransportFault.CUT),
    SourceUnavailable("s3://a/b", "S3 answered 503"),
    TokenGone("0_x", GoneReason.EXPIRED),
    RuntimeError("something else"),
]


@pytest.mark.parametrize("error", FINAL, ids=str)
def test_what_no_retry_helps_fails_at_once(error: Exception) -> None:
    assert not retry_helps(error)
    with pytest.raises(AirflowFailException) as caught, airflow_errors():
        raise error
    assert str(caught.value) == str(error)
    assert KalturaRetryPolicy().evaluate(error, 1, 5).action is RetryAction.FAIL


@pytest.mark.parametrize("error", PASSING, ids=str)
def test_what_may_pass_is_retried(error: Exception) -> None:
    assert retry_helps(error)
    with pytest.raises(type(error)), airflow_errors():
        raise error
    assert KalturaRetryPolicy().evaluate(error, 1, 5).action is RetryAction.DEFAULT


def test_the_policy_survives_the_way_to_the_scheduler() -> None:
    from airflow.sdk import DAG, BaseOperator
    from airflow.serialization.serialized_objects import DagSerialization

    with DAG("d", schedule=None) as dag:
        BaseOperator(task_id="t", retries=2, retry_policy=KalturaRetryPolicy())
    assert DagSerialization.from_dict(DagSerialization.to_dict(dag)).get_task("t").retries == 2


def test_a_long_reason_is_cut_off_between_tasks() -> None:
    stored: dict[str, Any] = {}

    class Instance:
        map_index = 0

        def xcom_push(self, key: str, value: Any) -> None:
            stored[key] = value

    with pytest.raises(AirflowFailException, match=r"^x{100000}$"), airflow_errors({"ti": Instance()}):  # type: ignore[arg-type,typeddict-item]
        raise AirflowFailException("x" * 100_000)
    assert stored[FAILURE_KEY]["reason"] == "x" * 4000 + "... (the log has all of it)"


AUTHORS = [
    ValueError("chunk_size is no number"),
    TypeError("unexpected keyword argument 'x'"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    UndefinedError("'ds' is undefined"),
    TemplateSyntaxError("unexpected '}'", 1),
    AirflowNotFoundException("The conn_id `x` isn't defined"),
]


@pytest.mark.parametrize("error", AUTHORS, ids=lambda error: type(error).__name__)
def test_what_the_author_wrote_wrong_is_not_tried_again(error: Exception) -> None:
    assert not retry_helps(error)
    with pytest.raises(AirflowFailException) as caught, airflow_errors():
        raise error
    assert str(error) in str(caught.value)


def test_an_error_says_itself_whether_a_retry_helps_whatever_its_class() -> None:
    class Passing(ValueError):
        retry_helps = True

    assert retry_helps(Passing())
    # requests calls a broken answer a ValueError, too.
    assert retry_helps(JSONDecodeError("Expecting value", "", 0))


def test_words_without_the_class_say_too_little_of_what_nobody_foresaw() -> None:
    with pytest.raises(AirflowFailException, match=r"^TypeError: object of type") as caught, airflow_errors():
        len(5)  # type: ignore[arg-type]
    assert isinstance(caught.value.__cause__, TypeError)


@pytest.mark.parametrize("error", [FINAL[0], PASSING[0]], ids=["final", "passing"])
def test_a_foreseen_error_comes_with_a_short_traceback(error: Exception) -> None:
    def deep(depth: int) -> None:
        if depth:
            deep(depth - 1)
        try:
            raise KeyError("some inner reason")
        except KeyError as inner:
            raise error from inner

    with pytest.raises(Exception, match=r".") as caught, airflow_errors():
        deep(20)
    shown = "".join(traceback.format_exception(caught.value))
    assert "in deep" not in shown
    assert "KeyError" not in shown


def test_the_reason_of_a_whole_task_is_left_for_the_summary_without_secrets() -> None:
    class Instance:
        map_index = 4
        pushed: ClassVar[dict[str, Any]] = {}

        def xcom_push(self, key: str, value: Any) -> None:
            self.pushed[key] = value

    context: Any = {"ti": Instance()}
    with pytest.raises(AirflowFailException), airflow_errors(context):
        raise ValueError("cannot read https://h/a.mp4?X-Amz-Signature=0123456789abcdef")
    failure = Instance.pushed[FAILURE_KEY]
    assert (failure["map_index"], failure["retry_helps"]) == (4, False)
    assert "0123456789abcdef" not in failure["reason"]
