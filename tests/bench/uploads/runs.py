"""One measured upload by one contestant, verified by checksum on the server."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from kaltura_provider.upload.checksum import crc32c

CONTESTANTS = str(Path(__file__).resolve().parent / "contestants.py")
MIB = 1 << 20


@dataclass(frozen=True)
class Content:
    """A file that is uploaded, with its checksum."""

    path: Path
    size: int
    crc: int

    @classmethod
    def make(cls, path: Path, size: int) -> Content:
        """Write ``size`` bytes, no two MiB alike."""
        block = bytes(range(256)) * 4096
        crc = 0
        with path.open("wb") as file:
            for number in range(size // MIB):
                data = number.to_bytes(8, "big") + block[8 + number % 251 :] + block[: number % 251]
                crc = crc32c(data, crc)
                file.write(data)
        return cls(path, path.stat().st_size, crc)


@dataclass
class Series:
    """Repeated measurements of one contestant."""

    name: str
    size: int
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    growth: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Median bytes a second."""
        return self.size / statistics.median(self.seconds)

    @property
    def cpu_per_gib(self) -> float:
        """Median processor seconds for a GiB."""
        return statistics.median(self.cpu) * (1 << 30) / self.size

    def times(self, other: Series) -> float:
        """Return how many times as fast as another this one was: the median of rounds that ran side by side."""
        return statistics.median(
            (self.size / mine) / (other.size / others) for mine, others in zip(self.seconds, other.seconds, strict=True)
        )

    def cpu_share(self, other: Series) -> float:
        """Return the processor time for a byte against another's, likewise."""
        return statistics.median(
            (mine / self.size) / (others / other.size) for mine, others in zip(self.cpu, other.cpu, strict=True)
        )

    def row(self) -> str:
        """One line of the table."""
        rates = sorted(self.size / seconds / 1e6 for seconds in self.seconds)
        return (
            f"{self.name:34} {self.size // MIB:5} MiB {self.rate / 1e6:9.1f} MB/s"
            f"  [{rates[0]:7.1f} .. {rates[-1]:7.1f}]"
            f" {self.cpu_per_gib:7.2f} CPU s/GiB {max(self.growth, default=0) / MIB:8.1f} MiB growth"
        )


def ask(sink: str, service: str, action: str, **params: str) -> dict[str, object]:
    """Call the sink."""
    query = "&".join(f"{name}={value}" for name, value in {"format": "1", **params}.items())
    with urllib.request.urlopen(f"{sink}/api_v3/service/{service}/action/{action}?{query}", b"", timeout=30) as reply:
        return dict(json.load(reply))


def verify(sink: str, token: str, content: Content) -> None:
    """Fail unless the token holds the content, whole and finished."""
    found = ask(sink, "bench", "crc", uploadTokenId=token)
    if found != {"size": content.size, "crc": content.crc, "status": 2}:
        raise RuntimeError(f"token {token} holds {found}, not {content.size} bytes with CRC-32C {content.crc}")


def run_peer(
    series: Series, python: str, sink: str, url: str, content: Content, contestant: str, *options: str
) -> None:
    """Let a Python contestant upload once."""
    command = [python, CONTESTANTS, contestant, url, "--file", str(content.path), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise RuntimeError(f"{series.name} failed: {done.stderr[-2000:]}")
    *printed, last = done.stdout.strip().splitlines()
    report = json.loads(last)
    verify(sink, report["token"] or printed[-1], content)
    series.seconds.append(report["seconds"])
    series.cpu.append(report["cpu"])
    series.growth.append(report["growth"])


def run_engine(series: Series, sink: str, url: str, content: Content, *options: str) -> None:
    """Let this project's engine upload once."""
    run_peer(series, sys.executable, sink, url, content, "engine", *options)


def run_shell(series: Series, sink: str, url: str, content: Content, command: str) -> None:
    """Let a shell command upload once; ``{upload}`` in it becomes the address."""
    token = str(ask(sink, "uploadtoken", "add")["id"])
    address = f"{url}/api_v3/service/uploadtoken/action/upload?format=1&uploadTokenId={token}"
    cpu, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(["sh", "-c", command.replace("{upload}", address)], check=True, timeout=120)
    series.seconds.append(time.perf_counter() - began)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    series.cpu.append(after.ru_utime + after.ru_stime - cpu.ru_utime - cpu.ru_stime)
    verify(sink, token, content)


def run_parallel_curl(series: Series, sink: str, url: str, contents: Sequence[Content]) -> None:
    """Let one curl per content upload at the same time: what the line gives."""
    ones = [Series("", content.size) for content in contents]
    began = time.perf_counter()
    with ThreadPoolExecutor(len(contents)) as pool:
        list(
            pool.map(
                lambda pair: run_shell(pair[0], sink, url, pair[1], curl(pair[1])), zip(ones, contents, strict=True)
            )
        )
    series.seconds.append(time.perf_counter() - began)
    series.cpu.append(sum(one.cpu[0] for one in ones))


def curl(content: Content) -> str:
    """Return a command that uploads a content in one request."""
    return f"curl -sSf -o /dev/null -H Expect: -F 'fileData=@{content.path};filename=a.mp4' '{{upload}}'"


def curl_pipe(store: str) -> str:
    """Return a command that pipes an object from the store into an upload."""
    return (
        f"curl -sSf {store}/bucket/object.mp4 | "
        "curl -sSf -o /dev/null -H Expect: -F 'fileData=@-;filename=a.mp4' '{upload}'"
    )
