"""photochrom and its peers side by side, on the same picture in the same run."""
