// Compiles the schemas in ajv's strict mode, and judges the files that judge.py wrote.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020.js";
import formats from "ajv-formats";

const [schemas, cases] = process.argv.slice(2);
const read = (path) => JSON.parse(readFileSync(path, "utf8"));
const ajv = new Ajv2020.default({ strict: true, allErrors: true });
formats.default(ajv, ["date", "date-time"]);
const judges = {};
for (const name of ["charter", "fleet", "plan", "journal"]) {
  judges[name] = ajv.compile(read(join(schemas, `${name}.schema.json`)));
}
let count = 0;
for (const file of readdirSync(cases)) {
  const [schema, verdict] = file.split(/[.-]/);
  const judge = judges[schema];
  if (judge(read(join(cases, file))) !== (verdict === "right")) {
    throw new Error(`${file}: ${JSON.stringify(judge.errors)}`);
  }
  count += 1;
}
console.log(`ajv, strict: 4 schemas, ${count} files`);
