"""photochrom and its peers side by side, on the same picture in the same run."""

import photochrom  # noqa: F401  before torch, as its threads are told how long to spin when that is loaded
