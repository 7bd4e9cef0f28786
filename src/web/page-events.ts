/** Files that are dropped or chosen, and the page's own files that are kept for when there is no network. */
import { element, setText } from './elements.js';

export function listenForFiles(take: (file: File) => void): void {
  const field = element('file', HTMLInputElement);
  const drop = element('drop', HTMLElement);
  field.addEventListener('change', () => {
    const file = field.files?.[0];
    if (file) take(file);
    // The same file again is a change too.
    field.value = '';
  });
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true;
  document.addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    drop.hidden = false;
  });
  document.addEventListener('dragleave', ({ relatedTarget }) => {
    // Null where the pointer leaves the page, not where it goes from one element to another.
    if (relatedTarget === null) drop.hidden = true;
  });
  document.addEventListener('drop', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    drop.hidden = true;
    const file = event.dataTransfer?.files[0];
    if (file) take(file);
  });
}

/** Registers the service worker where browsers have one: from https:// and from localhost. */
export async function keepForOffline(): Promise<void> {
  const note = element('offline-note', HTMLElement);
  if (!('serviceWorker' in navigator)) return;
  try {
    await navigator.serviceWorker.register(new URL('service-worker.js', document.baseURI));
    await navigator.serviceWorker.ready;
    setText(note, 'It is kept here and works without a network.');
  } catch {
    setText(note, 'It could not be kept for later: it needs the network.');
  }
}
