/** Devices whose errors name the file. */
import type { BlockDevice } from "../index.js";
import { about } from "./failure.js";

/** The same device; its errors name the file. */
export function naming(path: string, device: BlockDevice): BlockDevice {
  const { clusterSize, write, writeZeroes, flush, resize, status, close } = device;
  const naming = <Args extends unknown[], T>(verb: ((...args: Args) => Promise<T>) | undefined) =>
    verb && ((...args: Args) => about(path, () => verb.apply(device, args)));
  const verbs = { write, writeZeroes, flush, resize, status, close };
  const named = Object.entries(verbs).filter(([, verb]) => verb !== undefined);
  return {
    path,
    get size() {
      return device.size;
    },
    ...(clusterSize === undefined ? {} : { clusterSize }),
    read: (buffer, offset) => about(path, () => device.read(buffer, offset)),
    ...Object.fromEntries(named.map(([name, verb]) => [name, naming(verb as (...args: never[]) => Promise<unknown>)])),
  };
}
