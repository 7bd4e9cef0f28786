/** Licence texts that go with bundles. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Packages that were bundled into the published file of another, where no list of inputs shows them. */
const INSIDE: Readonly<Record<string, readonly string[]>> = { 'gpu.js': ['acorn', 'gpu-mock.js'] };

/** Licences of the packages that went into a bundle; most ask that they go with every copy. */
export function notices(inputs: readonly string[]): string {
  const named = inputs.flatMap(
    (path) => /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [],
  );
  return [...new Set(named.flatMap((name) => [name, ...(INSIDE[name] ?? [])]))]
    .sort()
    .map((name) => {
      const folder = join('node_modules', name);
      const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
      const readme = ['README.md', 'readme.md']
        .map((entry) => join(folder, entry))
        .find((path) => existsSync(path));
      const text = file
        ? readFileSync(join(folder, file), 'utf8')
        : readme
          ? licenceSection(readFileSync(readme, 'utf8'))
          : '';
      if (text === '') throw new Error(`${name} has no licence text to bundle`);
      return `${name}\n${'-'.repeat(name.length)}\n${text.trim()}\n`;
    })
    .join('\n');
}

/** The licence as some packages give it: the last section of the README. */
const licenceSection = (readme: string): string =>
  /#+\s*(?:licen[cs]e|credits)[\s\S]*$/i.exec(readme)?.[0] ?? '';
