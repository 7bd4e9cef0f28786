/** Addresses of brokers: checked, and shown without what is secret in them. */
import { UsageError } from '../../tensor/index.js';

const PROTOCOLS = ['mqtt:', 'mqtts:', 'ws:', 'wss:'];

export interface BrokerAddress {
  /** Without name and password. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
}

/** `text` is never in the message whole: there may be a password in it. */
const refuse = (reason: string): never => {
  throw new UsageError(
    `broker address: ${reason}; use for example mqtt://127.0.0.1:1883 or mqtts://host:8883`,
  );
};

/** Takes an address apart. Throws UsageError for what is no address of a broker. */
export function parseBrokerUrl(text: string): BrokerAddress {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return refuse('it is no URL');
  }
  if (!PROTOCOLS.includes(url.protocol)) {
    return refuse(`it begins with ${url.protocol.slice(0, 20)}, and not with one of ${PROTOCOLS.join(' ')}`);
  }
  if (url.hostname === '') return refuse('it names no host');
  const { username, password } = url;
  url.username = '';
  url.password = '';
  let credentials = {};
  try {
    credentials = {
      ...(username === '' ? {} : { username: decodeURIComponent(username) }),
      ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    };
  } catch {
    return refuse('its name or password has a % that begins no escape');
  }
  return { url: url.href, ...credentials };
}
