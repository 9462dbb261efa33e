from __future__ import annotations

from pathlib import Path

import pytest

from photochrom.core.controls import parse
from photochrom.core.errors import ControlError
from photochrom.core.recipe import loads
from photochrom.core.registry import registry
from photochrom.studio.history import Entry, History, checked, entries_of, recipe_of, show


def names(history: History) -> list[str]:
    return [entry.op for entry in history.steps]


def test_undo_and_redo_walk_the_states() -> None:
    history = History()
    for op in ("negative", "flip", "identity"):
        history.put(Entry(op), None)
    history.undo()
    history.undo()
    assert names(history) == ["negative"]
    history.redo()
    assert names(history) == ["negative", "flip"]
    history.put(Entry("equalize"), 0)   # a new state: what was undone is gone
    assert not history.can_redo
    assert names(history) == ["equalize", "flip"]
    for _ in range(9):
        history.undo()
    assert names(history) == []
    assert not history.can_undo


def test_steps_are_moved_switched_and_removed() -> None:
    history = History()
    for op in ("negative", "flip", "identity"):
        history.put(Entry(op), None)
    history.act("move", 2, 0)
    assert names(history) == ["identity", "negative", "flip"]
    history.act("toggle", 1)
    assert [entry.on for entry in history.steps] == [True, False, True]
    history.act("remove", 0)
    assert names(history) == ["negative", "flip"]
    before = history.steps
    history.act("remove", 7)
    history.act("move", 0, 9)
    assert history.steps is before


@pytest.mark.parametrize("name", registry.names())
def test_every_default_is_written_as_it_is_read(name: str) -> None:
    operation = registry.get(name)
    for control in operation.controls.values():
        value = control.check(control.default, name)
        if value is None or control.kind in ("bool", "choice"):
            continue
        again = control.check(parse(control.kind, show(control.kind, value)), name)
        if control.kind == "color":   # a browser's colours have 8 bits
            assert again == pytest.approx(value, abs=0.5 / 255)
        else:
            assert again == value


def test_a_recipe_comes_back_as_the_steps_it_was_made_of() -> None:
    steps = (Entry("exposure", checked(registry.get("exposure"), {"stops": (0.5, 0.25, -0.125)}), 0.75),
             Entry("negative", on=False),
             Entry("crop", checked(registry.get("crop"), {"box": (2, 3, 40, 30)})))
    found = entries_of(loads(recipe_of(steps).dumps()))
    assert [entry.op for entry in found] == ["exposure", "crop"]   # what is off is left out
    assert found[0].values["stops"] == (0.5, 0.25, -0.125)
    assert found[0].strength == 0.75
    assert found[1].values == steps[2].values


def test_what_is_told_of_a_step_are_its_changes() -> None:
    entry = Entry("unsharp_mask", checked(registry.get("unsharp_mask"), {"sigma": 3.0}), 0.5, {"mask": "mask-1.png"})
    assert entry.told() == "sigma 3, strength 0.5, mask"
    assert Entry("negative").told() == ""


@pytest.mark.parametrize("model", ["/etc/passwd", "../weights", "hf:owner/name", "a.safetensors"])
def test_weights_are_named_and_never_reached_for(model: str) -> None:
    for name in ("upscale", "denoise"):
        with pytest.raises(ControlError, match="shipped weights"):
            Entry(name, {"model": model}).step()


def test_a_file_beside_the_server_is_no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain name could mean a file of the folder that the studio was started in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").write_text("no weights")
    with pytest.raises(ControlError, match="shipped weights"):
        Entry("denoise", {"model": "secret"}).step()


def test_a_step_without_its_picture_says_so() -> None:
    with pytest.raises(ControlError, match="match_histogram needs the picture 'reference'"):
        recipe_of((Entry("match_histogram"),))
    with pytest.raises(ControlError, match="no step"):
        recipe_of((Entry("negative", on=False),))
