// Writes the modules in dist/ into src/engine/ as base64, so that every bundler and every environment (no fetch, no file
// system) gets the engine with the code. Run by `npm run build:wasm`.
import { existsSync, readFileSync, writeFileSync } from "node:fs";

embed("engine.wasm", "wasm-bytes.ts", "wasmBase64");
embed("owners.wasm", "wasm-owners-bytes.ts", "ownersBase64");

function embed(module, file, name) {
  const target = new URL(`src/engine/${file}`, import.meta.url);
  const bytes = readFileSync(new URL(`dist/${module}`, import.meta.url));
  const source = `// Written by embed-wasm.mjs from assembly/: do not edit.\nexport const ${name}: string =\n  "${bytes.toString("base64")}";\n`;

  // An unchanged file is left alone: a test run that watches it, or reads it meanwhile, is not disturbed.
  if (!existsSync(target) || readFileSync(target, "utf8") !== source) writeFileSync(target, source);
}
