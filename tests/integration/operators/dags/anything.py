"""Any action, several in one exchange, and upload tokens by themselves."""

from airflow.sdk import DAG

from kaltura_provider.operators.call import KalturaCallOperator, KalturaMultiRequestOperator
from kaltura_provider.operators.upload import KalturaUploadOperator
from kaltura_provider.operators.upload_tokens import (
    KalturaAddUploadTokenOperator,
    KalturaDeleteUploadTokenOperator,
    KalturaGetUploadTokenOperator,
    KalturaListUploadTokensOperator,
)

with DAG("anything", schedule=None, params={"name": "Made here", "source": ""}) as dag:
    made = KalturaMultiRequestOperator(
        task_id="made",
        requests=[
            {
                "service": "media",
                "action": "add",
                "params": {"entry": {"objectType": "KalturaMediaEntry", "mediaType": 1, "name": "{{ params.name }}"}},
            },
            {"service": "baseEntry", "action": "get", "params": {"entryId": "{1:result:id}"}},
        ],
        fields=["id", "name"],
    )
    name = KalturaCallOperator(
        task_id="name",
        service="media",
        action="get",
        parameters={"entryId": "{{ ti.xcom_pull('made')[1]['id'] }}"},
        result_path="name",
    )
    token = KalturaAddUploadTokenOperator(task_id="token", file_name="clip.mp4")
    upload = KalturaUploadOperator(
        task_id="upload", source="{{ params.source }}", token_id="{{ ti.xcom_pull('token')['token_id'] }}"
    )
    full = KalturaGetUploadTokenOperator(task_id="full", token_id=token.output)
    listed = KalturaListUploadTokensOperator(task_id="listed", statuses=["full_upload"], file_name="clip.mp4")
    deleted = KalturaDeleteUploadTokenOperator(task_id="deleted", token_id=token.output)
    made >> name
    token >> upload >> full >> listed >> deleted
