/** All questions, in the order of docs/performance.md. */

import { boot } from "./boot.js";
import { chain } from "./chain.js";
import { check } from "./check.js";
import { compact } from "./compact.js";
import { connect } from "./connect.js";
import { convert } from "./convert.js";
import { disk } from "./io.js";
import { engine } from "./map.js";
import { network } from "./network.js";
import { opfs } from "./opfs.js";
import { order } from "./order.js";
import type { Question } from "./question.js";
import { resize } from "./resize.js";
import { start } from "./start.js";

export const QUESTIONS: readonly Question[] = [
  engine,
  start,
  convert,
  check,
  disk,
  opfs,
  connect,
  boot,
  order,
  chain,
  resize,
  compact,
  network,
];
