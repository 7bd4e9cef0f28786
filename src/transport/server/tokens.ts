/** Bearer tokens: lists of them, and whether a request has one. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { UsageError } from '../../tensor/index.js';

interface Known {
  readonly name: string;
  readonly digest: Buffer;
}

/** Shorter ones can be guessed. */
const LEAST_CHARACTERS = 16;
const MOST_CHARACTERS = 512;
/** What RFC 6750 lets a bearer token be. */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;
const NAME = /^[A-Za-z0-9._-]{1,64}$/;

const digestOf = (token: string): Buffer => createHash('sha256').update(token, 'utf8').digest();

/** Tokens by what their clients are called; only their digests are kept. */
export class TokenList {
  private constructor(private readonly known: readonly Known[]) {}

  /**
   * Lines `name:token` or `token`, separated by line ends or commas; # begins a comment line. Several tokens may have one
   * name, while one replaces the other. Throws UsageError, which names `source` and the line but no token.
   */
  static parse(text: string, source: string): TokenList {
    const known: Known[] = [];
    for (const [index, line] of text.split(/\r?\n|,/).entries()) {
      const entry = line.trim();
      if (entry === '' || entry.startsWith('#')) continue;
      const wrong = (message: string) => new UsageError(`${source}, line ${index + 1}: ${message}`);
      const colon = entry.indexOf(':');
      const name = colon < 0 ? `token-${known.length + 1}` : entry.slice(0, colon).trim();
      const token = entry.slice(colon + 1).trim();
      if (!NAME.test(name)) throw wrong('a name is 1 to 64 letters, digits, dots, dashes or underscores');
      if (!TOKEN.test(token))
        throw wrong('a token is letters, digits and - . _ ~ + / with = at its end only');
      if (token.length < LEAST_CHARACTERS || token.length > MOST_CHARACTERS) {
        throw wrong(
          `a token has ${LEAST_CHARACTERS} to ${MOST_CHARACTERS} characters, so that nobody guesses it: make one with ` +
            'openssl rand -hex 32',
        );
      }
      const digest = digestOf(token);
      if (known.some((other) => other.digest.equals(digest))) throw wrong('this token was there before');
      known.push({ name, digest });
    }
    if (known.length === 0) {
      throw new UsageError(
        `${source} holds no token: write lines like name:token, with a token of openssl rand -hex 32`,
      );
    }
    return new TokenList(known);
  }

  /** The name of a token; null where it is not known. Takes the same time whichever it is, or none. */
  nameOf(token: string): string | null {
    const digest = digestOf(token);
    let name: string | null = null;
    for (const each of this.known) if (timingSafeEqual(each.digest, digest)) name = each.name;
    return name;
  }
}

/** The subprotocol that streams have, and what begins the other one that carries a token. */
export const SUBPROTOCOL = 'acom';
const BEARER = 'bearer.';

/**
 * The token that a request carries: `Authorization: Bearer TOKEN`, or, because pages can't set that for a WebSocket,
 * `Sec-WebSocket-Protocol: acom, bearer.TOKEN` with the token in base64url. Null where there is none.
 */
export function tokenIn(authorization: string | undefined, protocols: string | undefined): string | null {
  if (authorization !== undefined) return /^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? null;
  for (const protocol of protocols?.split(',') ?? []) {
    const offered = protocol.trim();
    if (offered.startsWith(BEARER)) {
      return Buffer.from(offered.slice(BEARER.length), 'base64url').toString('utf8');
    }
  }
  return null;
}
