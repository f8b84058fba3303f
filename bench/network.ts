/**
 * A boot over a network: the reads of a guest, one after the other, from an image on a web server. HttpStorage is
 * measured on a real server behind a slow line. Beside it stands what v86's own loader does, its requests counted and
 * its time reckoned from the line alone, as a real run would take minutes: it asks for exactly what the guest reads,
 * or, where it is told to, for whole chunks, which it keeps for ever.
 */
import { HttpStorage } from "../src/storage/http.js";
import { fillContent, type Line, startLink } from "./link.js";
import { once, type Question, type Row } from "./question.js";
import { loadTrace, madeUpBoot, type Trace, type TracedRead } from "./trace.js";

interface Client {
  name: string;
  requests: number;
  /** Bytes that came over the line. */
  bytes: number;
  /** Bytes that came more than once. */
  again: number;
  seconds: number;
}

const LINE: Line = { latency: 50, bandwidth: 12_500_000 };

export const network: Question = {
  name: "network",
  title:
    "The network: boots from a web server, 50 ms and 100 Mbit/s away; v86's loader is counted, and its time reckoned",
  bound: "each request waits for the line once, and each byte takes its time on it.",
  main: ["GRUB, as recorded: 341 reads of 5.2 MiB"],
  async run({ quick, trace }) {
    const rows: Row[] = [];
    for (const [name, { reads }] of tracesOf(quick, trace)) rows.push(...(await measureBoot(name, reads)));
    return { rows };
  },
};

function tracesOf(quick: boolean, trace: string | undefined): [name: string, Trace][] {
  if (trace !== undefined) return [[trace, loadTrace(trace)]];
  const recorded = loadTrace(new URL("../bench/boot-trace.json", import.meta.url));
  const madeUp: [string, Trace] = ["a made-up boot of a small Linux", madeUpBoot()];
  return [["GRUB, as recorded", recorded], ...(quick ? [] : [madeUp])];
}

type Range = { start: number; end: number };

async function measureBoot(name: string, trace: readonly TracedRead[]): Promise<Row[]> {
  const own = await measureStorage(trace, LINE);
  const others = [
    reckon("v86's loader, exact requests", exactRequests(trace), LINE),
    reckon("v86's loader, chunks of 256 KiB", chunkRequests(trace, 256 * 1024), LINE),
  ];
  const needed = different(trace.map(([start, length]) => ({ start, end: start + length })));
  return others.map((other) => ({
    what: `${name}: ${trace.length} reads of ${mebibytes(needed)}`,
    ...{ against: other.name, ratio: other.seconds / own.seconds, spread: once(other.seconds / own.seconds) },
    ...{ own: own.seconds, other: other.seconds, unit: "s" },
    note: `${told(own)}, against ${told(other)}`,
  }));
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

const told = ({ requests, bytes, again }: Client): string =>
  `${requests} requests for ${mebibytes(bytes)}, ${mebibytes(again)} of it again`;

/** What a guest waits for, with no work of its own in between: the worst case for reading ahead. */
async function measureStorage(trace: readonly TracedRead[], line: Line): Promise<Client> {
  const size = Math.max(...trace.map(([offset, length]) => offset + length));
  await using link = await startLink(size, line);
  const start = performance.now();
  const storage = await HttpStorage.open(link.url);
  for (const [offset, length] of trace) await checkedRead(storage, offset, length);
  const seconds = (performance.now() - start) / 1000;
  storage.close();
  return clientOf("HttpStorage", link.asked, seconds);
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
function reckon(name: string, requests: Range[], { latency, bandwidth }: Line): Client {
  return clientOf(name, requests, (latency * requests.length) / 1000 + total(requests) / bandwidth);
}

function clientOf(name: string, requests: readonly Range[], seconds: number): Client {
  // The probe's byte is not the guest's.
  const asked = requests.filter(({ start, end }) => end - start > 1);
  const again = total(asked) - different(asked);
  return { name, requests: requests.length, bytes: total(requests), again, seconds };
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
