"""The files of docs/examples/replicas hang together: with each other, with the settings, the routes and the image.

As far as that can be said without a container engine and without a cluster.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from oncall_bot.settings import describe, load_settings, unknown_settings
from tests.test_snippets import parse

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs/examples/replicas"
COMPOSE: Mapping[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
KUBERNETES: Mapping[str, Mapping[str, Any]] = {
    one["kind"]: one for one in yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text())
}
KEYS = {"database", "slack-bot", "slack-app", "webhook"}
STOP_TAKES_S = 2 * 10 + 5 + 5
"""At most: requests begun, messages in flight, Slack, and giving back what is left."""


def image_environment() -> dict[str, str]:
    """What the image sets before the file does."""
    text = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    return dict(re.findall(r"^(?:ENV)? +(ONCALL_\w+)=(\S+)", text, re.MULTILINE))


def checked(env: Mapping[str, str], secrets: Path) -> Any:
    """The settings of a container with this environment; every secret file that is named is there."""
    whole = {**image_environment(), **env}
    assert not unknown_settings(whole)
    put = {}
    for name, value in whole.items():
        if name.endswith("_FILE"):
            file = secrets / Path(value).name
            file.write_text(SAMPLES[file.name])
            put[name] = str(file)
    return load_settings({**whole, **put})


SAMPLES = {
    "database": "postgresql://oncall:password@db.example.com/oncall",
    "slack-bot": "xoxb-1",
    "slack-app": "xapp-1",
    "webhook": "sesame-open",
}


def of_pods() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for kind in ("Job", "Deployment"):
        yield kind, KUBERNETES[kind]["spec"]["template"]


def the(kind: str) -> Mapping[str, Any]:
    container: Mapping[str, Any]
    (container,) = dict(of_pods())[kind]["spec"]["containers"]
    return container


def environment(container: Mapping[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container["env"]}


# --- compose and its balancer -----------------------------------------------------------------------------------------


def test_each_replica_of_the_compose_file_starts_with_settings_that_are_some(
    tmp_path: Path,
) -> None:
    bots = {n: s for n, s in COMPOSE["services"].items() if s["image"] == "oncall-bot"}
    assert len(bots) == 2
    for service in bots.values():
        settings = checked(service["environment"], tmp_path)
        assert settings.database_url.get_secret_value().startswith("postgresql://")
        files = {v for k, v in service["environment"].items() if k.endswith("_FILE")}
        assert files == {f"/run/secrets/{name}" for name in service["secrets"]}
        assert set(service["secrets"]) == KEYS == set(COMPOSE["secrets"])
        places = [mount.split(":")[1] for mount in service["volumes"]]
        assert service["environment"]["ONCALL_CONFIG"] in places
        given = int(service["stop_grace_period"].removesuffix("s"))
        assert given >= settings.drain_for + STOP_TAKES_S


def test_the_balancer_asks_each_replica_whether_it_is_ready() -> None:
    text = (FOLDER / "haproxy.cfg").read_text()
    servers = dict(re.findall(r"^ +server ([\w-]+) ([\w:-]+) check$", text, re.MULTILINE))
    bots = [n for n, s in COMPOSE["services"].items() if s["image"] == "oncall-bot"]
    assert servers == {name: f"{name}:8080" for name in bots}
    assert "GET /-/ready" in text
    (mount,) = COMPOSE["services"]["balancer"]["volumes"]
    assert (FOLDER / mount.split(":")[0]).is_file()


# --- Kubernetes -------------------------------------------------------------------------------------------------------


def test_everything_a_rollout_needs_is_in_the_manifests() -> None:
    assert set(KUBERNETES) == {"Job", "Deployment", "PodDisruptionBudget", "Service"}
    versions = {kind: one["apiVersion"] for kind, one in KUBERNETES.items()}
    assert versions == {
        "Job": "batch/v1",
        "Deployment": "apps/v1",
        "PodDisruptionBudget": "policy/v1",
        "Service": "v1",
    }


@pytest.mark.parametrize("kind", ["Job", "Deployment"])
def test_a_pod_starts_with_settings_that_are_some_and_files_that_are_there(
    kind: str, tmp_path: Path
) -> None:
    container, pod = the(kind), dict(of_pods())[kind]["spec"]
    env = environment(container)
    settings = checked(env, tmp_path)
    assert settings.database_url.get_secret_value().startswith("postgresql://")
    parse(container["args"])
    mounts = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
    volumes = {one["name"]: one for one in pod["volumes"]}
    assert mounts.keys() == volumes.keys()
    for name, value in env.items():
        if name.endswith("_FILE"):
            assert str(Path(value).parent) == mounts["secrets"]
            assert Path(value).name in KEYS
    assert volumes["secrets"]["secret"]["secretName"] == "oncall-bot"
    assert mounts["tmp"] == "/tmp"  # the image's HOME; its root is read-only


@pytest.mark.parametrize("kind", ["Job", "Deployment"])
def test_a_pod_runs_as_the_images_user_with_no_right_it_does_not_need(kind: str) -> None:
    container, pod = the(kind), dict(of_pods())[kind]["spec"]
    user = re.search(r"^USER (\d+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert user is not None
    assert pod["securityContext"]["runAsUser"] == int(user[1])
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["enableServiceLinks"] is False, "a Service may not set ONCALL_PORT"
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_ports_and_labels_meet() -> None:
    container, service = the("Deployment"), KUBERNETES["Service"]["spec"]
    (port,) = container["ports"]
    default = next(one.default for one in describe() if one.name == "ONCALL_PORT")
    assert str(port["containerPort"]) == default
    assert [one["targetPort"] for one in service["ports"]] == [port["name"]]
    labels = KUBERNETES["Deployment"]["spec"]["template"]["metadata"]["labels"]
    for selector in (
        KUBERNETES["Deployment"]["spec"]["selector"]["matchLabels"],
        KUBERNETES["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        service["selector"],
    ):
        assert selector.items() <= labels.items()
    of_job = KUBERNETES["Job"]["spec"]["template"]["metadata"]["labels"]
    assert not service["selector"].items() <= of_job.items(), "nobody asks the migration"


def test_probes_ask_routes_that_are_there_and_leave_time_for_a_migration() -> None:
    container = the("Deployment")
    routes = (ROOT / "docs/reference/routes.md").read_text()
    for name in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container[name]["httpGet"]
        assert f"`{asked['path']}`" in routes
        assert asked["port"] == container["ports"][0]["name"]
    assert container["livenessProbe"]["httpGet"]["path"] == "/-/healthy", (
        "a database that is away is no reason to end a process"
    )
    assert container["readinessProbe"]["httpGet"]["path"] == "/-/ready"
    startup = container["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 120


def test_while_one_is_replaced_another_serves_and_who_stops_has_time_to() -> None:
    spec = KUBERNETES["Deployment"]["spec"]
    assert spec["replicas"] >= 2
    assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert KUBERNETES["PodDisruptionBudget"]["spec"]["minAvailable"] < spec["replicas"]
    drain = float(environment(the("Deployment"))["ONCALL_DRAIN_FOR"])
    probe = the("Deployment")["readinessProbe"]
    assert drain >= probe["periodSeconds"] * probe["failureThreshold"]
    grace = spec["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace >= drain + STOP_TAKES_S
    assert "cpu" not in the("Deployment")["resources"]["limits"]
