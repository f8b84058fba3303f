/** All questions, in the order of docs/performance.md. */

import { allocate } from "./allocate.js";
import { boot } from "./boot.js";
import { chain } from "./chain.js";
import { check } from "./check.js";
import { compact } from "./compact.js";
import { connect } from "./connect.js";
import { convert } from "./convert.js";
import { firstWrites } from "./first-writes.js";
import { flight } from "./flight.js";
import { disk } from "./io.js";
import { engine } from "./map.js";
import { memory } from "./memory.js";
import { memoryStorage } from "./memory-storage.js";
import { network } from "./network.js";
import { open } from "./open.js";
import { opfs } from "./opfs.js";
import { order } from "./order.js";
import { pieces } from "./pieces.js";
import type { Question } from "./question.js";
import { resize } from "./resize.js";
import { sizes } from "./sizes.js";
import { start } from "./start.js";

export const QUESTIONS: readonly Question[] = [
  engine,
  allocate,
  open,
  start,
  convert,
  check,
  disk,
  pieces,
  flight,
  firstWrites,
  memoryStorage,
  memory,
  opfs,
  connect,
  boot,
  order,
  chain,
  resize,
  compact,
  network,
  sizes,
];
