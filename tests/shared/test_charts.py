from stats_assets.shared.charts import as_markdown


def test_previews_are_pictures_inside_the_text():
    assert as_markdown({"Systems": b"\x89PNG"}) == "![Systems](data:image/png;base64,iVBORw==)"
