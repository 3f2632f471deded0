/** Writes a file whole or not at all. */
import { constants } from "node:fs";
import { access, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { DataError } from "../data/dataError.js";

/**
 * Whether a report could be written to a path, so that nobody waits for a training whose result cannot be kept.
 *
 * @param shownAs how messages name the path.
 * @throws DataError where the folder is missing or closed, or something that is no file stands in the way.
 */
export async function checkWritable(path: string, shownAs: string): Promise<void> {
  const folder = await stat(dirname(path)).catch(() => null);
  if (!folder?.isDirectory()) throw new DataError(`${shownAs}: there is no folder ${dirname(path)} to write the report to`);
  const present = await stat(path).catch(() => null);
  if (present !== null && !present.isFile()) throw new DataError(`${shownAs} is not a file; name a file to write the report to`);
  try {
    await access(dirname(path), constants.W_OK);
  } catch {
    throw new DataError(`${shownAs}: no permission to write to the folder ${dirname(path)}`);
  }
}

/** The text is written next to its place and moved there when it is complete; a file that was there before stays until then. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const unfinished = `${path}.${process.pid}.unfinished`;
  try {
    await writeFile(unfinished, text, { flag: "wx" });
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}
