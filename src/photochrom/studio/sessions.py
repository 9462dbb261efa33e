"""What the server keeps for each open page: the original, the steps and their pictures, all in one private folder."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from photochrom.core.errors import ControlError, FileError, PhotochromError
from photochrom.io.formats import FORMATS
from photochrom.io.source import open_source
from photochrom.studio.history import MOST_STATES, Entry, History
from photochrom.studio.previews import Chain, Copy, scaled_copy

_TOKEN = re.compile(r"[0-9a-f]{32}")
_SAFE = re.compile(r"[^A-Za-z0-9._-]+")
_ONE_CHANGE = 1.0
"""Seconds between two movements of a control that undo takes back together."""
SHOWN = 12
"""So many of the pictures last shown are kept for the browser to fetch."""


@dataclass(frozen=True)
class Limits:
    """What a page may bring and how long it is remembered."""

    bytes: int = 1 << 30
    """Of one uploaded file."""
    pixels: int = 120_000_000
    """Of one picture."""
    total: int = 4 << 30
    """Bytes in the folder of one session."""
    sessions: int = 64
    idle: float = 4 * 3600.0
    """Seconds after which a session nobody uses is removed with its files."""


@dataclass
class Draft:
    """The step that is being worked on: a new one, or the one at a place of the stack."""

    entry: Entry
    at: int | None = None
    number: int = 0
    """Tells it from all others, so that the page knows when to make a new form."""
    epoch: int = 0
    """Changes when a painted layer or a value was replaced from elsewhere than the form and the brush."""
    past: list[Entry] = field(default_factory=list)
    """What undo goes back to, before the step is kept."""
    future: list[Entry] = field(default_factory=list)
    last: tuple[Any, float] = ((), 0.0)
    """Which parts were changed last, and when."""

    def become(self, entry: Entry) -> None:
        """Change the step; what moves within a second counts as one change."""
        if entry == self.entry:
            return
        changed = {name for name, value in entry.values.items() if value != self.entry.values.get(name)}
        # Each stroke is a change of its own.
        what, now = (changed, entry.strength != self.entry.strength, entry.files != self.entry.files), time.monotonic()
        if what[2] or what != self.last[0] or now - self.last[1] > _ONE_CHANGE:
            self.past = [*self.past, self.entry][-MOST_STATES:]
        self.entry, self.future, self.last = entry, [], (what, now)


@dataclass
class Original:
    """The picture that was opened, untouched on disk."""

    path: Path
    name: str
    width: int
    height: int
    facts: dict[str, Any]
    """Format, depth, profile and so on, as `photochrom info` tells them."""


@dataclass(eq=False)
class Session:
    """One page. Everything it can reach lies in `folder`."""

    token: str
    folder: Path
    limits: Limits
    lock: threading.RLock = field(default_factory=threading.RLock)
    used: float = field(default_factory=time.monotonic)
    original: Original | None = None
    copy: Copy | None = None
    history: History = field(default_factory=History)
    draft: Draft | None = None
    tool: str = ""
    """What the pointer does on the picture, such as `paint:mask`."""
    chain: Chain = field(default_factory=Chain)
    sizes: dict[Any, tuple[int, int]] = field(default_factory=dict)
    detail: dict[str, Any] = field(default_factory=dict)
    """Full-size pictures before and after, and for which steps (`of`)."""
    layers: dict[Any, str] = field(default_factory=dict)
    """Addresses of painted layers by file and size."""
    encoded: dict[int, tuple[Any, str, Any]] = field(default_factory=dict)
    slow: dict[str, int] = field(default_factory=dict)
    """How often in succession the preview of an operation took long on this picture."""
    coarse: Copy | None = None
    coarse_chain: Chain = field(default_factory=Chain)
    shown: dict[str, bytes] = field(default_factory=dict)
    turn: int = 0
    """Counts previews, so that one overtaken by another is not shown."""
    newest: dict[str, int] = field(default_factory=dict)
    """The number of the last event that came, by kind; browsers number them."""
    count: int = 0
    """The number of the last event that was answered."""
    job: Any = None
    """The full-size run in progress."""
    results: dict[str, Path] = field(default_factory=dict)
    """Full-size pictures for the screen, by the name the browser fetches them by."""
    made: dict[str, Path] = field(default_factory=dict)
    """Files to take away, by name."""

    def open(self, path: Path, name: str) -> None:
        """Make a file of the session's folder the picture that is worked on; the steps stay.

        Raises:
            FileError: it is no picture, damaged, or too large.
        """
        from photochrom.io.photo import describe

        with Named(path, name):
            with open_source(path, limit=self.limits.pixels) as source:
                width, height = source.width, source.height
            facts = describe(path)
            copy = scaled_copy(path, self.limits.pixels)
        self.original, self.copy = Original(path, name, width, height, facts), copy
        self.chain, self.coarse_chain, self.coarse, self.slow = Chain(), Chain(), None, {}
        self.results, self.detail, self.draft = {}, {}, None

    def adopt(self, path: Path, name: str, leave: bool = False) -> Path:
        """Bring an uploaded file into the folder, under a name that says nothing to a file system.

        Args:
            path: where the server put it.
            name: what the user calls it.
            leave: copy it, for the page still shows it and may send it again.
        """
        size = path.stat().st_size
        if size > self.limits.bytes:
            raise FileError(f"{name}: the file has {size / 1e6:.0f} MB, the studio takes up to "
                            f"{self.limits.bytes / 1e6:.0f} MB.")
        if size + sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file()) > self.limits.total:
            raise FileError(f"{name}: this session already holds {self.limits.total / 1e9:.0f} GB; reload the page in "
                            "a new tab to begin afresh.")
        target = self.folder / f"{secrets.token_hex(4)}-{safe_name(name)}"
        (shutil.copyfile if leave else shutil.move)(path, target)
        return target

    def keep(self, data: bytes, kind: str, ending: str = "png") -> str:
        """Store bytes under a name made of their content and return it; a file that is there already is the same."""
        name = f"{kind}-{hashlib.sha256(data).hexdigest()[:16]}.{ending}"
        path = self.folder / name
        if not path.exists():
            part = path.with_suffix(f".{secrets.token_hex(4)}.part")
            part.write_bytes(data)
            part.replace(path)
        return name

    def show(self, data: bytes) -> str:
        """Keep an encoded picture for the browser and return the address it is fetched from."""
        name = f"{hashlib.blake2b(data, digest_size=12).hexdigest()}.png"
        self.shown.pop(name, None)
        self.shown[name] = data
        while len(self.shown) > SHOWN:
            self.shown.pop(next(iter(self.shown)))
        return f"shown/{self.token}/{name}"

    def offer(self, path: Path) -> str:
        """Return the address from which a file of the folder is downloaded."""
        self.made[path.name] = path
        return f"made/{self.token}/{quote(path.name)}"

    def need(self) -> tuple[Original, Copy]:
        """Return the picture and its scaled copy, or raise one sentence if none is open."""
        if self.original is None or self.copy is None:
            raise ControlError("no picture is open; choose a file, drop one here, or take the sample picture")
        return self.original, self.copy

    def overtaken(self, kind: str, number: int) -> bool:
        """Note the number of an event, and tell whether a newer one of its kind has come.

        Called when it comes and again when its turn has come, it spares all but the last of what waited meanwhile.
        """
        newest = self.newest[kind] = max(number, self.newest.get(kind, 0))
        return number < newest

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back; a step in hand may always be laid down."""
        return self.draft is not None or self.history.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether something was taken back."""
        return self.history.can_redo if self.draft is None else bool(self.draft.future)

    def entries(self) -> tuple[Entry, ...]:
        """Return the stack with the draft at its place."""
        steps = list(self.history.steps)
        if self.draft is None:
            return tuple(steps)
        if self.draft.at is None:
            return (*steps, self.draft.entry)
        return (*steps[:self.draft.at], self.draft.entry)   # what follows is not shown while a step is edited


class Named:
    """Put the name the user knows into the sentence of an error, in place of the path on the server."""

    def __init__(self, path: Path, name: str) -> None:
        self.path, self.name = path, name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, PhotochromError):
            raise FileError(str(error).replace(str(self.path), self.name).replace(self.path.name, self.name)) from None


def safe_name(name: str) -> str:
    """Return a short name of plain letters that keeps a known ending.

    Example:
        >>> safe_name("../../Süße Katze.JPG")
        'S-e-Katze.jpg'
    """
    path = Path(name.replace("\\", "/"))
    ending = path.suffix.lower()
    known = {end for form in FORMATS.values() for end in form.extensions} | {".cube", ".toml", ".txt", ".zip"}
    stem = _SAFE.sub("-", path.stem).strip("-.")[:60] or "picture"
    return stem + (ending if ending in known else ".bin")


class Store:
    """All sessions of a server, in one folder that is removed with it."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.folder = Path(tempfile.mkdtemp(prefix="photochrom-studio-"))
        self.folder.chmod(0o700)
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def get(self, token: str) -> Session:
        """Return the session of a page; a token nobody knows yet begins one.

        Raises:
            ControlError: the token is no such thing, or too many sessions are open.
        """
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise ControlError("this page has no session; reload it")
        self.sweep()
        with self._lock:
            session = self._sessions.get(token)
            if session is None:
                if len(self._sessions) >= self.limits.sessions:
                    raise ControlError(f"the studio already serves {self.limits.sessions} pages; try again later")
                folder = self.folder / secrets.token_hex(16)   # not the token: no address leads to a folder
                folder.mkdir(mode=0o700)
                session = self._sessions[token] = Session(token, folder, self.limits)
            session.used = time.monotonic()
            return session

    def find(self, token: str) -> Session | None:
        """Return a session that exists."""
        return self._sessions.get(token)

    def sweep(self) -> None:
        """Remove sessions that nobody has used for long, with their files."""
        now = time.monotonic()
        with self._lock:
            old = [token for token, session in self._sessions.items()
                   if now - session.used > self.limits.idle and session.job is None]
            gone = [self._sessions.pop(token) for token in old]
        for session in gone:
            shutil.rmtree(session.folder, ignore_errors=True)

    def close(self) -> None:
        """Remove everything."""
        with self._lock:
            self._sessions.clear()
        shutil.rmtree(self.folder, ignore_errors=True)


def facts_line(original: Original) -> str:
    """Say in one line what was opened."""
    facts = original.facts
    depth = {"uint8": "8 bits", "uint16": "16 bits", "float16": "16-bit float", "float32": "32-bit float"}
    parts = [FORMATS[facts["format"]].title, f"{original.width} × {original.height}", depth[facts["depth"]],
             facts["colours"] + (" with alpha" if facts["alpha"] else ""), facts["profile"] or "no profile (sRGB)"]
    return " · ".join([*parts, *facts["notes"]])


def dumps(value: Any) -> str:
    """Return JSON for a page's own components."""
    return json.dumps(value, ensure_ascii=False)
