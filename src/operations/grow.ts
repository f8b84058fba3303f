/** Growth of the file: it always covers every host cluster that is in use, before anything is written there. */
import { type Image, TASK } from "./image.js";
import type { Operation } from "./operation.js";
import { locked } from "./range-locks.js";
import { truncate } from "./transfer.js";

/** Makes the file reach `end` (bytes) at least. */
export function* growFile(image: Image, end: number): Operation<void> {
  if (end <= image.fileSize) return;
  yield* locked(image.tasks, TASK.grow, TASK.grow, true, function* () {
    if (end <= image.fileSize) return;
    yield* truncate(image.storage, end);
    image.fileSize = end;
  });
}
