/**
 * The format extension: a cluster that describes features beyond the BAT, of which dirty bitmaps are known.
 * So far only what must not be overwritten is read from it: which clusters it and its bitmaps lie in.
 *
 * ```
 * 0        8        24
 * | magic  | MD5    | section | section | ... | zeros |
 * section: | magic 8 | flags 8 | data_size 4 | unused 4 | data, padded to 8 |
 * bitmap:  | size 8 | id 16 | granularity 4 | l1_size 4 | l1_size x 8 |
 * ```
 */
import { counted } from "../count.js";

const MAGIC = 0xab234cef23dcea87n;
const BITMAP_MAGIC = 0x20385fae252cb34an;
const FIRST_SECTION = 24;
const SECTION_HEADER = 24;
const BITMAP_HEADER = 32;
const NECESSARY = 1n;
/** L1 values that name no cluster: all clear, all set. */
const L1_NO_CLUSTER = 1n;

export interface ExtensionLayout {
  /** First sectors of the clusters that hold bitmap bytes. */
  bitmapSectors: number[];
  /** Why the layout cannot be trusted: nothing in the image may be changed then. */
  problem?: string;
}

/** Reads where an extension's bitmaps lie. `cluster` is the whole cluster; every count in it is untrusted. */
export function parseExtension(cluster: Uint8Array): ExtensionLayout {
  const view = new DataView(cluster.buffer, cluster.byteOffset, cluster.byteLength);
  const layout: ExtensionLayout = { bitmapSectors: [] };
  const broken = (problem: string): ExtensionLayout => ({ ...layout, problem });
  if (cluster.length < FIRST_SECTION || view.getBigUint64(0, true) !== MAGIC)
    return broken("its magic number is wrong");
  let offset = FIRST_SECTION;
  while (offset + SECTION_HEADER <= cluster.length) {
    const magic = view.getBigUint64(offset, true);
    const flags = view.getBigUint64(offset + 8, true);
    const size = view.getUint32(offset + 16, true);
    if (magic === 0n) return layout;
    const data = offset + SECTION_HEADER;
    if (size > cluster.length - data)
      return broken(`a section of ${counted(size, "byte")} passes the end of its cluster`);
    if (magic === BITMAP_MAGIC) {
      const problem = parseBitmap(view, data, size, layout.bitmapSectors);
      if (problem !== undefined) return broken(problem);
    } else if ((flags & NECESSARY) !== 0n) {
      return broken(`it has a necessary feature that is not known (0x${magic.toString(16)})`);
    }
    offset = data + Math.ceil(size / 8) * 8;
  }
  return layout;
}

/** Adds the clusters of one bitmap to `sectors`; answers what is wrong with it, if anything. */
function parseBitmap(view: DataView, offset: number, size: number, sectors: number[]): string | undefined {
  if (size < BITMAP_HEADER) return "a bitmap section is too short";
  const entries = view.getUint32(offset + 28, true);
  if (entries > (size - BITMAP_HEADER) / 8)
    return `a bitmap's table of ${counted(entries, "entry", "entries")} passes the end of its section`;
  for (let i = 0; i < entries; i++) {
    const sector = view.getBigUint64(offset + BITMAP_HEADER + 8 * i, true);
    if (sector <= L1_NO_CLUSTER) continue;
    if (sector > BigInt(Number.MAX_SAFE_INTEGER) / 512n) return "a bitmap's table leads beyond 2^53 bytes";
    sectors.push(Number(sector));
  }
  return undefined;
}
