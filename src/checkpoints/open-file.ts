/** Files in Node. Browsers get open-file.browser.ts in its place (package.json, "imports"). */
import { type FileHandle, open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { SourceError } from '../tensor/index.js';
import type { ByteSource } from './byte-source.js';

export async function openFile(file: string | URL): Promise<ByteSource> {
  const name = typeof file === 'string' ? file : fileURLToPath(file);
  const withFile = async <T>(work: (handle: FileHandle) => Promise<T>): Promise<T> => {
    const handle = await open(name).catch((cause: NodeJS.ErrnoException) => {
      const reason =
        cause.code === 'ENOENT' ? 'there is no such file' : `it could not be opened (${cause.code})`;
      throw new SourceError(`${name}: ${reason}`, cause, cause.code === 'ENOENT');
    });
    try {
      return await work(handle);
    } finally {
      await handle.close();
    }
  };
  const stats = await withFile((handle) => handle.stat());
  if (!stats.isFile()) throw new SourceError(`${name}: this is no file`);
  return {
    size: stats.size,
    name,
    read: (offset, length) =>
      withFile(async (handle) => {
        const bytes = new Uint8Array(Math.max(0, Math.min(length, stats.size - offset)));
        let filled = 0;
        while (filled < bytes.length) {
          const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, offset + filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        return bytes.subarray(0, filled);
      }),
  };
}
