from datetime import date

from stats_assets.shared.charts import OTHER, Labels, State, as_markdown, draw_grid, largest


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


def test_many_series_are_the_largest_and_the_others_as_one():
    first, second = date(2026, 3, 1), date(2026, 3, 2)
    series = {"a": {first: 1.0, second: 5.0}, "b": {second: 9.0}, "c": {first: 2.0}, "d": {first: 1.0, second: 1.0}}
    shown = largest(series, 2)
    assert list(shown.items()) == [("b", series["b"]), ("a", series["a"]), (OTHER, {first: 3.0, second: 1.0})]
    assert largest(series, 4).keys() == series.keys()
