/**
 * Keeps the page for when there is no server: every file of it, the model included, as one version. What a server has is
 * fresher, so the network is asked first.
 */

/** What of a service worker's scope is used; the library of types has the page's only. */
interface ExtendableEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}
interface ServiceWorkerScope {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(kind: 'install' | 'activate', listener: (event: ExtendableEvent) => void): void;
  addEventListener(kind: 'fetch', listener: (event: FetchEvent) => void): void;
}

/** Put in by the build: paths of all files, and what changes when one of them does. */
declare const FILES: readonly string[];
declare const VERSION: string;

const scope = globalThis as unknown as ServiceWorkerScope;
const { scope: base } = scope.registration;
// Other pages of the same origin have caches of their own.
const PREFIX = `acom-page ${base} `;
const CACHE = `${PREFIX}${VERSION}`;
const kept = new Set(FILES.map((file) => new URL(file, base).href));

async function keep(): Promise<void> {
  const cache = await caches.open(CACHE);
  // Not from the browser's own cache, which may have files of the version before.
  await cache.addAll([...kept].map((url) => new Request(url, { cache: 'no-cache' })));
  await scope.skipWaiting();
}

async function forgetOthers(): Promise<void> {
  const names = await caches.keys();
  const others = names.filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(others.map((name) => caches.delete(name)));
  await scope.clients.claim();
}

async function answer(request: Request, url: string): Promise<Response> {
  const fresh = await fetch(request).catch(() => null);
  if (fresh?.ok) return fresh;
  const cache = await caches.open(CACHE);
  return (await cache.match(url)) ?? fresh ?? Response.error();
}

scope.addEventListener('install', (event) => event.waitUntil(keep()));
scope.addEventListener('activate', (event) => event.waitUntil(forgetOthers()));
scope.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  url.search = '';
  url.hash = '';
  if (request.method === 'GET' && kept.has(url.href)) event.respondWith(answer(request, url.href));
});
