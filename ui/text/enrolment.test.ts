import { expect, it } from 'vitest';
import { enrolmentSteps } from './enrolment.ts';
import { commandLine } from './shell.ts';

it.each(['kubernetes', 'process'] as const)(
  'the commands for an agent (%s) name the cluster and the host, and no secret',
  (place) => {
    const facts = { clusterId: '01937b2c-1111-7222-8333-444455559f3a', host: 'clustral.example' };
    const text = enrolmentSteps(place, facts)
      .flatMap(({ lines }) => lines.map((line) => commandLine(line)))
      .join('\n');
    expect(text).toContain(facts.clusterId);
    expect(text).toContain('https://clustral.example:5443');
    expect(text).not.toMatch(/--from-literal=bootstrap-token|AGENT_BOOTSTRAP_TOKEN=/);
  },
);
