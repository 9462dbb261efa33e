"""Tone mapping: from the luminance of a scene to that of a display, one paper a file."""
