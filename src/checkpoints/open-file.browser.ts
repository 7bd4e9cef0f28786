/** Stands in for open-file.ts where there is no file system. */
import { SourceError } from '../tensor/index.js';
import type { ByteSource } from './byte-source.js';

export async function openFile(file: string | URL): Promise<ByteSource> {
  throw new SourceError(`${file}: a browser reads no files by path; pass a URL or the file's bytes`);
}
