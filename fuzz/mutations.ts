/** What bits that flip, tools that fail and files that are cut make of an image: its header, its BAT, its extension. */
import { type Format, IN_USE, probe } from "../src/format/header.js";
import { sealed } from "../test/support/extension.js";
import { FIELD, fieldOf } from "../test/support/image.js";
import { below, type Random } from "../test/support/random.js";

/** Where the parts of an image lie before it is changed; sectors count from the file's beginning. */
export interface Shape {
  format: Format;
  tracks: number;
  batEntries: number;
  /** The sector of host cluster 0. */
  origin: number;
}

const SECTOR = 512;
const BAT = 64;
/** Of a header that was changed already. */
const MOST_TRACKS = 2048;

/** The shape that a header speaks of; undefined where there is none. */
export function shapeOf(bytes: Uint8Array): Shape | undefined {
  const format = probe(bytes);
  if (format === undefined || bytes.length < BAT) return undefined;
  const field = (at: number): number => fieldOf(bytes, at);
  const [tracks, batEntries, dataOffset] = [FIELD.tracks, FIELD.batEntries, FIELD.dataOffset].map(field);
  const origin = dataOffset > 0 ? dataOffset : Math.ceil((BAT + 4 * batEntries) / SECTOR);
  return { format, tracks: Math.min(MOST_TRACKS, Math.max(1, tracks)), batEntries, origin };
}

/** The image after up to four changes, which `lines` name. */
export function mutated(
  image: Uint8Array<ArrayBuffer>,
  random: Random,
  lines: string[],
  shape = shapeOf(image),
): Uint8Array<ArrayBuffer> {
  let bytes = image;
  if (shape === undefined) return bytes;
  for (let count = below(random, 5); count > 0; count--) {
    const name = NAMES[below(random, NAMES.length)];
    const before = bytes;
    bytes = MUTATIONS[name](bytes, random, shape);
    if (bytes !== before) lines.push(name);
  }
  return bytes;
}

type Mutation = (bytes: Uint8Array<ArrayBuffer>, random: Random, shape: Shape) => Uint8Array<ArrayBuffer>;

/** Words of the header that are worth changing, and the values that are worth trying. */
const FIELDS = [24, 28, 32, 36, 40, 44, 48, 52, 56, 60];
const WORDS = [0, 1, 2, 3, 4, 7, 8, 63, 0x3fffffff, 0x746f6e59, 0x7fffffff, 0xffffffff];

const anySlot = (random: Random, { batEntries }: Shape): number => BAT + 4 * below(random, batEntries);

function changed(bytes: Uint8Array<ArrayBuffer>, change: (view: DataView) => void): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice();
  change(new DataView(copy.buffer));
  return copy;
}

/** Changes the cluster of the extension, where there is one, and gives it the checksum that it ought to have then. */
function extensionChanged(
  bytes: Uint8Array<ArrayBuffer>,
  { tracks }: Shape,
  change: (view: DataView) => void,
): Uint8Array<ArrayBuffer> {
  const start = bytes.length < BAT ? 0 : SECTOR * fieldOf(bytes, FIELD.extensionLow);
  const end = start + tracks * SECTOR;
  if (start === 0 || end > bytes.length) return bytes;
  const copy = bytes.slice();
  change(new DataView(copy.buffer, start, tracks * SECTOR));
  copy.set(sealed(copy.subarray(start, end)), start);
  return copy;
}

/** Where a word of the extension's first sections may lie. */
const extensionSlot = (random: Random): number => 24 + 4 * below(random, random() < 0.7 ? 24 : 120);

const MUTATIONS = {
  extensionFlip: (bytes, random, shape) =>
    extensionChanged(bytes, shape, (view) => {
      const at = extensionSlot(random);
      view.setUint32(at, (view.getUint32(at, true) ^ (1 << below(random, 32))) >>> 0, true);
    }),
  extensionWord: (bytes, random, shape) =>
    extensionChanged(bytes, shape, (view) => {
      const sectors = Math.ceil(bytes.length / SECTOR) + 2;
      const value = random() < 0.6 ? below(random, sectors) : WORDS[below(random, WORDS.length)];
      view.setUint32(extensionSlot(random), value, true);
    }),
  extensionCopy: (bytes, random, shape) =>
    extensionChanged(bytes, shape, (view) => {
      const [from, to] = [24 + 8 * below(random, 20), 24 + 8 * below(random, 20)];
      new Uint8Array(view.buffer, view.byteOffset, view.byteLength).copyWithin(to, from, from + 8 * below(random, 20));
    }),
  entryNear: (bytes, random, shape) =>
    changed(bytes, (view) => {
      const sector = below(random, Math.ceil(bytes.length / SECTOR) + 2 * shape.tracks);
      const at = anySlot(random, shape);
      if (at + 4 <= bytes.length)
        view.setUint32(at, shape.format === "v1" ? sector : Math.floor(sector / shape.tracks), true);
    }),
  entryFlip: (bytes, random, shape) =>
    changed(bytes, (view) => {
      const at = anySlot(random, shape);
      if (at + 4 <= bytes.length) view.setUint32(at, (view.getUint32(at, true) ^ (1 << below(random, 32))) >>> 0, true);
    }),
  entryCopy: (bytes, random, shape) =>
    changed(bytes, (view) => {
      const [from, to] = [anySlot(random, shape), anySlot(random, shape)];
      if (Math.max(from, to) + 4 <= bytes.length) view.setUint32(to, view.getUint32(from, true), true);
    }),
  entryLost: (bytes, random, shape) =>
    changed(bytes, (view) => {
      const at = anySlot(random, shape);
      if (at + 4 <= bytes.length) view.setUint32(at, 0, true);
    }),
  fieldFlip: (bytes, random) =>
    changed(bytes, (view) => {
      const at = FIELDS[below(random, FIELDS.length)];
      // The higher bits of sizes only make a test wait.
      const bit = below(random, at === 28 ? 6 : 32);
      if (at + 4 <= bytes.length) view.setUint32(at, (view.getUint32(at, true) ^ (1 << bit)) >>> 0, true);
    }),
  fieldSet: (bytes, random) =>
    changed(bytes, (view) => {
      const at = FIELDS[below(random, FIELDS.length)];
      const value = random() < 0.5 ? below(random, 40) : WORDS[below(random, WORDS.length)];
      if (at + 4 <= bytes.length && (at !== 28 || value < 64)) view.setUint32(at, value, true);
    }),
  dataOffsetNear: (bytes, random, { origin, tracks }) =>
    changed(bytes, (view) => {
      const sector = origin + (below(random, 8) - 2) * tracks + (random() < 0.2 ? 1 : 0);
      if (bytes.length >= BAT) view.setUint32(48, Math.max(0, sector), true);
    }),
  cut: (bytes, random, { tracks }) =>
    bytes.slice(0, Math.max(0, bytes.length - 1 - below(random, 2 * tracks * SECTOR))),
  longer: (bytes, random, { tracks }) => {
    const longer = new Uint8Array(bytes.length + 1 + below(random, 3 * tracks * SECTOR)).fill(
      random() < 0.5 ? 7 : 0,
      bytes.length,
    );
    longer.set(bytes);
    return longer;
  },
  unclean: (bytes) => changed(bytes, (view) => bytes.length >= 48 && view.setUint32(44, IN_USE.open, true)),
  anyByte: (bytes, random) =>
    changed(bytes, (view) => bytes.length > 0 && view.setUint8(below(random, bytes.length), below(random, 256))),
} satisfies Record<string, Mutation>;

const NAMES = Object.keys(MUTATIONS) as (keyof typeof MUTATIONS)[];
