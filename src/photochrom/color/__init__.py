"""Colour spaces, one file each. Conversions are called `a_to_b`, act on (B, 3, H, W) and keep dtype and device."""
