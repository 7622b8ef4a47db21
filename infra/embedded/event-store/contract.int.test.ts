import { describeEventStore } from '@clustral/kernel/event-store.contract.ts';
import { certificateFiles } from './testing/certificates.ts';
import { Stores } from './testing/processes.ts';

/** The contract of the log, over a port as a real server has it: found by gossip, with TLS and a password. */
describeEventStore('the embedded event store as a server with TLS', async () => {
  const stores = new Stores();
  const { ca, cert, key } = await certificateFiles(stores.base);
  const store = await stores.start({
    data: stores.newFolder(),
    args: ['--tls-cert', cert, '--tls-key', key],
    environment: { EVENT_STORE_PASSWORD: 'changed it' },
  });
  const address = store.address.replace('127.0.0.1', 'localhost');
  return {
    connectionString: `esdb+discover://admin:changed%20it@${address}?tls=true&tlsCAFile=${ca}`,
    stop: async () => {
      await stores.end();
      stores.remove();
    },
  };
});
