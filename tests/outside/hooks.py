"""What Schemathesis cannot know by itself: which records there are to link to, and what a refusal must be about."""

import re
import zlib

import requests
import schemathesis

# Links of the examples, and the collection that each leads to.
LINKS = {
    "skill": "skills",
    "category": "categories",
    "requires": "skills",
    "organisation": "organisations",
    "project": "projects",
    "labels": "labels",
    "issue": "issues",
    "product": "products",
    "order": "orders",
}

# Fields whose ranges are not described: a Decimal is a text, or a number.
DECIMALS = ("/price",)

# Of this many links one stays as it was made up, and leads nowhere.
MADE_UP = 5

# After this many requests the keys are read again: others delete records meanwhile.
FRESH = 25

KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# Where a whole record stands: the body, an element of it, the data of an operation, or a link inside of one of these.
INSIDE = (
    "category|requires|skills|skill|progress|notes"
    "|organisation|members|projects|project|labels|issues|issue|comments"
    "|products|product|lines|reviews|orders|order"
)
WHOLE_RECORD = re.compile(rf"(/[0-9]+|/ops/[0-9]+/data)?(/({INSIDE})(/[0-9]+)?)*")

# What no document can foresee: that a record is there, that a name is one of an earlier operation, and is no other's.
# The same of what the server computes, and of checks over that.
UNFORESEEN = {"link", "ref", "as", "set", "sold_out"}
# The same of an upsert, which is a create or a change as it turns out, and makes no records inside.
UNFORESEEN_OF_UPSERTS = {"immutable", "read_only", "wrong_type"}

known = {}
calls = 0


@schemathesis.hook
def before_call(context, case, kwargs):
    """Most links lead to records that exist, so that writes get further than their links."""
    global calls
    if calls % FRESH == 0:
        read_keys(case, kwargs)
    calls += 1
    if case.method in ("PATCH", "DELETE") and case.path.count("/") == 2 and case.query:
        # How many records match is more than a document can say.
        case.query.pop("limit", None)
    if case.path == "/api/query" and isinstance(case.body, dict):
        # Values are for the names that a filter has; made-up filters have none.
        case.body.pop("params", None)
    records = case.body if isinstance(case.body, list) else [case.body]
    operations = case.body.get("ops") if isinstance(case.body, dict) else None
    if isinstance(operations, list):
        records = [operation.get("data") for operation in operations if isinstance(operation, dict)]
    for record in records:
        if isinstance(record, dict):
            record.update({name: linked(name, record[name]) for name in LINKS if name in record})


def read_keys(case, kwargs):
    base = case.operation.schema.get_base_url().rstrip("/")
    headers = kwargs.get("headers") or case.headers or {}
    for path in set(LINKS.values()):
        page = requests.get(f"{base}/api/{path}?fields=id&limit=200", headers=dict(headers), timeout=30)
        # Another example has no such collection.
        known[path] = [item["id"] for item in page.json().get("items", [])]


def linked(name, value):
    """The value with the keys in it replaced; the same key always by the same one."""
    if isinstance(value, list):
        return [linked(name, item) for item in value]
    if isinstance(value, dict):
        return {member: linked(name, item) for member, item in value.items()}
    keys = known.get(LINKS[name])
    if not keys or not isinstance(value, str) or not KEY.fullmatch(value):
        return value
    number = zlib.crc32(value.encode())
    return value if number % MADE_UP == 0 else keys[number % len(keys)]


@schemathesis.check
def refused_for_what_the_document_cannot_say(ctx, response, case):
    """A 410 comes of a position alone, a 412 with If-Match, a 422 for a link or for a check of the whole record."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    batch = case.path == "/api/batch"
    if response.status_code == 410:
        assert "after" in (case.query or {}) and response.json()["code"] == "changes_gone", "410 without a position"
    if response.status_code == 412 and not batch:
        assert "if-match" in {name.lower() for name in case.headers or {}}, "412 without If-Match"
    if response.status_code == 422:
        upserts = "upsert" in (case.query or {}) or (batch and "upsert" in str(case.body))
        if response.json()["code"] == "idempotency_mismatch":
            return
        errors = response.json().get("errors", [])
        assert errors, "422 without errors"
        for error in errors:
            whole = error["code"] == "check" and WHOLE_RECORD.fullmatch(error["pointer"])
            whole = whole or (error["code"] == "check" and error["pointer"].endswith(DECIMALS))
            unforeseen = error["code"] in UNFORESEEN or (upserts and error["code"] in UNFORESEEN_OF_UPSERTS)
            assert whole or unforeseen, f"the document should say so: {error}"
