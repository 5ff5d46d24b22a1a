// A client whose types come from the example's description: create, read, update and delete, and refusals as typed problems.
// usage: node crud.js ADDRESS, with the tokens in ANNA, BERT and EDITOR
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Problem = components["schemas"]["Problem"];
type Note = components["schemas"]["Note"];
type Skill = components["schemas"]["Skill"];

const address = process.argv[2];

/** A client that calls as somebody, or as nobody. */
function client(token?: string) {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return createClient<paths>({ baseUrl: address, headers });
}

const anyone = client();
const anna = client(process.env.ANNA);
const bert = client(process.env.BERT);
const editor = client(process.env.EDITOR);

/** What a call answered, or the problem as the reason of the failure. */
function answered<T>(reply: { data?: T; error?: Problem; response: Response }): T {
  assert.ok(reply.data !== undefined, `${reply.response.status}: ${reply.error?.code} ${reply.error?.detail}`);
  return reply.data;
}

/** The problem that refused a call. */
function refused(reply: { error?: Problem; response: Response }, status: number, code: Problem["code"]): Problem {
  assert.equal(reply.response.status, status);
  assert.ok(reply.error !== undefined, "a refusal has a problem");
  assert.equal(reply.error.code, code);
  assert.equal(reply.error.status, status);
  assert.equal(reply.response.headers.get("content-type"), "application/problem+json");
  return reply.error;
}

/** One record, where one was sent. */
function one<T>(record: T | T[]): T {
  assert.ok(!Array.isArray(record));
  return record;
}

async function skill(slug: string): Promise<Skill & { id: string }> {
  const found = answered(await anyone.GET("/api/skills/by/slug/{slug}", { params: { path: { slug } } }));
  assert.ok(found.id !== undefined);
  return { ...found, id: found.id };
}

async function progress() {
  const { id: wanted } = await skill("containers");
  const reply = await anna.POST("/api/progress", { body: { skill: wanted, state: "LEARNING", percent: 20 } });
  assert.equal(reply.response.status, 201);
  const { id } = one(answered(reply));
  assert.ok(id !== undefined && reply.response.headers.get("location") === `/api/progress/${id}`);
  const path = { id };

  const read = await anna.GET("/api/progress/{id}", { params: { path } });
  assert.deepEqual([answered(read).owner, answered(read).percent], ["anna", 20]);
  const version = read.response.headers.get("etag") ?? undefined;
  const header = { "If-Match": version };
  const body = { percent: 60 };
  assert.equal(answered(await anna.PATCH("/api/progress/{id}", { params: { path, header }, body })).percent, 60);
  const stale = await anna.PATCH("/api/progress/{id}", { params: { path, header }, body: { percent: 80 } });
  assert.equal(refused(stale, 412, "version_mismatch").version, 2);

  const twice = await anna.POST("/api/progress", { body: { skill: wanted } });
  refused(twice, 409, "not_unique");
  const over = await anna.PATCH("/api/progress/{id}", { params: { path }, body: { percent: 101 } });
  assert.deepEqual(refused(over, 422, "invalid_record").errors?.map((error) => error.pointer), ["/percent"]);
  refused(await bert.GET("/api/progress/{id}", { params: { path } }), 404, "not_found");
  refused(await anyone.POST("/api/progress", { body: { skill: wanted } }), 401, "unauthenticated");

  assert.equal((await anna.DELETE("/api/progress/{id}", { params: { path } })).response.status, 204);
  refused(await anna.GET("/api/progress/{id}", { params: { path } }), 404, "not_found");
}

async function notes() {
  const { id: about } = await skill("databases");
  const texts = ["first", "second", "third"];
  const reply = await anna.POST("/api/notes", { body: texts.map((text) => ({ skill: about, text, shared: false })) });
  const created = answered(reply);
  assert.ok(Array.isArray(created) && created.length === 3);

  const seen: Note[] = [];
  let after: string | undefined;
  do {
    const query = { filter: ["shared == false", "text != 'second'"], sort: "-text", limit: 1, after, count: true };
    const page = answered(await anna.GET("/api/notes", { params: { query } }));
    assert.equal(page.count, 2);
    seen.push(...page.items);
    after = page.next ?? undefined;
  } while (after !== undefined);
  assert.deepEqual(seen.map((note) => note.text), ["third", "first"]);

  const wrong = await anna.GET("/api/notes", { params: { query: { filter: ["txt == 'first'"] } } });
  refused(wrong, 400, "invalid_argument");
  const lost = await anna.GET("/api/notes", { params: { query: { after: "nowhere" } } });
  refused(lost, 404, "invalid_cursor");
  for (const { id } of created) {
    assert.ok(id !== undefined);
    assert.equal((await anna.DELETE("/api/notes/{id}", { params: { path: { id } } })).response.status, 204);
  }
}

async function skills() {
  const { category } = await skill("databases");
  assert.ok(category !== undefined);
  const needed = await skill("containers");
  const body = { slug: "by-a-client", name: "By a client", category, practice: "daily", technologies: ["ts"], monthsMin: 2 };
  refused(await anna.POST("/api/skills", { body }), 403, "forbidden");
  const { id } = one(answered(await editor.POST("/api/skills", { body })));
  assert.ok(id !== undefined);
  const params = { path: { id } };
  const cleared = answered(await editor.PATCH("/api/skills/{id}", { params, body: { monthsMin: null } }));
  assert.deepEqual([cleared.monthsMin, cleared.name, cleared.published], [null, "By a client", true]);
  answered(await editor.PATCH("/api/skills/{id}", { params, body: { requires: { add: [needed.id] } } }));
  answered(await editor.PATCH("/api/skills/{id}", { params, body: { requires: { remove: [needed.id] } } }));
  assert.equal((await editor.DELETE("/api/skills/{id}", { params })).response.status, 204);
}

await progress();
await notes();
await skills();
console.log("the TypeScript client has created, read, updated and deleted");
