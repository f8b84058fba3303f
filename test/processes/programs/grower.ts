/** Makes an image, writes to it, and says how its file grew. Argument: the image. */
import { statSync } from "node:fs";
import { createFile } from "../../../src/node.js";

const path = process.argv[2];
const disk = await createFile(path, { size: 2 ** 26, clusterSize: 65536, prealloc: { mode: "falloc", size: 2 ** 22 } });
await disk.write(new Uint8Array(1000).fill(1), 0);
const grown = statSync(path).size;
await disk.discard(0, 65536);
await disk.flush();
const { preallocation } = disk.info;
await disk.close();
console.log(JSON.stringify({ preallocation, grown, closed: statSync(path).size }));
