// Substitute for actions/cache, on the library of GitHub that the action consists of. The first line
// of each copy sets `step` to restore, save or post.

import {appendFileSync} from "node:fs";
import {pathToFileURL} from "node:url";

const {HOME_OF_NPM, GITHUB_OUTPUT, GITHUB_STATE} = process.env;
const library = `${HOME_OF_NPM}/node_modules/@actions/cache/lib/cache.js`;
const {restoreCache, saveCache} = await import(pathToFileURL(library));
const lines = (name) => (process.env[`INPUT_${name}`] ?? "").split("\n").filter(Boolean);
const paths = lines("PATH");
const [key] = lines("KEY");

if (step === "restore") {
  const matched = await restoreCache([...paths], key, lines("RESTORE-KEYS"));
  appendFileSync(GITHUB_OUTPUT, `cache-matched-key=${matched ?? ""}\n`);
  appendFileSync(GITHUB_STATE, `matched=${matched ?? ""}\n`);
  console.log(`substitute restored ${matched}`);
} else if (step === "save" || process.env.STATE_matched !== key) {
  const saved = await saveCache([...paths], key);
  console.log(`substitute ${saved === -1 ? "refused" : "saved"} ${key}`);
}
