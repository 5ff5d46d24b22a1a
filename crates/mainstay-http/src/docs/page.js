// Reads /openapi.json, lists its operations, lets one try them. Texts become text nodes only, never markup.
"use strict";

const METHODS = ["get", "post", "patch", "delete"];
let api;

function element(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== undefined && child !== null));
  return node;
}

function resolve(node) {
  if (!node || !node.$ref) return node;
  return node.$ref.slice(2).split("/").reduce((at, step) => at[step], api);
}

function typeName(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.oneOf) return schema.oneOf.map(typeName).join(" or ");
  const type = [schema.type ?? "any"].flat().join(" or ");
  if (schema.type === "array" || schema.items) return `list of ${typeName(schema.items)}`;
  return schema.format ? `${type} (${schema.format})` : type;
}

function limits(schema) {
  const named = { minimum: "≥ ", maximum: "≤ ", exclusiveMinimum: "> ", exclusiveMaximum: "< ", maxLength: "at most ", maxItems: "at most ", default: "default " };
  return Object.entries(named)
    .filter(([name]) => schema[name] !== undefined)
    .map(([name, words]) => words + schema[name])
    .join(", ");
}

function table(heads, rows) {
  const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)));
  const body = rows.map((cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, cell))));
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
}

// What stands between backticks is code.
function prose(text) {
  const parts = (text ?? "").split("`").map((part, at) => (at % 2 ? element("code", {}, part) : part));
  return element("span", {}, ...parts);
}

function properties(schema) {
  const found = resolve(schema) ?? {};
  const required = found.required ?? [];
  const rows = Object.entries(found.properties ?? {}).map(([name, of]) => [
    element("code", {}, name + (required.includes(name) ? " *" : "")),
    [typeName(of), limits(of)].filter(Boolean).join(", "),
    prose(of.description),
  ]);
  return rows.length ? table(["field", "type", "about"], rows) : undefined;
}

function example(schema, depth = 0) {
  const of = resolve(schema) ?? {};
  if (of.oneOf) return example(of.oneOf[0], depth);
  if (of.default !== undefined) return of.default;
  if (of.enum) return of.enum[0];
  const type = [of.type].flat()[0];
  if (type === "object") {
    const wanted = Object.entries(of.properties ?? {}).filter(([name]) => (of.required ?? []).includes(name));
    return depth > 3 ? {} : Object.fromEntries(wanted.map(([name, inner]) => [name, example(inner, depth + 1)]));
  }
  const plain = { array: [], integer: of.minimum > 0 ? of.minimum : 0, number: 0, boolean: false };
  if (type in plain) return plain[type];
  const formats = { uuid: "00000000-0000-7000-8000-000000000000", date: "2026-01-31", "date-time": "2026-01-31T12:00:00Z", email: "anna@example.com", uri: "https://example.com" };
  return formats[of.format] ?? "";
}

function inputs(parameters) {
  return parameters.map((parameter) => {
    const id = `${Math.random().toString(36).slice(2)}-${parameter.name}`;
    const field = element("input", { id, spellcheck: "false", placeholder: limits(parameter.schema ?? {}) });
    const label = element("label", { for: id }, `${parameter.name}${parameter.required ? " *" : ""} (${parameter.in})`, field);
    return { parameter, field, label };
  });
}

function address(path, filled) {
  const query = new URLSearchParams();
  for (const { parameter, field } of filled) {
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(field.value));
    if (parameter.in === "query" && field.value !== "") query.append(parameter.name, field.value);
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

async function send(method, path, filled, body, out) {
  const headers = {};
  const token = document.getElementById("token").value.trim();
  if (token) headers.Authorization = `Bearer ${token}`;
  for (const { parameter, field } of filled) {
    if (parameter.in === "header" && field.value) headers[parameter.name] = field.value;
  }
  if (body) headers["Content-Type"] = "application/json";
  const url = address(path, filled);
  out.textContent = `${method.toUpperCase()} ${url} …`;
  try {
    const started = performance.now();
    const reply = await fetch(url, { method, headers, body: body?.value });
    const text = await reply.text();
    const took = Math.round(performance.now() - started);
    const shown = ["etag", "location", "x-request-id"].filter((name) => reply.headers.has(name));
    const lines = shown.map((name) => `${name}: ${reply.headers.get(name)}`);
    let pretty = text;
    try { pretty = JSON.stringify(JSON.parse(text), null, 2); } catch { /* no JSON: shown as it came */ }
    out.textContent = [`${method.toUpperCase()} ${url}`, `${reply.status} in ${took} ms`, ...lines, "", pretty].join("\n");
  } catch (error) {
    out.textContent = `${method.toUpperCase()} ${url}\n${error}`;
  }
}

function trial(method, path, operation, parameters) {
  const filled = inputs(parameters);
  const content = operation.requestBody?.content?.["application/json"]?.schema;
  const body = content ? element("textarea", { spellcheck: "false", "aria-label": "Body" }) : undefined;
  if (body) body.value = JSON.stringify(example(content), null, 2);
  const out = element("pre", { "aria-live": "polite" }, "Nothing sent yet.");
  const button = element("button", { type: "button", onclick: () => send(method, path, filled, body, out) }, "Send");
  return [...filled.map(({ label }) => label), body ? element("label", {}, "body (JSON)", body) : undefined, button, out];
}

function details(method, path, item) {
  const operation = item[method];
  const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map(resolve);
  const inside = element("div", { class: "inside" });
  const node = element("details", { id: operation.operationId },
    element("summary", {},
      element("b", { class: `method ${method}` }, method), element("code", {}, path), element("span", {}, operation.summary ?? "")),
    inside);
  node.addEventListener("toggle", () => {
    if (!node.open || inside.childElementCount) return;
    const about = parameters.map((parameter) => [
      element("code", {}, parameter.name + (parameter.required ? " *" : "")),
      [parameter.in, typeName(parameter.schema), limits(parameter.schema ?? {})].filter(Boolean).join(", "),
      prose(parameter.description),
    ]);
    const schema = operation.requestBody?.content?.["application/json"]?.schema;
    const taken = schema?.oneOf ? schema.oneOf[0] : schema;
    const answers = Object.entries(operation.responses).map(([status, answer]) => [status, prose(resolve(answer).description)]);
    inside.append(...[
      element("p", { class: "about" }, prose(operation.description)),
      about.length ? table(["parameter", "type", "about"], about) : undefined,
      taken ? element("h3", {}, "Body") : undefined, taken ? properties(taken) : undefined,
      element("h3", {}, "Answers"), table(["status", "about"], answers),
      element("h3", {}, "Try it"), ...trial(method, path, operation, parameters),
    ].filter(Boolean));
  });
  return node;
}

function show() {
  document.title = api.info.title;
  document.getElementById("title").textContent = api.info.title;
  document.getElementById("about").textContent = api.info.description;
  const main = document.getElementById("main");
  const nav = document.getElementById("nav");
  main.replaceChildren();
  for (const tag of api.tags) {
    nav.append(element("a", { href: `#${tag.name}` }, tag.name));
    main.append(element("h2", { id: tag.name }, tag.name), element("p", {}, tag.description));
    for (const [path, item] of Object.entries(api.paths)) {
      const known = METHODS.filter((method) => item[method]?.tags?.includes(tag.name));
      main.append(...known.map((method) => details(method, path, item)));
    }
    const record = properties({ $ref: `#/components/schemas/${tag.name}` });
    if (record) main.append(element("details", {}, element("summary", {}, "The fields of a record"), element("div", { class: "inside" }, record)));
  }
}

fetch("/openapi.json")
  .then((reply) => reply.json())
  .then((document) => { api = document; show(); })
  .catch((error) => { document.getElementById("main").textContent = `openapi.json cannot be read: ${error}`; });
