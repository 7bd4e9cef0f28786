/** Who may ask: a token where there are tokens, only this machine's own programs and pages where there are none. */
import type { Client, Clients } from './clients.js';
import { RefusalError } from './errors.js';
import type { FastifyRequest } from './packages.js';
import { isLoopback, type ServerSettings } from './settings.js';
import { tokenIn } from './tokens.js';

/** The host of a Host header or an origin, without its port. */
const hostOf = (authority: string): string => authority.replace(/:\d+$/, '');

const unauthorized = (token: string | null): RefusalError =>
  new RefusalError(
    'ACOM_UNAUTHORIZED',
    token === null
      ? 'this server wants a token: send Authorization: Bearer TOKEN'
      : 'this token is not known here',
  );

export class Access {
  private readonly admitted = new WeakMap<object, Client>();

  constructor(
    private readonly settings: ServerSettings,
    private readonly clients: Clients,
  ) {}

  /** Lets a request in and counts it. Throws RefusalError where it may not come in, or too often. */
  admit(request: FastifyRequest): void {
    const { tokens } = this.settings;
    const { authorization, 'sec-websocket-protocol': protocols } = request.headers;
    let name = `address ${request.ip}`;
    if (tokens === null) this.requireOwn(request);
    else {
      const token = tokenIn(authorization, protocols);
      const known = token === null ? null : tokens.nameOf(token);
      if (known === null) {
        // Guessing is slow too.
        this.clients.of(name).request();
        throw unauthorized(token);
      }
      name = known;
    }
    const client = this.clients.of(name);
    client.request();
    this.admitted.set(request.raw, client);
  }

  /** Who an admitted request is from. */
  clientOf(request: FastifyRequest): Client {
    const client = this.admitted.get(request.raw);
    if (client === undefined) throw new Error('internal: a request was not admitted');
    return client;
  }

  /**
   * A server without tokens serves this machine. A page from elsewhere that is open in a browser here could ask it all the
   * same; browsers then say where the page is from, or under which other name they were led here.
   */
  private requireOwn({ headers: { origin, host } }: FastifyRequest): void {
    const isOwn = host === undefined || isLoopback(hostOf(host));
    const isSame =
      origin === undefined || (host !== undefined && origin.replace(/^https?:\/\//, '') === host);
    if (isOwn && isSame) return;
    throw new RefusalError(
      'ACOM_FORBIDDEN',
      'this server has no tokens, so it answers only programs and pages of its own machine under its own name; ' +
        'to serve others, start it with --token-file FILE',
    );
  }
}
