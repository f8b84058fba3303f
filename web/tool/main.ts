/** `npm run playground`: builds the playground and serves it until it is stopped. `-- --port 8086` chooses the port. */
import { parseArgs } from "node:util";
import { buildSite } from "./build.js";
import { serveSite } from "./server.js";

const FOLDER = "artifacts/playground";

const { port, strict } = parseArgs({
  options: { port: { type: "string", default: "8086" }, strict: { type: "boolean", default: false } },
}).values;

await buildSite(".", FOLDER);
const { url } = await serve(Number(port));
console.log(`The playground is at ${url}  (Ctrl-C ends it)`);

/** The port that was asked for or, where that is taken, one that is free. */
async function serve(port: number) {
  try {
    return await serveSite(FOLDER, { port, strict });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    console.log(`Port ${port} is taken: using another.`);
    return serveSite(FOLDER, { strict });
  }
}
