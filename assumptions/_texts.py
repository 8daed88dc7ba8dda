"""Texts of several kinds whose tokens are counted: what an assistant reads and writes, in our own words."""

from __future__ import annotations

from collections.abc import Mapping

TEXTS: Mapping[str, str] = {
    "English prose": """\
The ferry leaves the northern pier at half past six, and by seven the harbour is only a row of lights. Most of the
passengers are asleep before the first buoy; a few stand at the rail, wrapped in coats, and watch the gulls give up one
after another. Nobody speaks much. The engine makes the tables tremble, the coffee draws rings in its cup, and somewhere
below a child counts the stairs aloud, loses its place, and begins again with great patience. When the wind turns,
the captain slows down without a word of explanation, as captains do, and the whole ship seems to listen.
""",
    "technical English": """\
The gateway terminates TLS, checks the API key and forwards listed routes only. Each release is staged beside the one
that serves, judged, and promoted by an atomic change of the upstream; a failed soak restores the earlier release.
Readiness is a completion of one token, not a status code, because a stuck worker still answers its health route.
""",
    "code": """\
def moving_average(values: list[float], width: int) -> list[float]:
    if width < 1 or width > len(values):
        raise ValueError(f"width {width} does not fit {len(values)} values")
    total = sum(values[:width])
    averages = [total / width]
    for index in range(width, len(values)):
        total += values[index] - values[index - width]
        averages.append(total / width)
    return averages
""",
    "JSON": """\
{"order": {"id": "A-20931", "items": [{"sku": "TX-4", "count": 3, "price": 19.95}, {"sku": "QM-11", "count": 1,
"price": 249.0}], "ship_to": {"name": "R. Okafor", "city": "Utrecht", "postcode": "3511 LN"}, "paid": true}}
""",
    "Chinese": """\
清晨的市场还没有完全醒来,卖豆腐的老人已经把炉火点上。雾气从河面慢慢升起,桥上的行人像影子一样走过。
孩子们背着书包,在街角停下来看一只不肯让路的白鹅。等太阳照到屋檐,整条街忽然热闹起来,叫卖声和车铃声混在一起。
""",
    "numbers": """\
2026-03-14 08:15:02 1482.75 39.1 0.00231 7741203 192.168.14.201 +31 30 555 0142 18446744073709551615 3.14159265358979
41 57 1009 27644437 1.6e-19 99.95% 12:00:00 0x7fffffff 1/3 1,048,576 6.02214076e23
""",
}
