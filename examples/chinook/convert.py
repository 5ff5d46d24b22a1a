"""Chinook's script, or its SQLite file, as NDJSON that `mainstay import` takes: a file for each collection.

    python3 convert.py chinook.sql files
    python3 convert.py chinook.sql files chinook.db     and keeps the SQLite file of the script

Links stay the numbers that they are; the tracks of a playlist become a list of them.
"""

import json
import re
import sqlite3
import sys
from pathlib import Path

# Each file: its table, the names that are others there, and what is written another way.
COLLECTIONS = {
    "artists": ("artist", {"id": "artist_id"}),
    "albums": ("album", {"id": "album_id", "artist": "artist_id"}),
    "genres": ("genre", {"id": "genre_id"}),
    "mediaTypes": ("media_type", {"id": "media_type_id"}),
    "tracks": (
        "track",
        {"id": "track_id", "album": "album_id", "media_type": "media_type_id", "genre": "genre_id"},
    ),
    "playlists": ("playlist", {"id": "playlist_id"}),
    "employees": ("employee", {"id": "employee_id"}),
    "customers": ("customer", {"id": "customer_id", "support_rep": "support_rep_id"}),
    "invoices": ("invoice", {"id": "invoice_id", "customer": "customer_id"}),
    "invoiceLines": ("invoice_line", {"id": "invoice_line_id", "invoice": "invoice_id", "track": "track_id"}),
}
LINKS = {"artist_id", "album_id", "media_type_id", "genre_id", "customer_id", "support_rep_id", "invoice_id",
         "track_id", "reports_to"}
DATES = {"birth_date", "hire_date"}
MOMENTS = {"invoice_date"}
DECIMALS = {"unit_price", "total"}


def load(source, file=":memory:"):
    """The database of a script or of a file."""
    if source.suffix != ".sql":
        return renamed(sqlite3.connect(f"file:{source}?mode=ro", uri=True))
    text = re.sub(r"/\*.*?\*/", "", source.read_text("utf-8"), flags=re.S)
    # N'…' is a text as any other.
    text = re.sub(r"N?('(?:[^']|'')*')", r"\1", text)
    # A day as everybody else writes it.
    text = re.sub(r"'(\d{4})/(\d+)/(\d+)'", lambda day: "'%s-%02d-%02d 00:00:00'" % (day[1], int(day[2]), int(day[3])), text)
    database = sqlite3.connect(file)
    wanted = re.findall(r"^(?:CREATE TABLE|INSERT INTO) (?:[^;']|'(?:[^']|'')*')*;", text, flags=re.M)
    database.executescript("\n".join(wanted))
    return database


def renamed(database):
    """The SQLite file calls `track_id` `TrackId`."""
    memory = sqlite3.connect(":memory:")
    snake = lambda name: re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
        rows = database.execute(f"SELECT * FROM {name}")
        columns = [snake(column[0]) for column in rows.description]
        memory.execute(f"CREATE TABLE {snake(name)} ({', '.join(columns)})")
        memory.executemany(f"INSERT INTO {snake(name)} VALUES ({', '.join('?' * len(columns))})", rows)
    return memory


def value(column, stored):
    """What is sent for a stored value."""
    if stored is None:
        return None
    if column in LINKS or column.endswith("_id"):
        return str(stored)
    if column in DECIMALS:
        return f"{stored:.2f}"
    if column in DATES | MOMENTS:
        day, time = stored.split(" ")
        return day if column in DATES else f"{day}T{time}Z"
    return stored


def records(database, table, names):
    """The records of a table, by the names of their fields."""
    rows = database.execute(f"SELECT * FROM {table} ORDER BY 1")
    columns = [column[0] for column in rows.description]
    fields = {column: field for field, column in names.items()}
    for row in rows:
        record = {fields.get(column, column): value(column, stored) for column, stored in zip(columns, row)}
        if table == "playlist":
            tracks = database.execute("SELECT track_id FROM playlist_track WHERE playlist_id = ? ORDER BY 1", row[:1])
            record["tracks"] = [str(track) for (track,) in tracks]
        yield record


def main(source, folder, file=":memory:"):
    database = load(Path(source), file)
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, (table, names) in COLLECTIONS.items():
        lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records(database, table, names)]
        Path(folder, f"{name}.ndjson").write_text("".join(lines), "utf-8")


main(*sys.argv[1:])
