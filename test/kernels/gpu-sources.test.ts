/** What GPU.js computes wrongly without saying so (../../kernels/gpu/README.md), looked for in every source there is. */
import t from 'tap';
import ts from 'typescript';
import { fillOperands } from '../../kernels/check/index.js';
import { type Launch, record } from '../../kernels/gpu/recording.js';
import { kernelSpecs } from '../../kernels/index.js';

/** Every launch of every spec, by its source. */
const launches = new Map<string, Launch>();
for (const any of kernelSpecs) {
  any.visit((spec) => {
    if (!spec.gpu) return;
    for (const sizes of spec.sizes) {
      const operands = fillOperands(spec, sizes, { seed: 1, placement: { offset: 0, gap: 0 } });
      const plan = record(spec.bind(spec.gpu.load(), sizes, operands));
      for (const launch of plan.launches) launches.set(launch.source, launch);
    }
  });
}

/** What is wrong with a source. */
function complaints(source: string): string[] {
  const file = ts.createSourceFile('kernel.ts', `(${source.trim()})`, ts.ScriptTarget.ES2022, true);
  const found: string[] = [];
  const declared = new Set<string>();
  const declare = (name: ts.BindingName) => {
    const text = name.getText(file);
    // GPU.js in mode webasm knows no block scope.
    if (declared.has(text)) found.push(`${text} is declared twice`);
    declared.add(text);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isParameter(node) || ts.isVariableDeclaration(node)) declare(node.name);
    if (ts.isVariableDeclaration(node) && !node.initializer) found.push(`${node.getText(file)} has no value`);
    if (ts.isWhileStatement(node) || ts.isDoStatement(node)) found.push('while');
    if (ts.isArrowFunction(node) || ts.isTemplateExpression(node)) found.push(node.getText(file));
    if (ts.isForStatement(node)) {
      // Any other loop ends after 1,000 rounds, or is refused.
      const loop = `${node.initializer?.getText(file)}; ${node.condition?.getText(file)}; ${node.incrementor?.getText(file)}`;
      if (!/^let (\w+) = 0; \1 < (\d+|this\.constants\.\w+); \1\+\+$/.test(loop)) found.push(loop);
    }
    if (ts.isCallExpression(node)) {
      const name = node.expression.getText(file);
      if (!/^Math\.(exp|log|sqrt|max|min)$/.test(name))
        found.push(`${name} is not known to be right everywhere`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

t.test('no source has what GPU.js gets wrong', async (t) => {
  t.ok(launches.size > 30, `${launches.size} sources`);
  for (const { name, source, args, constants, size } of launches.values()) {
    t.same(complaints(source), [], name);
    t.ok(args.length <= 7, `${name}: ${args.length} arrays, of which WebGPU binds 7`);
    t.ok(Object.values(constants).every(Number.isFinite), `${name}: constants`);
    t.ok(
      size.every((n) => n !== undefined && Number.isInteger(n) && n > 0),
      `${name}: ${size}`,
    );
    for (const constant of source.matchAll(/this\.constants\.(\w+)/g)) {
      t.ok(constant[1]! in constants, `${name}: ${constant[1]}`);
    }
  }
});

t.test('and what has is found', async (t) => {
  const body = (text: string) => complaints(`function (a) { ${text} }`);
  t.same(body('let sum = 0; for (let i = 0; i < 4; i++) { let sum = 1; } return sum;'), [
    'sum is declared twice',
  ]);
  t.same(body('for (let i = 0; i < n; i++) {} return 0;'), ['let i = 0; i < n; i++']);
  t.same(body('for (let i = 3; i >= 0; i--) {} return 0;'), ['let i = 3; i >= 0; i--']);
  t.same(body('while (true) {} return Math.tanh(a[0]);'), [
    'while',
    'Math.tanh is not known to be right everywhere',
  ]);
});
