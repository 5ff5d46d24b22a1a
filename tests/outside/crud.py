"""A client generated from the example's description: create, read, update and delete, and refusals as typed problems.

usage: python crud.py ADDRESS, with the generated package in PYTHONPATH and the tokens in ANNA, BERT and EDITOR
"""

import os
import sys

import skillmap as api
from skillmap.exceptions import ApiException


def client(name=None):
    """A client that calls as somebody, or as nobody."""
    configuration = api.Configuration(host=sys.argv[1], access_token=os.environ[name] if name else None)
    return api.ApiClient(configuration)


anyone, anna, bert, editor = client(), client("ANNA"), client("BERT"), client("EDITOR")


def refused(status, code, call, *arguments, **options):
    """The problem that refuses a call."""
    try:
        call(*arguments, **options)
    except ApiException as refusal:
        assert refusal.status == status, f"{refusal.status} instead of {status}: {refusal.body}"
        assert isinstance(refusal.data, api.Problem), refusal.data
        assert (refusal.data.code, refusal.data.status) == (code, status), refusal.data
        return refusal.data
    raise AssertionError(f"{call.__name__} was not refused")


def skill(slug):
    return api.SkillApi(anyone).get_skill_by_slug(slug)


def progress():
    own = api.ProgressApi(anna)
    wanted = skill("containers").id
    new = api.CreateProgressRequest(api.ProgressCreate(skill=api.SkillLinkOrNew(wanted), state=api.State.LEARNING, percent=20))
    created = own.create_progress_with_http_info(new)
    record = created.data.actual_instance
    assert created.status_code == 201
    assert created.headers["location"] == f"/api/progress/{record.id}"

    read = own.get_progress_with_http_info(record.id)
    assert read.data == record
    assert (read.data.owner, read.data.state, read.data.percent) == ("anna", api.State.LEARNING, 20)
    version = read.headers["etag"]
    changed = own.update_progress(record.id, api.ProgressUpdate(percent=60), if_match=version)
    assert (changed.percent, changed.state, changed.version) == (60, api.State.LEARNING, 2)
    again = api.ProgressUpdate(percent=80)
    stale = refused(412, "version_mismatch", own.update_progress, record.id, again, if_match=version)
    assert stale.version == 2

    refused(409, "not_unique", own.create_progress, api.CreateProgressRequest(api.ProgressCreate(skill=api.SkillLinkOrNew(wanted))))
    by_unique = own.get_progress_by_owner_and_skill("anna", wanted)
    assert by_unique.id == record.id
    refused(404, "not_found", api.ProgressApi(bert).get_progress, record.id)
    refused(401, "unauthenticated", api.ProgressApi(anyone).create_progress, new)
    assert own.delete_progress_with_http_info(record.id).status_code == 204
    refused(404, "not_found", own.get_progress, record.id)


def notes():
    own = api.NoteApi(anna)
    about = skill("databases").id
    new = [api.NoteCreate(skill=api.SkillLinkOrNew(about), text=text, shared=False) for text in ("first", "second", "third")]
    created = own.create_note(api.CreateNoteRequest(new)).actual_instance
    assert [note.text for note in created] == ["first", "second", "third"]

    seen, after = [], None
    while True:
        filters = ["shared == false", "text != 'second'"]
        page = own.list_notes(filter=filters, sort="-text", limit=1, after=after, count=True)
        assert page.count == 2
        seen += [note.text for note in page.items]
        after = page.next
        if after is None:
            break
    assert seen == ["third", "first"], seen

    refused(400, "invalid_argument", own.list_notes, filter=["txt == 'first'"])
    refused(404, "invalid_cursor", own.list_notes, after="nowhere")
    nowhere = api.SkillLinkOrNew("00000000-0000-7000-8000-000000000000")
    lost = api.NoteCreate(skill=nowhere, text="x")
    problem = refused(422, "invalid_record", own.create_note, api.CreateNoteRequest(lost))
    assert [error.pointer for error in problem.errors] == ["/skill"]
    for note in created:
        own.delete_note(note.id)


def skills():
    own = api.SkillApi(editor)
    category = api.CategoryLinkOrNew(skill("databases").category)
    fields = {"category": category, "practice": "daily", "technologies": ["python"]}
    new = api.CreateSkillRequest(api.SkillCreate(slug="by-a-client", name="By a client", months_min=2, **fields))
    refused(403, "forbidden", api.SkillApi(anna).create_skill, new)
    created = own.create_skill(new).actual_instance
    assert (created.months_min, created.published) == (2, True)
    cleared = own.update_skill(created.id, api.SkillUpdate(months_min=None))
    assert (cleared.months_min, cleared.name) == (None, "By a client")
    needed = skill("containers").id
    links = api.SkillUpdateRequires(api.SkillUpdateRequiresOneOf(add=[api.SkillLink(needed)]))
    own.update_skill(created.id, api.SkillUpdate(requires=links))
    links = api.SkillUpdateRequires([])
    own.update_skill(created.id, api.SkillUpdate(requires=links))
    own.delete_skill(created.id)


progress()
notes()
skills()
print("the Python client has created, read, updated and deleted")
