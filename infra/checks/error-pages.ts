/**
 * The pages of the error codes as Markdown: the same words that the product serves at `/errors/<code>`, with what the refusal looks
 * like on each of its surfaces, made by the code that writes it there. `npm run fix` writes them; a check keeps them current.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectAnswer, problemAnswer, textAnswer } from '@clustral/kernel/http-errors.ts';
import { errorCatalogue, errorPage, Refusal, type ErrorCode } from '@clustral/schemas/errors.ts';
import { errorHelp } from '@clustral/web/error-help.ts';

const docsBaseUrl = 'https://clustral.example/errors/';
const correlationId = '4bf92f3577b34da6a3ce929d0e0e4736';

const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'e2e', 'golden', 'kubectl-sentences.json'), 'utf8'),
) as Partial<Record<ErrorCode, { readonly read: Readonly<Record<string, string>> }>>;

/** Every code that there is. */
export const errorCodes = Object.keys(errorCatalogue) as readonly ErrorCode[];

/** Where the page of a code lies below `infra/docs/errors/`. */
export const errorFile = (code: ErrorCode): string => `${errorPage('', code).slice(1)}.md`;

/** The page of one code. */
export function errorMarkdown(code: ErrorCode): string {
  const { title, http, connect, advice } = errorCatalogue[code];
  const { meaning, causes, person, operator, example } = errorHelp[code];
  const context = { docsBaseUrl, correlationId };
  const refusal = new Refusal(code, example);
  const text = textAnswer(refusal, context);
  const problem = problemAnswer(refusal, { ...context, instance: '/api/v1/clusters' });
  const rpc = connectAnswer(refusal, context);
  return [
    `# ${code}`,
    `**${title}.** HTTP ${http}, Connect \`${connect}\`. ${advice}`,
    `## What it means`,
    meaning,
    `## Likely causes`,
    causes.map((cause, index) => `${index + 1}. ${cause}`).join('\n'),
    `## What you do`,
    person,
    `## What the operator does`,
    operator,
    `## How it looks`,
    ...shown(code),
    `On the way to a cluster, to whoever does not ask for JSON:`,
    fenced('text', `HTTP/1.1 ${text.status}\nX-Clustral-Error-Code: ${code}\n\n${text.body.trimEnd()}`),
    `On REST (RFC 9457):`,
    fenced('json', pretty(problem.body)),
    `On Connect:`,
    fenced('json', pretty(rpc.body)),
    `In the command line tool:`,
    fenced('text', `error: ${example}   ${code}\n  help: ${errorPage(docsBaseUrl, code)}\n  ref:  ${correlationId}`),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

/** What kubectl prints, where it is known from real ones. */
function shown(code: ErrorCode): readonly string[] {
  const line = golden[code]?.read['1.35'];
  return line === undefined ? [] : ['In kubectl:', fenced('text', line)];
}

/** The list of all pages. */
export function errorIndex(): string {
  const rows = errorCodes.map((code) => {
    const { title, http } = errorCatalogue[code];
    return `- [${code}](${errorFile(code)}), HTTP ${http}: ${title}`;
  });
  return `# Error codes\n\nWhat Clustral says when it says no. Made from the catalogue: \`npm run fix\`.\n\n${rows.join('\n')}\n`;
}

/** Every file below `infra/docs/errors/` with what must stand in it. */
export const errorFiles = (): ReadonlyMap<string, string> =>
  new Map([['README.md', errorIndex()], ...errorCodes.map((code) => [errorFile(code), errorMarkdown(code)] as const)]);

const fenced = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\``;

const pretty = (json: string): string => JSON.stringify(JSON.parse(json), null, 2);
