// The prelude and a schema must be ordinary GraphQL: npm `graphql` builds and validates them together.
// usage: node prelude.mjs PRELUDE.graphql SCHEMA.graphql
import { readFileSync } from 'node:fs';
import { buildSchema, validateSchema } from 'graphql';

const text = process.argv.slice(2).map((path) => readFileSync(path, 'utf8')).join('\n');
const schema = buildSchema(text);
const errors = validateSchema(schema);
if (errors.length > 0) {
  for (const error of errors) console.error(String(error));
  process.exit(1);
}
console.log(`graphql accepts ${process.argv.slice(2).join(' + ')}`);
