/** Runs the benchmark of the engine and tells of each row. */
import { benchEngine } from "../../bench/map.js";
import type { BenchMessage } from "../page/bench.js";

/** Shorter than `npm run bench`: a person waits for it. */
const OPTIONS = { rounds: 9, milliseconds: 8 };

const say = (message: BenchMessage) => postMessage(message);

benchEngine({ ...OPTIONS, onRow: (row, done, total) => say({ row, done, total }) }).catch((error) =>
  say({ error: String(error.message) }),
);
