"""Recipe files: what is written is read again, and every mistake is one sentence that says where."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import photochrom
from photochrom.core.errors import ControlError, RecipeError
from photochrom.core.recipe import Recipe, load, loads
from photochrom.core.step import Step

HEAD = "version = 1\n"
GOOD = HEAD + '''name = "Soft"
about = "softer, and a little brighter"

[[step]]
op = "gaussian"
sigma = 1.5

[[step]]
op = "brightness"
amount = 1
strength = 0.25
'''

WRONG = {
    "nothing": ("", "must state 'version = 1' at its top, got None"),
    "no version": ('[[step]]\nop = "negative"\n', "must state 'version = 1'"),
    "version as text": ('version = "1"\n[[step]]\nop = "negative"\n', "got '1'"),
    "version as truth": ('version = true\n[[step]]\nop = "negative"\n', "got True"),
    "version nought": ('version = 0\n[[step]]\nop = "negative"\n', "got 0"),
    "newer": ('version = 2\n[[step]]\nop = "negative"\n', "has version 2; this photochrom reads recipes up to"),
    "no steps": (HEAD, "at least one [[step]]"),
    "steps empty": (HEAD + "step = []\n", "at least one [[step]]"),
    "one step only": (HEAD + '[step]\nop = "negative"\n', "at least one [[step]]"),
    "steps of text": (HEAD + 'step = ["negative"]\n', "at least one [[step]]"),
    "unknown entry": (HEAD + 'nmae = "x"\n[[step]]\nop = "negative"\n', "unknown entry 'nmae'; did you mean 'name'?"),
    "name as number": (HEAD + 'name = 3\n[[step]]\nop = "negative"\n', "name must be a text, got 3"),
    "about as list": (HEAD + 'about = ["x"]\n[[step]]\nop = "negative"\n', "about must be a text"),
    "step without op": (HEAD + "[[step]]\nsigma = 2\n", "step 1 must name its operation"),
    "op as number": (HEAD + "[[step]]\nop = 2\n", "step 1 must name its operation"),
    "unknown op": (HEAD + '[[step]]\nop = "gausian"\n', "step 1: there is no operation 'gausian'; did you"),
    "second step": (HEAD + '[[step]]\nop = "negative"\n[[step]]\nop = "box"\nradus = 2\n',
                    "step 2: box has no control 'radus'; did you mean 'radius'?"),
    "wrong type": (HEAD + '[[step]]\nop = "box"\nradius = "wide"\n', "box: radius must be a whole number, got 'wide'"),
    "half a pixel": (HEAD + '[[step]]\nop = "box"\nradius = 2.5\n', "box: radius must be a whole number, got 2.5"),
    "infinity": (HEAD + '[[step]]\nop = "box"\nradius = inf\n', "box: radius must be a whole number, got inf"),
    "not a number": (HEAD + '[[step]]\nop = "gaussian"\nsigma = nan\n', "sigma must be a finite number, got nan"),
    "a table": (HEAD + '[[step]]\nop = "gaussian"\nsigma = {a = 1}\n', "gaussian: sigma must be a finite number"),
    "a date": (HEAD + '[[step]]\nop = "gaussian"\nsigma = 2024-01-01\n', "gaussian: sigma must be a finite number"),
    "a list": (HEAD + '[[step]]\nop = "gaussian"\nsigma = [1.0]\n', "gaussian: sigma must be a finite number"),
    "no such border": (HEAD + '[[step]]\nop = "box"\nborder = "wall"\n', "box: border must be reflect or replicate or"),
    "out of range": (HEAD + '[[step]]\nop = "gaussian"\nsigma = 1000\n', "between 0.1 and 100 px, got 1000"),
    "strength": (HEAD + '[[step]]\nop = "negative"\nstrength = 2\n', "strength must lie between 0 and 1, got 2"),
    "missing port": (HEAD + '[[step]]\nop = "transfer_statistics"\n', "needs the picture 'reference' = \"FILE\""),
    "port as number": (HEAD + '[[step]]\nop = "transfer_statistics"\nreference = 3\n', "must be a file name, got 3"),
    "mask as number": (HEAD + '[[step]]\nop = "negative"\nmask = 3\n', "negative: mask must be a file name, got 3"),
    "image given": (HEAD + '[[step]]\nop = "negative"\nimage = "a.png"\n', "negative has no control 'image'"),
    "argument called operation": (HEAD + '[[step]]\nop = "box"\noperation = "box"\n', "box has no control 'operation'"),
    "argument called self": (HEAD + '[[step]]\nop = "box"\nself = "box"\n', "box has no control 'self'"),
    "syntax": (HEAD + '[[step]]\nop = "box"\nradius 2\n', "is not valid TOML:", "line 4"),
    "a key twice": (HEAD + '[[step]]\nop = "box"\nop = "box"\n', "is not valid TOML:", "line 4"),
    "unfinished text": (HEAD + 'name = "x\n', "is not valid TOML:", "line 2"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_one_sentence(case: str) -> None:
    text, *words = WRONG[case]
    with pytest.raises(RecipeError) as error:
        loads(text, "look.toml")
    message = str(error.value)
    assert message.startswith("look.toml")
    assert "\n" not in message
    for word in words:
        assert word in message


def test_a_recipe_is_its_steps_in_order() -> None:
    recipe = loads(GOOD)
    assert (recipe.name, recipe.about, len(recipe)) == ("Soft", "softer, and a little brighter", 2)
    image = torch.rand(1, 3, 9, 9)
    blurred = photochrom.gaussian(image, sigma=1.5)
    assert torch.allclose(recipe(image), blurred + 0.25, atol=1e-6)
    assert [step.operation.name for step in recipe] == ["gaussian", "brightness"]


def test_what_is_written_is_read_again() -> None:
    recipe = loads(GOOD)
    text = recipe.dumps()
    again = loads(text)
    assert again.dumps() == text
    assert [step.controls for step in again] == [step.controls for step in recipe]
    assert "border = \"reflect\"" in text, "defaults are written, so that a later change of one does not matter"
    assert text.count("strength") == 1
    image = torch.rand(1, 3, 9, 9)
    assert torch.equal(again(image), recipe(image))


@pytest.mark.parametrize("value", [0.1, 1e-9, 1 / 3, -5.0, 3e-7])
def test_numbers_are_written_without_loss(value: float) -> None:
    recipe = loads(Recipe([Step(photochrom.brightness, amount=value)]).dumps())
    assert next(iter(recipe)).controls["amount"] == value


@pytest.mark.parametrize("name", ["plain", 'with "quotes"', "a\\b", "2\nlines", "\t", "Grüße 夕陽", "\x01", "# no"])
def test_any_text_is_written(name: str) -> None:
    step = Step(photochrom.transfer_statistics, reference=name)
    again = loads(Recipe([step], name=name, about=name).dumps())
    assert (again.name, again.about, next(iter(again)).files["reference"]) == (name, name, name)


def test_scalar_tensors_are_written_as_numbers() -> None:
    learnt = torch.nn.Parameter(torch.tensor(0.75))
    recipe = Recipe([Step(photochrom.brightness, amount=learnt, strength=torch.tensor([0.5]))])
    again = next(iter(loads(recipe.dumps())))
    assert again.controls == {"strength": 0.5, "amount": 0.75}


def test_what_a_file_cannot_hold_is_refused() -> None:
    with pytest.raises(RecipeError, match="amount of step brightness has 2 values"):
        Recipe([Step(photochrom.brightness, amount=torch.zeros(2))]).dumps()
    with pytest.raises(RecipeError, match="strength of step brightness has 2 values"):
        Recipe([Step(photochrom.brightness, strength=torch.zeros(2))]).dumps()
    with pytest.raises(RecipeError, match="the picture 'reference' of step transfer_statistics has no file name"):
        Recipe([Step(photochrom.transfer_statistics, reference=torch.rand(1, 3, 2, 2))]).dumps()


def test_files_are_sought_beside_the_recipe(tmp_path: Path) -> None:
    text = HEAD + '[[step]]\nop = "transfer_statistics"\nreference = "sub/sunset.png"\nmask = "/sky.png"\n'
    (tmp_path / "look.toml").write_text(text)
    recipe = load(tmp_path / "look.toml")
    assert recipe.name == "look"
    asked: list[Path] = []

    def give(path: Path) -> torch.Tensor:
        asked.append(path)
        return torch.rand(1, 3, 4, 4)

    assert recipe.bind_files(give) is recipe
    assert sorted(asked) == sorted([tmp_path / "sub/sunset.png", Path("/sky.png")])
    assert recipe(torch.rand(1, 3, 4, 4)).shape == (1, 3, 4, 4)
    assert loads(recipe.dumps()).dumps() == recipe.dumps()


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"there is no recipe .*none\.toml$"):
        load(tmp_path / "none.toml")
    with pytest.raises(RecipeError, match="is a folder, not a recipe"):
        load(tmp_path)
    (tmp_path / "picture.toml").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(RecipeError, match=r"picture\.toml cannot be read"):
        load(tmp_path / "picture.toml")


def test_dashes_count_as_underscores() -> None:
    assert next(iter(loads(HEAD + '[[step]]\nop = "unsharp-mask"\n'))).operation.name == "unsharp_mask"


def test_a_recipe_is_a_module_with_its_steps_state() -> None:
    recipe = Recipe([Step(photochrom.brightness, amount=torch.nn.Parameter(torch.tensor(0.5))),
                     Step(photochrom.contrast, amount=torch.tensor(2.0))])
    assert list(recipe.state_dict()) == ["steps.0.tensors.amount", "steps.1.tensors.amount"]
    other = Recipe([Step(photochrom.brightness, amount=torch.nn.Parameter(torch.tensor(0.0))),
                    Step(photochrom.contrast, amount=torch.tensor(1.0))])
    other.load_state_dict(recipe.state_dict())
    image = torch.rand(1, 3, 4, 4)
    assert torch.equal(other(image), recipe(image))


def test_an_empty_recipe_gives_the_picture_back() -> None:
    image = torch.rand(1, 3, 4, 4)
    assert torch.equal(Recipe([])(image), image)


def test_a_recipe_refuses_what_is_no_picture() -> None:
    with pytest.raises(ControlError, match=r"^recipe: image must be a tensor, a NumPy array, .* got str$"):
        Recipe([Step(photochrom.negative)])("photo.jpg")


def test_a_list_of_numbers_is_one_a_channel() -> None:
    text = HEAD + '[[step]]\nop = "exposure"\nstops = [0.5, 0.0, -1]\n'
    recipe = loads(text)
    assert recipe.steps[0].values()["stops"].tolist() == [[0.5, 0.0, -1.0]]
    assert "stops = [0.5, 0.0, -1.0]" in recipe.dumps()
    assert loads(recipe.dumps()).dumps() == recipe.dumps()
    colour = torch.rand(1, 3, 4, 5)
    for channel, stops in enumerate((0.5, 0.0, -1.0)):
        torch.testing.assert_close(recipe(colour)[:, channel], photochrom.exposure(colour, stops=stops)[:, channel])
    grey = colour[:, :1]
    torch.testing.assert_close(recipe(grey), recipe(grey.expand(-1, 3, -1, -1)))
    torch.testing.assert_close(photochrom.run(recipe, grey), recipe(grey))
    with pytest.raises(ControlError, match="a number for each of 3 channels, the picture has 2"):
        recipe(torch.rand(1, 2, 4, 5))


@pytest.mark.parametrize("value", ["[]", "[1.0]", "[1, 2, 3, 4, 5]", '["a", "b"]', "[1.0, 99.0, 0.0]", "[true, false]"])
def test_a_list_that_is_not_one_number_a_channel_is_refused(value: str) -> None:
    with pytest.raises(RecipeError, match="recipe, step 1: exposure: stops must"):
        loads(HEAD + f'[[step]]\nop = "exposure"\nstops = {value}\n')


def test_lists_are_for_controls_that_take_tensors() -> None:
    with pytest.raises(RecipeError, match="sigma must be a finite number"):
        loads(HEAD + '[[step]]\nop = "gaussian"\nsigma = [1.0, 2.0, 3.0]\n')
