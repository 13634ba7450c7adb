from __future__ import annotations

import io
import sys

import pytest

from kaltura_provider.cli.progress import shown_progress
from kaltura_provider.upload.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def progress(sent: int) -> Progress:
    return Progress("token", "[bold]film\x1b[2J.mp4", 1000, sent, sent, 1.0, 100.0, 1, 1000)


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_goes_to_standard_error_as_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], terminal: bool
) -> None:
    stream = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    with shown_progress() as tell:
        for sent in (0, 500, 1000):
            tell(progress(sent))
    text = stream.getvalue()
    assert "[bold]film\\x1b[2J.mp4" in text
    assert ("\x1b" in text) is terminal
    assert capsys.readouterr().out == ""
    if not terminal:
        assert [line.partition(",")[0] for line in text.splitlines()] == [
            "[bold]film\\x1b[2J.mp4: 500 of 1000 bytes (50 %)",
            "[bold]film\\x1b[2J.mp4: 1000 of 1000 bytes (100 %)",
        ]
