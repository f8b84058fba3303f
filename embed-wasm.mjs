// Writes dist/engine.wasm into src/engine/wasm-bytes.ts as base64, so that every bundler and every
// environment (no fetch, no file system) gets the engine with the code. Run by `npm run build:wasm`.
import { existsSync, readFileSync, writeFileSync } from "node:fs";

const target = new URL("src/engine/wasm-bytes.ts", import.meta.url);
const module = readFileSync(new URL("dist/engine.wasm", import.meta.url));
const source = `// Written by embed-wasm.mjs from assembly/: do not edit.\nexport const wasmBase64: string =\n  "${module.toString("base64")}";\n`;

// An unchanged file is left alone: a test run that watches it, or reads it meanwhile, is not disturbed.
if (!existsSync(target) || readFileSync(target, "utf8") !== source) writeFileSync(target, source);
