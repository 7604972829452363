"""Names of weapons: from the game's file of items, from our list, and into the table."""

from __future__ import annotations

from pathlib import Path

import pytest

from stats_assets.shared.failures import ConfigurationMistake
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.trends.dimensions import Dimensions
from stats_assets.trends.weapon_names import WeaponName, listed_names, names_of_items
from stats_assets.trends.weapons import Named, name_weapons
from tests.trends.logs import rows

ITEMS = """
"items_game"
{
    // what several items have in common
    "prefabs"
    {
        "weapon_bat"      { "item_class" "tf_weapon_bat" "item_slot" "melee" }
        "a_sandman"       { "prefab" "weapon_bat" "item_class" "tf_weapon_bat_wood" "item_logname" "sandman" }
        "endless"         { "prefab" "endless" "item_slot" "head" }
    }
    "items"
    {
        "default"         { "name" "default" "item_class" "tf_weapon_none" }
        "0"               { "name" "TF_WEAPON_BAT" "prefab" "weapon_bat" }
        "190"             { "name" "Upgradeable TF_WEAPON_BAT" "prefab" "weapon_bat" }
        "44"              { "name" "The Sandman" "prefab" "paintable a_sandman" }
        "9044"            { "name" "Another Sandman" "prefab" "a_sandman" }
        "50"              { "name" "A \\"Hat\\"" "prefab" "endless" "item_class" "tf_wearable" [$WIN32] }
    }
    "items"
    {
        "45"              { "name" "The Force-A-Nature" "item_class" "tf_weapon_scattergun"
                            "item_logname" "force_a_nature" "item_slot" "primary" }
    }
}
"""


def test_items_give_the_names_that_logs_use_with_their_slots():
    assert names_of_items(ITEMS) == {
        "bat": WeaponName("Bat", "melee"),
        "sandman": WeaponName("Sandman", "melee"),
        "force_a_nature": WeaponName("Force-A-Nature", "primary"),
    }


@pytest.mark.parametrize(
    "text", ["", "not a list of items", ITEMS[:-4], ITEMS + "}", '"items_game" { "items" "none" }', '"a" {' * 60]
)
def test_what_is_no_file_of_items_is_refused(text: str):
    with pytest.raises(ConfigurationMistake, match=r"no items_game\.txt"):
        names_of_items(text)


def test_every_listed_name_is_whole():
    for weapon, known in listed_names().items():
        assert weapon == weapon.strip().lower()
        assert known.name == known.name.strip() != ""
        assert known.slot in {"primary", "secondary", "melee", "sentry", "building", "taunt", "environment"}


def test_weapons_of_logs_get_names_once_and_others_wait(database: StatsDatabase, tmp_path: Path):
    items = tmp_path / "items_game.txt"
    items.write_text(ITEMS)
    Dimensions(database).learn({"sandman", "tf_projectile_rocket", "from_a_mod"}, set())
    assert name_weapons(database, str(items)) == Named(2, ["from_a_mod"])
    assert rows(database, "SELECT weapon, name, slot FROM trends.weapons ORDER BY weapon") == [
        ("from_a_mod", None, None),
        ("sandman", "Sandman", "melee"),
        ("tf_projectile_rocket", "Rocket Launcher", "primary"),
    ]
    assert name_weapons(database, str(items)) == Named(0, ["from_a_mod"])


def test_a_file_of_items_that_is_not_there_is_told(database: StatsDatabase, tmp_path: Path):
    with pytest.raises(ConfigurationMistake, match="items_game"):
        name_weapons(database, str(tmp_path / "none.txt"))
