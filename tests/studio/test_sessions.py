"""What a page may bring and reach, and what is left of it."""

from __future__ import annotations

import base64
import io
import secrets
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photochrom.core.errors import ControlError, FileError, PhotochromError, RecipeError
from photochrom.engine.files import Options, run_file
from photochrom.engine.recipes import load_recipe
from photochrom.io.photo import describe
from photochrom.studio import desk, layers, outputs
from photochrom.studio.jobs import CancelledError, Worker, Workers
from photochrom.studio.look import look
from photochrom.studio.sample import landscape
from photochrom.studio.sessions import Limits, Session, Store, safe_name


@pytest.fixture
def store() -> Iterator[Store]:
    begun = Store(Limits(bytes=2_000_000, pixels=2_000_000, total=6_000_000, sessions=3))
    yield begun
    begun.close()
    assert not begun.folder.exists()


def picture(folder: Path, name: str = "lake.png", size: tuple[int, int] = (600, 400)) -> Path:
    path = folder / name
    Image.fromarray(landscape()).resize(size).save(path)
    return path


def opened(store: Store, tmp_path: Path) -> Session:
    session = store.get(secrets.token_hex(16))
    session.open(session.adopt(picture(tmp_path), "lake.png"), "lake.png")
    return session


def drawn(session: Session, box: tuple[int, int, int, int], port: str = "mask", colour: tuple[int, ...] = (255,) * 3
          ) -> str:
    """A layer as the browser sends it: a box painted."""
    (width, height), _ = desk.sizes_for(session, port)
    layer = np.zeros((height, width, 4), np.uint8)
    layer[box[1]:box[3], box[0]:box[2]] = (*colour, 255)
    return "data:image/png;base64," + base64.b64encode(layers.as_png(layer)).decode()


def test_pages_have_folders_of_their_own(store: Store, tmp_path: Path) -> None:
    one, two = opened(store, tmp_path), opened(store, tmp_path)
    assert one.folder != two.folder
    assert one.token not in str(one.folder)
    assert store.get(one.token) is one
    assert {path.name for path in one.folder.iterdir()}.isdisjoint(path.name for path in two.folder.iterdir())


@pytest.mark.parametrize("token", ["", "a" * 31, "../" * 10 + "aa", "G" * 32, None])
def test_a_token_is_a_token(store: Store, token: str) -> None:
    with pytest.raises(ControlError, match="no session"):
        store.get(token)


def test_there_is_an_end_to_pages(store: Store) -> None:
    for _ in range(3):
        store.get(secrets.token_hex(16))
    with pytest.raises(ControlError, match="already serves 3 pages"):
        store.get(secrets.token_hex(16))


def test_pages_nobody_uses_are_removed_with_their_files(store: Store, tmp_path: Path) -> None:
    session = opened(store, tmp_path)
    session.used -= store.limits.idle + 1
    store.sweep()
    assert not session.folder.exists()
    assert store.find(session.token) is None


def test_what_is_too_large_is_one_sentence(store: Store, tmp_path: Path) -> None:
    session = store.get(secrets.token_hex(16))
    heavy = tmp_path / "heavy.png"
    heavy.write_bytes(b"x" * 2_000_001)
    with pytest.raises(FileError, match=r"heavy\.png: the file has 2 MB, the studio takes up to 2 MB\."):
        session.adopt(heavy, "heavy.png")
    wide = session.adopt(picture(tmp_path, "wide.png", (2000, 1001)), "wide.png")
    with pytest.raises(FileError, match=r"^wide\.png: the file declares 2000 x 1001 pixels, more than the limit of 2 "):
        session.open(wide, "wide.png")
    for _ in range(3):
        full = tmp_path / "full.bin"
        full.write_bytes(b"x" * 1_900_000)
        session.adopt(full, "full.bin")
    full.write_bytes(b"x" * 1_900_000)
    with pytest.raises(FileError, match="already holds"):
        session.adopt(full, "full.bin")


def test_a_bad_file_leaves_the_page_as_it_was(store: Store, tmp_path: Path) -> None:
    session = opened(store, tmp_path)
    desk.choose(session, "negative")
    desk.keep(session)
    bad = tmp_path / "bad.png"
    bad.write_bytes(picture(tmp_path).read_bytes()[:500])
    with pytest.raises(FileError, match=r"^bad\.png: "):
        session.open(session.adopt(bad, "bad.png"), "bad.png")
    assert session.original is not None
    assert session.original.name == "lake.png"
    assert [entry.op for entry in session.history.steps] == ["negative"]


@pytest.mark.parametrize(("name", "safe"), [
    ("../../etc/passwd", "passwd.bin"), ("C:\\Users\\me\\a b.TIF", "a-b.tif"), ("...", "picture.bin"),
    ("x" * 300 + ".jpg", "x" * 60 + ".jpg"), ("a\nb\0c.png", "a-b-c.png"), (".htaccess", "htaccess.bin"),
])
def test_names_are_made_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_mask_is_kept_at_the_size_of_the_picture(store: Store, tmp_path: Path) -> None:
    session = store.get(secrets.token_hex(16))
    session.open(session.adopt(picture(tmp_path, size=(1500, 1000)), "lake.png"), "lake.png")
    desk.choose(session, "negative")
    (width, height), whole = desk.sizes_for(session, "mask")
    assert whole == (1500, 1000)
    assert width * height <= 1_000_500
    desk.paint(session, "mask", drawn(session, (0, 0, width // 2, height)))
    draft = desk.need_draft(session)
    mask = np.asarray(Image.open(session.folder / draft.entry.files["mask"]))
    assert mask.shape == (1000, 1500)
    assert (mask[:, :740] == 255).all()
    assert (mask[:, 760:] == 0).all()


def test_undo_goes_back_through_the_step_in_hand(store: Store, tmp_path: Path) -> None:
    """Stroke by stroke, then the values, then the choice; the stack is not touched meanwhile."""
    session = opened(store, tmp_path)
    desk.choose(session, "negative")
    desk.keep(session)
    desk.choose(session, "exposure")
    desk.put(session, {"stops": 1.0})
    desk.put(session, {"stops": 1.1})   # the same movement
    for left in (10, 200):
        desk.paint(session, "mask", drawn(session, (left, 10, left + 50, 60)))
    strokes = desk.need_draft(session).entry.files["mask"]
    seen = []
    for _ in range(3):
        desk.undo(session)
        entry = desk.need_draft(session).entry
        seen.append((entry.values["stops"], "mask" in entry.files))
    assert seen == [(1.1, True), (1.1, False), (0.5, False)]
    for _ in range(3):
        desk.redo(session)
    assert desk.need_draft(session).entry.files["mask"] == strokes
    assert not session.can_redo
    for _ in range(4):
        desk.undo(session)
    assert session.draft is None
    assert [entry.op for entry in session.history.steps] == ["negative"]


def test_only_the_newest_of_waiting_events_is_answered(store: Store) -> None:
    session = store.get(secrets.token_hex(16))
    assert not session.overtaken("painted", 5)
    assert not session.overtaken("painted", 7)
    assert session.overtaken("painted", 5)
    assert not session.overtaken("painted", 7)
    assert not session.overtaken("boxed", 6)


def test_painting_leaves_the_fine_detail_of_a_mask_elsewhere(store: Store, tmp_path: Path) -> None:
    """A mask of the picture's size from a file is finer than what is painted on; only what is touched changes."""
    session = store.get(secrets.token_hex(16))
    session.open(session.adopt(picture(tmp_path, size=(1500, 1000)), "lake.png"), "lake.png")
    fine = np.zeros((1000, 1500), np.uint8)
    fine[:, ::2] = 255
    Image.fromarray(fine).save(tmp_path / "fine.png")
    desk.choose(session, "negative")
    desk.bind(session, "mask", str(tmp_path / "fine.png"), "fine.png")
    size, _ = desk.sizes_for(session, "mask")
    layer = layers.to_screen(session.folder / desk.need_draft(session).entry.files["mask"], size, False).copy()
    layer[100:200, 100:200, 3] = 255
    grown = layers.grown(layer, (1500, 1000), session.folder / desk.need_draft(session).entry.files["mask"], False)
    assert np.array_equal(grown[400:], fine[400:])
    assert (grown[140:230, 140:230] == 255).all()


def test_a_layer_that_is_none_is_refused(store: Store, tmp_path: Path) -> None:
    session = opened(store, tmp_path)
    desk.choose(session, "negative")
    for data in ("", "data:image/png;base64,AAAA", "file:///etc/passwd", "data:image/png;base64,!!!"):
        with pytest.raises(ControlError, match="did not arrive whole"):
            desk.paint(session, "mask", data)
    with pytest.raises(ControlError, match="nothing called 'image'"):
        desk.paint(session, "image", "")
    assert "mask" not in desk.need_draft(session).entry.files


def test_strokes_colour_a_picture(store: Store, tmp_path: Path) -> None:
    session = store.get(secrets.token_hex(16))
    grain = np.random.default_rng(0).integers(60, 190, (120, 160)).astype(np.uint8)
    Image.fromarray(grain).save(tmp_path / "grain.png")
    session.open(session.adopt(tmp_path / "grain.png", "grain.png"), "grain.png")
    desk.choose(session, "colorize_scribbles")
    assert "scribbles" in look(session).trouble
    desk.paint(session, "scribbles", drawn(session, (50, 50, 60, 60), "scribbles", (220, 40, 30)))
    shown = look(session)
    assert not shown.trouble
    assert shown.easel["tool"] == "paint"
    assert shown.easel["layer"]["coloured"]


def test_a_box_after_a_crop_lies_in_the_cropped_picture(store: Store, tmp_path: Path) -> None:
    session = opened(store, tmp_path)
    desk.choose(session, "crop")
    assert desk.draw_box(session, [100, 50, 500, 350]) == "100,50,500,350"
    desk.keep(session)
    desk.choose(session, "crop")
    assert desk.full_size(session, desk.base(session)) == (400, 300)
    assert desk.draw_box(session, [-5, 10, 900, 200]) == "0,10,400,200"
    assert look(session).easel["full"] == [400, 190]


def test_the_download_is_what_the_engine_makes(store: Store, tmp_path: Path) -> None:
    """Bit for bit, with a mask, in every format that is offered; the work is done by the worker's process."""
    session, workers = opened(store, tmp_path), Workers(1)
    desk.choose(session, "unsharp_mask")
    desk.put(session, {"sigma": 4.0, "amount": 2.0}, 0.7)
    desk.paint(session, "mask", drawn(session, (100, 100, 300, 200)))
    desk.keep(session)
    assert session.original is not None
    source = session.original.path
    recipe = load_recipe(_unpacked(outputs.recipe_file(session), tmp_path / "recipe"))
    for kind, (ending, depth) in outputs.KINDS.items():
        made, _ = outputs.download(session, workers, kind, lambda message: None)
        wanted = tmp_path / f"wanted{made.suffix}"
        run_file(recipe, source, wanted, Options(depth=depth, overwrite=True))   # type: ignore[arg-type]
        assert made.read_bytes() == wanted.read_bytes(), kind
        assert made.name == f"lake-edited{ending or '.png'}"
        if depth is not None:
            assert describe(made)["depth"] == depth
    workers.close()


def _unpacked(path: Path, folder: Path) -> Path:
    with zipfile.ZipFile(path) as packed:
        packed.extractall(folder)
    return folder / "recipe.toml"


def test_a_recipe_comes_back_with_its_pictures(store: Store, tmp_path: Path) -> None:
    session = opened(store, tmp_path)
    desk.choose(session, "negative")
    desk.paint(session, "mask", drawn(session, (10, 10, 90, 90)))
    desk.keep(session)
    before = session.history.steps
    packed = outputs.recipe_file(session)
    assert packed.suffix == ".zip"
    other = opened(store, tmp_path)
    outputs.load_recipe(other, packed)
    assert other.history.steps == before


@pytest.mark.parametrize("name", ["/etc/passwd", "../secret.png", "mask.png"])
def test_a_recipe_reaches_no_file_of_the_machine(store: Store, tmp_path: Path, name: str) -> None:
    session = opened(store, tmp_path)
    picture(session.folder.parent, "secret.png")
    recipe = tmp_path / "evil.toml"
    recipe.write_text(f'version = 1\n[[step]]\nop = "negative"\nmask = "{name}"\n')
    with pytest.raises(RecipeError, match="names the file"):
        outputs.load_recipe(session, recipe)
    assert session.history.steps == ()


@pytest.mark.parametrize("member", ["../../evil.png", "{folder}/evil.png", "sub/mask.png"])
def test_a_packed_recipe_writes_nowhere_else(store: Store, tmp_path: Path, member: str) -> None:
    session = opened(store, tmp_path)
    packed = tmp_path / "evil.zip"
    member = member.format(folder=tmp_path)   # the second begins at the root
    with zipfile.ZipFile(packed, "w") as files:
        files.writestr("recipe.toml", f'version = 1\n[[step]]\nop = "negative"\nmask = "{member}"\n')
        files.writestr(member, layers.as_png(np.zeros((400, 600), np.uint8)))
    def outside() -> set[Path]:
        return {path for place in (store.folder, tmp_path) for path in place.rglob("*")
                if not path.is_relative_to(session.folder)}

    before = outside()
    try:
        outputs.load_recipe(session, packed)
    except RecipeError:
        assert session.history.steps == ()
    else:
        kept = session.history.steps[0].files["mask"]
        assert "/" not in kept
        assert (session.folder / kept).is_file()
    assert outside() == before


def test_what_is_no_recipe_is_one_sentence(store: Store, tmp_path: Path) -> None:
    session = opened(store, tmp_path)
    for data in (b"\xff\xfe\x00", b"PK\x03\x04 broken", b"not toml [", b"version = 99"):
        path = tmp_path / "recipe"
        path.write_bytes(data)
        with pytest.raises(RecipeError):
            outputs.load_recipe(session, path)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("recipe.toml", "#" * (2 << 20))
    path.write_bytes(bomb.getvalue())
    with pytest.raises(RecipeError, match=r"one \.toml file"):
        outputs.load_recipe(session, path)


def test_work_in_progress_is_ended_and_the_next_begins(store: Store, tmp_path: Path) -> None:
    session, workers = opened(store, tmp_path), Workers(1)
    desk.choose(session, "smooth_wls")
    desk.put(session, {"detail": 2.0})
    desk.keep(session)
    workers.start()
    threading.Timer(0.3, lambda: workers.cancel(session)).start()
    with pytest.raises(CancelledError):
        outputs.download(session, workers, "TIFF, 16 bits", lambda message: None)
    assert not list(session.folder.glob("**/.photochrom-*"))
    assert not workers.cancel(session)
    session.history.undo()
    desk.choose(session, "negative")
    desk.keep(session)
    made, _ = outputs.download(session, workers, "PNG, 8 bits", lambda message: None)
    assert made.is_file()
    workers.close()


def test_a_worker_that_dies_is_a_sentence() -> None:
    worker = Worker()
    worker.start()
    assert worker._process is not None
    worker._process.kill()
    worker._process.wait()
    worker.start = lambda: None   # type: ignore[method-assign]
    with pytest.raises(PhotochromError, match="ended unexpectedly"):
        worker.run({"what": "run"})


def test_a_failed_job_is_the_engines_own_sentence(tmp_path: Path) -> None:
    worker = Worker()
    recipe = tmp_path / "r.toml"
    recipe.write_text('version = 1\n[[step]]\nop = "negative"\n')
    with pytest.raises(PhotochromError, match="there is no such file"):
        worker.run({"what": "run", "recipe": str(recipe), "source": str(tmp_path / "none.png"),
                    "target": str(tmp_path / "out.png")})
    worker.close()
