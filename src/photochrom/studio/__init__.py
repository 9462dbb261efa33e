"""The studio: every operation in the browser. `photochrom studio` opens it; Gradio is loaded by nothing else."""
