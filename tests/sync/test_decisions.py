"""What `sync` changes, keeps and leaves to a person, one rule at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from litellm_homelab.config.settings import Known
from litellm_homelab.sync.synchronise import NothingToSync, Synchronised, SyncRequest, synchronise

SERVER = "http://127.0.0.1:8000/v1"
OPTILLM = "http://127.0.0.1:8010/v1"
A, B = "mlx-a-7b-x", "mlx-b-7b-x"


def deployment(group: str, model: str, api_base: str = SERVER, **more: Any) -> dict[str, Any]:
    """An entry of `model_list`."""
    params = {"model": f"lm_studio/{model}", "api_base": api_base, "api_key": "none", **more}
    return {"model_name": group, "litellm_params": params}


def entry(**fields: Any) -> dict[str, Any]:
    """An entry of the registry."""
    return {"cache_path": "/srv/x", **fields}


def line(handle: str, base: str, approach: str = "moa") -> dict[str, str]:
    """A line of `ensembles.jsonl`."""
    return {"handle": handle, "approach": approach, "base": base}


class Lab:
    """A folder with a router.yaml and its sources."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "router.yaml"

    def has(
        self,
        *models: dict[str, Any],
        optillm: Mapping[str, Any] | None = None,
        registry: Mapping[str, Any] | None = None,
        ensembles: list[dict[str, str]] | None = None,
        **more: Any,
    ) -> Lab:
        """Write its files; every group is a handle."""
        showroom = {"handles": [*dict.fromkeys(one["model_name"] for one in models)], "roots": ["/srv"]}
        homelab: dict[str, Any] = {"showroom": {**showroom, "registry": "registry.json"}}
        homelab |= {"optillm": optillm} if optillm else {}
        document = {"model_list": [*models], "homelab": homelab, **more}
        self.path.write_text(yaml.safe_dump(document, sort_keys=False, width=500), encoding="utf-8")
        content = {"version": 2, "models": registry or {}}
        (self.folder / "registry.json").write_text(json.dumps(content), encoding="utf-8")
        if ensembles is not None:
            text = "".join(f"{json.dumps(one)}\n" for one in ensembles)
            (self.folder / "ensembles.jsonl").write_text(text, encoding="utf-8")
        return self

    def edited(self, old: str, new: str) -> Lab:
        """Change the text of router.yaml."""
        text = self.path.read_text(encoding="utf-8")
        assert old in text
        self.path.write_text(text.replace(old, new), encoding="utf-8")
        return self

    def included(self, **content: Any) -> Lab:
        """Write a file that router.yaml includes."""
        (self.folder / "more.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        return self

    def synced(self) -> Synchronised:
        """What `sync` makes of it, written; a second run changes nothing."""
        found = synchronise(SyncRequest(self.path), {}, Known(version="1.108.7"))
        self.path.write_text(found.after, encoding="utf-8")
        again = synchronise(SyncRequest(self.path), {}, Known(version="1.108.7"))
        assert again.after == found.after
        return found

    @property
    def content(self) -> Any:
        """What router.yaml contains."""
        return yaml.safe_load(self.path.read_text(encoding="utf-8"))

    @property
    def groups(self) -> list[str]:
        """Names in `model_list`."""
        return [one["model_name"] for one in self.content.get("model_list", [])]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """An empty one."""
    return Lab(tmp_path)


# --- what goes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_line", [False, True], ids=["router.yaml", "ensembles.jsonl"])
def test_a_base_that_an_optillm_handle_calls_stays(lab: Lab, by_line: bool) -> None:
    """Its model has left the registry; without it the handle would call a name that leads nowhere."""
    base, lane = "other" if by_line else A, {"think": {"approaches": ["moa"], "default": "moa"}}
    listed = [line("think", A)] if by_line else None
    models = [deployment(A, A), deployment("other", "o"), deployment("think", base, OPTILLM)]
    found = lab.has(*models, optillm=lane, ensembles=listed).synced()
    assert A in lab.groups
    assert f"'{A}' is not in the registry any more, but the OptiLLM handle 'think' calls it" in found.left[0]


def test_a_base_goes_with_the_last_handle_over_it(lab: Lab) -> None:
    """In one run: what has gone needs nothing."""
    lane = {"think": {"approaches": ["moa"], "default": "moa"}}
    models = [deployment(A, A), deployment("main", "m"), deployment("think", A, OPTILLM)]
    lab.has(*models, optillm=lane, ensembles=[])
    lab.edited("model_name: think", "model_name: think  # of ensembles.jsonl").synced()
    assert lab.groups == ["main"]


def test_a_base_on_another_server_keeps_nothing(lab: Lab) -> None:
    """With `carrier: off` OptiLLM does not call this gateway."""
    lane = {"think": {"approaches": ["moa"], "default": "moa", "carrier": "off"}}
    lab.has(deployment(A, A), deployment("think", A, OPTILLM), optillm=lane).synced()
    assert lab.groups == ["think"]


def test_an_optillm_handle_with_a_models_name_is_no_model(lab: Lab) -> None:
    """The registry does not say that a handle of OptiLLM is gone, and both sources never undo each other."""
    lane = {A: {"approaches": ["moa"], "default": "moa"}}
    models = [deployment("main", "m"), deployment(A, "main", OPTILLM)]
    found = lab.has(*models, optillm=lane, ensembles=[line(A, "main")]).synced()
    assert lab.groups == ["main", A]
    assert found.left == ()


def test_a_handle_of_both_sources_is_removed_once(lab: Lab) -> None:
    """The entry behind it in the list stays."""
    lane = {A: {"approaches": ["moa"], "default": "moa"}}
    models = [deployment("main", "m"), deployment(A, "main", OPTILLM), deployment("last", "m")]
    lab.has(*models, optillm=lane, ensembles=[])
    lab.edited(f"model_name: {A}", f"model_name: {A}  # of ensembles.jsonl").synced()
    assert lab.groups == ["main", "last"]


def test_a_model_that_the_handles_file_names_stays(lab: Lab) -> None:
    """The start would stop for the name."""
    lab.has(deployment("main", "m"), deployment(A, A))
    lab.edited("    roots:", "    handles_file: handles.jsonl\n    roots:")
    lab.edited(f"    - {A}\n", "")
    (lab.folder / "handles.jsonl").write_text(json.dumps({"handle": A}), encoding="utf-8")
    found = lab.synced()
    assert A in lab.groups
    assert "handles_file names it" in found.left[0]


@pytest.mark.parametrize(
    ("written", "goes"),
    [
        pytest.param("model_name: think  # of ensembles.jsonl", True, id="ours"),
        pytest.param("model_name: think  # the best of ensembles.jsonl", False, id="a comment that ends so"),
        pytest.param("model_name: think  # of ensembles.jsonl, once", False, id="a comment that begins so"),
        pytest.param("model_name: think", False, id="no comment"),
        pytest.param("# of ensembles.jsonl\n  model_name: think", False, id="a line of its own"),
        pytest.param('model_name: "think"  # of ensembles.jsonl', True, id="in quotes"),
    ],
)
def test_only_an_entry_with_our_whole_comment_is_removed(lab: Lab, written: str, goes: bool) -> None:
    """A comment of the user's that ends alike is the user's."""
    lane = {"think": {"approaches": ["moa"], "default": "moa"}}
    lab.has(deployment("main", "m"), deployment("think", "main", OPTILLM), optillm=lane, ensembles=[])
    found = lab.edited("model_name: think", written).synced()
    assert ("think" not in lab.groups) is goes
    assert any(one.startswith("kept: 'think'") for one in found.notes) is not goes


def test_a_name_with_a_number_sign_is_read_as_yaml_reads_it(lab: Lab) -> None:
    """The text of a name is not taken for a comment, and its line does not end the run."""
    lab.has(deployment("main", "m"), deployment("a # of ensembles.jsonl", "m"), ensembles=[]).synced()
    assert lab.groups == ["main", "a # of ensembles.jsonl"]


def test_an_entry_that_the_user_added_to_a_handle_of_ours_keeps_it(lab: Lab) -> None:
    """A group goes only if every entry of it was added by `sync`."""
    lane = {"think": {"approaches": ["moa"], "default": "moa"}}
    models = [deployment("main", "m"), deployment("think", "main", OPTILLM)]
    lab.has(*models, optillm=lane, ensembles=[])
    lab.edited("model_name: think", "model_name: think  # of ensembles.jsonl")
    own = yaml.safe_dump([deployment("think", "main", "http://10.0.0.2:8010/v1")], sort_keys=False)
    lab.edited("homelab:", f"{own}homelab:").synced()
    assert lab.groups == ["main", "think", "think"]


# --- what comes -------------------------------------------------------------------------------------


def test_a_group_of_the_users_is_never_made_an_optillm_handle(lab: Lab) -> None:
    """An ensemble of the same name is left to a person."""
    lab.has(deployment("main", "m"), deployment("fast", "f"), ensembles=[line("main", "fast")])
    before = lab.content
    found = lab.synced()
    assert lab.content == before
    assert found.left[0].startswith("'main': is a group of model_list that is not an OptiLLM handle")


def test_an_alias_of_the_users_is_not_shadowed(lab: Lab) -> None:
    """LiteLLM would take the handle's name to the alias's group."""
    more = {"router_settings": {"model_group_alias": {"think": "main"}}}
    found = lab.has(deployment("main", "m"), ensembles=[line("think", "main")], **more).synced()
    assert lab.groups == ["main"]
    assert found.left[0].startswith("'think': is a model_group_alias")


def test_a_model_that_is_added_can_be_a_base_in_the_same_run(lab: Lab) -> None:
    """Nothing is said to be missing, and the handle has the limits of its base."""
    found = lab.has(
        deployment("main", "m"), registry={A: entry(context_length=10)}, ensembles=[line("think", A)]
    ).synced()
    assert lab.groups == ["main", A, "think"]
    assert {one["model_info"]["max_input_tokens"] for one in lab.content["model_list"][1:]} == {10}
    assert not [one for one in found.left if "base" in one]


def test_an_optillm_handle_does_not_run_its_base(lab: Lab) -> None:
    """The model gets a deployment of its own, at the address of the models and not of OptiLLM."""
    lane = {"think": {"approaches": ["moa"], "default": "moa"}}
    models = [deployment("main", A), deployment("fast", A), deployment("think", B, OPTILLM)]
    lab.has(*models, optillm=lane, registry={A: entry(), B: entry()}).synced()
    assert lab.groups == ["main", "fast", "think", B]
    assert lab.content["model_list"][3]["litellm_params"]["api_base"] == SERVER


@pytest.mark.parametrize(
    ("other", "shared"),
    [
        pytest.param("http://127.0.0.1:8000/v1/", True, id="a slash"),
        pytest.param("http://127.0.0.1:8000", True, id="no version"),
        pytest.param("HTTP://localhost:8000/v1", True, id="case, and a name of this machine"),
        pytest.param("http://127.0.0.1:8001/v1", False, id="another port"),
        pytest.param("http://127.0.0.1:8000/other/v1", False, id="another path"),
        pytest.param("https://127.0.0.1:8000/v1", False, id="another scheme"),
    ],
)
def test_addresses_are_compared_by_where_they_lead(lab: Lab, other: str, shared: bool) -> None:
    """A new model has the address that the others share, however each writes it."""
    lab.has(deployment("main", A), deployment("fast", A, other), registry={A: entry(), B: entry()}).synced()
    expected = SERVER if shared else "os.environ/MLX_B_7B_X_API_BASE"
    assert lab.content["model_list"][2]["litellm_params"]["api_base"] == expected


def test_a_base_that_is_misspelt_is_named(lab: Lab) -> None:
    """With the group that was probably meant."""
    found = lab.has(deployment("main", "m"), ensembles=[line("think", "mian")]).synced()
    assert "is not a model_name of model_list; did you mean 'main'? add the model" in found.left[0]


def test_a_base_that_is_an_optillm_handle_is_refused(lab: Lab) -> None:
    """OptiLLM would call OptiLLM; the start would stop for the loop."""
    listed = [line("plan", "think"), line("think", "main")]
    found = lab.has(deployment("main", "m"), ensembles=listed).synced()
    assert lab.groups == ["main", "think"]
    assert found.left[0] == "'plan': its base 'think' is an OptiLLM handle; write a model's name as base"


def test_an_approach_that_a_variable_has_is_left_to_a_person(lab: Lab) -> None:
    """The reference stays."""
    lane = {"think": {"approaches": ["moa"], "default": "os.environ/APPROACH"}}
    models = [deployment("main", "m"), deployment("think", "main", OPTILLM)]
    found = lab.has(*models, optillm=lane, ensembles=[line("think", "main")]).synced()
    assert lab.content["homelab"]["optillm"]["think"]["default"] == "os.environ/APPROACH"
    assert "'think': set APPROACH=moa: it is the default approach" in found.left


def test_a_problem_that_was_there_before_is_not_new(lab: Lab) -> None:
    """Its entry has another number since an earlier one was removed: that is the same problem."""
    bad = deployment("bad", "m", "htp://x")
    found = lab.has(deployment(A, A), bad, deployment("main", "m")).synced()
    assert A not in lab.groups
    assert found.left == ()


# --- included files ---------------------------------------------------------------------------------


def test_an_included_homelab_section_is_named(lab: Lab) -> None:
    """It counts, and it is not changed; a section of the file's own, which does not count, neither."""
    showroom = {"handles": ["main"], "registry": "registry.json", "roots": ["/srv"]}
    lab.has(deployment("main", A), registry={A: entry(), B: entry()}, include=["more.yaml"])
    lab.included(homelab={"showroom": showroom})
    lab.edited("registry: registry.json", "registry: none.json")
    own = lab.content["homelab"]
    found = lab.synced()
    assert (lab.groups, lab.content["homelab"]) == (["main", B], own)
    assert f"homelab.showroom.hidden is in more.yaml: add {B} there" in found.left


def test_an_included_handle_is_named(lab: Lab) -> None:
    """Its base is to be written there; its approach is in the file itself."""
    lane = {"think": {"approaches": ["bon"], "default": "bon"}}
    lab.has(deployment("main", "m"), optillm=lane, ensembles=[line("think", "main")], include=["more.yaml"])
    lab.included(model_list=[deployment("think", "old", OPTILLM)])
    found = lab.synced()
    assert lab.content["homelab"]["optillm"]["think"] == {"approaches": ["bon", "moa"], "default": "moa"}
    assert "'think' is in more.yaml: write `model: lm_studio/main` there" in found.left


def test_a_group_of_both_files_stays(lab: Lab) -> None:
    """The included half would be left without its place in the showroom."""
    lab.has(deployment("main", "m"), deployment(A, A), include=["more.yaml"])
    found = lab.included(model_list=[deployment(A, A)]).synced()
    assert lab.groups == ["main", A]
    assert f"'{A}' is not in the registry any more, but more.yaml has it too" in found.left[0]


def test_a_name_in_an_included_file_keeps_a_group(lab: Lab) -> None:
    """As one in the file itself does."""
    lab.has(deployment("main", "m"), deployment(A, A), include=["more.yaml"])
    found = lab.included(router_settings={"fallbacks": [{"main": [A]}]}).synced()
    assert A in lab.groups
    assert "router_settings.fallbacks[0].main[0] of more.yaml names it" in found.left[0]


def test_an_included_base_gives_its_limits(lab: Lab) -> None:
    """To a new handle, as one of the file itself does."""
    lab.has(registry={A: entry(context_length=10)}, ensembles=[line("think", "main")], include=["more.yaml"])
    lab.edited("handles: []", "handles: [main]")
    lab.included(model_list=[{**deployment("main", A), "model_info": {"max_input_tokens": 10}}]).synced()
    assert lab.content["model_list"][0]["model_info"] == {"mode": "chat", "max_input_tokens": 10}


def test_an_included_file_that_cannot_be_read_changes_nothing(lab: Lab) -> None:
    """Its models would look like ones that are missing."""
    lab.has(deployment("main", A), registry={A: entry(), B: entry()}, include=["more.yaml"])
    with pytest.raises(NothingToSync, match=r"include: 'more\.yaml': not readable: No such file"):
        lab.synced()


def test_a_registry_that_an_unset_variable_names_is_not_missing(lab: Lab) -> None:
    """The message says which variable."""
    lab.has(deployment("main", "m")).edited("registry: registry.json", "registry: os.environ/REGISTRY")
    with pytest.raises(NothingToSync, match=r"homelab\.showroom\.registry: REGISTRY is not set; set it"):
        lab.synced()


def test_a_name_that_a_handle_leaves_free_is_the_models_in_the_same_run(lab: Lab) -> None:
    """The registry's model could not be added before."""
    lane = {A: {"approaches": ["moa"], "default": "moa"}}
    models = [deployment("main", "m"), deployment(A, "main", OPTILLM)]
    lab.has(*models, optillm=lane, registry={A: entry()}, ensembles=[])
    found = lab.edited(f"model_name: {A}", f"model_name: {A}  # of ensembles.jsonl").synced()
    assert lab.content["model_list"][1]["litellm_params"]["model"] == f"lm_studio/{A}"
    assert not [one for one in found.notes if one.startswith("left out")]
