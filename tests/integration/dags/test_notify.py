"""A run tells people once how it ended, through a notifier of Airflow."""

from __future__ import annotations

import email
import json
import socketserver
import threading
from collections.abc import Iterator

import pytest
from airflow.sdk import BaseNotifier

from kaltura_provider.feeds.files.load import load_feed

SMTP = "airflow.providers.smtp.notifications.smtp.SmtpNotifier"


class Shout(BaseNotifier):
    def __init__(self, text: str = "") -> None:
        super().__init__()

    def notify(self, context: object) -> None:
        pass


class Mailbox(socketserver.ThreadingTCPServer):
    """A mail server that keeps what it gets."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.mails: list[email.message.Message] = []


class _Session(socketserver.StreamRequestHandler):
    timeout = 20

    def handle(self) -> None:
        self._say("220 ready")
        for line in self.rfile:
            command = line[:4].upper().strip()
            if command == b"DATA":
                self._say("354 go on")
                text = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.mails.append(email.message_from_bytes(text))
            if command == b"QUIT":
                return self._say("221 bye")
            self._say("250 ok")
        return None

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    with Mailbox() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        said = {"conn_type": "smtp", "host": "127.0.0.1", "port": server.server_address[1]}
        extra = {"disable_ssl": True, "disable_tls": True, "from_email": "airflow@example.com"}
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps({**said, "extra": extra}))
        yield server
        server.shutdown()
        thread.join(10)


def test_one_mail_a_run_names_what_failed_and_why(deployment, clips, mailbox) -> None:
    uri = deployment.put("a/<b>good</b>.mp4", clips["clip-1.mp4"])
    broken = deployment.put("a/<b>broken</b>.mp4", b"x")
    mail = {"to": "team@example.com", "subject": "{{ run_note }}", "html_content": "{{ run_message | e }}"}
    feed = {
        "name": "news",
        "schedule": None,
        "start_date": "2024-03-01",
        "retries": 0,
        "source": {"type": "urls", "urls": [uri, broken, broken.replace("<b>broken</b>", "absent")], "missing": "fail"},
        "notify": [{"notifier": SMTP, "on": ["failure", "success"], "arguments": mail}],
    }
    ran = deployment.run(deployment.feed(**feed))
    (message,) = mailbox.mails
    (part,) = [part for part in message.walk() if part.get_content_type() == "text/html"]
    text = part.get_payload(decode=True).decode()
    assert ran.state == "failed"
    assert ran.run_id in text
    assert "absent.mp4" in text
    assert "does not exist" in text
    assert "1 new, 2 failed" in text
    assert "<b>" not in text
    assert message["subject"].replace("\n", "").endswith("1 new, 2 failed")
    feed["source"] = {"type": "urls", "urls": [uri]}
    # `dag.test()` keeps the params of a run in the DAG.
    assert deployment.run(deployment.feed(**feed), dry_run=True).state == "success"
    assert len(mailbox.mails) == 1
    assert deployment.run(deployment.feed(**feed)).state == "success"
    assert mailbox.mails[1]["subject"].replace("\n", "").endswith("1 already there")


@pytest.mark.parametrize(
    ("notify", "words"),
    [
        ({"notifier": "smtp"}, "notifier 'smtp' cannot be imported"),
        ({"notifier": "os.system"}, "notifier 'os.system' is not a notifier"),
        ({"notifier": f"{__name__}.Shout", "arguments": {"txt": "x"}}, "argument 'txt' is not known"),
        ({"notifier": SMTP, "on": ["always"]}, "always"),
        (
            {"notifier": SMTP, "on": ["late"], "arguments": {"to": "a@b"}},
            "the feed has no deadline; add how long a run may take: deadline: PT2H",
        ),
    ],
)
def test_a_wrong_notifier_is_named_when_the_feed_is_read(notify: dict[str, object], words: str, tmp_path) -> None:
    path = tmp_path / "news.yaml"
    text = json.dumps(
        {
            "name": "news",
            "start_date": "2024-03-01",
            "source": {"type": "s3_prefix", "uri": "s3://media/a/"},
            "notify": [notify],
        }
    )
    path.write_text(text)
    with pytest.raises(ValueError, match="notify") as caught:
        load_feed(path)
    assert words in str(caught.value)
