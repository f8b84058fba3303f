/** Images of every shape that the format has, and what bits that flip, tools that fail and files that are cut make of them. */
import { encodeHeader, type Format, type Header, IN_USE } from "../../src/format/header.js";
import { CLOSED_V21, withExtension } from "../support/extension.js";
import { setField } from "../support/image.js";
import { below, patternBytes, type Random } from "../support/random.js";

export interface AlmostImage {
  bytes: Uint8Array<ArrayBuffer>;
  /** How it came to be, for messages. */
  lines: string[];
}

const SECTOR = 512;
const BAT = 64;

/** What an image is made of; sectors count from the file's beginning. */
interface Shape {
  format: Format;
  tracks: number;
  batEntries: number;
  /** The sector of host cluster 0. */
  origin: number;
  hostCount: number;
  header: Header;
}

export function almostImage(random: Random): AlmostImage {
  const shape = randomShape(random);
  const { format, tracks, batEntries, origin, hostCount, header } = shape;
  const lines = [
    `${format}, ${batEntries} clusters of ${tracks} sectors, ${hostCount} in the file from sector ${origin}`,
  ];
  let bytes = build(shape, random);
  lines.push(
    `data_off ${header.dataOffset}, flags ${header.flags}, in_use ${header.inUse}, ext_off ${header.extensionOffset}`,
  );
  for (let count = below(random, 5); count > 0; count--) {
    const name = NAMES[below(random, NAMES.length)];
    bytes = MUTATIONS[name](bytes, random, shape);
    lines.push(name);
  }
  return { bytes, lines };
}

function randomShape(random: Random): Shape {
  const format: Format = random() < 0.6 ? "v1" : "v2";
  const tracks = [1, 1, 2, 3, 7][below(random, 5)];
  const batEntries = random() < 0.05 ? 110 + below(random, 10) : 1 + below(random, 9);
  const batEnd = Math.ceil((BAT + 4 * batEntries) / SECTOR);
  const aligned = Math.ceil(batEnd / tracks) * tracks;
  const derived = format === "v1" && random() < 0.4;
  const origin = derived ? batEnd + (random() < 0.5 ? 0 : below(random, tracks)) : aligned + below(random, 2) * tracks;
  const hostCount = below(random, Math.min(batEntries, 9) + 3);
  const extended = hostCount > 2 && random() < 0.2;
  const cut = random() < 0.3 ? below(random, tracks) : 0;
  const header: Header = {
    ...{ format, heads: 16, cylinders: 1, tracks, batEntries, sectorCount: batEntries * tracks - cut },
    inUse: random() < 0.25 ? IN_USE.open : extended ? CLOSED_V21 : 0,
    dataOffset: derived ? 0 : origin,
    flags: random() < 0.06 ? 1 + below(random, 3) : 0,
    extensionOffset: extended ? origin + (hostCount - 1) * tracks : 0,
  };
  return { format, tracks, batEntries, origin, hostCount, header };
}

function build(
  { format, tracks, batEntries, origin, hostCount, header }: Shape,
  random: Random,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array((origin + hostCount * tracks) * SECTOR);
  bytes.set(encodeHeader(header));
  const hosts = Array.from({ length: hostCount - (header.extensionOffset > 0 ? 2 : 0) }, (_, host) => host);
  for (let host = 0; host < hostCount; host++) {
    // Some hold zeros: a hole is as good as zeros that were written.
    const content =
      random() < 0.2 ? new Uint8Array(tracks * SECTOR) : patternBytes(below(random, 2 ** 30), tracks * SECTOR);
    bytes.set(content, (origin + host * tracks) * SECTOR);
  }
  for (let cluster = 0; cluster < batEntries && hosts.length > 0; cluster++) {
    if (random() < 0.25) continue;
    const [host] = hosts.splice(random() < 0.5 ? 0 : below(random, hosts.length), 1);
    setField(bytes, BAT + 4 * cluster, (origin + host! * tracks) / (format === "v1" ? 1 : tracks));
  }
  if (header.extensionOffset === 0) return bytes;
  const sectors = [header.extensionOffset, header.extensionOffset - tracks];
  return withExtension(bytes, [{}], { inUse: header.inUse, sectors });
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

const MUTATIONS = {
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
