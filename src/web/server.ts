/** Whether a server is there that decodes, and what it says of itself. */

/** What the page wants to know of GET /v1/model. */
export interface ServerModel {
  readonly name: string;
  readonly fingerprint: string;
  readonly live: boolean;
}

export type ServerState =
  | { readonly kind: 'ready'; readonly model: ServerModel }
  /** It wants a token, or another one. */
  | { readonly kind: 'locked' }
  /** The page lies on a host of files. */
  | { readonly kind: 'none' }
  /** Nobody answers. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'refused'; readonly message: string };

const TOKEN = 'acom-token';

/** The token for this tab; null where none is known. */
export const storedToken = (): string | null => sessionStorage.getItem(TOKEN);

export function storeToken(token: string): void {
  sessionStorage.setItem(TOKEN, token);
}

export const forgetToken = (): void => sessionStorage.removeItem(TOKEN);

/** What a browser can carry in a header: the rest is no token anyhow. */
export const isToken = (token: string): boolean => /^[\x21-\x7e]+$/.test(token);

/** Addresses of the server that the page came from; it may be under a path. */
export const serverUrl = (path: string): URL => new URL(path, document.baseURI);

function modelOf(json: unknown): ServerModel | null {
  if (typeof json !== 'object' || json === null) return null;
  const { name, fingerprint, live } = json as Readonly<Record<string, unknown>>;
  if (typeof name !== 'string' || typeof fingerprint !== 'string' || typeof live !== 'boolean') return null;
  return { name, fingerprint, live };
}

export async function askServer(token: string | null): Promise<ServerState> {
  const headers: Record<string, string> = token === null ? {} : { Authorization: `Bearer ${token}` };
  const response = await fetch(serverUrl('v1/model'), { headers, cache: 'no-store' }).catch(() => null);
  if (response === null) return { kind: 'gone' };
  if (response.status === 401) return { kind: 'locked' };
  const json: unknown = await response.json().catch(() => null);
  if (!response.ok) {
    const { error } = (json ?? {}) as { readonly error?: { readonly message?: unknown } };
    // A host of files says in its own way that there is no such file.
    if (typeof error?.message !== 'string') return { kind: 'none' };
    return { kind: 'refused', message: error.message };
  }
  const model = modelOf(json);
  return model === null ? { kind: 'none' } : { kind: 'ready', model };
}

/** Subprotocols of a stream: pages can't set a header of a WebSocket, so the token is one of them. */
export function subprotocols(token: string | null): string[] {
  if (token === null) return ['acom'];
  const base64 = btoa(token).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
  return ['acom', `bearer.${base64}`];
}
