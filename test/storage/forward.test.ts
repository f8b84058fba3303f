/** Wrappers of storages pass on what they know nothing of: a member that is added to Storage is added here, too. */
import { describe, expect, it } from "vitest";
import { cached } from "../../src/storage/cached.js";
import { forward } from "../../src/storage/forward.js";
import type { Storage } from "../../src/storage/storage.js";

type Verb = {
  [Name in keyof Storage]-?: Exclude<Storage[Name], undefined> extends (...given: never[]) => unknown ? Name : never;
}[keyof Storage];
type Value = Exclude<keyof Storage, Verb>;

const VALUES: { [Name in Value]-?: Exclude<Storage[Name], undefined> } = {
  path: "a name",
  readOnly: false,
  lock: "file",
  lockFallback: "a reason",
  preallocation: { mode: "truncate", size: 5 },
};

/** What each verb is asked, and what the storage answers. */
const VERBS: { [Name in Verb]: [given: Parameters<Storage[Name] & {}>, answer: unknown] } = {
  read: [[new Uint8Array(5), 0], 5],
  write: [[new Uint8Array(5), 0], 5],
  size: [[], 1000],
  truncate: [[900], undefined],
  flush: [[], undefined],
  allocate: [[0, 2000], undefined],
  punch: [[100, 200], undefined],
  nextData: [[50], { start: 50, end: 60 }],
  saveBeside: [["backup", new Uint8Array(3)], "a name.backup-1"],
  close: [[], undefined],
};

const names = Object.keys(VERBS) as Verb[];
const values = Object.keys(VALUES) as Value[];
const OPTIONAL = [...values, "allocate", "punch", "nextData", "saveBeside"] as const;
const needed = names.filter((name) => !(OPTIONAL as readonly string[]).includes(name));

/** Has these verbs and writes down what it is asked. */
function spying(verbs: readonly Verb[]) {
  const asked: string[] = [];
  const storage = Object.fromEntries(
    verbs.map((name) => [
      name,
      (...given: unknown[]) => {
        asked.push(name);
        expect(name === "read" ? [] : given).toEqual(name === "read" ? [] : VERBS[name][0]);
        return VERBS[name][1];
      },
    ]),
  ) as unknown as Storage;
  return { storage, asked };
}

describe.each([
  ["forward", (inner: Storage) => forward(inner, {})],
  ["cached", (inner: Storage) => cached(inner)],
])("%s", (_, wrap) => {
  it.each(values)("has the value of %s", (name) => {
    const { storage } = spying(names);
    expect(wrap(Object.assign(storage, VALUES))[name]).toEqual(VALUES[name]);
  });

  it.each(names)("passes %s on, with what it answers", async (name) => {
    const { storage, asked } = spying(names);
    const [given, answer] = VERBS[name];
    const verb = wrap(storage)[name] as (...given: unknown[]) => unknown;
    expect(await verb.apply(wrap(storage), given)).toEqual(answer);
    expect(asked).toContain(name);
  });

  it("has nothing that the storage has not", () => {
    const wrapper = wrap(spying(needed).storage);
    for (const name of OPTIONAL) if (name !== "readOnly") expect(wrapper[name], name).toBe(undefined);
    expect(wrapper.readOnly ?? false).toBe(false);
  });
});

describe("forward", () => {
  it("does what the wrapper does in its own way, and withholds what that says is undefined", () => {
    const { storage, asked } = spying(names);
    const wrapper = forward(Object.assign(storage, VALUES), { size: () => 7, punch: undefined, path: "other" });
    expect([wrapper.size(), wrapper.path, wrapper.punch, wrapper.lock]).toEqual([7, "other", undefined, "file"]);
    expect(asked).toEqual([]);
  });

  it("follows values that change, and asks before each verb", () => {
    const { storage, asked } = spying(names);
    const inner = Object.assign(storage, { path: "before" });
    const wrapper = forward(inner, {}, () => {
      throw new Error("not now");
    });
    Object.assign(inner, { path: "after" });
    expect(wrapper.path).toBe("after");
    expect(() => wrapper.flush()).toThrow("not now");
    expect(asked).toEqual([]);
  });
});
