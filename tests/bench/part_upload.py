"""The upload engine against curl, the official client, kaltura-uploader and ``requests files=``.

All in one run, interleaved, against the same servers: on loopback, and on a paced line of 400 Mbit/s with 50 and
100 ms and 30 ms of server time a request.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from uploads.runs import (
    MIB,
    Content,
    Series,
    curl,
    curl_pipe,
    run_engine,
    run_parallel_curl,
    run_peer,
    run_shell,
)
from uploads.servers import peers_python, scratch, server

from kaltura_provider.upload.settings import memory_bound

LINE = 400e6 / 8
ROUNDS = 7
SERVER_TIME = "0.03"

MUST = {
    "file_vs_curl": (">=", 1.0),
    "s3_vs_curl_pipe": (">=", 1.2),
    "vs_official_client": (">=", 2.5),
    "vs_kaltura_uploader": (">=", 2.5),
    "cpu_vs_official_client": ("<=", 0.35),
    "cpu_vs_kaltura_uploader": ("<=", 0.35),
    "wan50_control_ratio": (">=", 0.95),
    "wan100_control_ratio": (">=", 0.95),
    "wan50_line_ratio": (">=", 0.93),
    "wan100_line_ratio": (">=", 0.90),
    "wan100_line_ratio_1gib": (">=", 0.93),
    "wan50_vs_official_client": (">=", 2.8),
    "wan50_vs_kaltura_uploader": (">=", 8.0),
}


def run_loopback() -> dict[str, float]:
    """Measure as fast as the machine goes."""
    peers = peers_python()
    with scratch() as folder, server("sink.py") as sink:
        large, small = Content.make(folder / "large.mp4", 512 * MIB), Content.make(folder / "small.mp4", 128 * MIB)
        with server("store.py", str(large.path)) as store:
            s = {
                "engine": Series("engine, file", large.size),
                "curl": Series("curl, file", large.size),
                "engine_s3": Series("engine, S3", large.size),
                "pipe": Series("curl | curl, S3", large.size),
                "official": Series("official client, 10 MiB chunks", small.size),
                "one": Series("official client, one request", small.size),
                "uploader": Series("kaltura-uploader", small.size),
                "requests": Series("requests files=", small.size),
            }
            for _ in range(ROUNDS):
                run_engine(s["engine"], sink, sink, large)
                run_shell(s["curl"], sink, sink, large, curl(large))
                run_engine(s["engine_s3"], sink, sink, large, "--s3", store)
                run_shell(s["pipe"], sink, sink, large, curl_pipe(store))
                run_peer(s["official"], peers, sink, sink, small, "official", "--chunk", str(10 * MIB))
                run_peer(s["one"], peers, sink, sink, small, "official")
                run_peer(s["uploader"], peers, sink, sink, small, "uploader")
                run_peer(s["requests"], peers, sink, sink, small, "requests")
            growth = [Series(f"engine, S3, 8 x {chunk} MiB", large.size) for chunk in (2, 10, 64)]
            for series, chunk in zip(growth, (2, 10, 64), strict=True):
                run_engine(series, sink, sink, large, "--s3", store, "--parallelism", "8", "--chunk", str(chunk * MIB))
    show("loopback", [*s.values(), *growth])
    engine, chunked, one = s["engine"], s["official"], s["one"]
    return {
        "file_vs_curl": engine.times(s["curl"]),
        "s3_vs_curl_pipe": s["engine_s3"].times(s["pipe"]),
        "vs_official_client": engine.times(chunked),
        "vs_official_client_one_request": engine.times(one),
        "vs_kaltura_uploader": engine.times(s["uploader"]),
        "vs_requests_files": engine.times(s["requests"]),
        "cpu_vs_official_client": engine.cpu_share(chunked),
        "cpu_vs_official_client_one_request": engine.cpu_share(one),
        "cpu_vs_kaltura_uploader": engine.cpu_share(s["uploader"]),
        "memory_growth_mib": max(max(series.growth) for series in growth) / MIB,
        "memory_bound_mib": memory_bound(8) / MIB,
    }


def run_line(milliseconds: int) -> dict[str, float]:
    """Measure through the paced line. At 100 ms also a film, for which the round trips in a row matter less."""
    peers = peers_python()
    trip = str(milliseconds / 1000)
    with scratch() as folder, server("sink.py", "--server-time", SERVER_TIME) as sink:
        large, part = Content.make(folder / "large.mp4", 400 * MIB), Content.make(folder / "part.mp4", 50 * MIB)
        with server("pacer.py", sink.rpartition(":")[2], "--trip", trip) as url:
            control = Series("16 x curl at once", 16 * part.size)
            engine = Series("engine", large.size)
            film = Series("engine, 1 GiB", 1024 * MIB)
            official = Series("official client, 10 MiB chunks", part.size)
            uploader = Series("kaltura-uploader", part.size)
            run_parallel_curl(control, sink, url, [part] * 16)
            for _ in range(2):
                run_engine(engine, sink, url, large)
                if milliseconds == 50:
                    run_peer(official, peers, sink, url, part, "official", "--chunk", str(10 * MIB))
                    run_peer(uploader, peers, sink, url, part, "uploader")
            if milliseconds == 100:
                run_engine(film, sink, url, Content.make(folder / "film.mp4", film.size))
    show(f"400 Mbit/s, {milliseconds} ms", [s for s in (control, engine, film, official, uploader) if s.seconds])
    name = f"wan{milliseconds}"
    found = {f"{name}_control_ratio": control.rate / LINE, f"{name}_line_ratio": engine.rate / LINE}
    if film.seconds:
        found[f"{name}_line_ratio_1gib"] = film.rate / LINE
    if official.seconds:
        found[f"{name}_vs_official_client"] = engine.times(official)
        found[f"{name}_vs_kaltura_uploader"] = engine.times(uploader)
        # What an upload that used every moment of the line would reach.
        found[f"{name}_line_vs_kaltura_uploader"] = LINE / uploader.rate
    return found


def show(title: str, table: Iterable[Series]) -> None:
    """Print a table of medians with the slowest and fastest run in brackets."""
    print(f"-- {title} (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors)")
    for series in table:
        print("  ", series.row(), flush=True)


def run() -> Iterator[dict[str, float]]:
    """Measure everything, and yield the ratios and print them."""
    for measure in (run_loopback, lambda: run_line(50), lambda: run_line(100)):
        found = {name: round(value, 3) for name, value in measure().items()}
        for name, value in found.items():
            sign, bound = MUST.get(name, ("", 0.0))
            print(f"   {name:28} {value:8.3f}  {f'must be {sign} {bound}' if sign else ''}", flush=True)
        yield found


def missed(found: dict[str, float]) -> list[str]:
    """Return what was not reached."""
    lines = [
        f"{name} is {found[name]}, must be {sign} {bound}"
        for name, (sign, bound) in MUST.items()
        if not (found[name] >= bound if sign == ">=" else found[name] <= bound)
    ]
    most = found["wan50_line_vs_kaltura_uploader"]
    if most < MUST["wan50_vs_kaltura_uploader"][1]:
        lines.append(
            f"wan50_vs_kaltura_uploader cannot be: the line itself is {most} times as fast as kaltura-uploader"
        )
    if found["memory_growth_mib"] > found["memory_bound_mib"]:
        lines.append(f"memory grew by {found['memory_growth_mib']} MiB, the bound is {found['memory_bound_mib']} MiB")
    return lines
