"""From colour to grey."""
