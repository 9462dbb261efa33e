"""The engine: runs a recipe over strips, tiles, files and folders."""
