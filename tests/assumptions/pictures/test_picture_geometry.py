"""Lengths stand for figures: what is twice as much is drawn twice as long, and a limit lies where its figure is."""

import itertools
import xml.etree.ElementTree as ET

import pytest

from assumptions._pictures import cash_lines, fit_map, memory_bar, tornado
from assumptions._pictures.amounts import Scale, finite, gib, scale, tokens, usd
from assumptions._pictures.canvas import ALARM, DARK, INK, MIDDLE
from assumptions._pictures.loads import memory_bar as bar_of
from assumptions._pictures.metrics import BOLD, REGULAR, shorten, spread, width, wrap

SVG = "{http://www.w3.org/2000/svg}"


def boxes(svg, fill):
    return [
        tuple(float(each.get(key)) for key in ("x", "y", "width", "height"))
        for each in ET.fromstring(svg).iter(f"{SVG}rect")
        if each.get("fill") == fill
    ]


def lines(svg, wide):
    return [
        float(each.get("x1"))
        for each in ET.fromstring(svg).iter(f"{SVG}line")
        if each.get("stroke-width") == wide and each.get("x1") == each.get("x2")
    ]


def words(svg):
    return [each.text for each in ET.fromstring(svg).iter(f"{SVG}text")]


def load(weights, overhead, room, wanted=None):
    return memory_bar.Load("each GPU", weights, overhead, room, wanted)


def bar(one, card=80.0, budget=72.0):
    return memory_bar.svg(memory_bar.MemoryBar("card", card, budget, (one,)))


def test_the_bar_is_as_long_as_what_it_holds_and_the_limits_stand_at_their_figures():
    svg = bar(load(36.0, (2.0, 3.0, 4.0), (32.0, 33.0, 34.0), 16.0))
    (x, _, weights, _), *_ = boxes(svg, DARK)
    per_gib = weights / 36.0
    assert boxes(svg, MIDDLE)[0][2] == pytest.approx(16.0 * per_gib, abs=0.05)
    assert boxes(svg, MIDDLE)[0][0] == pytest.approx(x + 40.0 * per_gib, abs=0.05)  # after the highest overhead
    assert lines(svg, "2.4") == [pytest.approx(x + 80.0 * per_gib, abs=0.05)]
    assert lines(svg, "1.6") == [pytest.approx(x + 72.0 * per_gib, abs=0.05)]
    assert not boxes(svg, ALARM)
    assert not [each for each in words(svg) if "short" in each]
    assert {"weights 36.00", "wanted KV 16.00", "more KV 16.00 to 18.00", "card 80.00 GiB"} <= set(words(svg))


def test_weights_larger_than_the_card_run_past_it_and_say_what_is_missing():
    svg = bar(load(144.0, (2.0, 3.0, 4.0), (-76.0, -75.0, -74.0), 16.0))
    (x, _, inside, _), (beyond, _, over, _) = boxes(svg, DARK)[0], boxes(svg, ALARM)[0]
    assert over == pytest.approx(inside, abs=0.05)  # 72 inside the budget, 72 beyond it
    assert beyond == pytest.approx(x + inside, abs=0.05)
    assert beyond + over > lines(svg, "2.4")[0]
    assert "short by 72.00 GiB before any overhead or KV" in words(svg)
    assert not [each for each in words(svg) if "KV 16" in each]


@pytest.mark.parametrize(
    ("room", "wanted", "said"),
    [
        ((-3.0, -2.0, -1.0), None, "short by 1.00 to 3.00 GiB before any KV"),
        ((-3.0, 1.0, 2.0), None, "may be short by up to 3.00 GiB before any KV"),
        ((1.0, 2.0, 3.0), 4.0, "short by 1.00 to 3.00 GiB for the wanted KV"),
        ((1.0, 2.0, 5.0), 4.0, "may be short by up to 3.00 GiB for the wanted KV"),
        ((4.0, 5.0, 6.0), 4.0, ""),
        (None, 4.0, ""),
    ],
)
def test_a_shortage_is_told_as_a_range_where_it_is_one(room, wanted, said):
    assert memory_bar.shortage(load(60.0, None, room, wanted), 72.0) == said


def test_an_answer_with_a_table_gives_a_bar_for_each_stage_that_differs():
    def stage(n, experts):
        return [
            [n, "routed experts", experts, experts, experts, "computed from config.json"],
            [n, "weights whole on each rank", 2.0, 2.0, 2.0, "computed from config.json"],
            [n, "moved to host memory", -1.0, -1.0, -1.0, "declared"],
            [n, "overhead", 2.0, 3.0, 4.0, "modelled"],
            [n, "KV of the wanted requests", 5.0, 5.0, 5.0, "computed from config.json"],
            [n, "left", -9.0, 0.0, 9.0, "modelled"],
            [n, "budget", 72.0, 72.0, 72.0, "declared"],
        ]

    fit = {"verdict": "tight", "budget_gib": 72.0, "budget_table": [*stage(1, 60.0), *stage(2, 60.0), *stage(3, 50.0)]}
    first, last = bar_of(fit, "card", 80.0, 24).loads
    assert (first.name, last.name) == ("each of 24 GPUs, pipeline stages 1, 2", "each of 24 GPUs, pipeline stage 3")
    assert (first.weights, last.weights, first.kv_wanted) == (61.0, 51.0, 5.0)
    assert first.kv_room == (-4.0, 5.0, 14.0)
    assert "server logs of other machines" in bar_of(fit, "card", 80.0, 24).caption
    here = [[*row[:5], "measured here"] if row[1] == "overhead" else row for row in fit["budget_table"]]
    assert "measured here" in bar_of({**fit, "budget_table": here}, "card", 80.0, 24).caption
    named = [dict(zip(("stage", "component", "low", "mid", "high", "basis"), r, strict=True)) for r in stage(1, 60.0)]
    assert bar_of({**fit, "budget_table": named}, "card", 80.0, 8).loads[0].weights == 61.0


def test_the_map_gives_each_cell_its_letter_and_rings_the_declared_point():
    verdicts = {(4096, 1): "fits", (8192, 1): "tight", (4096, 2): "does-not-fit", (8192, 2): "unsupported"}
    cells = tuple(fit_map.Cell(*at, verdict) for at, verdict in verdicts.items())
    svg = fit_map.svg(fit_map.FitMap(cells, 8192, 1))
    at = {e.text: (float(e.get("x")), float(e.get("y"))) for e in ET.fromstring(svg).iter(f"{SVG}text") if e.text}
    assert {"4K", "8K", "1", "2", "fits", "does not fit"} <= set(at)
    root = ET.fromstring(svg)
    big = [e for e in root.iter(f"{SVG}text") if e.get("font-size") == "15"]
    place = {e.text: (float(e.get("x")), float(e.get("y"))) for e in big}
    assert set(place) == {"F", "T", "N", "U"}
    assert place["F"][0] == place["N"][0] < place["T"][0] == place["U"][0]
    assert place["N"][1] == place["U"][1] < place["F"][1] == place["T"][1]  # more requests lie higher
    rings = [e for e in root.iter(f"{SVG}circle") if e.get("r") == "14.5"]
    assert {float(e.get("cx")) for e in rings} == {place["T"][0]}


@pytest.mark.parametrize(("context", "between"), [(5793, True), (16384, False)])
def test_a_declared_point_off_the_grid_is_ringed_between_or_said_to_lie_outside(context, between):
    cells = tuple(fit_map.Cell(c, 1, "fits") for c in (4096, 8192))
    svg = fit_map.svg(fit_map.FitMap(cells, context, 1))
    rings = {float(e.get("cx")) for e in ET.fromstring(svg).iter(f"{SVG}circle") if e.get("r") == "14.5"}
    assert bool(rings) is between
    assert any("outside this map" in each for each in words(svg)) is not between
    if between:  # half way in its logarithm, so on the border of the two cells
        assert rings.pop() == pytest.approx(boxes(svg, DARK)[1][0], abs=0.1)


def test_a_line_ends_at_its_figure_and_its_name_says_it():
    rows = [(0.0, 0.0, 0.0, 0.0), (12.0, 500.0, 1000.0, 2000.0)]
    svg = cash_lines.svg(cash_lines.CashLines({"API": rows}))
    tracks = [e.get("d") for e in ET.fromstring(svg).iter(f"{SVG}path") if e.get("stroke-width") == "2.6"]
    (x0, y0), (x1, y1) = (tuple(map(float, p.split())) for p in tracks[0][1:].split("L"))
    ticks = {e.text: float(e.get("y")) for e in ET.fromstring(svg).iter(f"{SVG}text") if e.get("text-anchor") == "end"}
    assert (x0, y0) == (cash_lines.LEFT, cash_lines.FOOT)
    assert x1 == cash_lines.RIGHT
    assert y1 == pytest.approx(ticks["$1,000"] - 4, abs=0.05)
    assert {"API $1,000", "$500 to $2,000"} <= set(words(svg))


def test_nothing_crosses_unless_it_is_told():
    ways = {"API": [(0, 0, 0, 0), (10, 90, 100, 110)], "own": [(0, 50, 50, 50), (10, 60, 60, 60)]}
    plain = cash_lines.svg(cash_lines.CashLines(ways))
    told = cash_lines.svg(cash_lines.CashLines(ways, (cash_lines.Crossing(5.6, 56.0, "month 5.6"),)))
    assert "<circle" not in plain.partition("</defs>")[2]
    assert "month 5.6" in words(told)
    outside = cash_lines.svg(cash_lines.CashLines(ways, (cash_lines.Crossing(11.0, 56.0, "month 11"),)))
    assert "month 11" not in words(outside)


def test_the_tornado_puts_the_widest_first_and_its_bars_begin_at_the_base_line():
    swings = (
        tornado.Swing("narrow", 1.0, 2.0, -10.0, 30.0, 10.0),
        tornado.Swing("wide", "20 %", "80 %", -70.0, 50.0, 10.0),
    )
    svg = tornado.svg(tornado.Tornado(swings))
    bold = [e.text for e in ET.fromstring(svg).iter(f"{SVG}text") if e.get("font-weight")]
    assert bold.index("wide") < bold.index("narrow")
    base = lines(svg, "1.6")[0]
    (low, high), (dark, more) = (list(boxes(svg, fill)) for fill in (MIDDLE, DARK))
    assert low[0] + low[2] == pytest.approx(base, abs=0.05)
    assert dark[0] == pytest.approx(base, abs=0.05)
    assert low[2] / dark[2] == pytest.approx(80 / 40, abs=0.01)
    assert high[2] / more[2] == pytest.approx(20 / 20, abs=0.01)
    assert {"low \N{MINUS SIGN}$70", "high $50", "20 % to 80 %", "every input at its middle: $10"} <= set(words(svg))


def test_figures_are_written_with_their_unit_and_sign():
    assert [usd(x) for x in (0, 5.5, 820, 27375, 1.26e6, -9864, 2.5e9, 1e15)] == [
        *("$0", "$5.50", "$820", "$27,375", "$1.26M", "\N{MINUS SIGN}$9,864", "$2.5B", "$1,000,000B"),
    ]
    assert [gib(x) for x in (139.8716, -0.001, -1.5, 123456.7)] == ["139.87", "0.00", "\N{MINUS SIGN}1.50", "123,457"]
    assert [tokens(x) for x in (4096, 262144, 1048576, 3000, 1)] == ["4K", "256K", "1M", "3,000", "1"]
    assert finite(float("inf")) is None
    assert finite(True) is None


def test_a_scale_holds_every_figure_and_steps_roundly():
    on = scale([50.0, 150.0], 0.0, 100.0)
    assert on.at(0.0) == 0.0
    assert on.at(150.0) < 100.0
    assert on.at(1e9) == 100.0
    assert on.ticks() == [0.0, 25.0, 50.0, 75.0, 100.0, 125.0, 150.0]
    assert Scale(0.0, 0.0, 0.0, 10.0).ticks() == [0.0]


def test_labels_keep_their_order_and_do_not_overlap():
    starts = spread([10.0, 12.0, 95.0], [20.0, 20.0, 20.0], 0.0, 100.0, 5.0)
    assert starts == [0.0, 25.0, 80.0]
    assert spread([95.0, 99.0], [20.0, 20.0], 0.0, 100.0, 5.0) == [55.0, 80.0]


def test_text_is_cut_to_its_room():
    assert shorten("weights", 1000, 13) == "weights"
    cut = shorten("weights of every rank", 60, 13)
    assert cut.endswith("…")
    assert width(cut, 13) <= 60
    assert wrap("one two three", width("one two", 13), 13, 2) == ["one two", "three"]
    assert wrap("one two three four five", width("one two", 13), 13, 1)[0].endswith("…")


def test_the_widths_are_those_of_the_font_that_is_shipped():
    """Reads `cmap` format 4 and `hmtx` of both files."""
    import struct

    from assumptions._pictures.png import FONTS

    for name, table in (("roboto-regular", REGULAR), ("roboto-bold", BOLD)):
        data = (FONTS / f"{name}.ttf").read_bytes()
        count = struct.unpack(">H", data[4:6])[0]
        at = {
            data[12 + 16 * n : 16 + 16 * n]: struct.unpack(">I", data[20 + 16 * n : 24 + 16 * n])[0]
            for n in range(count)
        }
        per_em = struct.unpack(">H", data[at[b"head"] + 18 : at[b"head"] + 20])[0]
        longs = struct.unpack(">H", data[at[b"hhea"] + 34 : at[b"hhea"] + 36])[0]
        glyphs = _cmap(data, at[b"cmap"])
        for n, expected in enumerate(table):
            glyph = min(glyphs[32 + n], longs - 1)
            advance = struct.unpack(">H", data[at[b"hmtx"] + 4 * glyph : at[b"hmtx"] + 4 * glyph + 2])[0]
            assert round(advance * 1000 / per_em) == expected


def _cmap(data, start):
    import struct

    for n in range(struct.unpack(">H", data[start + 2 : start + 4])[0]):
        table = start + struct.unpack(">I", data[start + 8 + 8 * n : start + 12 + 8 * n])[0]
        if struct.unpack(">H", data[table : table + 2])[0] == 4:
            break
    half = struct.unpack(">H", data[table + 6 : table + 8])[0]
    ends, starts, deltas, offsets = (
        struct.unpack(f">{half // 2}{kind}", data[at : at + half])
        for kind, at in (
            ("H", table + 14),
            ("H", table + 16 + half),
            ("h", table + 16 + 2 * half),
            ("H", table + 16 + 3 * half),
        )
    )
    found = {}
    for n, (low, high) in enumerate(zip(starts, ends, strict=True)):
        for code in range(low, min(high, 0x7E) + 1):
            if offsets[n]:
                place = table + 16 + 3 * half + 2 * n + offsets[n] + 2 * (code - low)
                found[code] = struct.unpack(">H", data[place : place + 2])[0]
            else:
                found[code] = (code + deltas[n]) & 0xFFFF
    return found


def test_ink_is_never_the_only_difference():
    """In black and white: no two neighbouring parts of a bar share both shade and hatch."""
    marks = memory_bar._marks(memory_bar.MemoryBar("c", 80.0, 72.0, ()), load(36.0, (2, 3, 4), (32, 33, 34), 16.0))
    looks = [(fill, over) for _, _, fill, over, _, _ in marks]
    assert all(a != b for a, b in itertools.pairwise(looks))
    assert INK not in [fill for fill, _ in looks]
