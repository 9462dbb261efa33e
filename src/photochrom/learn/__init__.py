"""Fitting: an edit, or a filter, recovered from a picture and its changed copy."""
