"""The load: Alertmanager webhooks in a closed loop over keep-alive connections, and how long answers took.

Knows realistic bodies (11 labels, 4 annotations, about 1.1 kB an alert; 30 pairs of name and service) and raw HTTP/1.1.
All bodies are made before the clock begins. Refuses to know who answers. Run by `benchmarks.intake.run` as a process.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import cast

import uvloop

NAMES = [
    "HighErrorRate",
    "HighLatencyP99",
    "InstanceDown",
    "DiskWillFillIn4Hours",
    "KubePodCrashLooping",
    "CertificateExpiresSoon",
    "QueueBacklogGrowing",
    "ReplicationLagHigh",
    "OOMKilled",
    "TargetMissing",
]
SERVICES = ["checkout", "search", "payments", "identity", "ledger", "catalog"]
SEVERITIES = ["warning", "critical", "warning", "info"]


def alert(run: str, n: int, starts_at: str) -> dict[str, object]:
    """The n-th alert of a run: its own instance and pod, one of 30 pairs of alertname and service."""
    name, service = NAMES[n % len(NAMES)], SERVICES[n % len(SERVICES)]
    instance = f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}:9100"
    labels = {
        "alertname": name,
        "cluster": f"eu-{n % 3}",
        "env": "prod",
        "instance": instance,
        "job": f"{service}-api",
        "namespace": service,
        "pod": f"{service}-api-7d9c5f6b8-{n:05x}",
        "run": f"{run}-{n}",
        "service": service,
        "severity": SEVERITIES[n // 30 % len(SEVERITIES)],
        "team": f"team-{n % 7}",
    }
    annotations = {
        "summary": f"{name} on {instance}",
        "description": f"{service} in eu-{n % 3} has been violating its objective for more than 5 minutes"
        f" (pod {labels['pod']}); current value is 0.0731 against a limit of 0.01.",
        "runbook_url": f"https://runbooks.example.org/{service}/{name}",
        "dashboard": f"https://dash.example.org/d/{service}?var-cluster=eu-{n % 3}",
    }
    return {
        "status": "firing",
        "labels": labels,
        "annotations": annotations,
        "startsAt": starts_at,
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": f"http://prometheus.example.org:9090/graph?g0.expr=job%3A{name}&g0.tab=1",
        "fingerprint": hashlib.blake2b(f"{run}-{n}".encode(), digest_size=8).hexdigest(),
    }


def body(alerts: list[dict[str, object]], number: int) -> bytes:
    return json.dumps(
        {
            "version": "4",
            "groupKey": f'{{}}:{{batch="{number}"}}',
            "truncatedAlerts": 0,
            "status": "firing",
            "receiver": "oncall",
            "groupLabels": {},
            "commonLabels": {},
            "commonAnnotations": {},
            "externalURL": "http://alertmanager.example.org:9093",
            "alerts": alerts,
        },
        separators=(",", ":"),
    ).encode()


def requests(args: argparse.Namespace) -> list[bytes]:
    began = datetime.now(UTC) - timedelta(minutes=5)
    made = []
    for number in range(args.requests):
        first = number * args.alerts
        starts_at = f"{began + timedelta(milliseconds=number):%Y-%m-%dT%H:%M:%S.%f}Z"
        text = body([alert(args.run, first + n, starts_at) for n in range(args.alerts)], number)
        head = (
            f"POST {args.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {args.token}\r\nContent-Length: {len(text)}\r\n\r\n"
        )
        made.append(head.encode() + text)
    return made


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request outstanding; takes the next request when it is answered."""

    def __init__(self, todo: Iterator[bytes], took: list[float], refused: list[bytes]) -> None:
        self.todo, self.took, self.refused = todo, took, refused
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.read, self.sent_at = b"", 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's own are no subclass
        self.send()

    def send(self) -> None:
        request = next(self.todo, None)
        if request is None:
            self.transport.close()
            return
        self.sent_at = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.read += data
        head, blank, rest = self.read.partition(b"\r\n\r\n")
        if not blank or len(rest) < _length(head):
            return
        self.read = b""
        if head.startswith(b"HTTP/1.1 200"):
            self.took.append(time.perf_counter() - self.sent_at)
        else:
            self.refused.append(head[:60])
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set_result(None)


def _length(head: bytes) -> int:
    _, _, after = head.lower().partition(b"content-length:")
    return int(after.split(b"\r\n", 1)[0])


async def load(args: argparse.Namespace) -> dict[str, object]:
    made = requests(args)
    todo, took, refused = iter(made), [], []
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    connections = []
    for _ in range(args.connections):
        _, one = await loop.create_connection(
            lambda: Connection(todo, took, refused), "127.0.0.1", args.port
        )
        connections.append(one.ended)
    await asyncio.gather(*connections)
    seconds = time.perf_counter() - began
    ranked = sorted(took)
    return {
        "seconds": seconds,
        "answered": len(took) * args.alerts,
        "refused": len(made) - len(took),
        "first_refusal": refused[0].decode() if refused else "",
        "p50_ms": ranked[len(ranked) // 2] * 1000 if ranked else 0.0,
        "p99_ms": ranked[len(ranked) * 99 // 100] * 1000 if ranked else 0.0,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", default="/webhook/alertmanager")
    parser.add_argument("--token", default="none")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--alerts", type=int, default=1, help="alerts in a request")
    parser.add_argument("--connections", "-c", type=int, default=32)
    parser.add_argument(
        "--run", required=True, help="a word: alerts of another run are other alerts"
    )
    args = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        json.dump(runner.run(load(args)), sys.stdout)


if __name__ == "__main__":
    main()
