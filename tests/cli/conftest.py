"""The command line as a user runs it: a process of its own, or (faster) the same entry point in this one."""

import contextlib
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def cli(monkeypatch):
    """Run `photochrom` with arguments in this process and return exit code, standard output and error."""
    def run(*arguments):
        import typer

        from photochrom.cli import main

        monkeypatch.setattr(sys, "argv", ["photochrom", *map(str, arguments)])
        monkeypatch.setattr(main, "app", _fresh(main, typer))
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main.main()
                code = 0
            except SystemExit as stop:
                code = stop.code or 0
        return Result(code, out.getvalue(), err.getvalue())

    return run


def _fresh(main, typer):
    """A copy of the app with its fixed commands only: `main` adds the operations at every call."""
    app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
    app.registered_callback = main.app.registered_callback
    fixed = ("run", "verify", "bake", "ops", "info", "demo", "fit", "fit-kernel", "train")
    app.registered_commands = [c for c in main.app.registered_commands if c.name in fixed]
    return app


@pytest.fixture
def process():
    """Run `python -m photochrom.cli.main` with arguments as a process."""
    def run(*arguments, **options):
        command = [sys.executable, "-m", "photochrom.cli.main", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)

    return run


@pytest.fixture
def photo(tmp_path) -> Path:
    """A small photograph on disk."""
    import skimage.data

    path = tmp_path / "photo.png"
    Image.fromarray(skimage.data.chelsea()[100:160, 100:180]).save(path)
    return path


def pixels(path):
    return np.asarray(Image.open(path)).astype(int)
