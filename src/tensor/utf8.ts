/** UTF-8 where there is no TextEncoder, as in an AudioWorklet. */

const hasCoders = typeof TextDecoder !== 'undefined' && typeof TextEncoder !== 'undefined';

export function utf8Bytes(text: string): Uint8Array {
  if (hasCoders) return new TextEncoder().encode(text);
  const escaped = encodeURIComponent(text).replace(/%(..)/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Uint8Array.from(escaped, (character) => character.charCodeAt(0));
}

/** Throws where bytes are no UTF-8. */
export function utf8Text(bytes: Uint8Array): string {
  if (hasCoders) return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  return decodeURIComponent(Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''));
}
