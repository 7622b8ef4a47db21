import { describe, expect, it } from 'vitest';
import { createClient } from './event-store-client.ts';

describe('the connection string of the log', () => {
  it('brings the credentials that each call carries', () => {
    const { credentials } = createClient('esdb://admin:ch%40ngeit@localhost:2113?tls=true');
    expect(credentials).toEqual({ username: 'admin', password: 'ch@ngeit' });
  });

  it.each([
    'unix:/run/clustral/es.sock',
    'esdb://127.0.0.1:2113?tls=false',
    'esdb+discover://admin:changeit@cluster:2113',
  ])('may name the embedded server, one without TLS, or a cluster: %s', (connectionString) =>
    expect(createClient(connectionString).credentials.username).not.toBe(''),
  );

  it('is refused without user and password when the server wants them', () => {
    expect(() => createClient('esdb://es.example:2113')).toThrow('names no user and password');
  });

  it.each(['http://admin:geheim@es:2113', 'esdb://admin:geheim@es:port', 'esdb://admin:geheim@'])(
    'never shows up in the error when it cannot be read: %s',
    (connectionString) => {
      let error: unknown;
      try {
        createClient(connectionString);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(Error);
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('geheim');
    },
  );
});
