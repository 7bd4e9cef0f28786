/** The history of a run: a line of JSON for each step and each validation. */
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { writeWhole } from './checkpoint-file.js';

/** Whether a line of a log is whole and about a step up to `step`. */
function isUpTo(line: string, step: number): boolean {
  try {
    const record = JSON.parse(line) as { readonly step?: unknown };
    return typeof record.step === 'number' && record.step <= step;
  } catch {
    // The process was ended while it wrote this line.
    return false;
  }
}

export class LogFile {
  private constructor(private readonly file: FileHandle) {}

  /** Opens a log to go on after `step`: what came later was not kept in the checkpoint and is done again. */
  static async open(path: string, step: number): Promise<LogFile> {
    const before = step === 0 ? '' : await readFile(path, 'utf8').catch(() => '');
    const kept = before.split('\n').filter((line) => isUpTo(line, step));
    await writeWhole(path, new TextEncoder().encode(kept.map((line) => `${line}\n`).join('')));
    return new LogFile(await open(path, 'a'));
  }

  async add(record: Readonly<Record<string, unknown>>): Promise<void> {
    await this.file.appendFile(`${JSON.stringify(record)}\n`);
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}
