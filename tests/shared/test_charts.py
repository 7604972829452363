from datetime import date

from stats_assets.shared.charts import Labels, State, as_markdown, draw_grid


def test_previews_are_pictures_inside_the_text():
    assert as_markdown({"Systems": b"\x89PNG"}) == "![Systems](data:image/png;base64,iVBORw==)"


def test_a_grid_is_a_picture_with_and_without_cells():
    labels = Labels("Files", "day", "host")
    here, gone = State("here", "tab:green"), State("gone", "tab:red")
    empty = draw_grid(labels, {})
    full = draw_grid(labels, {"web1": {date(2026, 3, 1): here, date(2026, 3, 2): gone}})
    assert empty.startswith(b"\x89PNG")
    assert full.startswith(b"\x89PNG")
    assert full != empty
