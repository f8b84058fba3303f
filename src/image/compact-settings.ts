/** How to compact a disk: what callers say of it. */
import { type OptionNames, requireFlags, requireOptions } from "../caller-options.js";
import { WORK_OPTIONS, Work, type WorkOptions } from "../progress.js";

export interface CompactOptions extends WorkOptions {
  /** Only tells what would be gained: nothing is written, and the disk may be open for reading only. Default: false. */
  dryRun?: boolean | undefined;
  /** Leaves the clusters in the file in the order in which they lie on the disk: each may have to move. Default: false. */
  order?: boolean | undefined;
}

const COMPACT_OPTIONS: OptionNames<CompactOptions> = { ...WORK_OPTIONS, dryRun: true, order: true };

export interface CompactSettings {
  readonly dryRun: boolean;
  readonly order: boolean;
  readonly work: Work;
  /** Guest bytes that are looked at, or moved, before others have their turn and all is made durable. */
  readonly windowSize: number;
}

const WINDOW_SIZE = 64 * 1024 * 1024;

/** @throws TypeError */
export function compactSettings(options: CompactOptions): CompactSettings {
  requireOptions(options, COMPACT_OPTIONS);
  const { dryRun = false, order = false, ...rest } = options;
  requireFlags({ dryRun, order });
  return { dryRun, order, work: new Work(rest), windowSize: WINDOW_SIZE };
}
