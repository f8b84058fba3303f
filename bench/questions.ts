/** All questions, in the order of docs/performance.md. */

import { opfs } from "./browser.js";
import { chain } from "./chain.js";
import { compact } from "./compact.js";
import { disk } from "./io.js";
import { engine } from "./map.js";
import { network } from "./network.js";
import { order } from "./order.js";
import type { Question } from "./question.js";
import { resize } from "./resize.js";

export const QUESTIONS: readonly Question[] = [engine, disk, opfs, order, chain, resize, compact, network];
