/**
 * `npm run fuzz -- --seconds N --seed S [--executions N]`: changed images and bundles through all that a disk does. The main
 * thread watches: executions run in a worker, and one that takes too long, or too much memory, is a find like any other.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { makeCorpus } from "./corpus.js";
import { type Execution, execute, lostFind } from "./execute.js";
import { Report } from "./report.js";

/** Milliseconds that one execution may take. */
const LONGEST = 30_000;
/** What the process may have in memory, in MiB. */
const MOST_MEMORY = 1024;
/** How many executions a worker tells of at once. */
const BATCH = 64;

interface Work {
  seed: number;
  executions: number;
  /** The seed that is being executed, for who watches. */
  current: SharedArrayBuffer;
}

if (isMainThread) process.exitCode = await supervise();
else await work(workerData as Work);

async function work({ seed, executions, current }: Work): Promise<void> {
  const corpus = makeCorpus();
  const now = new Float64Array(current);
  if (executions > 1) Error.stackTraceLimit = 0; // most errors are ours, and expected
  let batch: Execution[] = [];
  for (let index = 0; index < executions; index++) {
    now[0] = seed + index;
    batch.push(await execute(seed + index, corpus));
    if (batch.length < BATCH && index + 1 < executions) continue;
    parentPort?.postMessage(batch);
    batch = [];
    await new Promise(setImmediate);
  }
}

async function supervise(): Promise<number> {
  const { values } = parseArgs({
    options: { seconds: { type: "string" }, seed: { type: "string" }, executions: { type: "string" } },
  });
  const seed = number(values.seed) ?? Date.now() % 2 ** 31;
  const executions = number(values.executions) ?? (values.seconds === undefined ? 1000 : Number.POSITIVE_INFINITY);
  const report = new Report(seed);
  const end = performance.now() + 1000 * (number(values.seconds) ?? Number.POSITIVE_INFINITY);
  for (let done = 0; done < executions && performance.now() < end; done = report.executions)
    await runWorker(report, seed + done, executions - done, end);
  return report.finish();
}

function number(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new RangeError(`expected a number, got ${JSON.stringify(text)}`);
  return value;
}

/** Runs executions until the end, or until one of them has to be ended. */
function runWorker(report: Report, seed: number, executions: number, end: number): Promise<void> {
  const current = new SharedArrayBuffer(8);
  const now = new Float64Array(current);
  const resourceLimits = { maxOldGenerationSizeMb: MOST_MEMORY / 2 };
  const worker = new Worker(fileURLToPath(import.meta.url), {
    workerData: { seed, executions, current },
    resourceLimits,
  });
  return new Promise((resolve) => {
    let [last, since] = [Number.NaN, performance.now()];
    const stop = (fault?: string) => {
      clearInterval(watch);
      worker.removeAllListeners();
      worker.on("error", () => {});
      if (fault !== undefined) report.lost(lostFind(now[0], fault));
      void worker.terminate().then(() => resolve());
    };
    const watch = setInterval(() => {
      if (now[0] !== last) [last, since] = [now[0], performance.now()];
      if (performance.now() - since > LONGEST) stop(`it takes longer than ${LONGEST / 1000} s`);
      else if (process.memoryUsage.rss() > MOST_MEMORY * 2 ** 20) stop(`the process has more than ${MOST_MEMORY} MiB`);
      else if (performance.now() > end) stop();
    }, 250);
    worker.on("message", (batch: Execution[]) => report.take(batch));
    worker.on("error", (error) => stop(`the worker ends with ${error}`));
    worker.on("exit", () => stop());
  });
}
