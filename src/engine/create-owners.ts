/** Makes the owners of a chain. In a file of its own: who opens a single image does not load their module. */

import { choose } from "./choose.js";
import type { EngineKind } from "./engine.js";
import { JsOwners } from "./js-owners.js";
import type { Owners } from "./owners.js";
import { WasmOwners } from "./wasm-owners.js";
import { ownersBase64 } from "./wasm-owners-bytes.js";

/** Over `clusterCount` guest clusters, all nobody's; `kind` and errors as for `createEngine`. */
export function createOwners(kind: EngineKind | undefined, clusterCount: number): Owners {
  return choose<Owners>(
    ownersBase64,
    kind,
    (module) => new WasmOwners(module, clusterCount),
    (fallback) => new JsOwners(clusterCount, fallback),
  );
}
