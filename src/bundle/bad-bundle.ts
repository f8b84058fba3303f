/** How a descriptor is refused: each fault by its name, with what to do about it. */
import { DiskError } from "../errors.js";

/** Parallels Desktop keeps the last good descriptor beside the one in use. */
const ADVICE = "restore it from DiskDescriptor.xml.Backup or a backup of your own";

/** A descriptor that describes no disk. */
export function badBundle(fault: string, details: Record<string, unknown> = {}, cause?: unknown): DiskError {
  return new DiskError("BAD_BUNDLE", `the descriptor is wrong: ${fault}; ${ADVICE}`, details, cause);
}

/** A disk that a descriptor describes, and that is not for us. */
export function unsupported(fault: string, advice: string, details: Record<string, unknown> = {}): DiskError {
  return new DiskError("UNSUPPORTED", `${fault}: ${advice}`, details);
}
