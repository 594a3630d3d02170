"""Each operator of the card query language finds what it means."""

from __future__ import annotations

import pytest

from tests.unit.knowledge.cards.query.conftest import Search

OTTERS = "Moss Otter, Moss Otter Elder"
CATERPILLAR = "Caterpillar // Night Moth"
DAWN = "Dawn // Dusk"

FOUND = {
    # names
    "otter": OTTERS,
    "otter moss": OTTERS,
    '"moss otter e"': "Moss Otter Elder",
    "!moss": "",
    '!"moss otter"': "Moss Otter",
    "!dusk": DAWN,
    "!CATERPILLAR": CATERPILLAR,
    "name:bell": "Bell, the Quiet, Sunken Bell",
    "n:under": "Ünder the Bridge",
    "under bridge": "Ünder the Bridge",
    r"name:/\bbell$/": "Sunken Bell",
    # colours
    "c:wu": "Bell, the Quiet, Grand Parade",
    "c=wu": "Bell, the Quiet",
    "c:azorius": "Bell, the Quiet, Grand Parade",
    "c<wu t:artifact": "Sunken Bell",
    "c>wu": "Grand Parade",
    "c:c": "Pale Grove",
    "c:m -c=5": f"Ashen Rite, Bell, the Quiet, {CATERPILLAR}, {DAWN}",
    "c=5": "Grand Parade",
    "c=ub": CATERPILLAR,
    "c=wb": DAWN,
    "c=w t:instant": "",
    "color!=g t:elf": "",
    # identity
    "id:gw t:land": "Pale Grove",
    "id<=gw t:otter": OTTERS,
    "id>=4": "Grand Parade",
    "id:c include:extras": "The Great Pond",
    "identity=wb": DAWN,
    # types
    "t:otter": OTTERS,
    "t:ott": OTTERS,
    't:"legendary creature"': "Bell, the Quiet, Moss Otter Elder",
    't:"creature - fox"': "Ember Fox",
    "t:otter -t:legend": "Moss Otter",
    "t:sorcery c:b": f"Ashen Rite, {DAWN}, Grand Parade",
    r"t:/^artifact$/": "Sunken Bell",
    # text
    "o:hedges": "",
    "fo:hedges": "Bell, the Quiet",
    'o:"~ enters"': "Bell, the Quiet, Sunken Bell",
    'o:"~ hums"': "Moss Otter Elder",
    'o:"this artifact"': "Sunken Bell",
    "o:/^{T}: add/": "Hedge Maze Keeper, Pale Grove, Sunken Bell",
    r"o:/\spp/": "Ember Fox",
    r"o:/\smm/": "Ashen Rite",
    r"o:/\spt/": "",
    r"o:/add \sm or \sm/": "Pale Grove, Sunken Bell",
    r"fo:/roll \ss/ include:extras": "The Great Pond",
    "o:/~ hums/": "Moss Otter Elder",
    "kw:flying": "Bell, the Quiet",
    "keyword:TRAMPLE": "Moss Otter Elder",
    "any:fox": "Ashen Rite, Ember Fox",
    # mana
    "m:{g}": "Caterpillar // Night Moth, Grand Parade, Hedge Maze Keeper, Moss Otter, Moss Otter Elder",
    "m=1g": "Moss Otter",
    "m>1g": "Hedge Maze Keeper, Moss Otter Elder",
    "m:{r/b}": "Ashen Rite",
    "m:{p/b}": "Bog Lamp",
    "m:xu": "Sunken Bell",
    "m<=2gg t:otter": OTTERS,
    "mv=4": "Bog Lamp, Moss Otter Elder",
    "cmc>=5": "Grand Parade, Hedge Maze Keeper, Old Wanderer",
    "mv:even t:otter": OTTERS,
    "mv:odd t:elf": "Hedge Maze Keeper",
    "mv=1": f"{CATERPILLAR}, Ember Fox",
    "pips=5": "Grand Parade",
    "pips>=2 t:planeswalker": "Old Wanderer",
    "devotion:{g}{g}": "Moss Otter Elder",
    "devotion>={u/w}{u/w}": "Bell, the Quiet, Old Wanderer, Sunken Bell",
    "devotion:{r/b}{r/b}": "",
    "produces=gw": "Pale Grove",
    "produces:c": "Sunken Bell",
    "produces>=5": "Hedge Maze Keeper",
    # numbers
    "pow>=4": f"{CATERPILLAR}, Moss Otter Elder",
    "pow>tou": "Ember Fox, Moss Otter Elder",
    "pow=tou": f"{CATERPILLAR}, Moss Otter",
    "pt=4": "Bell, the Quiet, Ember Fox, Moss Otter",
    "pow=*": "Bog Lamp",
    "tou=1+*": "Bog Lamp",
    "pow=0": f"Bog Lamp, {CATERPILLAR}, Hedge Maze Keeper",
    "loy=4": "Old Wanderer",
    "loyalty>4": "",
    "def>=5": "Siege of Reeds",
    "defence>=5": "Siege of Reeds",
    "pip=5": "Grand Parade",
    "mv>pow t:fox": "",
    # is
    "is:vanilla": "Moss Otter",
    "not:vanilla t:otter": "Moss Otter Elder",
    "-is:vanilla t:otter": "Moss Otter Elder",
    "-not:vanilla": "Moss Otter",
    "is:bear": "Moss Otter",
    "is:split": DAWN,
    "is:transform": CATERPILLAR,
    "is:dfc": CATERPILLAR,
    "is:hybrid": "Ashen Rite",
    "is:phyrexian": "Bog Lamp",
    "is:modal": "Ashen Rite",
    "is:historic t:wizard": "Bell, the Quiet",
    "is:party": "Bell, the Quiet",
    "is:commander": "Bell, the Quiet, Moss Otter Elder",
    "is:oathbreaker": "Old Wanderer",
    "is:permanent t:land": "Pale Grove",
    "is:spell t:land": "",
    "is:battle": "Siege of Reeds",
    # logic
    "t:otter or t:fox": f"Ember Fox, {OTTERS}",
    "(t:otter or t:fox) -c:r": OTTERS,
    "-(t:creature or t:land or t:sorcery) c:u": "Old Wanderer, Sunken Bell",
    "t:otter and c:g": OTTERS,
    "t:elf OR (t:otter pow>=4)": "Hedge Maze Keeper, Moss Otter Elder",
    "--t:fox": "Ember Fox",
    # a term needs one face, different terms may need different ones; mana value is the front's
    "c:g c:u t:insect": CATERPILLAR,
    "kw:haste -t:insect": "Ember Fox",
    "t:instant t:sorcery": DAWN,
    "-t:sorcery t:instant": "",
    # extras
    "pond include:extras": "The Great Pond",
    "t:plane": "Old Wanderer, The Great Pond",
}  # fmt: skip


@pytest.mark.parametrize(("query", "names"), FOUND.items(), ids=list(FOUND))
def test_a_query_finds(search: Search, query: str, names: str) -> None:
    found = search(query)
    assert found.error is None
    assert found.ignored == ()
    assert sorted(hit.name for hit in found.hits) == sorted(_split(names))
    assert found.total == len(found.hits)


def _split(names: str) -> list[str]:
    parts = names.replace("Bell, the Quiet", "Bell_ the Quiet").split(", ")
    return [part.replace("Bell_", "Bell,") for part in parts if part]


@pytest.mark.parametrize("query", [query for query, names in FOUND.items() if names])
def test_the_reading_may_be_typed_again_and_finds_the_same(search: Search, query: str) -> None:
    found = search(query)
    again = search(found.reading)
    assert (again.hits, again.total, again.reading) == (found.hits, found.total, found.reading)


def test_the_defaults_of_colours_and_identity_are_said(search: Search) -> None:
    assert search("c:rg").reading == "c>=rg"
    assert search("id:esper").reading == "id<=wub"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("t:otter order:cmc", ["Moss Otter", "Moss Otter Elder"]),
        ("t:otter order:power direction:desc", ["Moss Otter Elder", "Moss Otter"]),
        ("(t:otter or t:land) order:toughness", ["Moss Otter", "Moss Otter Elder", "Pale Grove"]),
        ("(t:fox or t:elf or t:wizard) order:color", ["Ember Fox", "Hedge Maze Keeper", "Bell, the Quiet"]),
        ("t:otter order:name direction:desc", ["Moss Otter Elder", "Moss Otter"]),
        ("bell", ["Bell, the Quiet", "Sunken Bell"]),
        ("moss otter", ["Moss Otter", "Moss Otter Elder"]),
    ],
)
def test_lists_come_in_the_order_asked_for_and_exact_names_first(
    search: Search, query: str, names: list[str]
) -> None:
    assert [hit.name for hit in search(query).hits] == names


def test_extras_show_only_when_asked_for_or_when_nothing_else_matches(search: Search) -> None:
    assert "The Great Pond" not in [hit.name for hit in search("o:/./ or the").hits]
    alone = search("great pond")
    assert [hit.name for hit in alone.hits] == ["The Great Pond"]


@pytest.mark.parametrize(
    ("query", "reading"),
    [
        ('o:“draw a card” o:"hums"', 'o:"draw a card" o:hums'),
        ('o:"hums" o:“draw a card”', 'o:hums o:"draw a card"'),
        ('o:„draw a card“ o:"hums"', 'o:"draw a card" o:hums'),
        ("o:„draw a card” o:“hums”", 'o:"draw a card" o:hums'),
        ('o:“draw a card" o:hums', 'o:"draw a card" o:hums'),
    ],
)
def test_a_quote_ends_at_the_nearest_sign_that_closes_it(search: Search, query: str, reading: str) -> None:
    found = search(query)
    assert (found.reading, found.ignored) == (reading, ())
    assert [hit.name for hit in found.hits] == ["Moss Otter Elder"]


@pytest.mark.parametrize(
    "query", ["o:'say \"hum\"'", 'o:"it\'s"', 'o:"-1/-1"', '"and" moss', "o:/a\\/b/", 'o:"!"']
)
def test_odd_values_are_read_back_as_they_were(search: Search, query: str) -> None:
    reading = search(query).reading
    assert search(reading).reading == reading
