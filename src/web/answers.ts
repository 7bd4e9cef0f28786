/** What the server says in a stream: texts of JSON, believed only as far as they have the form that they should. */
import type { Word } from '../tasks/recognition.js';

export type Answer =
  | { readonly type: 'ready' }
  | { readonly type: 'update'; readonly words: readonly Word[]; readonly partial: string | null }
  /** All words of the stream, the last of which no update may have had. */
  | { readonly type: 'final' | 'closing'; readonly words: readonly Word[] }
  | { readonly type: 'error'; readonly code: string; readonly message: string };

type Fields = Readonly<Record<string, unknown>>;

const isWord = (value: unknown): value is Word => {
  if (typeof value !== 'object' || value === null) return false;
  const { word, start, end, confidence } = value as Fields;
  return typeof word === 'string' && [start, end, confidence].every((each) => Number.isFinite(each));
};

const isWords = (value: unknown): value is Word[] => Array.isArray(value) && value.every(isWord);

/** Null for what is no answer of the server's. */
export function parseAnswer(data: unknown): Answer | null {
  if (typeof data !== 'string') return null;
  let fields: Fields;
  try {
    fields = Object(JSON.parse(data)) as Fields;
  } catch {
    return null;
  }
  const { type, words, partial, code, message } = fields;
  switch (type) {
    case 'ready':
      return { type };
    case 'final':
    case 'closing':
      return isWords(words) ? { type, words } : null;
    case 'update':
      if (!isWords(words)) return null;
      if (partial !== null && typeof partial !== 'string') return null;
      return { type, words, partial };
    case 'error':
      return typeof code === 'string' && typeof message === 'string' ? { type, code, message } : null;
    default:
      return null;
  }
}
