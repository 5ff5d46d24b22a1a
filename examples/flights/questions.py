"""Thirty questions asked of the API, and of the CSV files it was loaded from: both must answer the same.

    python questions.py FOLDER ADDRESS

FOLDER holds the CSV files of nycflights13 (weather as weathers.csv), ADDRESS is a server that has loaded them. Needs duckdb.
"""

import json
import sys
import urllib.parse
import urllib.request

import duckdb

folder, address = sys.argv[1], sys.argv[2].rstrip("/")
database = duckdb.connect()
for table in ["airlines", "airports", "planes", "weathers", "flights"]:
    database.execute(
        f"CREATE VIEW {table} AS SELECT * FROM read_csv('{folder}/{table}.csv', nullstr='NA', sample_size=-1)"
    )
# Links to what is not listed were left out.
database.execute("""CREATE VIEW linked AS SELECT f.* REPLACE (
    (CASE WHEN f.tailnum IN (SELECT tailnum FROM planes) THEN f.tailnum END) AS tailnum,
    (CASE WHEN f.dest IN (SELECT faa FROM airports) THEN f.dest END) AS dest) FROM flights AS f""")


def ask(path, **query):
    """The items of a page."""
    text = urllib.parse.urlencode(query)
    with urllib.request.urlopen(f"{address}/api/{path}?{text}") as reply:
        return json.load(reply)


def count(path, *filters, **query):
    """How many records there are."""
    pairs = [("filter", one) for one in filters] + [("count", "true"), ("limit", "1")] + list(query.items())
    with urllib.request.urlopen(f"{address}/api/{path}?{urllib.parse.urlencode(pairs)}") as reply:
        return [(json.load(reply)["count"],)]


def flat(value):
    """The values of a record, what hangs on it too, in their order."""
    if isinstance(value, dict):
        return [one for inner in value.values() for one in flat(inner)]
    return [value]


def rows(path, **query):
    """The records of a page as rows."""
    return [tuple(flat(item)) for item in ask(path, **query)["items"]]


FLIGHT = "timeHour,flight,carrier(carrier),origin(faa),dest(faa)"
FLIGHT_SQL = """strftime(time_hour AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ'), flight, carrier, origin, dest FROM linked"""

QUESTIONS = [
    ("how many flights there are", lambda: count("flights"), "SELECT count(*) FROM flights"),
    ("how many planes there are", lambda: count("planes"), "SELECT count(*) FROM planes"),
    ("how many hours of weather there are", lambda: count("weathers"), "SELECT count(*) FROM weathers"),
    ("flights of United", lambda: count("flights", "carrier.carrier == 'UA'"),
     "SELECT count(*) FROM flights WHERE carrier = 'UA'"),
    ("flights that never left", lambda: count("flights", "depTime == null"),
     "SELECT count(*) FROM flights WHERE dep_time IS NULL"),
    ("flights without a plane that is listed", lambda: count("flights", "tailnum == null"),
     "SELECT count(*) FROM linked WHERE tailnum IS NULL"),
    ("flights to airports that are not listed", lambda: count("flights", "dest == null"),
     "SELECT count(*) FROM linked WHERE dest IS NULL"),
    ("flights more than two hours late", lambda: count("flights", "arrDelay > 120"),
     "SELECT count(*) FROM flights WHERE arr_delay > 120"),
    ("flights that left late and came early", lambda: count("flights", "depDelay > 0 && arrDelay < 0"),
     "SELECT count(*) FROM flights WHERE dep_delay > 0 AND arr_delay < 0"),
    ("flights in summer", lambda: count("flights", "month in [6, 7, 8]"),
     "SELECT count(*) FROM flights WHERE month IN (6, 7, 8)"),
    ("flights to Houston or Miami, two filters", lambda: count("flights", "dest.faa == 'IAH' || dest.faa == 'MIA'", "month == 1"),
     "SELECT count(*) FROM linked WHERE dest IN ('IAH', 'MIA') AND month = 1"),
    ("flights with planes of Boeing", lambda: count("flights", "tailnum.manufacturer == 'BOEING'"),
     "SELECT count(*) FROM flights JOIN planes USING (tailnum) WHERE manufacturer = 'BOEING'"),
    ("flights with planes of before 1990", lambda: count("flights", "tailnum.year < 1990"),
     "SELECT count(*) FROM flights AS f JOIN planes AS p USING (tailnum) WHERE p.year < 1990"),
    ("flights over the mountains", lambda: count("flights", "dest.alt > 5000"),
     "SELECT count(*) FROM flights JOIN airports ON dest = faa WHERE alt > 5000"),
    ("flights on new year's morning", lambda: count("flights", "timeHour < timestamp('2013-01-01T12:00:00Z')"),
     "SELECT count(*) FROM flights WHERE time_hour < TIMESTAMPTZ '2013-01-01 12:00:00+00'"),
    ("airports nobody flies to", lambda: count("airports", "size(arrivals) == 0"),
     "SELECT count(*) FROM airports WHERE faa NOT IN (SELECT dest FROM flights)"),
    ("airports that Delta flies to", lambda: count("airports", "arrivals.exists(f, f.carrier.carrier == 'DL')"),
     "SELECT count(*) FROM airports WHERE faa IN (SELECT dest FROM flights WHERE carrier = 'DL')"),
    ("planes that flew more than 500 times", lambda: count("planes", "size(flights) > 500"),
     "SELECT count(*) FROM (SELECT tailnum FROM flights JOIN planes USING (tailnum) GROUP BY 1 HAVING count(*) > 500)"),
    ("planes that were never late", lambda: count("planes", "flights.all(f, f.arrDelay == null || f.arrDelay <= 0)"),
     """SELECT count(*) FROM planes AS p WHERE NOT EXISTS
        (SELECT 1 FROM flights AS f WHERE f.tailnum = p.tailnum AND f.arr_delay > 0)"""),
    ("airports by a part of the name", lambda: rows("airports", filter="name.contains('Intl')", sort="faa", fields="faa,name", limit="1000"),
     "SELECT faa, name FROM airports WHERE contains(name, 'Intl') ORDER BY faa LIMIT 1000"),
    ("the longest delays", lambda: rows("flights", sort="-arrDelay,flight", fields="arrDelay,flight,carrier(name)", limit="50"),
     """SELECT arr_delay, flight, name FROM flights JOIN airlines USING (carrier)
        ORDER BY arr_delay DESC NULLS LAST, flight LIMIT 50"""),
    ("the first flights to Honolulu", lambda: rows("flights", filter="dest.faa == 'HNL'", sort="timeHour,flight", fields=FLIGHT, limit="20"),
     f"SELECT {FLIGHT_SQL} WHERE dest = 'HNL' ORDER BY time_hour, flight LIMIT 20"),
    ("the coldest hours", lambda: rows("weathers", filter="temp != null", sort="temp,timeHour,origin.faa", fields="origin(faa),temp,humid", limit="25"),
     "SELECT origin, temp, humid FROM weathers WHERE temp IS NOT NULL ORDER BY temp, time_hour, origin LIMIT 25"),
    ("flights by airline", lambda: rows("flights", group="carrier.carrier", select="count", sort="carrier"),
     "SELECT carrier, count(*) FROM flights GROUP BY 1 ORDER BY 1"),
    ("flights by month", lambda: rows("flights", group="month", select="count,min(depDelay),max(depDelay)", sort="month"),
     "SELECT month, count(*), min(dep_delay), max(dep_delay) FROM flights GROUP BY 1 ORDER BY 1"),
    ("miles by airline", lambda: rows("flights", group="carrier.name", select="sum(distance)", sort="name"),
     "SELECT name, sum(distance) FROM flights JOIN airlines USING (carrier) GROUP BY 1 ORDER BY 1"),
    ("mean delays by airline and origin", lambda: rows("flights", group="carrier.carrier,origin.faa", select="avg(depDelay),avg(arrDelay)", sort="carrier,faa"),
     "SELECT carrier, origin, avg(dep_delay), avg(arr_delay) FROM flights GROUP BY 1, 2 ORDER BY 1, 2"),
    ("planes by maker", lambda: rows("planes", group="manufacturer", select="count,avg(seats)", sort="manufacturer"),
     "SELECT manufacturer, count(*), avg(seats) FROM planes GROUP BY 1 ORDER BY 1"),
    ("an airport with how many flights it has", lambda: rows("airports", filter="faa in ['JFK', 'LGA', 'EWR']", sort="faa", fields="faa,n:size(departures)"),
     "SELECT origin, count(*) FROM flights GROUP BY 1 ORDER BY 1"),
    ("wind by origin", lambda: rows("weathers", group="origin.faa", select="count,max(windSpeed),avg(temp)", sort="faa"),
     "SELECT origin, count(*), max(wind_speed), avg(temp) FROM weathers GROUP BY 1 ORDER BY 1"),
]


def same(ours, theirs):
    """Whether two rows are equal; means to ten digits."""
    number = lambda value: isinstance(value, (int, float)) and not isinstance(value, bool)
    close = lambda a, b: abs(a - b) <= 1e-10 * max(abs(a), abs(b), 1)
    equal = lambda a, b: close(a, b) if number(a) and number(b) else a == b
    plain = lambda value: int(value) if isinstance(value, str) and value.lstrip("-").isdigit() else value
    return len(ours) == len(theirs) and all(equal(plain(a), plain(b)) for a, b in zip(ours, theirs))


wrong = 0
for name, ask_api, sql in QUESTIONS:
    ours, theirs = ask_api(), database.execute(sql).fetchall()
    good = len(ours) == len(theirs) and len(ours) > 0 and all(map(same, ours, theirs))
    wrong += not good
    print("same " if good else "WRONG", name)
    if not good:
        differ = [pair for pair in zip(ours, theirs) if not same(*pair)][:3]
        print("      rows", len(ours), len(theirs), "differ", differ)
print(f"{len(QUESTIONS)} questions, {wrong} wrong")
sys.exit(1 if wrong or len(QUESTIONS) < 30 else 0)
