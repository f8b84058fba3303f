/** One execution: everything in it follows from its seed. */
import { MemoryFolder } from "../src/storage/memory-folder.js";
import { below, type Random, randomFrom } from "../test/support/random.js";
import { damage } from "./almost-bundles.js";
import { BundleTrial } from "./bundle-trial.js";
import { type Corpus, fuzzedImage } from "./corpus.js";
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

export async function execute(seed: number, corpus: Corpus): Promise<Execution> {
  const random = randomFrom(seed);
  return random() < BUNDLES ? onBundle(seed, random, corpus) : onImage(seed, random, corpus);
}

async function onImage(seed: number, random: Random, { images }: Corpus): Promise<Execution> {
  const { bytes, lines } = fuzzedImage(random, images);
  const files = () => [{ name: "image.hds", bytes }];
  return judged(seed, lines, files, () => new ImageTrial(random, lines).run(bytes));
}

async function onBundle(seed: number, random: Random, { bundles }: Corpus): Promise<Execution> {
  const lines: string[] = [];
  const folder = new MemoryFolder(bundles[below(random, bundles.length)]);
  if (random() < 0.9) damage(folder, random, lines);
  const content = folder.list().map((name) => [name, folder.contentOf(name)] as const);
  const files = () => content.map(([name, bytes]) => ({ name, bytes }));
  return judged(seed, lines, files, () => new BundleTrial(random, lines).run(content));
}

async function judged(
  seed: number,
  lines: string[],
  files: () => Find["files"],
  run: () => Promise<string>,
): Promise<Execution> {
  try {
    return { outcome: await run() };
  } catch (error) {
    return { outcome: "find", find: { seed, message: told(error), lines, files: files() } };
  }
}

/** Anything that is thrown is a find: what is no Fault comes from where nothing was to fail. */
function told(error: unknown): string {
  if (!(error instanceof Error)) return `thrown: ${String(error)}`;
  const cause = error.cause instanceof Error ? `\n${error.cause.stack}` : "";
  return `${error instanceof Fault ? error.message : `${error.name}: ${error.message}`}\n${error.stack ?? ""}${cause}`;
}
