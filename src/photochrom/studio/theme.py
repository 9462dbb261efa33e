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
    ).set(
        block_label_text_size="*text_sm", block_title_text_weight="600",
        # Enough contrast for small text (4.5 to 1) on every ground, and an edge round what is not chosen.
        body_text_color_subdued="*neutral_600", color_accent="*primary_700",
        button_primary_background_fill="*primary_700", button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700", button_primary_background_fill_hover_dark="*primary_600",
        checkbox_background_color_dark="*neutral_900", checkbox_background_color_selected="*primary_700",
        checkbox_background_color_selected_dark="*primary_600",
        checkbox_border_color="*neutral_500", checkbox_border_color_dark="*neutral_400")


def css() -> str:
    """Return the style of the page's own parts."""
    return (WEB / "studio.css").read_text(encoding="utf-8")
