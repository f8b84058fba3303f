/** One execution: everything in it follows from its seed. */
import { MemoryFolder } from "../src/storage/memory-folder.js";
import { below, type Random, randomFrom } from "../test/support/random.js";
import { damage } from "./almost-bundles.js";
import { BundleTrial } from "./bundle-trial.js";
import { type Corpus, fuzzedImage, makeCorpus } from "./corpus.js";
import { Fault } from "./fault.js";
import { ImageTrial } from "./image-trial.js";

/** How many executions are on bundles; they take longer. */
const BUNDLES = 0.03;

export interface Execution {
  outcome: string;
  /** Present where something does not hold. */
  find?: Find;
}

export interface Find {
  seed: number;
  message: string;
  /** What was done, in order. */
  lines: string[];
  /** The file or files that it was done to. */
  files: { name: string; bytes: Uint8Array }[];
}

/** An input, and what is to be done to it. */
interface Prepared {
  files: Find["files"];
  lines: string[];
  run(): Promise<string>;
}

export async function execute(seed: number, corpus: Corpus): Promise<Execution> {
  const { files, lines, run } = prepare(seed, corpus);
  try {
    return { outcome: await run() };
  } catch (error) {
    return { outcome: "find", find: { seed, message: told(error), lines, files } };
  }
}

/** The find of an execution that had to be ended. */
export function lostFind(seed: number, message: string): Find {
  const { files, lines } = prepare(seed, makeCorpus());
  return { seed, message, lines, files };
}

function prepare(seed: number, corpus: Corpus): Prepared {
  const random = randomFrom(seed);
  return random() < BUNDLES ? preparedBundle(random, corpus) : preparedImage(random, corpus);
}

function preparedImage(random: Random, { images }: Corpus): Prepared {
  const { bytes, lines } = fuzzedImage(random, images);
  return { files: [{ name: "image.hds", bytes }], lines, run: () => new ImageTrial(random, lines).run(bytes) };
}

function preparedBundle(random: Random, { bundles }: Corpus): Prepared {
  const lines: string[] = [];
  const folder = new MemoryFolder(bundles[below(random, bundles.length)]);
  if (random() < 0.9) damage(folder, random, lines);
  const files = folder.list().map((name) => ({ name, bytes: folder.contentOf(name) }));
  const content = files.map(({ name, bytes }) => [name, bytes] as const);
  return { files, lines, run: () => new BundleTrial(random, lines).run(content) };
}

/** Anything that is thrown is a find: what is no Fault comes from where nothing was to fail. */
function told(error: unknown): string {
  if (!(error instanceof Error)) return `thrown: ${String(error)}`;
  const cause = error.cause instanceof Error ? `\n${error.cause.stack}` : "";
  return `${error instanceof Fault ? error.message : `${error.name}: ${error.message}`}\n${error.stack ?? ""}${cause}`;
}
