"""How the studio looks: system fonts, so that nothing is fetched; light and dark as the browser prefers."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

WEB = Path(__file__).parent / "web"


def theme() -> gr.themes.Base:
    """Return the theme."""
    return gr.themes.Base(
        primary_hue="teal", neutral_hue="slate", text_size="md", spacing_size="sm", radius_size="sm",
        font=["system-ui", "Segoe UI", "Helvetica", "Arial", "sans-serif"],
        font_mono=["ui-monospace", "Consolas", "monospace"],
    ).set(block_label_text_size="*text_sm", block_title_text_weight="600")


def css() -> str:
    """Return the style of the page's own parts."""
    return (WEB / "studio.css").read_text(encoding="utf-8")
