/**
 * Images that are right, to be changed: made by the engine itself, by hand, and those that are kept beside the repository.
 * They are the same in every run, as an execution is to be told by its seed alone.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { DiskSync } from "../src/disk-sync.js";
import { probe } from "../src/format/header.js";
import { MemoryStorage } from "../src/storage/memory.js";
import { guid, NONE, TOP } from "../test/bundle/written.js";
import { type SectionParts, TRANSIT, withExtension } from "../test/support/extension.js";
import { below, patternBytes, type Random, randomFrom } from "../test/support/random.js";
import { DESCRIPTOR, makeBundle } from "./almost-bundles.js";
import { type AlmostImage, almostImage } from "./almost-images.js";
import { mutated } from "./mutations.js";

const SIZE = 200;
const BUNDLES = 40;
const LARGEST = 1024 * 1024;
const FOLDERS = ["shared/cases", "../shared/cases", "shared/fixtures", "../shared/fixtures"];

export interface CorpusImage {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** An image to execute on, changed. */
export function fuzzedImage(random: Random, corpus: readonly CorpusImage[]): AlmostImage {
  if (random() < 0.4) return almostImage(random);
  const { name, bytes } = corpus[below(random, corpus.length)];
  const lines = [name];
  return { bytes: mutated(bytes, random, lines), lines };
}

export interface Corpus {
  images: readonly CorpusImage[];
  bundles: readonly BundleFiles[];
}

type BundleFiles = readonly (readonly [name: string, bytes: Uint8Array])[];

export function makeCorpus(): Corpus {
  const own = Array.from({ length: SIZE }, (_, seed) => ({ name: `image ${seed} of ours`, bytes: ownImage(seed) }));
  const bundles = Array.from({ length: BUNDLES }, (_, seed) => ownBundle(seed));
  return { images: [...own, ...keptImages()], bundles };
}

function keptImages(): CorpusImage[] {
  return FOLDERS.filter((folder) => existsSync(folder)).flatMap(imagesIn);
}

/** A bundle whose GUIDs, which are drawn, are always the same. */
function ownBundle(seed: number): BundleFiles {
  const folder = makeBundle(randomFrom(seed));
  const guids = new Map([
    [TOP, TOP],
    [NONE, NONE],
  ]);
  const renamed = (text: string): string =>
    text.replace(/\{[0-9a-f-]{36}\}/g, (found) => {
      const known = guids.get(found) ?? guid(guids.size);
      guids.set(found, known);
      return known;
    });
  const descriptor = renamed(new TextDecoder().decode(folder.contentOf(DESCRIPTOR)));
  return folder.list().map((name) => {
    const bytes = name === DESCRIPTOR ? new TextEncoder().encode(descriptor) : folder.contentOf(name);
    return [renamed(name), bytes] as const;
  });
}

/** What our own writer leaves after some work, closed or not, with an extension or without. */
function ownImage(seed: number): Uint8Array<ArrayBuffer> {
  const random = randomFrom(seed);
  const clusterSize = 512 * [1, 1, 2, 3, 8][below(random, 5)];
  const size = 512 * (1 + below(random, (12 * clusterSize) / 512));
  const format = random() < 0.5 ? "v1" : "v2";
  const storage = new MemoryStorage();
  const disk = DiskSync.create(storage, { size, clusterSize, format, prealloc: { mode: "off" }, engine: "js" });
  for (let step = below(random, 12); step > 0; step--) {
    const offset = below(random, size);
    const length = Math.min(1 + below(random, 2 * clusterSize), size - offset);
    if (random() < 0.2) disk.discard(offset, length);
    else disk.write(patternBytes(step, length), offset);
  }
  if (random() < 0.2) disk.resize(512 * (1 + below(random, (20 * clusterSize) / 512)));
  if (random() < 0.8) disk.close();
  else disk.abandon();
  const bytes = storage.toUint8Array();
  return random() < 0.5 ? extended(bytes, clusterSize, random) : bytes;
}

function extended(bytes: Uint8Array<ArrayBuffer>, clusterSize: number, random: Random): Uint8Array<ArrayBuffer> {
  const sections: SectionParts[] = [{}];
  const data = patternBytes(1, below(random, 60));
  if (clusterSize > 512 && random() < 0.5) sections.push({ magic: 77n, flags: random() < 0.5 ? TRANSIT : 0n, data });
  if (clusterSize > 512 && random() < 0.5)
    sections.push({ id: "00000000-0000-4000-8000-000000000001", granularity: 8 });
  return withExtension(bytes, sections, random() < 0.7 ? {} : { inUse: 0 });
}

function imagesIn(folder: string): CorpusImage[] {
  return readdirSync(folder)
    .sort()
    .filter((name) => /\.hds(\.gz)?$/.test(name))
    .map((name) => {
      const content = readFileSync(`${folder}/${name}`);
      return { name, bytes: new Uint8Array(name.endsWith(".gz") ? gunzipSync(content) : content) };
    })
    .filter(({ bytes }) => bytes.length <= LARGEST && probe(bytes) !== undefined && bytes.length >= 64);
}
