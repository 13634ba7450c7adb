"""The command line: what it prints, writes, refuses and leaves behind."""

from __future__ import annotations

import json
import os
import shlex
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import pytest

from kaltura_sandbox import Control, Sandbox
from kaltura_sandbox.cli import main
from kaltura_sandbox.s3 import S3Server
from tests.until import until


def environment(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    return {name: shlex.split(value)[0] for name, _, value in (line.partition("=") for line in lines)}


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def children(pid: int) -> list[int]:
    text = "".join(path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children"))
    return [int(word) for word in text.split()]


def serve(tmp_path: Path, *extra: str) -> tuple[subprocess.Popen[bytes], dict[str, str]]:
    env_file = tmp_path / "env"
    command = [
        sys.executable,
        "-m",
        "kaltura_sandbox",
        "--port",
        "0",
        "--s3-port",
        "0",
        "--data-dir",
        str(tmp_path / "data"),
    ]
    process = subprocess.Popen([*command, "--env-file", str(env_file), *extra], stdout=subprocess.PIPE)
    until(lambda: env_file.exists() or process.poll() is not None, "the environment file", 60)
    assert process.poll() is None
    return process, environment(env_file)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_both_servers_start_and_end_together(tmp_path: Path, number: signal.Signals) -> None:
    extra = ["--no-samples"] if number == signal.SIGKILL else []
    process, settings = serve(tmp_path, *extra)
    try:
        url = settings["KALTURA_SERVICE_URL"]
        assert url.endswith("/api_v3")
        assert Control(url).state()["live_entries"] == 0
        kaltura = json.loads(settings["AIRFLOW_CONN_KALTURA_DEFAULT"])
        assert kaltura["host"] == url.removesuffix("/api_v3")
        assert kaltura["password"] == settings["KALTURA_ADMIN_SECRET"]
        assert stat.S_IMODE((tmp_path / "env").stat().st_mode) == 0o600
        if not extra:
            samples(settings)
        started = children(process.pid)
        assert started
    finally:
        process.send_signal(number)
        output, _ = process.communicate(timeout=20)
    until(lambda: not any(map(alive, started)), "the end of its programs")
    if number == signal.SIGTERM:
        assert process.returncode == 0
        assert b"partner id 102" in output


def samples(settings: dict[str, str]) -> None:
    s3 = boto3.client(
        "s3",
        endpoint_url=settings["S3_ENDPOINT_URL"],
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
        region_name="us-east-1",
    )
    found = s3.list_objects_v2(Bucket="kaltura-demo", Prefix="incoming/")["Contents"]
    days = {item["Key"].split("/")[1] for item in found}
    assert days == {"2024-03-01", "2024-03-02", "2024-03-03"}
    assert max(item["Size"] for item in found) > 12 << 20
    body = s3.get_object(Bucket="kaltura-demo", Key=found[0]["Key"])["Body"].read()
    assert body[4:8] == b"ftyp"


def test_a_taken_port_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Sandbox() as running:
        port = str(running.config.port)
        status = main(["--no-s3", "--port", port, "--data-dir", str(tmp_path / "d"), "--env-file", str(tmp_path / "e")])
    assert status == 1
    error = capsys.readouterr().err
    assert port in error
    assert "--port" in error
    assert not (tmp_path / "e").exists()


def test_a_second_sandbox_does_not_touch_the_state_of_the_first(tmp_path: Path) -> None:
    with Sandbox(data_dir=tmp_path) as running:
        half_done = running.account.files.temporary_path()
        half_done.write_bytes(b"x")
        with pytest.raises(OSError, match="in use"):
            Sandbox(data_dir=tmp_path, port=running.config.port)
        assert half_done.exists()


def test_nothing_is_offered_to_others_unless_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--host", ".".join("0000"), "--data-dir", str(tmp_path)]) == 1
    assert "--allow-remote" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_faults_from_the_command_line(tmp_path: Path) -> None:
    process, settings = serve(
        tmp_path, "--no-s3", "--fault", "action_blocked,service=media,times=3", "--fault-seed", "1"
    )
    try:
        fault = Control(settings["KALTURA_SERVICE_URL"]).request("GET", "faults")[0]
        assert (fault["kind"], fault["service"], fault["times"]) == ("action_blocked", "media", 3)
        assert "S3_ENDPOINT_URL" not in settings
    finally:
        process.terminate()
        process.communicate(timeout=20)


def test_a_fault_with_an_unknown_code_is_refused_at_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = ["--no-s3", "--port", "0", "--data-dir", str(tmp_path / "d"), "--env-file", str(tmp_path / "e")]
    assert main([*places, "--fault", "error,code=TOO_LARGE"]) == 1
    assert "unknown error code 'TOO_LARGE'" in capsys.readouterr().err
    assert not (tmp_path / "e").exists()


def test_help_explains_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    for word in ("--data-dir", "--final-wait", "reply_lost", "--env-file"):
        assert word in text


def test_the_s3_server_alone(tmp_path: Path) -> None:
    with S3Server(tmp_path) as s3_sandbox:
        client: Any = boto3.client(
            "s3",
            endpoint_url=s3_sandbox.url,
            aws_access_key_id=s3_sandbox.access_key,
            aws_secret_access_key=s3_sandbox.secret_key,
            region_name="us-east-1",
        )
        client.create_bucket(Bucket="box")
        client.put_object(Bucket="box", Key="a b/\u00e4", Body=b"data" * 1000)
        assert client.get_object(Bucket="box", Key="a b/\u00e4", Range="bytes=4-7")["Body"].read() == b"data"
        assert s3_sandbox.client.size("box", "a b/\u00e4") == 4000
        assert s3_sandbox.client.size("box", "nothing") is None


def test_the_s3_server_leaves_nothing_in_tmp(tmp_path: Path) -> None:
    with S3Server(tmp_path / "data") as server:
        sockets = list(server._sockets)
        assert {path.is_socket() for path in sockets} == {True}
    assert not any(path.exists() for path in sockets)


def test_what_another_user_left_in_tmp_does_not_stop_the_s3_server(tmp_path: Path) -> None:
    server = S3Server(tmp_path / "data")
    left = Path(f"/tmp/seaweedfs-s3-{server.port}.sock/not-empty")
    left.mkdir(parents=True)
    try:
        with server:
            server.client.create_bucket("box")
            assert server.client.size("box", "nothing") is None
    finally:
        left.rmdir()
        left.parent.rmdir()


def test_the_fixture_gives_an_empty_server(kaltura_sandbox: Sandbox) -> None:
    assert kaltura_sandbox.control.state()["live_entries"] == 0
    assert os.environ.get("KALTURA_SERVICE_URL") is None


def test_an_in_process_sandbox_starts_fast() -> None:
    with Sandbox():
        pass
    started = time.monotonic()
    with Sandbox() as sandbox:
        assert sandbox.control.state()["live_entries"] == 0
        assert time.monotonic() - started < 1
