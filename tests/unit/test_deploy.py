"""The files in deploy/ are valid for Compose, Kubernetes and TensorFlow Serving, and agree."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)

from components.serve import config_file
from pipeline.serve import command

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
CONFIGS = DEPLOY / "tensorflow-serving"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
# Kubernetes' schemas: the oldest release that cloud vendors still support.
KUBERNETES = "1.32"

# TensorFlow Serving's messages that tensorflow-serving-api does not have in Python (see its
# session_bundle_config.proto and monitoring_config.proto).
PROTOS = """
name: "deploy.proto" package: "tensorflow.serving" syntax: "proto3"
dependency: "google/protobuf/wrappers.proto"
message_type { name: "BatchingParameters"
  field { name: "max_batch_size" number: 1 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".google.protobuf.Int64Value" }
  field { name: "batch_timeout_micros" number: 2 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".google.protobuf.Int64Value" }
  field { name: "max_enqueued_batches" number: 3 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".google.protobuf.Int64Value" }
  field { name: "num_batch_threads" number: 4 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".google.protobuf.Int64Value" }
}
message_type { name: "PrometheusConfig"
  field { name: "enable" number: 1 label: LABEL_OPTIONAL type: TYPE_BOOL }
  field { name: "path" number: 2 label: LABEL_OPTIONAL type: TYPE_STRING }
}
message_type { name: "MonitoringConfig"
  field { name: "prometheus_config" number: 1 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".tensorflow.serving.PrometheusConfig" }
}
"""  # noqa: E501


def documents(path):
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def objects():
    return [each for path in MANIFESTS for each in documents(path)]


def pod_specs():
    return {
        each["metadata"]["name"]: each["spec"].get("template", each)["spec"]
        for each in objects()
        if each["kind"] in ("Deployment", "Pod")
    }


def compose_service():
    (document,) = documents(DEPLOY / "compose.yaml")
    return document["services"]["tensorflow-serving"]


def parse(name, text):
    """Parse a text message of TensorFlow Serving."""
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    made = text_format.Parse(PROTOS, descriptor_pb2.FileDescriptorProto())
    pool.AddSerializedFile(made.SerializeToString())
    descriptor = pool.FindMessageTypeByName(f"tensorflow.serving.{name}")
    if hasattr(message_factory, "GetMessageClass"):
        kind = message_factory.GetMessageClass(descriptor)
    else:  # protobuf 3.20
        kind = message_factory.MessageFactory(pool).GetPrototype(descriptor)
    return text_format.Parse(text, kind())


@pytest.fixture
def models(tmp_path):
    """Return the content of models.config, with its folder below tmp_path."""
    (tmp_path / "models/taxi/1").mkdir(parents=True)
    (tmp_path / "models/taxi/1/saved_model.pb").touch()
    text = (CONFIGS / "models.config").read_text(encoding="utf-8")
    path = tmp_path / "models.config"
    path.write_text(text.replace('"/models/', f'"{tmp_path}/models/'), encoding="utf-8")
    return config_file.read(str(path))


def test_compose_takes_the_compose_file():
    import check_jsonschema

    check = ["--builtin-schema", "vendor.compose-spec", str(DEPLOY / "compose.yaml")]
    done = CliRunner().invoke(check_jsonschema.main, check)
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.name)
def test_kubernetes_takes_the_manifests(manifest):
    import kubernetes_validate

    for document in documents(manifest):
        kubernetes_validate.validate(document, KUBERNETES, strict=True)


def test_kustomize_makes_objects_that_kubernetes_takes():
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed")
    import kubernetes_validate

    made = subprocess.run([kubectl, "kustomize", str(DEPLOY)], capture_output=True, check=True)
    found = list(yaml.safe_load_all(made.stdout))
    for document in found:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    kinds = {each["kind"]: each for each in found}
    assert set(kinds) == {"ConfigMap", "Deployment", "PersistentVolumeClaim", "Service"}
    assert set(kinds["ConfigMap"]["data"]) == {path.name for path in CONFIGS.iterdir()}
    mounted = kinds["Deployment"]["spec"]["template"]["spec"]["volumes"][1]["configMap"]["name"]
    assert mounted == kinds["ConfigMap"]["metadata"]["name"]


def test_both_servers_read_the_models_configuration(models):
    (model,) = models
    assert (model.name, dict(model.labels)) == ("taxi", {"stable": 1})
    assert model.policy.chosen([1, 2]) == [1]


def test_tensorflow_serving_reads_its_other_configurations():
    batching = parse("BatchingParameters", (CONFIGS / "batching.config").read_text("utf-8"))
    assert batching.max_batch_size.value == 4096
    assert batching.num_batch_threads.value > 0
    monitoring = parse("MonitoringConfig", (CONFIGS / "monitoring.config").read_text("utf-8"))
    assert monitoring.prometheus_config.enable
    (annotations,) = (
        each["spec"]["template"]["metadata"]["annotations"]
        for each in objects()
        if each["kind"] == "Deployment" and each["metadata"]["name"] == "tensorflow-serving"
    )
    assert monitoring.prometheus_config.path == annotations["prometheus.io/path"]


def test_the_files_name_the_same_model_ports_and_image(models):
    service, spec = compose_service(), pod_specs()["tensorflow-serving"]
    (container,) = spec["containers"]
    mounts = {volume["target"]: volume for volume in service["volumes"]}
    assert "/models/${MODEL:-taxi}" in mounts
    assert models[0].base.path.endswith("/models/taxi")
    assert container["readinessProbe"]["httpGet"]["path"] == f"/v1/models/{models[0].name}"
    (kustomization,) = documents(DEPLOY / "kustomization.yaml")
    (image,) = kustomization["images"]
    assert service["image"] == f"{image['name']}:${{TF_SERVING_TAG:-{image['newTag']}}}"
    assert container["image"] == image["name"]
    ours = {argument.split("=")[0] for argument in container["args"]}
    theirs = {argument.split("=")[0] for argument in service["command"]}
    assert theirs - ours == {"--model_config_file_poll_wait_seconds"}
    assert [port["containerPort"] for port in container["ports"]] == [8501, 8500]
    for argument in service["command"]:
        if "=/config/" in argument:
            assert (CONFIGS / argument.rpartition("/")[2]).is_file()


def test_compose_gives_the_container_no_more_than_it_needs():
    service = compose_service()
    assert all(volume["read_only"] for volume in service["volumes"])
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert not service["user"].startswith("0")
    assert all(port.startswith("${LISTEN:-127.0.0.1}:") for port in service["ports"])


@pytest.mark.parametrize("name", sorted(pod_specs()))
def test_pods_have_no_more_than_they_need(name):
    spec = pod_specs()[name]
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["automountServiceAccountToken"] is False
    for container in spec["containers"]:
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]
        if name != "copy":  # which needs to write
            assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys()
            (models,) = (m for m in container["volumeMounts"] if m["name"] == "models")
            assert models["readOnly"]


def test_services_find_their_pods():
    labels = {
        each["metadata"]["name"]: each["spec"]["template"]["metadata"]["labels"]
        for each in objects()
        if each["kind"] == "Deployment"
    }
    services = [each for each in objects() if each["kind"] == "Service"]
    assert {each["metadata"]["name"] for each in services} == set(labels)
    for each in services:
        assert each["spec"]["selector"].items() <= labels[each["metadata"]["name"]].items()


def test_our_server_takes_the_arguments_of_its_manifest():
    (container,) = pod_specs()["skewless-serve"]["containers"]
    assert container["command"][:3] == ["skewless", "serve", "/models/taxi"]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {each.split("=")[0] for each in container["command"][3:]} <= options


@pytest.mark.parametrize(
    "path", sorted(p for p in DEPLOY.rglob("*") if p.suffix in (".yaml", ".config")), ids=str
)
def test_every_file_opens_with_what_it_is(path):
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert re.match(r"# [A-Z`].{20,}", first)
