/** What each bundle of the fixtures that is wrong must be refused for. */
import type { DiskErrorCode } from "../../src/errors.js";

type Cause = [code: DiskErrorCode, message: RegExp];

/** What the descriptor alone shows. */
export const CAUSES: Record<string, Cause> = {
  cycle: ["BAD_BUNDLE", /form a circle/],
  orphan: ["BAD_BUNDLE", /parent \{00000005.*\} of snapshot \{5fbaabe3.*\} is not listed/],
  padding: ["UNSUPPORTED", /Padding "1"/],
  encrypted: ["UNSUPPORTED", /encrypted/],
  escape: ["BAD_BUNDLE", /"\.\.\/chain3.*outside the bundle/],
  absolute: ["UNSUPPORTED", /"\/etc\/hostname".*absolute path/],
  overlap: ["BAD_BUNDLE", /storage 1 starts at byte 512000.*ends at 768000: they overlap/],
  gap: ["BAD_BUNDLE", /storage 1 starts at byte 512000.*ends at 256000: there is a gap/],
  "no-top": ["BAD_BUNDLE", /there is no top/],
  bomb: ["UNSUPPORTED", /DOCTYPE.*no entity is ever expanded/],
  "not-xml": ["BAD_BUNDLE", /not XML that is well-formed/],
};

/** What the images show. */
export const IMAGE_CAUSES: Record<string, Cause> = {
  "missing-image": ["BAD_BUNDLE", /missing-image\.hdd\.0\.\{00000001.*restore it/],
  "wrong-size": ["BAD_BUNDLE", /wrong-size\.hdd\.0.* is a disk of .*storage has 2097152/],
  "wrong-cluster": ["BAD_BUNDLE", /wrong-cluster\.hdd\.0.*clusters of 65536.*Blocksize says 131072/],
};
