"""Making pictures worse, as cameras and files do: for training and for tests."""
