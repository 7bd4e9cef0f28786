import { createHash } from 'node:crypto';
import t from 'tap';
import { UsageError } from '../../../src/tensor/index.js';
import { TokenList, tokenIn } from '../../../src/transport/server/tokens.js';

const ALICE = 'a'.repeat(16);
const BOB = 'bob-token-0123456789==';

t.test('lines of names and tokens', async (t) => {
  const list = TokenList.parse(
    `# who may ask\n\nalice:${ALICE}\r\n bob : ${BOB} \n${'c'.repeat(32)}\n`,
    'tokens.txt',
  );
  t.equal(list.nameOf(ALICE), 'alice');
  t.equal(list.nameOf(BOB), 'bob');
  t.equal(list.nameOf('c'.repeat(32)), 'token-3', 'one without a name');
  for (const wrong of ['', ALICE.slice(1), `${ALICE}a`, ALICE.toUpperCase(), 'alice', `alice:${ALICE}`]) {
    t.equal(list.nameOf(wrong), null, wrong);
  }
  const two = TokenList.parse(`x:${ALICE},x:${BOB}`, 'ACOM_TOKENS');
  t.same([two.nameOf(ALICE), two.nameOf(BOB)], ['x', 'x'], 'one name while a token replaces another');
  t.notMatch(JSON.stringify(list), ALICE, 'tokens themselves are not kept');
  t.match(JSON.stringify(list), createHash('sha256').update(ALICE).digest().toJSON().data.join());
});

t.test('lists that are refused, without saying a token', async (t) => {
  for (const [text, expected] of [
    ['', /f holds no token/],
    ['# nothing\n\n', /holds no token/],
    ['short', /line 1: a token has 16 to 512/],
    [`x:${'y'.repeat(513)}`, /16 to 512/],
    [`ok:${ALICE}\n a b:${BOB}`, /line 2: a name is/],
    [`:${ALICE}`, /line 1: a name is/],
    [`x:${ALICE}!`, /a token is letters/],
    [`x:${ALICE} y`, /a token is letters/],
    [`x:${ALICE}\ny:${ALICE}`, /line 2: this token was there before/],
  ] as const) {
    const error = t.throws(() => TokenList.parse(text, 'f'), { message: expected }) as Error;
    t.type(error, UsageError);
    t.notMatch(error.message, ALICE);
  }
});

t.test('where a request carries its token', async (t) => {
  t.equal(tokenIn('Bearer abc', undefined), 'abc');
  t.equal(tokenIn('bearer   abc ', undefined), 'abc', 'the scheme has no case');
  for (const wrong of ['abc', 'Basic abc', 'Bearer', 'Bearer a b', 'Bearerabc']) {
    t.equal(tokenIn(wrong, undefined), null, wrong);
  }
  const url = Buffer.from(BOB).toString('base64url');
  t.equal(tokenIn(undefined, `acom, bearer.${url}`), BOB);
  t.equal(tokenIn(undefined, `bearer.${url},acom`), BOB);
  t.equal(tokenIn(undefined, 'acom'), null);
  t.equal(tokenIn(undefined, undefined), null);
  t.equal(tokenIn('Basic x', `bearer.${url}`), null, 'the header goes first');
});
