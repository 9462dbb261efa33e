"""Point operations on tone."""
