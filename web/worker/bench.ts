/** Runs the benchmark of the engine and tells of each row. */
import { benchMap } from "../../bench/map.js";
import type { BenchMessage } from "../page/bench.js";

/** Shorter than `npm run bench`: a person waits for it. */
const OPTIONS = { rounds: 9, roundMilliseconds: 8 };

const say = (message: BenchMessage) => postMessage(message);

benchMap({ ...OPTIONS, onRow: (row, done, total) => say({ row, done, total }) }).catch((error) =>
  say({ error: String(error.message) }),
);
