/**
 * A boot over a network: the reads of a guest, one after the other, from an image on a web server. HttpStorage is
 * measured on a real server behind a slow line. Beside it stands what v86's own loader does, its requests counted and
 * its time reckoned from the line alone, as a real run would take minutes: it asks for exactly what the guest reads,
 * or, where it is told to, for whole chunks, which it keeps for ever.
 */
import { HttpStorage } from "../src/storage/http.js";
import { fillContent, type Line, startLink } from "./link.js";
import type { TracedRead } from "./trace.js";

export interface NetworkRow {
  client: string;
  requests: number;
  /** Bytes that came over the line. */
  bytes: number;
  /** Bytes that came more than once. */
  again: number;
  seconds: number;
}

export interface NetworkReport {
  rows: NetworkRow[];
  /** Reads in the trace, and different bytes in them. */
  reads: number;
  needed: number;
}

type Range = { start: number; end: number };

export async function benchNetwork(trace: readonly TracedRead[], line: Line): Promise<NetworkReport> {
  const rows = [
    await measureStorage(trace, line),
    reckon("v86's loader, exact requests", exactRequests(trace), line),
    reckon("v86's loader, chunks of 256 KiB", chunkRequests(trace, 256 * 1024), line),
  ];
  const read = trace.map(([start, length]) => ({ start, end: start + length }));
  return { rows, reads: trace.length, needed: different(read) };
}

/** What a guest waits for, with no work of its own in between: the worst case for reading ahead. */
async function measureStorage(trace: readonly TracedRead[], line: Line): Promise<NetworkRow> {
  const size = Math.max(...trace.map(([offset, length]) => offset + length));
  await using link = await startLink(size, line);
  const start = performance.now();
  const storage = await HttpStorage.open(link.url);
  for (const [offset, length] of trace) await checkedRead(storage, offset, length);
  const seconds = (performance.now() - start) / 1000;
  storage.close();
  return rowOf("HttpStorage", link.asked, seconds);
}

async function checkedRead(storage: HttpStorage, offset: number, length: number): Promise<void> {
  const [got, expected] = [new Uint8Array(length), new Uint8Array(length)];
  const moved = await storage.read(got, offset);
  fillContent(expected, offset);
  if (moved !== length || Buffer.compare(got, expected) !== 0) throw new Error(`wrong bytes at ${offset}`);
}

function exactRequests(trace: readonly TracedRead[]): Range[] {
  return trace.map(([start, length]) => ({ start, end: start + length }));
}

function chunkRequests(trace: readonly TracedRead[], chunkSize: number): Range[] {
  const kept = new Set<number>();
  const requests: Range[] = [];
  for (const [offset, length] of trace) {
    const first = Math.floor(offset / chunkSize);
    const end = Math.ceil((offset + length) / chunkSize);
    const chunks = Array.from({ length: end - first }, (_, index) => first + index);
    if (chunks.every((chunk) => kept.has(chunk))) continue;
    requests.push({ start: first * chunkSize, end: end * chunkSize });
    for (const chunk of chunks) kept.add(chunk);
  }
  return requests;
}

/** A guest has one request in flight: each takes the latency and the time of its bytes. */
function reckon(client: string, requests: Range[], { latency, bandwidth }: Line): NetworkRow {
  return rowOf(client, requests, (latency * requests.length) / 1000 + total(requests) / bandwidth);
}

function rowOf(client: string, requests: readonly Range[], seconds: number): NetworkRow {
  // The probe's byte is not the guest's.
  const asked = requests.filter(({ start, end }) => end - start > 1);
  const again = total(asked) - different(asked);
  return { client, requests: requests.length, bytes: total(requests), again, seconds };
}

const total = (ranges: readonly Range[]): number => ranges.reduce((sum, { start, end }) => sum + end - start, 0);

/** How many bytes lie in at least one range. */
function different(ranges: readonly Range[]): number {
  let [sum, reached] = [0, 0];
  for (const { start, end } of ranges.toSorted((a, b) => a.start - b.start)) {
    sum += Math.max(0, end - Math.max(start, reached));
    reached = Math.max(reached, end);
  }
  return sum;
}
