"""Owners' files with what `init` adds: they start, list and answer as before, and undoing gives them back."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.adopt import drafts, writing
from litellm_homelab.check.names import known_litellm
from litellm_homelab.check.run import CheckRequest, check_file
from litellm_homelab.cli import main
from litellm_homelab.config.yaml_text import NotReadable
from tests.config.test_settings import SECTIONS
from tests.labs.adopt import LABS, Lab, written
from tests.labs.test_labs import UNSET, played

NAMED = {"wildcards", "database"}
"""Labs whose names are in no file: clients' names are said."""
WITH_A_SECTION = {"alias-not-callable", "handle-of-the-database"}
"""Advice on the owner's settings that is given once there is a section."""
ADDED = "use_chat_completions_api: true, "
"""What an entry in flow style gets."""
ALWAYS = {"responses-on-a-chat-server", "litellm-no-timeout"}
"""Advice that nearly every file of an owner would get: `init` follows it."""
KNOWN = known_litellm({}, "1.108.7")
ENVIRON = {"LITELLM_MASTER_KEY": "sk-lab-master-of-24-signs", **UNSET}


def ids(lab: Lab) -> str:
    """The lab's name."""
    return lab.file


def adopted(lab: Lab, folder: Path) -> tuple[Path, drafts.Adoption]:
    """The lab's files in a folder, changed and written."""
    path = written(lab, folder, ours=False)
    wishes = drafts.Wishes(handles=lab.handles if lab.file in NAMED else ())
    found = drafts.adopt(path, wishes, {**ENVIRON, **lab.environ}, KNOWN)
    writing.write(path, found.after)
    return path, found


@pytest.mark.parametrize("lab", LABS, ids=ids)
def test_a_lab_starts_and_is_checked(lab: Lab, tmp_path: Path) -> None:
    """Nothing is left to do, and the check finds no error and no more advice than before."""
    path, found = adopted(lab, tmp_path)
    env = tmp_path / "env"
    env.write_text(
        "".join(f"{key}={value}\n" for key, value in {**ENVIRON, **lab.environ}.items()), encoding="utf-8"
    )
    assert found.problems == ()
    report = check_file(CheckRequest(path, env, litellm="1.108.7"), environ={})
    assert [one for one in report.findings if one.severity == "error"] == []
    (tmp_path / f"{path.name}.before").write_text(found.before, encoding="utf-8")
    before = check_file(CheckRequest(tmp_path / f"{path.name}.before", env, litellm="1.108.7"), environ={})
    after = {one.id for one in report.findings}
    unchanged = ALWAYS if "include:" in found.before else set()  # an included file is not edited
    assert after - {one.id for one in before.findings} <= WITH_A_SECTION | unchanged
    assert after.isdisjoint(ALWAYS - unchanged)


@pytest.mark.parametrize("lab", [lab for lab in LABS if lab.chats], ids=ids)
async def test_a_lab_answers_as_before(lab: Lab, tmp_path: Path) -> None:
    """What is shown reaches the same upstreams with the same bodies, and a chain ends where it ended."""
    path, found = adopted(lab, tmp_path / "ours")
    internal = found.draft.homelab["showroom"].get("internal", [])
    shown = dataclasses.replace(lab, chats=tuple(one for one in lab.chats if one not in internal))
    before = await played(shown, written(lab, tmp_path / "stock", ours=False), "stock")
    after = await played(shown, path, "ours")
    listed = after.pop("listed")
    assert set(shown.chats) <= set(listed) <= set(before.pop("listed")) | set(shown.chats)
    assert after == before


@pytest.mark.parametrize("lab", LABS, ids=ids)
def test_undoing_gives_the_file_back(lab: Lab, tmp_path: Path) -> None:
    """Byte for byte, with its permissions, from the file beside it."""
    path = written(lab, tmp_path, ours=False)
    path.chmod(0o640)
    before = path.read_bytes()
    options = [word for name in lab.handles for word in ("--handle", name)] if lab.file in NAMED else []
    main(["init", str(path), "--write", *options])
    backup = path.with_name(f"{path.name}.bak")
    assert path.read_bytes() != before
    assert (backup.read_bytes(), backup.stat().st_mode & 0o777) == (before, 0o640)
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("lab", LABS, ids=ids)
def test_nothing_of_the_owner_is_changed(lab: Lab, tmp_path: Path) -> None:
    """Every line is there still, in its order, but the list of callbacks and entries in flow style."""
    _, found = adopted(lab, tmp_path)
    changes = difflib.ndiff(found.before.splitlines(), found.after.replace(ADDED, "").splitlines())
    missing = [line.removeprefix("- ") for line in changes if line.startswith("- ")]
    assert missing in ([], ["  callbacks: own_callbacks.handler"], ["  callbacks: [prometheus]"])


def test_line_ends_of_windows_stay(tmp_path: Path) -> None:
    """The new lines have them too."""
    path = tmp_path / "router.yaml"
    text = "model_list:\n  - {model_name: a, litellm_params: {model: openai/a, api_key: x}}\n"
    path.write_bytes(text.replace("\n", "\r\n").encode())
    found = drafts.adopt(path, drafts.Wishes(), {}, KNOWN)
    assert found.after.count("\n") == found.after.count("\r\n") > 5


def test_entries_that_share_an_anchor_stay(tmp_path: Path) -> None:
    """What cannot be added to one of them alone is left to the owner, with a note; the rest is drafted."""
    path = tmp_path / "router.yaml"
    base = "api_base: 'http://127.0.0.1:8000/v1', api_key: x"
    path.write_text(
        f"shared: &shared {{model: openai/a, {base}}}\n"
        "model_list:\n  - {model_name: a, litellm_params: {<<: *shared}}\n"
        "  - {model_name: b, litellm_params: *shared}\n",
        encoding="utf-8",
    )
    found = drafts.adopt(path, drafts.Wishes(), {}, KNOWN)
    assert "homelab:" in found.after
    assert ("use_chat_completions_api" in found.after) is not any(
        "was not added" in one for one in found.draft.notes
    )


def test_a_second_backup_does_not_replace_the_first(tmp_path: Path) -> None:
    """Each has a number of its own."""
    path = written(LABS[0], tmp_path, ours=False)
    found = drafts.adopt(path, drafts.Wishes(), ENVIRON, KNOWN)
    names = []
    for _ in range(3):
        path.write_text(found.before, encoding="utf-8")
        names.append(writing.write(path, found.after).name)
    assert names == [f"{path.name}.bak", f"{path.name}.bak.1", f"{path.name}.bak.2"]
    assert [*tmp_path.glob(".*.new")] == []


MODELS = st.lists(
    st.fixed_dictionaries(
        {
            "model_name": st.sampled_from(["a", "b", "openai/*", "x y"]),
            "litellm_params": st.fixed_dictionaries({"model": st.sampled_from(["openai/a", "openai/moa-b"])}),
        }
    ),
    max_size=3,
)


@given(document=SECTIONS, models=MODELS, flow=st.sampled_from([None, False, True]))
def test_no_file_breaks_it(
    document: dict[str, object],
    models: list[object],
    flow: bool | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A file of any shape and style is drafted, or refused with what to do."""
    path = tmp_path_factory.mktemp("any") / "router.yaml"
    content = {key: value for key, value in {**document, "model_list": models}.items() if key != "homelab"}
    path.write_text(yaml.safe_dump(content, default_flow_style=flow, sort_keys=False), encoding="utf-8")
    with contextlib.suppress(drafts.CannotAdopt, drafts.CannotEdit, NotReadable):
        drafts.adopt(path, drafts.Wishes(), {}, KNOWN)
