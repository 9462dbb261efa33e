"""High dynamic range: exposure stacks merged or fused, and scenes brought to a display."""
