"""
What `kubectl kustomize` makes of a folder, as far as ours use it: no kubectl is needed where tests run.

Resources, ConfigMaps made of files, components, and patches that add containers and volumes to a Deployment.
`kubectl kustomize deploy/kubernetes/example` (5.5.0) gives the same, with hashes in the names of ConfigMaps.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

NAME = "kustomization.yaml"
UNDERSTOOD = {
    *("apiVersion", "kind", "resources", "components", "configMapGenerator"),
    *("patches", "labels", "namespace", "images"),
}

Resource = dict[str, Any]


def build(folder: Path) -> list[Resource]:
    """Every resource of a kustomization, with its components applied."""
    kustomization = _kustomization(folder)
    found = [one for name in kustomization.get("resources", []) for one in _resources(folder, name)]
    found += [_config_map(folder, one) for one in kustomization.get("configMapGenerator", [])]
    for name in kustomization.get("components", []):
        apply(folder / name, found)
    return found


def apply(component: Path, resources: list[Resource]) -> None:
    """Add what a component brings: resources, and containers and volumes of its patches."""
    kustomization = _kustomization(component)
    resources += [one for name in kustomization.get("resources", []) for one in _resources(component, name)]
    for patch in kustomization.get("patches", []):
        (added,) = documents(component / patch["path"])
        (target,) = [one for one in resources if _identity(one) == _identity(added)]
        spec, into = added["spec"]["template"]["spec"], target["spec"]["template"]["spec"]
        assert set(spec) <= {"containers", "volumes"}
        for part, items in spec.items():
            assert not {one["name"] for one in items} & {one["name"] for one in into[part]}
            into[part] += items


def documents(path: Path) -> list[Resource]:
    """The documents of a YAML file."""
    return [one for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if one]


def _kustomization(folder: Path) -> Resource:
    (found,) = documents(folder / NAME)
    assert set(found) <= UNDERSTOOD, f"{folder.name}: this reader does not know {set(found) - UNDERSTOOD}"
    return found


def _resources(folder: Path, name: str) -> Iterator[Resource]:
    path = folder / name
    if path.is_dir():
        yield from build(path)
        return
    # kustomize reads no file outside of the kustomization's own folder.
    assert path.resolve().is_relative_to(folder.resolve())
    yield from documents(path)


def _config_map(folder: Path, generator: Resource) -> Resource:
    assert set(generator) == {"name", "files"}
    data = {Path(name).name: (folder / name).read_text(encoding="utf-8") for name in generator["files"]}
    metadata = {"name": generator["name"]}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _identity(resource: Resource) -> tuple[str, str]:
    return resource["kind"], resource["metadata"]["name"]
