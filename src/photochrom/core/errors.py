"""The errors a user meets: each is one sentence saying what was expected and what was found."""


class PhotochromError(ValueError):
    """Anything wrong with what the user gave. Its text is one clear sentence."""


class ControlError(PhotochromError):
    """A control or port of an operation has a wrong name, type or value."""


class RecipeError(PhotochromError):
    """A recipe file cannot be understood."""


class FileError(PhotochromError):
    """A file cannot be read or written."""


class MemoryBudgetError(PhotochromError):
    """The work does not fit into the memory that was allowed."""


class DeclarationError(TypeError):
    """An operation is declared wrongly: a programmer's mistake, found at import."""


def nearest(name: str, known: list[str]) -> str:
    """Return '; did you mean X?' for the known name nearest to `name`, else the known names; nothing if there are none.

    Example:
        >>> nearest("gausian", ["gaussian", "box"])
        "; did you mean 'gaussian'?"
    """
    import difflib

    match = difflib.get_close_matches(name.replace("-", "_"), known, n=1, cutoff=0.5)
    if match:
        return f"; did you mean '{match[0]}'?"
    return f"; known are {', '.join(sorted(known))}" if known else ""
