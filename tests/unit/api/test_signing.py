"""One object signed twice is one object, whoever signed it; and no field that selects content counts as signature."""

from __future__ import annotations

from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

from kaltura_provider.api.signing import SIGNERS, is_secret_name, public_query, unsigned_query
from kaltura_provider.ingest.identity import item_id

# Of each signer two signings of one object, without the part before the "?".
SIGNINGS = {
    "AWS signature 4": (
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA1%2F20250101%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20250101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=aa11",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ASIA2%2F20250102%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20250102T000000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Security-Token=T%2Fb%3D"
        "&X-Amz-Signature=bb22&x-id=GetObject",
    ),
    "AWS signature 2": (
        "AWSAccessKeyId=AKIA1&Signature=a%2Bb%3D&Expires=1700000000",
        "AWSAccessKeyId=ASIA2&Signature=c%3D&x-amz-security-token=Fwo%2F&Expires=1700009999",
    ),
    "CloudFront": (
        "Expires=1700000000&Signature=ab~c__&Key-Pair-Id=K1",
        "Policy=eyJT_&Signature=cd~e__&Key-Pair-Id=K2&Hash-Algorithm=SHA256",
    ),
    "Google Cloud Storage, version 4": (
        "X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=a%40b%2F1&X-Goog-Date=1&X-Goog-Expires=60"
        "&X-Goog-SignedHeaders=host&X-Goog-Signature=aa",
        "X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=a%40b%2F2&X-Goog-Date=2&X-Goog-Expires=70"
        "&X-Goog-SignedHeaders=host&X-Goog-Signature=bb",
    ),
    "Google Cloud Storage, version 2": (
        "GoogleAccessId=a%40b&Expires=1700000000&Signature=aa%3D",
        "GoogleAccessId=a%40b&Expires=1700000001&Signature=bb%3D",
    ),
    "Google Cloud CDN": (
        "Expires=1700000000&KeyName=k&Signature=aa=",
        "URLPrefix=aHR0cHM&Expires=1700000001&KeyName=k2&Signature=bb=",
    ),
    "Google Media CDN": ("Edge-Cache-Token=Expires=1~Signature=aa", "Edge-Cache-Token=Expires=2~Signature=bb"),
    "Azure shared access signature": (
        "sv=2022-11-02&st=2025-01-01T00%3A00%3A00Z&se=2025-01-02T00%3A00%3A00Z&sr=b&sp=r&sig=aa%3D",
        "sv=2022-11-02&ss=b&srt=o&spr=https&se=2025-01-03&sp=rl&sip=1.2.3.4&skoid=1&sktid=2&skt=3&ske=4&sks=b&skv=5"
        "&saoid=6&scid=7&sig=bb%3D",
    ),
    "Alibaba OSS, version 1": (
        "OSSAccessKeyId=LTAI1&Expires=1700000000&Signature=aa%3D",
        "OSSAccessKeyId=STS.2&Expires=1700000001&Signature=bb%3D&security-token=CAIS",
    ),
    "Alibaba OSS, version 4": (
        "x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-credential=a&x-oss-date=1&x-oss-expires=60&x-oss-signature=aa",
        "x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-credential=b&x-oss-date=2&x-oss-expires=61"
        "&x-oss-security-token=CAIS&x-oss-additional-headers=host&x-oss-signature=bb",
    ),
    "Tencent COS": (
        "q-sign-algorithm=sha1&q-ak=A1&q-sign-time=1;2&q-key-time=1;2&q-header-list=host&q-url-param-list=&q-signature=a",
        "q-sign-algorithm=sha1&q-ak=A2&q-sign-time=3;4&q-key-time=3;4&q-header-list=host&q-url-param-list="
        "&q-signature=b&x-cos-security-token=t",
    ),
    "Huawei OBS": (
        "AccessKeyId=A1&Expires=1700000000&Signature=aa%3D",
        "AccessKeyId=A2&Expires=1700000001&x-obs-security-token=t&Signature=bb%3D",
    ),
    "Akamai": ("hdnea=st=1~exp=2~acl=/*~hmac=aa11", "hdnts=exp=3~acl=/*~hmac=bb22"),
    "this package, at rest": ("kaltura-sealed=gAAA", "kaltura-sealed=gBBB"),
    "expiring token": ("token=abc&expires=1700000000", "token=def&expires=1700000001&token_path=%2Fv%2F"),
    "expiring signature": ("expires=1&signature=aa", "expires=2&signature=bb"),
    "signature": ("signature=aa", "signature=bb"),
    "signature, short": ("sig=aa", "sig=bb"),
    "Akamai under a name of its own": (
        "auth=exp=1~acl=%2f*~hmac=0123456789abcdef0123456789abcdef",
        "auth=exp=2~acl=%2f*~hmac=fedcba9876543210fedcba9876543210",
    ),
    "Akamai, percent-encoded": ("__token__=exp%3D1~hmac%3Daa", "__token__=exp%3D2~hmac%3Dbb"),
    "Fastly": (
        "token=1441307151_4492f25946a2e8e1414a8bb53dab8a6ba1cf4615",
        "token=55e9aa8f_0x1492f25946a2e8e1414a8bb53dab8a6ba1cf4615",
    ),
}


def test_there_is_a_pair_of_signings_for_every_signer() -> None:
    assert {signer.service for signer in SIGNERS} <= set(SIGNINGS)


@pytest.mark.parametrize("service", SIGNINGS)
@pytest.mark.parametrize("content", ["", "versionId=3", "x-oss-process=video%2Fsnapshot", "generation=7&snapshot=2"])
def test_signed_twice_it_is_one_object(service: str, content: str) -> None:
    first, second = SIGNINGS[service]
    before, after = f"{content}&{first}".strip("&"), f"{second}&{content}".strip("&")
    assert unsigned_query(before) == unsigned_query(after) == content
    assert item_id(f"https://h/a.mp4?{before}") == item_id(f"https://h/a.mp4?{after}")
    assert item_id(f"https://h/a.mp4?{before}") == item_id("https://h/a.mp4" + (f"?{content}" if content else ""))


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_what_boto3_presigns_with_temporary_credentials_is_one_object(version: str) -> None:
    def presigned(token: str) -> str:
        client = boto3.client(
            "s3",
            region_name="us-east-1",
            aws_access_key_id=f"ASIA{token}",
            aws_secret_access_key="secret",
            aws_session_token=f"session/{token}==",
            config=Config(signature_version=version),
        )
        url: str = client.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "a b.mp4"}, ExpiresIn=60)
        assert token in url
        return url

    first, second = presigned("ONE"), presigned("TWO")
    assert urlsplit(first).query != urlsplit(second).query
    assert item_id(first) == item_id(second)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("expires=1", "expires=2"),
        ("st=1&sr=b", "st=2&sr=b"),
        ("policy=gold", "policy=free"),
        ("token=episode-1", "token=episode-2"),
        ("token=1_2", "token=1_3"),
        ("keyname=1", "keyname=2"),
        ("x-oss-process=a&x-oss-signature=s", "x-oss-process=b&x-oss-signature=s"),
        ("policy=gold&signature=a", "policy=free&signature=a"),
        ("versionId=1&X-Amz-Signature=a", "versionId=2&X-Amz-Signature=a"),
        ("snapshot=1&sv=1&sig=a", "snapshot=2&sv=1&sig=a"),
    ],
)
def test_what_selects_content_counts(one: str, other: str) -> None:
    assert item_id(f"https://h/a.mp4?{one}") != item_id(f"https://h/a.mp4?{other}")


def test_what_anybody_may_read_of_a_query() -> None:
    assert public_query("v=2&token=abc&X-Amz-Signature=a&X-Amz-Date=1&api_key=k") == "v=2"


@pytest.mark.parametrize(
    "name",
    ["Token", "X-Api-Key", "api_key", "apiKey", "Authorization", "proxy-authorization", "Set-Cookie", "KS",
     "adminSecret", "storage_password", "X-Amz-Credential", "Policy", "hdnea", "__token__",
     "access.token", "aws_secret_access_key"],
)  # fmt: skip
def test_secret_names_in_every_spelling(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["key", "disks", "upload_token", "uploadTokenId", "TOKEN_ID", "expires", "id"])
def test_names_of_what_everybody_may_see(name: str) -> None:
    assert not is_secret_name(name)
