"""What an operation is: declarations, steps, recipes and the door by which pictures come in and go out."""
