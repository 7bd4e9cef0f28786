/** Fetches a file whole, with word of how far it is. */
import { SourceError } from '../tensor/index.js';

/** Larger files are no models for a page. */
const MOST_BYTES = 1 << 28;

/** Throws SourceError where it can't be had. `total` is null where the server does not say. */
export async function download(
  url: string,
  token: string | null,
  onProgress: (bytes: number, total: number | null) => void,
): Promise<Uint8Array> {
  const headers: Record<string, string> = token === null ? {} : { Authorization: `Bearer ${token}` };
  const response = await fetch(url, { headers }).catch((cause: unknown) => {
    throw new SourceError(`${url} could not be fetched: is the server there?`, cause);
  });
  if (!response.ok || response.body === null) {
    throw new SourceError(
      `${url}: the server answered ${response.status}`,
      undefined,
      response.status === 404,
    );
  }
  // The length of what is compressed on the way says nothing.
  const isPlain = response.headers.get('content-encoding') === null;
  const length = Number(response.headers.get('content-length') ?? Number.NaN);
  const total = isPlain && length > 0 ? length : null;
  const parts: Uint8Array[] = [];
  let bytes = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw new SourceError(`${url}: the connection broke off; load the page again`, cause);
    });
    if (done) break;
    parts.push(value);
    bytes += value.length;
    if (bytes > MOST_BYTES) throw new SourceError(`${url}: longer than the ${MOST_BYTES} bytes of a model`);
    onProgress(bytes, total);
  }
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
