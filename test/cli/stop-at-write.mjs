// Preloaded before the command: sends its own process a signal when it is about to write to a file for the nth time.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const { STOP_FILE, STOP_AT, STOP_SIGNAL } = process.env;
const { openSync, write } = fs;
const watched = new Set();
let left = Number(STOP_AT);

fs.openSync = (path, ...rest) => {
  const fd = openSync(path, ...rest);
  if (path === STOP_FILE) watched.add(fd);
  return fd;
};
fs.write = (fd, ...rest) => {
  if (watched.has(fd) && --left === 0) process.kill(process.pid, STOP_SIGNAL);
  return write(fd, ...rest);
};
syncBuiltinESMExports();
