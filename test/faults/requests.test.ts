import { describe, expect, test } from "vitest";
import { sampled } from "../support/runs.js";
import { eachFault, type FaultKind, type FaultyStorage } from "./faulty-storage.js";
import { CLUSTER, scenarios } from "./scenarios.js";
import { type Outcome, outcomeOf } from "./settled.js";
import { expectFlushFailed, expectInjected, sampleFor, settings, titleOf, World } from "./world.js";

/** What is done after a request failed: it is made again, or the disk is closed as it is. */
const REMEDIES = ["try again", "close"] as const;

for (const setting of settings) {
  describe(`a request of the storage that goes wrong (${titleOf(setting)})`, () => {
    test.each(sampled(scenarios, 8))("fails the $name alone, with its cause", async (scenario) => {
      const sample = await sampleFor(setting, setting.format, scenario);
      for (const remedy of REMEDIES) {
        const struck = await eachFault(async (kind, at) =>
          survives(await World.make(setting, scenario, sample), kind, at, remedy),
        );
        expect(struck > 0).toBe(scenario.quiet !== true);
      }
    });

    test.each(sampled(scenarios, 6))(
      "in a close after a $name leaves the disk open, for another close",
      async (scenario) => {
        const sample = await sampleFor(setting, setting.format, scenario);
        for (const verb of ["close", "dispose"] as const) {
          await eachFault(async (kind, at) => closes(await World.make(setting, scenario, sample), kind, at, verb));
        }
      },
    );
  });
}

/** One fault in the scenario's request, and what comes after. Answers whether a request went wrong at all. */
async function survives(world: World, kind: FaultKind, at: number, remedy: (typeof REMEDIES)[number]) {
  const { faulty } = world;
  faulty.arm(kind, at);
  const { outcome, after } = await world.act();
  faulty.disarm();
  if (faulty.struck !== undefined) expectTold(outcome, kind, faulty);
  if (outcome.ok) world.content = after;
  else await world.settleFor(after);
  await world.compare();
  if (!outcome.ok && remedy === "try again") await tryAgain(world);
  else await finish(world);
  expect(faulty).toMatchObject({ closes: 1, tooLate: 0 });
  if (world.saysClosed()) await world.expectClosedCleanly();
  else await expectTakenOver(world);
  return faulty.struck !== undefined;
}

/** Only what a disk can do without, or do in another way, may go wrong unnoticed. */
function expectTold(outcome: Outcome, kind: FaultKind, faulty: FaultyStorage): void {
  if (!outcome.ok) {
    expectInjected(outcome.error, faulty);
    return;
  }
  const harmless = kind === "short" || kind === "ENOSPC" || faulty.struck === "punch";
  expect(harmless, `an error of ${faulty.struck} did not reach the caller`).toBe(true);
}

/** Makes the request again, and others on the same clusters; closes. */
async function tryAgain(world: World): Promise<void> {
  const { disk, faulty } = world;
  const { outcome, after } = await world.act();
  if (!outcome.ok) {
    expectFlushFailed(outcome, faulty);
    await expectNoPretence(world);
    return disk.abandon();
  }
  world.content = after;
  await world.compare();
  if (faulty.lost) return finish(world);
  for (let cluster = 0; cluster < disk.clusterCount; cluster++) {
    const [offset, length] = [cluster * CLUSTER + 11, 900];
    world.content.fill(cluster + 1, offset, offset + length);
    const bytes = world.content.subarray(offset, offset + length);
    expect(await outcomeOf("a later write", () => disk.write(bytes, offset))).toEqual({ ok: true });
  }
  await world.compare();
  await finish(world);
}

/** Closes the disk if it can still be: where the storage lost what it was to flush, no flush may succeed any more. */
async function finish(world: World): Promise<void> {
  const { disk, faulty } = world;
  if (faulty.lost) {
    await expectNoPretence(world);
    return disk.abandon();
  }
  const closed = await outcomeOf("close", () => disk.close());
  if (closed.ok) return;
  expect(faulty.struck).toBe("flush");
  expectFlushFailed(closed, faulty);
  await disk.abandon();
}

async function expectNoPretence(world: World): Promise<void> {
  const { disk, faulty } = world;
  const written = await outcomeOf("write", () => disk.write(world.content.subarray(0, 99), 0));
  if (!written.ok) expectFlushFailed(written, faulty);
  expectFlushFailed(await outcomeOf("flush", () => disk.flush()), faulty);
  expectFlushFailed(await outcomeOf("flush", () => disk.flush()), faulty);
  expectFlushFailed(await outcomeOf("close", () => disk.close()), faulty);
  await world.compare();
}

/** The file that a disk left without closing it: taken over it is sound, whatever its BAT had of the last requests. */
async function expectTakenOver(world: World): Promise<void> {
  world.expectMarked();
  const disk = await world.reopen();
  expect(disk.info.unclean).toBe(true);
  expect((await disk.check()).corruptions).toBe(0);
  await disk.close();
}

/** One fault in close, after the scenario's request. Answers whether a request went wrong at all. */
async function closes(world: World, kind: FaultKind, at: number, verb: "close" | "dispose"): Promise<boolean> {
  const { disk, faulty } = world;
  world.content = (await world.act()).after;
  faulty.arm(kind, at);
  const outcome = await outcomeOf(verb, () => (verb === "close" ? disk.close() : dispose(world)));
  faulty.disarm();
  if (faulty.struck !== undefined) expectTold(outcome, kind, faulty);
  if (verb === "dispose") expect(faulty.closes).toBe(1);
  else if (!outcome.ok && faulty.struck !== "close") await closesAgain(world);
  // No error, once it is closed; a storage whose close failed is asked again.
  await disk.close();
  await disk.close();
  expect(faulty).toMatchObject({ closes: world.wantedCloses, tooLate: 0 });
  if (world.saysClosed()) await world.expectClosedCleanly();
  else await expectTakenOver(world);
  return faulty.struck !== undefined;
}

async function closesAgain(world: World): Promise<void> {
  expect(world.faulty.closes).toBe(0);
  await world.compare();
  await finish(world);
}

async function dispose({ disk }: World): Promise<void> {
  if (Symbol.dispose in disk) disk[Symbol.dispose]();
  else await disk[Symbol.asyncDispose]();
}
